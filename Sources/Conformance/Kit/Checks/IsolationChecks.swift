import Vocabulary

/// What one repository holds is no other's business.
enum IsolationChecks {
    private static let section = "distribution-spec: Pulling blobs"
    private static let sessions = "CVE-2026-32589: upload sessions across repositories"

    static let checks: [Check] =
        [
            Check(
                "isolation.blob.never-made", .must, section,
                "a blob of one repository is 404 in a repository that was never made", ["blob-404", "head-404"]
            ) { probe in
                let blob = try probe.newBlob()
                let other = probe.repository("never-made")
                try probe.get(probe.blobPlace(blob.digest, in: other)).expect(404)
                try probe.head(probe.blobPlace(blob.digest, in: other)).expect(404)
                try probe.get(probe.blobPlace(blob.digest, in: other), ("Range", "bytes=0-9")).expect(404)
            },
            Check(
                "isolation.blob.other", .must, section, "a blob of one repository is 404 in another that lacks it",
                ["blob-404", "head-404"]
            ) { probe in
                let blob = try probe.newBlob()
                let other = probe.repository("other")
                _ = try probe.newBlob(in: other)
                try probe.get(probe.blobPlace(blob.digest, in: other)).expect(404)
                try probe.head(probe.blobPlace(blob.digest, in: other)).expect(404)
                try probe.get(probe.blobPlace(blob.digest, in: other), ("Range", "bytes=0-9")).expect(404)
            },
            Check(
                "isolation.manifest.other", .must, "distribution-spec: Pulling manifests",
                "a manifest of one repository is 404 in another, by tag and by digest", ["manifest-404", "head-404"]
            ) { probe in
                let image = try probe.newTaggedImage("only-here")
                let other = probe.repository("other")
                _ = try probe.newTaggedImage("there", in: other)
                for reference in ["only-here", image.digest] {
                    try probe.get(probe.manifestPlace(reference, in: other), ("Accept", MediaTypes.all)).expect(404)
                    try probe.head(probe.manifestPlace(reference, in: other), ("Accept", MediaTypes.all)).expect(404)
                }
            },
            Check(
                "isolation.tags.other", .must, "distribution-spec: Listing Tags",
                "tags of one repository are not in the list of another, nor of one whose name begins alike",
                ["tags-json"]
            ) { probe in
                _ = try probe.newTaggedImage("here")
                let others = [
                    probe.repository("other"), probe.repository("other") + (probe.run.isFlat ? "-" : "/") + "below",
                ]
                for (number, other) in others.enumerated() {
                    _ = try probe.newTaggedImage("there-\(number)", in: other)
                }
                for (number, other) in others.enumerated() {
                    let tags = try probe.tags(in: other)
                    try require(tags == ["there-\(number)"], "there-\(number) alone in \(other)", "\(tags)")
                }
            },
            Check(
                "isolation.manifest.blobs-of-others", .must, "distribution-spec: Push",
                "a manifest of blobs that only another repository has is refused, or its blobs are not there",
                ["manifest-blob-unknown"]
            ) { probe in
                let other = probe.repository("other")
                let image = try probe.newImage(in: other)
                _ = try probe.newBlob()
                let answer = try probe.putManifest(image.content, "latest", type: image.type)
                if answer.status == 201 { throw Skip("the registry takes manifests before their blobs") }
                try answer.expectClientError("for a manifest of another repository's blobs")
                if !answer.hasJSON { throw Skip("the refusal has no JSON body, and a 4XX may have any") }
                try require(
                    answer.errorCodes.contains(ErrorCode.manifestBlobUnknown), "error code MANIFEST_BLOB_UNKNOWN",
                    answer.errorCodes.joined(separator: ", "), answer)
            },
        ]
        + ["GET", "PATCH", "PUT", "DELETE"].map { method in
            Check(
                "isolation.session.\(method.lowercased())", .should, sessions,
                "an upload of one repository is not there for \(method) under another's name", ["opinion"]
            ) { probe in
                let upload = try probe.beginUpload()
                let other = probe.repository("other")
                _ = try probe.newBlob(in: other)
                let url = upload.place.url(on: probe.base)
                guard url.contains("/v2/\(probe.repository)/") else {
                    throw Skip("the upload's Location does not name the repository")
                }
                let content = try probe.random(100)
                let moved = url.replacing("/v2/\(probe.repository)/", with: "/v2/\(other)/")
                var request = Request(method, .url(moved))
                if method == "PUT" { request.place = .url(Address.adding("digest=" + content.digest, to: moved)) }
                if method == "PUT" || method == "PATCH" {
                    request.body = content
                    request.headers = [("Content-Type", MediaType.octetStream)]
                }
                let answer = try probe.send(request)
                // A deletion of what is not there may be done: the upload itself has to be there behind it.
                if method != "DELETE" || answer.status != 204 {
                    try answer.expectClientError("for a session of another repository")
                }
                if method == "DELETE" { try probe.get(upload.place).expect(204) }
                if method == "PUT" { try probe.get(probe.blobPlace(content.digest, in: other)).expect(404) }
            }
        }
}
