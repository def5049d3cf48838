import Vocabulary

/// What a deletion, a cancellation or a refused push must leave alone.
enum StateChecks {
    private static let manifestSection = "distribution-spec: Deleting Manifests"

    static let checks: [Check] = deletions + referrers + refusals

    /// The manifest must be pulled whole by each reference.
    private static func requireThere(_ probe: Probe, _ manifest: Manifest, _ references: [String]) throws {
        for reference in references {
            let answer = try probe.get(probe.manifestPlace(reference), ("Accept", manifest.type))
            try answer.expect(200)
            try answer.expectBody(manifest.content.bytes)
        }
    }

    /// Two images with tags of their own, and a tagged index of them.
    private static func pushIndex(_ probe: Probe) throws -> (index: Manifest, children: [Manifest]) {
        let children = try ["one", "two"].map { try probe.newTaggedImage($0) }
        let index = Manifest(index: children.map { $0.descriptor() })
        try probe.push(index, as: "both")
        return (index, children)
    }

    private static let deletions: [Check] = [
        Check(
            "delete.index.leaves-children", .must, manifestSection,
            "deleting an index leaves the tagged manifests that it names", ["manifest-get-200"]
        ) { probe in
            let (index, children) = try pushIndex(probe)
            try probe.deleteOrSkip(probe.manifestPlace(index.digest), "manifest")
            for (child, tag) in zip(children, ["one", "two"]) {
                try requireThere(probe, child, [child.digest, tag])
            }
        },
        Check(
            "delete.index.child", .must, manifestSection,
            "deleting a manifest, where an index that names it lets it go, leaves the index and its other manifests",
            ["manifest-get-200"]
        ) { probe in
            let (index, children) = try pushIndex(probe)
            let answer = try probe.delete(probe.manifestPlace(children[0].digest))
            if (400..<500).contains(answer.status) {
                throw Skip("what an index names is not deleted, or nothing is (status \(answer.status))")
            }
            try answer.expect(202)
            try requireThere(probe, index, [index.digest, "both"])
            try requireThere(probe, children[1], [children[1].digest, "two"])
        },
        Check(
            "delete.tag.last", .should, "distribution-spec: Deleting tags",
            "deleting the last tag of a manifest deletes the tag: the manifest stays by digest", ["manifest-get-200"]
        ) { probe in
            let image = try probe.newTaggedImage("only")
            try probe.deleteOrSkip(probe.manifestPlace("only"), "tag")
            try requireThere(probe, image, [image.digest])
        },
        Check(
            "mount.deleted", .must, "distribution-spec: Mounting a blob from another repository",
            "a blob that its source deleted is not mounted, or is there once it was", ["mount-201", "blob-get-200"]
        ) { probe in
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            try probe.deleteOrSkip(probe.blobPlace(blob.digest, in: source), "blob")
            let answer = try probe.postUpload("mount=" + queryEscaped(blob.digest) + "&from=" + queryEscaped(source))
            guard answer.status == 201 else { return }
            let pulled = try probe.get(probe.blobPlace(blob.digest))
            try pulled.expect(200)
            try pulled.expectBody(blob.bytes)
        },
    ]

    /// A subject and a referrer of it, both tagged, of a registry with the referrers API or without.
    private static func pushPair(_ probe: Probe) throws -> (subject: Manifest, referrer: Manifest) {
        let subject = try probe.newTaggedImage("subject")
        let referrer = try probe.newReferrer(to: subject.descriptor())
        try probe.push(referrer, as: "referrer")
        return (subject, referrer)
    }

    private static let referrers: [Check] = [
        Check(
            "delete.referrer.leaves-subject", .must, manifestSection, "deleting a referrer leaves its subject",
            ["manifest-get-200"]
        ) { probe in
            let (subject, referrer) = try pushPair(probe)
            try probe.deleteOrSkip(probe.manifestPlace(referrer.digest), "manifest")
            try requireThere(probe, subject, [subject.digest, "subject"])
        },
        Check(
            "delete.subject.leaves-referrers", .should, manifestSection,
            "deleting a subject leaves a tagged referrer, by tag and by digest", ["manifest-get-200"]
        ) { probe in
            let (subject, referrer) = try pushPair(probe)
            try probe.deleteOrSkip(probe.manifestPlace(subject.digest), "manifest")
            try requireThere(probe, referrer, [referrer.digest, "referrer"])
        },
        Check(
            "referrers.of-deleted", .must, "distribution-spec: Listing Referrers",
            "the list of a subject that was deleted is 200, never 404, with the referrers that are still there",
            ["referrers-no-404", "referrers-200", "referrers-new"]
        ) { probe in
            let (subject, referrer) = try pushPair(probe)
            _ = try probe.referrers(of: subject.digest)
            try probe.deleteOrSkip(probe.manifestPlace(subject.digest), "manifest")
            let answer = try probe.get(probe.referrersPlace(subject.digest))
            try answer.expect(200)
            let isThere = try probe.head(probe.manifestPlace(referrer.digest), ("Accept", referrer.type)).status == 200
            let found = try probe.referrers(of: subject.digest).contains { $0["digest"]?.string == referrer.digest }
            try require(found || !isThere, "the referrer, which is still there, in it", "a list without it", answer)
        },
    ]

    private static let refusals: [Check] = [
        Check(
            "push.cancel.others", .must, "distribution-spec: Cancel a blob upload",
            "cancelling an upload leaves the repository's other uploads", ["upload-put-201"]
        ) { probe in
            let uploads = try (0..<3).map { _ in try probe.beginUpload() }
            let answer = try probe.delete(uploads[1].place)
            guard (200..<300).contains(answer.status) else {
                throw Skip("the upload was not cancelled (\(answer.status))")
            }
            for upload in [uploads[0], uploads[2]] {
                let content = try probe.random(500)
                try probe.finish(upload.place, digest: content.digest, body: content).expect(201)
            }
        },
        Check(
            "push.upload.wrong-digest.harmless", .must, "distribution-spec: Content Verification",
            "a push of other content under the digest of a blob leaves that blob as it was", ["blob-get-200"]
        ) { probe in
            let blob = try probe.newBlob()
            let upload = try probe.beginUpload()
            let other = try probe.random(1_000)
            _ = try probe.finish(upload.place, digest: blob.digest, body: other)
            try probe.head(probe.blobPlace(blob.digest)).expect(200)
            let pulled = try probe.get(probe.blobPlace(blob.digest))
            try pulled.expect(200)
            try pulled.expectBody(blob.bytes)
        },
        Check(
            "push.refused.harmless", .must, "distribution-spec: Pushing Manifests",
            "a manifest that is refused under the digest of another leaves both as they were", ["manifest-get-200"]
        ) { probe in
            let images = try ["one", "two"].map { try probe.newTaggedImage($0) }
            let answer = try probe.putManifest(images[0].content, images[1].digest, type: images[0].type)
            try answer.expectClientError("for a manifest of another digest")
            for (image, tag) in zip(images, ["one", "two"]) { try requireThere(probe, image, [image.digest, tag]) }
        },
    ]
}
