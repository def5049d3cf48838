import Model
import Service
import Vocabulary

/// Tags, referrers and the catalog (end-8, end-12, Docker V2 `_catalog`).
enum Lists {
    static let routes = [
        Route(.get, "/v2/_catalog", .catalog, "docker: catalog", catalog),
        Route(.get, "/v2/{name}/tags/list", .pull, "end-8a, end-8b", tags),
        Route(.get, "/v2/{name}/referrers/{digest}", .pull, "end-12a, end-12b", referrers),
    ]

    @Sendable private static func catalog(_ call: Call) async throws(RegistryError) -> Response {
        let page = try await call.registry.repositories.list(call.pageRequest(), call.registryGrant())
        var json = JSONText()
        json.raw(#"{"repositories":"#)
        json.array(page.items) { $0.string($1) }
        json.raw("}")
        return .json(200, json.bytes, call.link("/v2/_catalog", page.next))
    }

    @Sendable private static func tags(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.grant()
        let name = grant.target.name
        let page = try await call.registry.tags.list(call.pageRequest(), grant)
        var json = JSONText()
        json.raw(#"{"name":"#)
        json.string(name.description)
        json.raw(#","tags":"#)
        json.array(page.items) { $0.string($1) }
        json.raw("}")
        return .json(200, json.bytes, call.link("/v2/\(name)/tags/list", page.next))
    }

    @Sendable private static func referrers(_ call: Call) async throws(RegistryError) -> Response {
        let subject = try call.digest()
        let artifactType = call.request.query["artifactType"].flatMap { $0.isEmpty ? nil : $0 }
        let request = try call.pageRequest()
        var (referrers, hasMore): ([Referrer], Bool) = ([], false)
        let grant = try call.grantIfThere()
        if let grant {
            (referrers, hasMore) = try await call.registry.referrers.list(
                of: subject, artifactType: artifactType, request, grant)
        }
        var json = JSONText()
        json.raw(#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":"#)
        json.array(referrers) { $0.descriptor($1) }
        json.raw("}")
        let last = hasMore ? referrers.last?.digest.description : nil
        var headers = call.link(
            "/v2/\(grant?.target.name.description ?? "")/referrers/\(subject)", last,
            artifactType.map { "&artifactType=\($0.percentEncoded)" } ?? "")
        if artifactType != nil { headers.append((HeaderName.ociFiltersApplied, "artifactType")) }
        return .json(200, json.bytes, type: MediaType.ociIndex, headers)
    }
}

extension JSONText {
    fileprivate mutating func descriptor(_ referrer: Referrer) {
        raw(#"{"mediaType":"#)
        string(referrer.mediaType)
        raw(#","digest":"\#(referrer.digest)","size":\#(referrer.size)"#)
        if let artifactType = referrer.artifactType {
            raw(#","artifactType":"#)
            string(artifactType)
        }
        if referrer.annotations != "{}" { raw(#","annotations":"# + referrer.annotations) }
        raw("}")
    }
}

extension Call {
    /// `n` and `last`. A number too large for an integer is only a large one; what is no number is an error.
    fileprivate func pageRequest() throws(RegistryError) -> PageRequest {
        let last = request.query["last"] ?? ""
        guard let text = request.query["n"] else { return PageRequest(limit: nil, last: last) }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw RegistryError(.paginationInvalid, "n is '\(text.excerpt)': send a whole number, zero or more")
        }
        return PageRequest(limit: Int(text) ?? .max, last: last)
    }

    /// The `Link` to the next page (RFC 8288), which keeps the caller's `n`.
    fileprivate func link(_ path: String, _ next: String?, _ more: String = "") -> [(name: String, value: String)] {
        guard let next else { return [] }
        let n = request.query["n"].flatMap { Int($0) }.map { "n=\($0)&" } ?? ""
        return [("Link", "<\(path)?\(n)last=\(next.percentEncoded)\(more)>; rel=\"next\"")]
    }
}
