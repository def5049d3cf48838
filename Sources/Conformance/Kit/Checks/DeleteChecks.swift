import Vocabulary

/// distribution-spec "Content Management" (end-9, end-10).
enum DeleteChecks {
    static let checks: [Check] = tags + manifests + blobs

    private static let tagSection = "distribution-spec: Deleting tags"
    private static let manifestSection = "distribution-spec: Deleting Manifests"
    private static let blobSection = "distribution-spec: Deleting Blobs"

    private static let tags: [Check] = [
        Check(
            "delete.tag.answer", .must, tagSection, "deleting a tag is 202, or 400 or 405 where that is disabled",
            ["tag-delete-202", "tag-delete-disabled"]
        ) { probe in
            _ = try probe.newTaggedImage()
            let answer = try probe.delete(probe.manifestPlace("latest"))
            try answer.expect(202, 400, 405)
            if answer.status != 202 { throw Skip("tag deletion is disabled (status \(answer.status))") }
        },
        Check("delete.tag.gone", .must, tagSection, "a deleted tag is 404", ["tag-delete-202", "manifest-404"]) {
            probe in
            _ = try probe.newTaggedImage()
            try probe.deleteOrSkip(probe.manifestPlace("latest"), "tag")
            try probe.get(probe.manifestPlace("latest")).expect(404)
            try probe.head(probe.manifestPlace("latest")).expect(404)
        },
        Check(
            "delete.tag.leaves-manifest", .must, tagSection,
            "deleting a tag leaves the manifest and its other tags", ["tag-delete-202", "manifest-get-200"]
        ) { probe in
            let image = try probe.newTaggedImage("one")
            try probe.push(image, as: "two")
            try probe.deleteOrSkip(probe.manifestPlace("one"), "tag")
            for reference in ["two", image.digest] {
                let answer = try probe.get(probe.manifestPlace(reference), ("Accept", image.type))
                try answer.expect(200)
                try answer.expectBody(image.content.bytes)
            }
        },
        Check("delete.tag.not-listed", .must, tagSection, "a deleted tag is no longer listed", ["tags-json"]) { probe in
            let image = try probe.newTaggedImage("one")
            try probe.push(image, as: "two")
            try probe.deleteOrSkip(probe.manifestPlace("one"), "tag")
            let tags = try probe.tags()
            try require(!tags.contains("one") && tags.contains("two"), "two and not one", "\(tags)")
        },
        Check(
            "delete.tag.missing", .should, tagSection,
            "deleting a tag that is not there is 404, or done: its absence is what was asked for", ["http-semantics"]
        ) { probe in
            _ = try probe.newTaggedImage()
            let answer = try probe.delete(probe.manifestPlace(try probe.word("no-such-")))
            if answer.status == 405 || answer.status == 400 {
                throw Skip("tag deletion is disabled (\(answer.status))")
            }
            try answer.expect(404, 202, 204)
        },
        Check("delete.tag.again", .must, tagSection, "a deleted tag can be pushed again", ["manifest-put-201"]) {
            probe in
            let image = try probe.newTaggedImage()
            try probe.deleteOrSkip(probe.manifestPlace("latest"), "tag")
            try probe.putManifest(image.content, "latest", type: image.type).expect(201)
            try probe.get(probe.manifestPlace("latest"), ("Accept", image.type)).expectBody(image.content.bytes)
        },
    ]

    private static let manifests: [Check] = [
        Check(
            "delete.manifest.answer", .must, manifestSection,
            "deleting a manifest is 202, or 400 or 405 where that is disabled",
            ["manifest-delete-202", "manifest-delete-disabled"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.delete(probe.manifestPlace(image.digest))
            try answer.expect(202, 400, 405, 409)
            if answer.status == 409 { throw Skip("the registry keeps a manifest that is in use (status 409)") }
            if answer.status != 202 { throw Skip("manifest deletion is disabled (status \(answer.status))") }
        },
        Check(
            "delete.manifest.gone", .must, manifestSection,
            "a deleted manifest and all its tags are 404, also where they were pulled before",
            ["manifest-delete-202", "manifest-404"]
        ) { probe in
            let image = try probe.newTaggedImage("one")
            try probe.push(image, as: "two")
            for reference in [image.digest, "one"] {
                try probe.head(probe.manifestPlace(reference), ("Accept", image.type)).expect(200)
                try probe.get(probe.manifestPlace(reference), ("Accept", image.type)).expect(200)
            }
            try probe.deleteOrSkip(probe.manifestPlace(image.digest), "manifest")
            for reference in [image.digest, "one", "two"] {
                try probe.get(probe.manifestPlace(reference), ("Accept", image.type)).expect(404)
                try probe.head(probe.manifestPlace(reference), ("Accept", image.type)).expect(404)
            }
        },
        Check(
            "delete.manifest.not-listed", .must, manifestSection, "the tags of a deleted manifest are no longer listed",
            ["tags-json"]
        ) { probe in
            let image = try probe.newTaggedImage("one")
            _ = try probe.newTaggedImage("two")
            try probe.deleteOrSkip(probe.manifestPlace(image.digest), "manifest")
            let tags = try probe.tags()
            try require(!tags.contains("one") && tags.contains("two"), "two and not one", "\(tags)")
        },
        Check(
            "delete.manifest.others-stay", .must, manifestSection, "deleting a manifest leaves others and their blobs",
            ["manifest-get-200", "blob-get-200"]
        ) { probe in
            let shared = Descriptor(MediaType.ociLayer, try probe.newBlob(500))
            let one = Manifest(image: try probe.newConfig(), layers: [shared])
            let two = Manifest(image: try probe.newConfig(), layers: [shared])
            try probe.push(one, as: "one")
            try probe.push(two, as: "two")
            try probe.deleteOrSkip(probe.manifestPlace(one.digest), "manifest")
            try probe.get(probe.manifestPlace("two"), ("Accept", two.type)).expectBody(two.content.bytes)
            try probe.get(probe.blobPlace(shared.digest)).expect(200)
        },
        Check(
            "delete.manifest.missing", .should, manifestSection,
            "deleting a manifest that is not there is 404, or done: its absence is what was asked for",
            ["http-semantics"]
        ) { probe in
            _ = try probe.newTaggedImage()
            let answer = try probe.delete(probe.manifestPlace(try probe.random(9).digest))
            if answer.status == 405 || answer.status == 400 {
                throw Skip("manifest deletion is disabled (\(answer.status))")
            }
            try answer.expect(404, 202, 204)
        },
        Check(
            "delete.manifest.unknown-repository", .must, manifestSection,
            "deleting a manifest of a repository that does not exist is 404", ["delete-unknown-repository"]
        ) { probe in
            let place = probe.manifestPlace(try probe.random(9).digest, in: probe.repository("never-made"))
            let answer = try probe.delete(place)
            if answer.status == 405 || answer.status == 400 {
                throw Skip("manifest deletion is disabled (\(answer.status))")
            }
            try answer.expect(404)
        },
        Check(
            "delete.manifest.again", .must, manifestSection, "a deleted manifest can be pushed again",
            ["manifest-put-201"]
        ) { probe in
            let image = try probe.newTaggedImage()
            try probe.deleteOrSkip(probe.manifestPlace(image.digest), "manifest")
            try probe.push(image, as: "latest")
            try probe.get(probe.manifestPlace("latest"), ("Accept", image.type)).expectBody(image.content.bytes)
            for reference in ["latest", image.digest] {
                try probe.head(probe.manifestPlace(reference), ("Accept", image.type)).expect(200)
            }
        },
        Check(
            "delete.manifest.tag-that-moved", .must, manifestSection,
            "deleting a manifest leaves a tag that moved on to another", ["manifest-get-200"]
        ) { probe in
            let old = try probe.newTaggedImage()
            let new = try probe.newTaggedImage()
            try probe.deleteOrSkip(probe.manifestPlace(old.digest), "manifest")
            let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", new.type))
            try answer.expect(200)
            try answer.expectBody(new.content.bytes)
        },
    ]

    private static let blobs: [Check] = [
        Check(
            "delete.blob.answer", .must, blobSection, "deleting a blob is 202, or 400 or 405 where that is disabled",
            ["blob-delete-202", "blob-delete-disabled"]
        ) { probe in
            let blob = try probe.newBlob()
            let answer = try probe.delete(probe.blobPlace(blob.digest))
            try answer.expect(202, 400, 405)
            if answer.status != 202 { throw Skip("blob deletion is disabled (status \(answer.status))") }
        },
        Check(
            "delete.blob.gone", .must, blobSection, "a deleted blob is 404, also where it or a part was pulled before",
            ["blob-delete-202", "blob-404"]
        ) { probe in
            let blob = try probe.newBlob()
            let place = probe.blobPlace(blob.digest)
            try probe.head(place).expect(200)
            try probe.get(place).expect(200)
            try probe.get(place, ("Range", "bytes=5-9")).expect(206, 200)
            try probe.deleteOrSkip(place, "blob")
            try probe.get(place).expect(404)
            try probe.head(place).expect(404)
            try probe.get(place, ("Range", "bytes=5-9")).expect(404)
        },
        Check(
            "delete.blob.missing", .must, blobSection, "deleting a blob that is not there is 404", ["blob-delete-404"]
        ) {
            probe in
            _ = try probe.newBlob()
            let answer = try probe.delete(probe.blobPlace(try probe.random(9).digest))
            if answer.status == 405 || answer.status == 400 {
                throw Skip("blob deletion is disabled (\(answer.status))")
            }
            try answer.expect(404)
        },
        Check(
            "delete.blob.twice", .must, blobSection, "deleting a blob a second time is 404", ["blob-delete-404"]
        ) { probe in
            let blob = try probe.newBlob()
            try probe.deleteOrSkip(probe.blobPlace(blob.digest), "blob")
            try probe.delete(probe.blobPlace(blob.digest)).expect(404)
        },
        Check("delete.blob.again", .must, blobSection, "a deleted blob can be pushed again", ["upload-put-201"]) {
            probe in
            let blob = try probe.newBlob()
            try probe.deleteOrSkip(probe.blobPlace(blob.digest), "blob")
            try probe.pushBlob(blob)
            try probe.head(probe.blobPlace(blob.digest)).expect(200)
            let answer = try probe.get(probe.blobPlace(blob.digest))
            try answer.expect(200)
            try answer.expectBody(blob.bytes)
        },
        Check(
            "delete.blob.other-repository", .must, blobSection,
            "deleting a blob leaves the same blob of another repository", ["blob-get-200"]
        ) { probe in
            let blob = try probe.newBlob()
            let other = probe.repository("other")
            try probe.pushBlob(blob, in: other)
            try probe.deleteOrSkip(probe.blobPlace(blob.digest), "blob")
            let answer = try probe.get(probe.blobPlace(blob.digest, in: other))
            try answer.expect(200)
            try answer.expectBody(blob.bytes)
        },
        Check(
            "delete.blob.malformed-digest", .should, blobSection, "deleting by a malformed digest is a client error",
            ["http-semantics"]
        ) { probe in
            _ = try probe.newBlob()
            try probe.delete(probe.blobPlace("sha256:abc")).expectClientError("for a malformed digest")
        },
    ]
}
