import Vocabulary

/// Regressions of published advisories that no other group tries.
enum AdvisoryChecks {
    static let checks: [Check] = [
        Check(
            "advisory.stale-cache", .must, "CVE-2026-35172: stale caches",
            "a blob that was deleted in A and read in B is not there again in A", ["blob-404"]
        ) { probe in
            let blob = try probe.newBlob()
            let other = probe.repository("other")
            try probe.pushBlob(blob, in: other)
            try probe.get(probe.blobPlace(blob.digest)).expect(200)
            try probe.deleteOrSkip(probe.blobPlace(blob.digest), "blob")
            _ = try probe.leaning(on: "delete.blob.gone") { try probe.get(probe.blobPlace(blob.digest)).expect(404) }
            _ = try probe.leaning(on: "delete.blob.other-repository") {
                try probe.get(probe.blobPlace(blob.digest, in: other)).expect(200)
            }
            try probe.get(probe.blobPlace(blob.digest)).expect(404)
            try probe.head(probe.blobPlace(blob.digest)).expect(404)
        },
        Check(
            "advisory.stale-manifest", .must, "CVE-2026-35172: stale caches",
            "a manifest that was read, then deleted, is not there again", ["manifest-404"]
        ) { probe in
            let image = try probe.newTaggedImage()
            for reference in ["latest", image.digest] {
                try probe.get(probe.manifestPlace(reference), ("Accept", image.type)).expect(200)
            }
            try probe.deleteOrSkip(probe.manifestPlace(image.digest), "manifest")
            try probe.leaning(on: "delete.manifest.gone") {
                for reference in [image.digest, "latest"] {
                    try probe.get(probe.manifestPlace(reference), ("Accept", image.type)).expect(404)
                }
            }
            let answers = try probe.parallel(3) { probe, number in
                try probe.get(
                    probe.manifestPlace(number == 0 ? "latest" : image.digest), ("Accept", MediaType.ociManifest))
            }
            for answer in answers { try answer.expect(404) }
        },
        Check(
            "advisory.latest-is-a-tag", .must, "CVE-2026-31801: no tag is exempt",
            "the tag latest is treated like any other, wherever it is read, pushed wrongly or deleted",
            ["tag-grammar"]
        ) { probe in
            var seen: [[Int]] = []
            for tag in ["latest", "other"] {
                let image = try probe.newTaggedImage(tag)
                seen.append([
                    try probe.get(probe.manifestPlace(tag), ("Accept", image.type)).status,
                    try probe.putManifest(Content("no JSON"), tag, type: image.type).status,
                    try probe.putManifest(image.content, tag, type: MediaType.dockerSchema1).status,
                    try probe.get(probe.manifestPlace(tag), ("Accept", image.type)).status,
                    try probe.delete(probe.manifestPlace(tag)).status,
                    try probe.get(probe.manifestPlace(tag), ("Accept", image.type)).status,
                ])
            }
            try require(seen[0] == seen[1], "the same statuses: \(seen[1])", "\(seen[0]) for latest")
        },
        Check(
            "advisory.disabled-delete", .must, "CVE-2026-41888: deletes round a policy",
            "a delete that is answered 400, 403 or 405 leaves what it was to delete",
            ["manifest-get-200", "blob-get-200"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let blob = try probe.newBlob()
            for (place, accept) in [
                (probe.manifestPlace("latest"), image.type), (probe.manifestPlace(image.digest), image.type),
                (probe.blobPlace(blob.digest), "*/*"),
            ] {
                if try probe.get(place, ("Accept", accept)).status != 200 { continue }
                let answer = try probe.delete(place)
                if [400, 403, 405].contains(answer.status) {
                    try probe.get(place, ("Accept", accept)).expect(200)
                }
            }
        },
        Check(
            "advisory.redirect-leak", .should, "Headers that tell too much",
            "no answer about a blob names a file path of the server", ["opinion"]
        ) { probe in
            let blob = try probe.newBlob()
            for digest in [blob.digest, try probe.random(8).digest] {
                var request = Request("GET", probe.blobPlace(digest))
                request.follows = false
                let answer = try probe.send(request)
                let text =
                    answer.headers.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
                    + (answer.status == 200 ? "" : String(decoding: answer.body, as: UTF8.self))
                for mark in ["/var/lib/", "/home/", "file://", "docker/registry/v2/blobs/"] {
                    try require(
                        !text.contains(mark) || (300..<400).contains(answer.status), "no path of the server",
                        "'\(mark)'",
                        answer)
                }
            }
        },
        Check(
            "advisory.proxy-namespace", .should, "distribution-spec: Registry Proxying",
            "ns in the query is ignored, or used and told by OCI-Namespace", ["namespace-header"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let place = probe.manifestPlace("latest").adding("ns=registry.example.org")
            let answer = try probe.get(place, ("Accept", image.type))
            if answer.status == 200 {
                try answer.expectBody(image.content.bytes)
                guard let told = answer.headers[HeaderName.ociNamespace] else { return }
                return try require(
                    told == "registry.example.org", "OCI-Namespace: registry.example.org", told, answer)
            }
            try answer.expect(404)
            try answer.expectHeader(HeaderName.ociNamespace, "registry.example.org")
        },
    ]
}
