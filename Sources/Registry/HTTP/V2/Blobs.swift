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
        let content = try await call.registry.blob(digest, in: call.repository(), call.grant)
        if let other = Conditions.response(call.request, digest) { return other }
        var headers: [(name: String, value: String)] = [
            ("Content-Type", MediaType.octetStream), (HeaderName.dockerContentDigest, digest.description),
            ("ETag", Conditions.tag(digest)), ("Accept-Ranges", "bytes"),
        ]
        let isPartial = call.request.method == .get && Conditions.rangeHolds(call.request, digest)
        switch ByteRange.parse(isPartial ? call.request.headers["Range"] : nil, size: content.size) {
        case .whole:
            return Response(200, headers, .content(content, 0..<content.size))
        case .part(let range):
            headers.append(("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(content.size)"))
            return Response(206, headers, .content(content, range))
        case .unsatisfiable:
            return ErrorResponse.response(
                RegistryError(.rangeUnsatisfiable, "the blob has \(content.size) bytes: ask for a range within them"),
                [("Content-Range", "bytes */\(content.size)")])
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
