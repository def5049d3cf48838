import Vocabulary

/// What one node of a registry acknowledged holds at every other at once: each is asked before, so that what it keeps of its
/// own shows.
enum NodeChecks {
    static let checks: [Check] = [
        check(
            "tag.moved", "distribution-spec: Pulling manifests",
            "a tag that was moved at one node names the new manifest at every other", ["manifest-get-200"]
        ) { probe, writer, reader in
            let images = try (0..<2).map { _ in try probe.newImage() }
            for image in images {
                try probe.at(writer) { try probe.push(image, as: "moving") }
                try probe.at(reader) {
                    let answer = try probe.get(probe.manifestPlace("moving"), ("Accept", image.type)).expect(200)
                    try answer.expectBody(image.content.bytes)
                    let head = try probe.head(probe.manifestPlace("moving"), ("Accept", image.type)).expect(200)
                    try head.expectDigestHeader(of: image.content.bytes)
                }
            }
        },
        check(
            "tags.listed", "distribution-spec: Listing Tags",
            "a tag that was pushed at one node is in the list of every other", ["tags-json"]
        ) { probe, writer, reader in
            let image = try probe.newImage()
            for _ in 0..<2 {
                let tag = try probe.word("t")
                try probe.at(writer) { try probe.push(image, as: tag) }
                let tags = try probe.at(reader) { try probe.tags() }
                try require(tags.contains(tag), "\(tag) in the list", "\(tags.count) others")
            }
        },
        check(
            "manifest.deleted", "distribution-spec: Deleting Manifests",
            "a manifest that was deleted at one node is gone at every other", ["manifest-404"]
        ) { probe, writer, reader in
            let image = try probe.newTaggedImage()
            let places = [image.digest, "latest"].map { probe.manifestPlace($0) }
            try probe.at(reader) {
                for place in places { try probe.get(place, ("Accept", image.type)).expect(200) }
            }
            try probe.at(writer) { try probe.deleteOrSkip(places[0], "manifest") }
            try probe.at(reader) {
                for place in places { try probe.get(place, ("Accept", image.type)).expect(404) }
            }
        },
        check(
            "blob.pushed", "distribution-spec: Pulling blobs",
            "a blob that was asked for before it was pushed at one node is there at every other", ["blob-get-200"]
        ) { probe, writer, reader in
            _ = try probe.newBlob()
            let blob = try probe.random(1_000)
            let place = probe.blobPlace(blob.digest)
            try probe.at(reader) { try probe.head(place).expect(404) }
            try probe.at(writer) { try probe.pushBlob(blob) }
            try probe.at(reader) {
                try probe.head(place).expect(200)
                try probe.get(place).expect(200).expectBody(blob.bytes)
            }
        },
        check(
            "blob.deleted", "distribution-spec: Deleting Blobs",
            "a blob that was deleted at one node is gone at every other", ["blob-404"]
        ) { probe, writer, reader in
            let place = probe.blobPlace(try probe.newBlob().digest)
            try probe.at(reader) { try probe.get(place).expect(200) }
            try probe.at(writer) { try probe.deleteOrSkip(place, "blob") }
            try probe.at(reader) {
                try probe.head(place).expect(404)
                try probe.get(place).expect(404)
            }
        },
        check(
            "referrers.listed", "distribution-spec: Enabling the Referrers API",
            "a referrer that was pushed at one node is in the list of every other", ["referrers-new"]
        ) { probe, writer, reader in
            let subject = try probe.newTaggedImage()
            let referrers = try (0..<2).map { _ in try probe.newReferrer(to: subject.descriptor()) }
            for referrer in referrers {
                try probe.at(writer) { try probe.push(referrer) }
                let found = try probe.at(reader) { try probe.referrers(of: subject.digest) }
                try require(
                    found.contains { $0["digest"]?.string == referrer.digest }, "the referrer in the list",
                    "\(found.count) others")
            }
        },
        check(
            "upload.handed", "distribution-spec: Pushing a blob in chunks",
            "an upload that began at one node goes on at every other, and is one", ["chunk-202", "put-201"]
        ) { probe, writer, reader in
            let upload = try probe.at(writer) { try probe.beginUpload() }
            let size = max(1_000, upload.leastChunk)
            let parts = try (0..<2).map { _ in try probe.random(size) }
            let first = try probe.at(reader) { try probe.patch(upload.place, parts[0], range: "0-\(size - 1)") }
            try first.expect(202)
            let status = try probe.at(writer) { try probe.get(try probe.expectLocation(first)) }
            try status.expect(204).expectHeader("Range", "0-\(size - 1)")
            let second = try probe.at(writer) {
                try probe.patch(try probe.expectLocation(first), parts[1], range: "\(size)-\(2 * size - 1)")
            }
            try second.expect(202)
            let whole = Content(parts.flatMap(\.bytes))
            try probe.at(reader) {
                try probe.finish(try probe.expectLocation(second), digest: whole.digest).expect(201)
            }
            try probe.at(writer) { try probe.get(probe.blobPlace(whole.digest)).expect(200).expectBody(whole.bytes) }
        },
        check(
            "upload.cancelled", "distribution-spec: Pushing blobs",
            "an upload that was cancelled at one node has ended at every other", ["http-semantics"], level: .should
        ) { probe, writer, reader in
            let upload = try probe.at(reader) { try probe.beginUpload() }
            let before = try probe.at(reader) { try probe.get(upload.place) }
            guard before.status == 204 else { throw Skip("the registry tells no status of an upload") }
            let answer = try probe.at(writer) { try probe.delete(upload.place) }
            guard [202, 204].contains(answer.status) else { throw Skip("the registry cancels no upload") }
            try probe.at(reader) { try probe.get(upload.place).expect(404) }
        },
        Check(
            "nodes.tag.race", .must, "distribution-spec: Pulling manifests",
            "after a tag was pushed at all nodes at once they all name the same manifest, one of those pushed",
            ["manifest-get-200"], needs: [.push, .nodes]
        ) { probe in
            let nodes = probe.run.target.nodes.indices
            try probe.race { _ in
                let images = try nodes.map { _ in try probe.newImage() }
                _ = try probe.parallel(nodes.count) { probe, number in
                    try probe.at(number) { try probe.push(images[number], as: "race") }
                }
                let bodies = try nodes.map { node in
                    try probe.at(node) {
                        try probe.get(probe.manifestPlace("race"), ("Accept", MediaType.ociManifest)).expect(200).body
                    }
                }
                try require(Set(bodies).count == 1, "the same at all nodes", "\(Set(bodies).count) others")
                try require(images.contains { $0.content.bytes == bodies[0] }, "one of those pushed", "another")
            }
        },
    ]

    /// A check with each node as the one that writes and the next as the one that is asked, several times.
    private static func check(
        _ id: String, _ section: String, _ gist: String, _ statements: [String], level: Level = .must,
        _ work: @escaping @Sendable (Probe, _ writer: Int, _ reader: Int) throws -> Void
    ) -> Check {
        Check("nodes.\(id)", level, section, gist, statements, needs: [.push, .nodes]) { probe in
            let count = probe.run.target.nodes.count
            for turn in 0..<2 * count { try work(probe, turn % count, (turn + 1 + turn / count) % count) }
        }
    }
}
