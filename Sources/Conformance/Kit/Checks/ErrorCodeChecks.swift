import Vocabulary

/// distribution-spec "Error Codes": that the code says what happened. Any body passes that is no JSON.
enum ErrorCodeChecks {
    private static func check(
        _ name: String, _ gist: String, _ codes: [String], needs: Set<Need> = [.push],
        _ ask: @escaping @Sendable (Probe) throws -> Answer
    ) -> Check {
        Check(
            "errors.code.\(name)", .should, "distribution-spec: Error Codes", gist, ["error-code-listed"], needs: needs
        ) { probe in
            let answer = try ask(probe)
            if name == "name-unknown", answer.status == 200 { throw Skip("to this registry every repository is there") }
            try answer.expectClientError()
            let isUnasked = answer.status == 401 && probe.run.target.identity.proof == .anonymous
            if isUnasked || answer.status == 403, !answer.errorCodes.contains(where: codes.contains) {
                throw Skip("the registry asks who is there before it looks at the request (\(answer.status))")
            }
            if answer.body.isEmpty { throw Skip("the answer has no body, which the specification allows") }
            guard answer.hasJSON else { throw Skip("the answer's body is no JSON") }
            guard !answer.errorCodes.contains(where: codes.contains) else { return }
            let got = answer.errorCodes.isEmpty ? "no code" : answer.errorCodes.joined(separator: ", ")
            throw answer.failure("\(answer.request): error code \(codes.joined(separator: " or "))", got)
        }
    }

    static let checks: [Check] = [
        check("manifest-unknown", "a manifest that is not there is MANIFEST_UNKNOWN", [ErrorCode.manifestUnknown]) {
            probe in
            _ = try probe.newTaggedImage()
            return try probe.get(probe.manifestPlace("no-such-tag"), ("Accept", MediaTypes.all))
        },
        check("blob-unknown", "a blob that is not there is BLOB_UNKNOWN", [ErrorCode.blobUnknown]) { probe in
            _ = try probe.newTaggedImage()
            return try probe.get(probe.blobPlace(try probe.random(9).digest))
        },
        check(
            "name-unknown", "the tags of a repository that does not exist are NAME_UNKNOWN", [ErrorCode.nameUnknown],
            needs: []
        ) { probe in try probe.get(probe.tagsPlace(in: probe.repository("never-made"))) },
        check(
            "upload-unknown", "an upload that does not exist is BLOB_UPLOAD_UNKNOWN",
            [ErrorCode.blobUploadUnknown, ErrorCode.blobUploadInvalid]
        ) { probe in
            _ = try probe.newBlob()
            return try probe.get(.path("/v2/\(probe.repository)/blobs/uploads/00000000-0000-4000-8000-00000000dead"))
        },
        check(
            "digest-invalid", "content of another digest is DIGEST_INVALID or an invalid upload",
            [ErrorCode.digestInvalid, ErrorCode.blobUploadInvalid]
        ) { probe in
            let upload = try probe.beginUpload()
            return try probe.finish(upload.place, digest: try probe.random(9).digest, body: try probe.random(8))
        },
        check(
            "manifest-invalid", "a manifest that is no JSON is MANIFEST_INVALID", [ErrorCode.manifestInvalid]
        ) { probe in
            _ = try probe.newBlob()
            return try probe.putManifest(Content("no JSON"), "bad", type: MediaType.ociManifest)
        },
        check(
            "manifest-digest", "a manifest of another digest is DIGEST_INVALID or MANIFEST_INVALID",
            [ErrorCode.digestInvalid, ErrorCode.manifestInvalid]
        ) { probe in
            let image = try probe.newImage()
            return try probe.putManifest(image.content, try probe.random(9).digest, type: image.type)
        },
        check(
            "name-invalid", "a name outside the grammar is NAME_INVALID",
            [ErrorCode.nameInvalid, ErrorCode.nameUnknown], needs: []
        ) { probe in try probe.get(probe.tagsPlace(in: "Upper/CASE")) },
        check(
            "range", "a chunk out of order is BLOB_UPLOAD_INVALID",
            [ErrorCode.blobUploadInvalid, ErrorCode.sizeInvalid, "RANGE_INVALID"]
        ) { probe in
            let upload = try probe.beginUpload()
            let answer = try probe.patch(upload.place, try probe.random(10), range: "500-509")
            if answer.status == 202 { throw Skip("chunks out of order are not refused") }
            return answer
        },
    ]
}
