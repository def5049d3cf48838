import Vocabulary

/// distribution-spec "Checking if content exists in the registry" (HEAD of end-2 and end-3).
enum ExistsChecks {
    private static let section = "distribution-spec: Checking if content exists"

    static let checks: [Check] = manifests + types + blobs

    private static let manifests: [Check] = [
        Check(
            "exists.manifest.by-tag", .must, section, "HEAD of a tag is 200, with no body",
            ["head-200"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.head(probe.manifestPlace("latest"), ("Accept", image.type))
            try answer.expect(200)
        },
        Check(
            "exists.manifest.by-digest", .must, section, "HEAD of a manifest digest is 200", ["head-200"]
        ) { probe in
            let image = try probe.newTaggedImage()
            try probe.head(probe.manifestPlace(image.digest), ("Accept", image.type)).expect(200)
        },
        Check(
            "exists.manifest.digest-header", .must, section, "HEAD of a manifest tells its digest", ["head-digest"]
        ) { probe in
            let image = try probe.newTaggedImage()
            for reference in ["latest", image.digest] {
                let answer = try probe.head(probe.manifestPlace(reference), ("Accept", image.type))
                try answer.expect(200)
                try answer.expectDigestHeader(of: image.content.bytes)
            }
        },
        Check(
            "exists.manifest.length", .must, section, "HEAD of a manifest tells its size", ["head-length"]
        ) { probe in
            let image = try probe.newTaggedImage()
            for reference in ["latest", image.digest] {
                let answer = try probe.head(probe.manifestPlace(reference), ("Accept", image.type))
                try answer.expect(200)
                try answer.expectHeader("Content-Length", String(image.content.count))
            }
        },
        Check(
            "exists.manifest.missing-tag", .must, section, "HEAD of a tag that is not there is 404", ["head-404"]
        ) { probe in
            _ = try probe.newTaggedImage()
            try probe.head(probe.manifestPlace(try probe.word("no-such-"))).expect(404)
        },
        Check(
            "exists.manifest.missing-digest", .must, section, "HEAD of a manifest digest that is not there is 404",
            ["head-404"]
        ) { probe in
            _ = try probe.newTaggedImage()
            try probe.head(probe.manifestPlace(try probe.random(64).digest)).expect(404)
        },
    ]

    private static let types: [Check] = PullManifestChecks.kinds.map { name, type in
        Check(
            "exists.manifest.content-type" + (type == MediaType.ociManifest ? "" : ".\(name)"), .should,
            "Docker V2: what clients need",
            "HEAD of a manifest tells its media type, by tag and by digest: clients choose by it (\(type))",
            ["content-type-as-pushed"]
        ) { probe in
            let manifest = try PullManifestChecks.pushed(type, probe)
            for reference in ["latest", manifest.digest] {
                let answer = try probe.head(probe.manifestPlace(reference), ("Accept", type))
                try answer.expect(200)
                try PullManifestChecks.requireType(answer, type)
            }
        }
    }

    private static let blobs: [Check] = [
        Check("exists.blob", .must, section, "HEAD of a blob is 200", ["head-200"]) { probe in
            let blob = try probe.newBlob()
            try probe.head(probe.blobPlace(blob.digest)).expect(200)
        },
        Check("exists.blob.digest-header", .must, section, "HEAD of a blob tells its digest", ["head-digest"]) {
            probe in
            let blob = try probe.newBlob()
            let answer = try probe.head(probe.blobPlace(blob.digest))
            try answer.expect(200)
            try answer.expectDigestHeader(of: blob.bytes)
        },
        Check("exists.blob.length", .must, section, "HEAD of a blob tells its size", ["head-length"]) { probe in
            for count in [1, 4_321] {
                let blob = try probe.newBlob(count)
                let answer = try probe.head(probe.blobPlace(blob.digest))
                try answer.expect(200)
                try answer.expectHeader("Content-Length", String(count))
            }
        },
        Check(
            "exists.blob.empty", .must, section, "HEAD of the empty blob is 200, with Content-Length: 0 and its digest",
            ["head-200", "head-length", "head-digest"]
        ) { probe in
            let blob = try probe.newBlob(0)
            let answer = try probe.head(probe.blobPlace(blob.digest))
            try answer.expect(200)
            try answer.expectHeader("Content-Length", "0")
            try answer.expectDigestHeader(of: blob.bytes)
        },
        Check(
            "exists.blob.large", .must, section, "HEAD of a blob of more than a MiB is 200 and tells its size",
            ["head-200", "head-length"]
        ) { probe in
            let blob = try probe.newBlob(1_300_007)
            let answer = try probe.head(probe.blobPlace(blob.digest))
            try answer.expect(200)
            try answer.expectHeader("Content-Length", String(blob.count))
        },
        Check("exists.blob.missing", .must, section, "HEAD of a blob that is not there is 404", ["head-404"]) {
            probe in
            _ = try probe.newBlob()
            try probe.head(probe.blobPlace(try probe.random(64).digest)).expect(404)
        },
        Check(
            "exists.blob.range-ignored", .must, "RFC 9110 §14.2: Range",
            "Range has no meaning for HEAD: 200 with the whole length", ["head-200", "head-length"]
        ) { probe in
            let blob = try probe.newBlob(500)
            let answer = try probe.head(probe.blobPlace(blob.digest), ("Range", "bytes=0-9"))
            try answer.expect(200)
            try answer.expectHeader("Content-Length", "500")
        },
    ]
}
