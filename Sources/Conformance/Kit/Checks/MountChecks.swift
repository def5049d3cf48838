import Vocabulary

/// distribution-spec "Mounting a blob from another repository" (end-11).
enum MountChecks {
    private static let section = "distribution-spec: Mounting a blob from another repository"

    private static func query(_ digest: String, _ from: String?) -> String {
        "mount=" + queryEscaped(digest) + (from.map { "&from=" + queryEscaped($0) } ?? "")
    }

    static let checks: [Check] = [
        Check(
            "mount.answer", .must, section, "a mount is 201 with a Location that leads to the blob, or 202",
            ["mount-201", "mount-202"]
        ) { probe in
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            let answer = try probe.postUpload(query(blob.digest, source))
            try answer.expect(201, 202)
            let place = try probe.expectLocation(answer)
            guard answer.status == 201 else { throw Skip("the registry does not mount (202)") }
            let pulled = try probe.get(place)
            try pulled.expect(200)
            try pulled.expectBody(blob.bytes)
        },
        Check("mount.visible", .must, section, "a mounted blob is there in its new repository", ["mount-201"]) {
            probe in
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            let answer = try probe.postUpload(query(blob.digest, source))
            if answer.status == 202 { throw Skip("the registry does not mount (202)") }
            try answer.expect(201)
            let pulled = try probe.get(probe.blobPlace(blob.digest))
            try pulled.expect(200)
            try pulled.expectBody(blob.bytes)
        },
        Check(
            "mount.unescaped", .must, section, "the mount parameters are read escaped or plain, in any order",
            ["mount-201", "mount-202"]
        ) { probe in
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            let answer = try probe.postUpload("from=\(source)&mount=\(blob.digest)")
            try answer.expect(201, 202)
            if answer.status == 201 { try probe.head(probe.blobPlace(blob.digest)).expect(200) }
        },
        Check(
            "mount.missing-blob", .should, section, "a mount of a blob that the source lacks is 202: an upload begins",
            ["mount-202"]
        ) { probe in
            let source = probe.repository("source")
            _ = try probe.newBlob(in: source)
            let content = try probe.random(400)
            let answer = try probe.postUpload(query(content.digest, source))
            try answer.expect(202)
            try probe.finish(try probe.expectLocation(answer), digest: content.digest, body: content).expect(201)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "mount.missing-repository", .should, section,
            "a mount from a repository that does not exist is 202: an upload begins", ["mount-202"]
        ) { probe in
            let content = try probe.random(400)
            let answer = try probe.postUpload(query(content.digest, probe.repository("never-made")))
            try answer.expect(202)
            try probe.finish(try probe.expectLocation(answer), digest: content.digest, body: content).expect(201)
        },
        Check(
            "mount.never-made", .must, section, "a mount never makes a blob that the source does not have",
            ["blob-404"]
        ) { probe in
            let source = probe.repository("source")
            _ = try probe.newBlob(in: source)
            let digest = try probe.random(400).digest
            let answer = try probe.postUpload(query(digest, source))
            try require(answer.status != 201, "any status but 201", "201 for a blob that is nowhere", answer)
            try probe.get(probe.blobPlace(digest)).expect(404)
        },
        Check(
            "mount.without-from", .may, section,
            "a mount without a source is 201 where the registry finds the blob, else 202", ["mount-201"]
        ) { probe in
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            let answer = try probe.postUpload(query(blob.digest, nil))
            try answer.expect(201, 202)
            _ = try probe.expectLocation(answer)
            if answer.status == 201 { try probe.head(probe.blobPlace(blob.digest)).expect(200) }
        },
        Check(
            "mount.malformed-digest", .should, section, "a mount of a malformed digest is a client error or an upload",
            ["http-semantics"]
        ) { probe in
            let source = probe.repository("source")
            _ = try probe.newBlob(in: source)
            let answer = try probe.postUpload("mount=nonsense&from=" + queryEscaped(source))
            try require(
                answer.status == 202 || (400..<500).contains(answer.status), "202 or 4xx",
                "status \(answer.status)", answer)
        },
        Check(
            "mount.usable", .must, section, "a manifest of mounted blobs is taken and can be pulled",
            ["mount-201", "manifest-put-201"]
        ) { probe in
            let source = probe.repository("source")
            let config = try probe.newConfig(in: source)
            let layer = Descriptor(MediaType.ociLayer, try probe.newBlob(in: source))
            for digest in [config.digest, layer.digest] {
                let answer = try probe.postUpload(query(digest, source))
                if answer.status == 202 { throw Skip("the registry does not mount (202)") }
                try answer.expect(201)
            }
            try probe.leaning(on: "mount.visible") { _ = try probe.get(probe.blobPlace(layer.digest)).expect(200) }
            let image = Manifest(image: config, layers: [layer])
            try probe.putManifest(image.content, "latest", type: image.type).expect(201)
            let pulled = try probe.get(probe.manifestPlace("latest"), ("Accept", image.type))
            try pulled.expect(200)
            try pulled.expectBody(image.content.bytes)
        },
        Check(
            "mount.digest-header", .may, section, "where a mount tells a digest, it is the blob's"
        ) { probe in
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            let answer = try probe.postUpload(query(blob.digest, source))
            if answer.status == 202 { throw Skip("the registry does not mount (202)") }
            try answer.expect(201)
            try ToldDigest.require(answer, of: blob)
        },
        Check(
            "mount.location", .should, "RFC 9110 §10.2.2: Location",
            "the Location of a mount is what it made, not the blob that it was made from: who may pull the one may be "
                + "denied the other", ["http-semantics"]
        ) { probe in
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            let answer = try probe.postUpload(query(blob.digest, source))
            if answer.status == 202 { throw Skip("the registry does not mount (202)") }
            try answer.expect(201)
            let url = try probe.expectLocation(answer).url(on: probe.base)
            let isSource = url.contains("/v2/\(source)/")
            try require(!isSource, "a Location that is not the source's blob", "Location: \(url)", answer)
        },
        Check(
            "mount.outlives-source", .must, section, "a mounted blob stays when the source deletes its own",
            ["mount-201", "blob-get-200"]
        ) { probe in
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            let answer = try probe.postUpload(query(blob.digest, source))
            if answer.status == 202 { throw Skip("the registry does not mount (202)") }
            try answer.expect(201)
            try probe.leaning(on: "mount.visible") { _ = try probe.get(probe.blobPlace(blob.digest)).expect(200) }
            try probe.deleteOrSkip(probe.blobPlace(blob.digest, in: source), "blob")
            try probe.leaning(on: "delete.blob.other-repository") {
                let pulled = try probe.get(probe.blobPlace(blob.digest))
                try pulled.expect(200)
                try pulled.expectBody(blob.bytes)
            }
        },
    ]
}
