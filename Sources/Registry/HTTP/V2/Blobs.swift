import Model
import Store
import Vocabulary

/// `/v2/<name>/blobs/<digest>` (end-2, end-10).
enum Blobs {
    static let routes = [
        Route(.get, "/v2/{name}/blobs/{digest}", .pull, "end-2", get),
        Route(.delete, "/v2/{name}/blobs/{digest}", .delete, "end-10", delete),
    ]

    @Sendable private static func get(_ call: Call) async throws(RegistryError) -> Response {
        let digest = try call.digest()
        let blob = try await call.registry.blob(digest, in: call.repository(), call.grant)
        if let other = Conditions.response(call.request, digest) { return other }
        var headers: [(name: String, value: String)] = [
            ("Content-Type", MediaType.octetStream), (HeaderName.dockerContentDigest, digest.description),
            ("ETag", Conditions.tag(digest)), ("Accept-Ranges", "bytes"),
        ]
        let isPartial = call.request.method == .get && Conditions.rangeHolds(call.request, digest)
        switch ByteRange.parse(isPartial ? call.request.headers["Range"] : nil, size: blob.size) {
        case .whole:
            return try await answer(call, 200, headers, blob, 0..<blob.size)
        case .part(let range):
            headers.append(("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(blob.size)"))
            return try await answer(call, 206, headers, blob, range)
        case .unsatisfiable:
            return ErrorResponse.response(
                RegistryError(.rangeUnsatisfiable, "the blob has \(blob.size) bytes: ask for a range within them"),
                [("Content-Range", "bytes */\(blob.size)")])
        }
    }

    /// The bytes in the way that their store has for them. A HEAD is answered here whatever that is: a URL that was made for
    /// a GET refuses it.
    private static func answer(
        _ call: Call, _ status: Int, _ headers: [(name: String, value: String)], _ blob: any BlobObject,
        _ range: Range<Int64>
    ) async throws(RegistryError) -> Response {
        if call.request.method == .head { return Response(status, headers, .absent(Int64(range.count))) }
        switch try await call.registry.delivery(of: blob, range) {
        case .file(let content, let range): return Response(status, headers, .content(content, range))
        case .stream(let stream): return Response(status, headers, .stream(stream, Int64(range.count)))
        case .redirect(let url): return Response(307, [("Location", url)])
        }
    }

    @Sendable private static func delete(_ call: Call) async throws(RegistryError) -> Response {
        let digest = try call.digest()
        if !Conditions.precondition(call.request).holds(for: digest.description) {
            _ = try await call.registry.blob(digest, in: call.repository(), call.grant)
            throw RegistryError(.preconditionFailed, "the content is \(digest), which the conditions do not ask for")
        }
        try await call.registry.deleteBlob(digest, from: call.repository(), call.grant)
        return Response(202, [(HeaderName.dockerContentDigest, digest.description)])
    }
}
