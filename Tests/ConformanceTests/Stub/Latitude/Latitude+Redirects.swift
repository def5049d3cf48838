import Foundation

/// Redirects: "Registries MAY respond to any request with a redirect per RFC 9110 (section 15.4)".
extension Latitude {
    private static let rule = "distribution-spec, API: registries may answer any request by a redirect"

    /// Reads of blobs lead to a store that knows nothing of registries.
    private static func store(
        _ name: String, _ methods: [String], _ status: Int = 307, hops: Int = 1, digest: Bool = false,
        at place: @escaping @Sendable (StubRequest) -> String = { "http://localhost:\($0.port)" }
    ) -> Latitude {
        Latitude(
            name, rule,
            arriving: { request, stub in
                if request.path.hasPrefix("/store/") { return stored(request, stub, place) }
                let aim = Aim(request)
                guard aim.kind == "blobs", methods.contains(request.method), stub.holds(aim) else { return nil }
                let path = "/store/\(hops)/\(aim.repository)/blobs/\(aim.reference)?X-Signature=PLANTEDno"
                let told = digest ? [("Docker-Content-Digest", aim.reference)] : []
                return StubResponse(status, [("Location", place(request) + path)] + told)
            })
    }

    /// What an object store answers: bytes, a length, an entity tag of its own.
    private static func stored(
        _ request: StubRequest, _ stub: StubRegistry, _ place: @Sendable (StubRequest) -> String
    ) -> StubResponse {
        let parts = request.path.dropFirst("/store/".count).split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let hops = Int(parts[0]), request.header("Authorization") == nil else {
            return StubResponse(403)
        }
        if hops > 1 { return StubResponse(302, [("Location", place(request) + "/store/\(hops - 1)/\(parts[1])?x=y")]) }
        var inner = request
        inner.target = "/v2/\(parts[1])"
        let digest = Aim(inner).reference
        let tag = "\"" + digest.suffix(32) + "\""
        inner.headers = inner.headers.map { ($0.name, $0.value.replacingOccurrences(of: tag, with: "\"\(digest)\"")) }
        var response = stub.core(inner)
        response.headers = response.headers.filter { name, _ in
            ["content-length", "content-range", "accept-ranges"].contains(name.lowercased())
        }
        response.headers += [("Content-Type", "binary/octet-stream"), ("ETag", tag), ("Server", "ObjectStore")]
        if response.status >= 400 { response.body = Array("<?xml version=\"1.0\"?><Error/>".utf8) }
        return response
    }

    static let redirects: [Latitude] = [
        store("blobsFromStore", ["GET"]),
        store("blobsAndHeadsFromStore", ["GET", "HEAD"]),
        store("blobsFromStore302", ["GET", "HEAD"], 302),
        store("blobsFromStore303", ["GET"], 303),
        store("blobsFromStore308", ["GET", "HEAD"], 308),
        store("blobsFromStoreTold", ["GET", "HEAD"], digest: true),
        store("blobsFromStoreTwice", ["GET", "HEAD"], hops: 2),
        store("blobsFromStoreHere", ["GET", "HEAD"], at: { _ in "" }),
        Latitude(
            "manifestsRedirected", rule,
            arriving: { request, _ in
                guard Aim(request).kind == "manifests", ["GET", "HEAD"].contains(request.method),
                    !request.target.contains("moved=1")
                else { return nil }
                let mark = request.target.contains("?") ? "&" : "?"
                return StubResponse(
                    307, [("Location", "http://localhost:\(request.port)\(request.target)\(mark)moved=1")])
            }),
        Latitude(
            "listsRedirected", rule,
            arriving: { request, _ in
                guard ["tags", "referrers", "catalog"].contains(Aim(request).kind), request.method == "GET",
                    !request.target.contains("moved=1")
                else { return nil }
                let mark = request.target.contains("?") ? "&" : "?"
                return StubResponse(302, [("Location", "\(request.target)\(mark)moved=1")])
            }),
        Latitude(
            "uploadsRedirected", rule,
            arriving: { request, _ in
                guard Aim(request).kind == "uploads", request.method == "POST", request.host?.hasPrefix("127") == true
                else { return nil }
                return StubResponse(307, [("Location", "http://localhost:\(request.port)\(request.target)")])
            }),
        Latitude(
            "writesRedirected", rule,
            arriving: { request, _ in
                guard Aim(request).kind == "manifests", request.method == "PUT", !request.target.contains("moved=1")
                else { return nil }
                let mark = request.target.contains("?") ? "&" : "?"
                return StubResponse(308, [("Location", "\(request.target)\(mark)moved=1")])
            }),
    ]
}

extension StubRegistry {
    /// Whether a blob is there.
    fileprivate func holds(_ aim: Aim) -> Bool {
        state.withLock { $0.repositories[aim.repository]?.blobs[aim.reference] != nil }
    }
}
