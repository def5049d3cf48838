import Access
import Model
import Service
import Vocabulary

/// `/v2/<name>/blobs/uploads/` and the sessions below it (end-4, -5, -6, -11, -13, -14).
enum Uploads {
    static let operations =
        [start + "/", start].map { path in
            Operation(
                .post, path, .repository(.push), body: .blob, answers: [201, 202], failures: failures, rate: .write,
                spec: "end-4a, end-4b, end-4c, end-11", begin)
        } + [
            Operation(
                .get, session, .repository(.push), answers: [204], failures: failures, rate: .read, spec: "end-13",
                status),
            Operation(
                .patch, session, .repository(.push), body: .blob, answers: [202], failures: failures, rate: .write,
                spec: "end-5", append),
            Operation(
                .put, session, .repository(.push), body: .blob, answers: [201], failures: failures, rate: .write,
                spec: "end-6", finish),
            Operation(
                .delete, session, .repository(.push), answers: [204], failures: failures, rate: .write, spec: "end-14",
                cancel),
        ]

    private static let start = "/v2/{name}/blobs/uploads"
    private static let session = "/v2/{name}/blobs/uploads/{session}"
    private static let failures: [RegistryError.Code] = [
        .blobUploadUnknown, .blobUploadInvalid, .blobUploadBusy, .digestInvalid, .sizeInvalid, .chunkOutOfOrder,
        .blobTooLarge, .storageFull, .tooManyUploads,
    ]

    @Sendable private static func begin(_ call: Call) async throws(RegistryError) -> Response {
        let query = call.request.query
        if query["mount"] == nil, let text = query["digest"] { return try await push(call, text) }
        let mounted = try parsing { () throws(ParseError) in
            try query["mount"].map { text throws(ParseError) in try Digest.parse(text) }
        }
        let algorithm = try parsing { () throws(ParseError) in
            try query["digest-algorithm"].map { name throws(ParseError) in try Digest.Algorithm.parse(name) } ?? .sha256
        }
        let grant = try await call.grantMaking()
        if let mounted, let answer = try await mount(call, mounted, grant) { return answer }
        var response = call.accepted(202, grant, try await call.registry.beginUpload(algorithm: algorithm, grant))
        let smallest = call.registry.smallestChunk
        if smallest > 1 { response.headers.append((HeaderName.ociChunkMinLength, "\(smallest)")) }
        return response
    }

    /// A mount, if the source has the blob and the caller may read it; nil, and nothing told, in every other case.
    private static func mount(
        _ call: Call, _ digest: Digest, _ target: RepositoryGrant
    ) async throws(RegistryError) -> Response? {
        guard let from = call.request.query["from"] else { return nil }
        do throws(RegistryError) {
            let source = try parsing { () throws(ParseError) in try RepositoryName.parse(from) }
            let decision = try await call.authorizer.authorize(.pull, on: source, call.caller)
            guard let grant = try decision.grant(),
                try await call.registry.mount(digest, from: grant, to: target)
            else { return nil }
        } catch {
            switch error.code {
            // A token that does not name the source is no reason to refuse: clients do not ask for another one here.
            case .unauthorized, .insufficientScope, .denied, .nameInvalid: return nil
            default: throw error
            }
        }
        return call.created(digest, target)
    }

    /// The whole blob in one POST.
    private static func push(_ call: Call, _ text: String) async throws(RegistryError) -> Response {
        let digest = try parsing { () throws(ParseError) in try Digest.parse(text) }
        let (registry, grant) = (call.registry, try await call.grantMaking())
        let upload = try await registry.beginUpload(algorithm: digest.algorithm, grant)
        do throws(RegistryError) {
            try await registry.finishUpload(
                upload.id, with: call.request.body, at: nil, as: digest, grant)
        } catch {
            // The session is of no use to a client that was never told its id. A wrong digest has ended it already.
            if error.code != .digestInvalid { await registry.abandonUpload(upload.id, grant) }
            throw error
        }
        return call.created(digest, grant)
    }

    @Sendable private static func status(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.uploadGrant()
        return call.accepted(204, grant, try await call.registry.upload(call.parameters[.session], grant))
    }

    @Sendable private static func append(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.uploadGrant()
        return try await call.inOrder(grant) { () throws(RegistryError) in
            call.accepted(
                202, grant,
                try await call.registry.append(
                    call.request.body, at: call.chunkRange(), to: call.parameters[.session], grant))
        }
    }

    @Sendable private static func finish(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.uploadGrant()
        guard let text = call.request.query["digest"] else {
            throw RegistryError(.digestInvalid, "add ?digest=<digest of the whole blob> to end the upload")
        }
        let digest = try parsing { () throws(ParseError) in try Digest.parse(text) }
        return try await call.inOrder(grant) { () throws(RegistryError) in
            try await call.registry.finishUpload(
                call.parameters[.session], with: call.request.body, at: call.chunkRange(), as: digest, grant)
            return call.created(digest, grant)
        }
    }

    @Sendable private static func cancel(_ call: Call) async throws(RegistryError) -> Response {
        try await call.registry.cancelUpload(call.parameters[.session], call.uploadGrant())
        return Response(204)
    }
}

extension Call {
    /// The grant for the repository of an upload: where that is not there, there is no upload either.
    fileprivate func uploadGrant() throws(RegistryError) -> RepositoryGrant { try grant(absent: .blobUploadUnknown) }

    fileprivate func chunkRange() throws(RegistryError) -> ChunkRange? {
        try parsing { () throws(ParseError) in
            try request.headers["Content-Range"].map { text throws(ParseError) in try ChunkRange.parse(text)
            }
        }
    }

    fileprivate func accepted(_ status: Int, _ grant: RepositoryGrant, _ upload: UploadStatus) -> Response {
        Response(status, progress(grant, upload))
    }

    private func progress(_ grant: RepositoryGrant, _ upload: UploadStatus) -> [(name: String, value: String)] {
        [
            location("/v2/\(grant.target.name)/blobs/uploads/\(upload.id)"),
            ("Range", "0-\(max(0, upload.received - 1))"),
            (HeaderName.dockerUploadUUID, upload.id),
        ]
    }

    fileprivate func created(_ digest: Digest, _ grant: RepositoryGrant) -> Response {
        Response(
            201,
            [
                location("/v2/\(grant.target.name)/blobs/\(digest)"),
                (HeaderName.dockerContentDigest, digest.description),
            ])
    }

    /// Adds to a 416 where the upload is, so that the client can go on without asking.
    fileprivate func inOrder(
        _ grant: RepositoryGrant, _ body: () async throws(RegistryError) -> Response
    ) async throws(RegistryError) -> Response {
        do throws(RegistryError) {
            return try await body()
        } catch  where error.code == .chunkOutOfOrder {
            let upload = try await registry.upload(parameters[.session], grant)
            return ErrorResponse.response(error, .docker, progress(grant, upload))
        }
    }
}
