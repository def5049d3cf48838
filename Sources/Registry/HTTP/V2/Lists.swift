import Model
import Service
import Vocabulary

/// Tags, referrers and the catalog (end-8, end-12, Docker V2 `_catalog`).
enum Lists {
    static let operations = [
        Operation(
            .get, "/v2/_catalog", .registry(.catalog), answers: [200], failures: [.paginationInvalid], rate: .list,
            spec: "docker: catalog", catalog),
        Operation(
            .get, "/v2/{name}/tags/list", .repository(.pull), answers: [200], failures: [.paginationInvalid],
            rate: .list, spec: "end-8a, end-8b", tags),
        Operation(
            .get, "/v2/{name}/referrers/{digest}", .repository(.pull), answers: [200],
            failures: [.paginationInvalid, .digestInvalid], rate: .list, spec: "end-12a, end-12b", referrers),
    ]

    @Sendable private static func catalog(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.registryGrant()
        return try await call.holding(call.pageRequest()) { (request) throws(RegistryError) in
            let page = try await call.registry.repositories.list(request, grant)
            let json = await JSONText.written(apart: page.items.count > few) { json in
                json.raw(#"{"repositories":"#)
                json.array(page.items) { $0.string($1) }
                json.raw("}")
            }
            return .json(200, json, call.link("/v2/_catalog", page.next))
        }
    }

    @Sendable private static func tags(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.grant()
        return try await call.holding(call.pageRequest()) { (request) throws(RegistryError) in
            let name = grant.target.name
            let page = try await call.registry.tags.list(request, grant)
            let json = await JSONText.written(apart: page.items.count > few) { json in
                json.raw(#"{"name":"#)
                json.string(name.description)
                json.raw(#","tags":"#)
                json.array(page.items) { $0.string($1) }
                json.raw("}")
            }
            return .json(200, json, call.link("/v2/\(name)/tags/list", page.next))
        }
    }

    @Sendable private static func referrers(_ call: Call) async throws(RegistryError) -> Response {
        let subject = try call.digest()
        let artifactType = call.request.query["artifactType"].flatMap { $0.isEmpty ? nil : $0 }
        guard let grant = try call.grantIfThere() else {
            return .json(200, await index([]), type: MediaType.ociIndex, filtered(artifactType))
        }
        return try await call.holding(call.pageRequest(), largest: 4 << 20) { (request) throws(RegistryError) in
            let (referrers, hasMore) = try await call.registry.referrers.list(
                of: subject, artifactType: artifactType, request, grant)
            let link = call.link(
                "/v2/\(grant.target.name)/referrers/\(subject)", hasMore ? referrers.last?.digest.description : nil,
                artifactType.map { "&artifactType=\($0.percentEncoded)" } ?? "")
            return .json(200, await index(referrers), type: MediaType.ociIndex, link + filtered(artifactType))
        }
    }

    private static func index(_ referrers: [Referrer]) async -> [UInt8] {
        let size = referrers.reduce(0) { $0 + $1.annotations.utf8.count + 300 }
        return await JSONText.written(apart: size > 64 << 10) { json in
            json.raw(#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":"#)
            json.array(referrers) { $0.descriptor($1) }
            json.raw("}")
        }
    }

    private static func filtered(_ artifactType: String?) -> [(name: String, value: String)] {
        artifactType == nil ? [] : [(HeaderName.ociFiltersApplied, "artifactType")]
    }

    /// So many entries are written where the handler runs.
    private static let few = 200
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

extension JSONText {
    /// JSON of megabytes takes long: `apart` from the event loop, then, where threads share the work.
    fileprivate static func written(
        apart: Bool, _ write: @Sendable @escaping (inout JSONText) -> Void
    ) async -> [UInt8] {
        let body: @Sendable () -> [UInt8] = {
            var json = JSONText()
            write(&json)
            return json.bytes
        }
        guard apart else { return body() }
        return await withTaskExecutorPreference(globalConcurrentExecutor) { body() }
    }
}

extension Call {
    /// Makes a page once there is memory for it, which the answer holds until it is read. `largest`: bytes of a page whose
    /// entries have no bound of their own.
    fileprivate func holding(
        _ page: PageRequest, largest: Int? = nil,
        _ make: (PageRequest) async throws(RegistryError) -> Response
    ) async throws(RegistryError) -> Response {
        // A name of a tag or a repository with its quotes, rows included.
        let entry = 300
        let bytes = largest ?? min(page.limit ?? .max, registry.limits.page) * entry
        let memory = try await answerMemory.room(for: bytes, request.remote)
        var response = try await make(page)
        memory?.shrink(to: Int(response.body.length))
        response.memory = memory
        return response
    }

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
