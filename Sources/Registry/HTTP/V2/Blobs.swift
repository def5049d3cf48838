import Model
import Service
import Vocabulary

/// `/v2/<name>/blobs/<digest>` (end-2, end-10).
enum Blobs {
    static let operations = [
        Operation(
            .get, path, .repository(.pull), answers: [200, 206, 304, 307],
            failures: [.blobUnknown, .digestInvalid, .rangeUnsatisfiable, .preconditionFailed], rate: .read,
            spec: "end-2", atOnce: redirect, get),
        Operation(
            .delete, path, .repository(.delete), answers: [202],
            failures: [.blobUnknown, .digestInvalid, .preconditionFailed, .denied], rate: .write, spec: "end-10",
            removesContent: true, delete),
    ]

    private static let path = "/v2/{name}/blobs/{digest}"

    /// A redirect whose URL is in memory. What asks for a part goes the long way: it may be past the end.
    @Sendable private static func redirect(_ call: Call) throws(RegistryError) -> Response? {
        guard call.request.method == .get, call.mayBeRedirected, call.request.headers["Range"] == nil,
            let grant = try call.grantIfThere()
        else { return nil }
        let digest = try call.digest()
        guard let url = try call.registry.link(to: digest, grant) else { return nil }
        return Conditions.response(call.request, digest) ?? Response(307, [("Location", url)])
    }

    @Sendable private static func get(_ call: Call) async throws(RegistryError) -> Response {
        let digest = try call.digest()
        let blob = try await call.registry.blob(digest, call.grant(absent: .blobUnknown))
        if let other = Conditions.response(call.request, digest) { return other }
        var headers: [(name: String, value: String)] = [
            ("Content-Type", MediaType.octetStream), (HeaderName.dockerContentDigest, digest.description),
            ("ETag", Conditions.tag(digest)), ("Accept-Ranges", "bytes"),
        ]
        let isPartial = call.request.method == .get && Conditions.rangeHolds(call.request, digest)
        let size = blob.size
        switch ByteRange.parse(isPartial ? call.request.headers["Range"] : nil, size: size) {
        case .whole:
            // A URL that was made for a GET refuses a HEAD: that one is answered here.
            if call.request.method == .head { return Response(200, headers, .absent(size)) }
            return try await answer(call, 200, headers, blob, [0..<size]) { $0[0] }
        case .part(let range):
            headers.append(("Content-Range", Multipart.contentRange(range, of: size)))
            return try await answer(call, 206, headers, blob, [range]) { $0[0] }
        case .parts(let ranges):
            let multipart = Multipart(type: MediaType.octetStream, size: size)
            headers[0].value = multipart.type
            return try await answer(call, 206, headers, blob, ranges) { multipart.body(Array(zip(ranges, $0))) }
        case .unsatisfiable:
            return ErrorResponse.response(
                RegistryError(.rangeUnsatisfiable, "the blob has \(size) bytes: ask for a range within them"), .docker,
                [("Content-Range", "bytes */\(size)")])
        }
    }

    /// Bytes in the way that their store has for them. A store elsewhere gets the Range from the client itself.
    private static func answer(
        _ call: Call, _ status: Int, _ headers: [(name: String, value: String)], _ blob: any BlobObject,
        _ ranges: [Range<Int64>], _ body: ([Response.Body]) -> Response.Body
    ) async throws(RegistryError) -> Response {
        var bodies: [Response.Body] = []
        for range in ranges {
            switch try await call.registry.delivery(of: blob, range, redirects: call.mayBeRedirected) {
            case .file(let content, let range): bodies.append(.content(content, range))
            case .stream(let stream): bodies.append(.stream(stream, Int64(range.count)))
            case .redirect(let url): return Response(307, [("Location", url)])
            }
        }
        return Response(status, headers, body(bodies))
    }

    @Sendable private static func delete(_ call: Call) async throws(RegistryError) -> Response {
        let digest = try call.digest()
        try await call.registry.deleteBlob(
            digest, if: Conditions.precondition(call.request), call.grant(absent: .blobUnknown))
        return Response(202, [(HeaderName.dockerContentDigest, digest.description)])
    }
}

extension Call {
    /// Whether the client may be sent to where the blobs are.
    fileprivate var mayBeRedirected: Bool { !settings.unredirected.contains { $0.contains(request.remote) } }
}
