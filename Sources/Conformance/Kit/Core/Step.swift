import Vocabulary

/// A kind of request that got no answer, or none that is whole, and how that showed: the same cause wherever it shows so.
struct Silence: Sendable, Hashable {
    /// Method and endpoint.
    let kind: String
    /// Whether it was waited for in vain, and what status came before.
    let isHang: Bool
    let status: Int
}

/// A step that many checks take and one check asks about: the method, the endpoint, and what was expected of the
/// answer. Derived from the exchange that shows a failure, so that no check has to say what it leans on.
package struct Step: Sendable, Hashable, CustomStringConvertible {
    /// Method and endpoint, such as `PUT manifest by tag`.
    let request: String
    /// What was expected: a status, a header, `body`, `form`, or `answer` where none came.
    let expected: String

    /// For people.
    package var description: String { "\(request): \(expected)" }

    /// The checks whose question the step is, in the order in which they are asked; empty where it is nobody's.
    package var owners: [String] {
        if let owners = Step.table[description] { return owners }
        guard expected == "answer" else { return [] }
        // Whoever asks for the status of the answer asks for the answer.
        return ["200", "201", "202", "204", "206"].lazy.compactMap { Step.table["\(request): \($0)"] }.first ?? []
    }

    /// Whether `other` is this step or the plain form of it: by tag for by digest, one PUT for a chunked one.
    func includes(_ other: Step) -> Bool {
        expected == other.expected && Step.plain(request).hasPrefix(Step.plain(other.request))
    }

    private static func plain(_ request: String) -> String {
        request.replacing(" by digest", with: "").replacing(" by tag", with: "")
    }

    /// The step that a failure is about; nil where the failure is about more than one answer, or is no usual one.
    init?(_ failure: CheckFailure, _ exchanges: [Exchange]) {
        let number = failure.exchange ?? exchanges.last?.number
        guard let exchange = exchanges.first(where: { $0.number == number }), exchange.raw == nil,
            let request = Step.request(exchange, exchanges)
        else { return nil }
        self.request = request
        switch failure.assertion {
        case _ where exchange.response == nil: expected = "answer"
        case .status(let statuses):
            guard let first = statuses.first, statuses.count < 20 else { return nil }
            expected = String(first)
        case .headerPresent(let name), .header(let name, _), .headerForm(let name): expected = name
        case .bodyDigest: expected = "body"
        case .form: expected = "form"
        case .headerAbsent, .notBoth, .headerOnce, .bodyHolds, .bodyLacks, .same, .described: return nil
        }
    }

    /// Method and endpoint of an exchange; nil for what is none of the distribution API.
    static func request(_ exchange: Exchange, _ exchanges: [Exchange]) -> String? {
        // What a redirect led to was asked for at its beginning.
        if case .follow(let number, "Location", _, _) = exchange.place,
            let origin = exchanges.first(where: { $0.number == number && $0.number < exchange.number }),
            let status = origin.response?.status, (300..<400).contains(status)
        {
            return request(origin, exchanges)
        }
        var form = Request(exchange.method, exchange.place)
        form.headers = exchange.headers.fields.map { ($0.name, $0.value) }
        (form.body, form.framing) = (exchange.body, exchange.framing)
        return kind(form, url: exchange.url)
    }

    /// Method, endpoint and what makes a request another than the plain one; nil for what is none of the distribution
    /// API.
    static func kind(_ request: Request, url: String) -> String? {
        guard let endpoint = endpoint(request.method, url, request.place) else { return nil }
        return "\(request.method) \(endpoint)\(variant(request, endpoint))"
    }

    /// Whether requests of this kind are what a check asks about.
    static func isAsked(_ kind: String, by check: String) -> Bool {
        table.contains { $0.key.hasPrefix(kind) && $0.value.contains(check) }
    }

    /// The endpoint by the end of the path, as registries find it.
    private static func endpoint(_ method: String, _ url: String, _ place: Place) -> String? {
        guard let target = Address(url)?.target else { return nil }
        let path = target.prefix { $0 != "?" }
        let query = target.dropFirst(path.count)
        if path == "/v2/" { return "version" }
        if path == "/v2/_catalog" { return "catalog" }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 3, let last = parts.last else { return nil }
        switch parts[parts.count - 2] {
        case "manifests": return last.contains(":") ? "manifest by digest" : "manifest by tag"
        case "referrers": return "referrers"
        case "tags" where last == "list": return "tags"
        case "blobs": return "blob"
        case "uploads" where last.isEmpty && method == "POST":
            return query.contains("mount=") ? "mount" : query.contains("digest=") ? "single" : "uploads"
        default: break
        }
        // Wherever an upload's Location leads, it is that upload.
        guard case .follow(_, "Location", _, _) = place else { return nil }
        return "upload"
    }

    /// What makes a request another one than the plain: conditions, ranges, the kind of a manifest or of a chunk.
    private static func variant(_ request: Request, _ endpoint: String) -> String {
        let headers = Headers(request.headers)
        if headers["Range"] != nil { return " range" }
        for name in ["If-Match", "If-None-Match", "If-Range", "Accept-Encoding"] where headers[name] != nil {
            return " \(name)"
        }
        let isChunk = headers["Content-Range"] != nil
        switch request.method {
        case "PATCH": return request.framing == .chunked ? " stream" : isChunk ? " chunk" : ""
        case "PUT" where endpoint.hasPrefix("manifest"): return kind(headers["Content-Type"], request.body)
        case "PUT" where isChunk: return " chunk"
        case "PUT" where request.body == nil: return " closing"
        case "PUT" where request.framing == .chunked: return " stream"
        default: return ""
        }
    }

    /// The kind of a pushed manifest, where it is no plain image.
    private static func kind(_ type: String?, _ body: Content?) -> String {
        let text = body.map { String(decoding: $0.bytes.prefix(20_000), as: UTF8.self) } ?? ""
        if text.contains("\"subject\"") { return " with subject" }
        switch type {
        case MediaType.ociIndex: return " of an index"
        case MediaType.dockerManifest: return " of Docker's"
        case MediaType.dockerManifestList: return " of Docker's list"
        default: return ""
        }
    }

    /// Who asks for what, by `description`: the check that fails when a step is wrong wherever it is taken.
    package static let table: [String: [String]] = [
        "GET version: 200": ["support.version.get"],
        "POST uploads: 202": ["push.upload.begin"], "POST uploads: Location": ["push.upload.begin"],
        "PUT upload: 201": ["push.upload.pullable"], "PUT upload: Location": ["push.upload.pullable"],
        "PUT upload closing: 201": ["push.upload.pullable", "push.chunked.in-order"],
        "PUT upload chunk: 201": ["push.upload.pullable", "push.chunked.last-in-put"],
        "PUT upload stream: 201": ["push.upload.pullable", "push.upload.streamed-put"],
        "PATCH upload chunk: 202": ["push.streamed.with-length", "push.chunked.in-order"],
        "PATCH upload chunk: Location": ["push.streamed.with-length", "push.chunked.in-order"],
        "PATCH upload: Range": ["push.streamed.with-length"],
        "PATCH upload chunk: Range": ["push.streamed.with-length", "push.chunked.range-header"],
        "PATCH upload chunk: 416": ["push.chunked.out-of-order"],
        "PUT upload chunk: 416": ["push.chunked.put-out-of-order"],
        "PATCH upload stream: 202": ["push.streamed.with-length", "push.streamed.chunked-coding"],
        "PATCH upload stream: Location": ["push.streamed.with-length", "push.streamed.chunked-coding"],
        "PATCH upload stream: Range": ["push.streamed.with-length", "push.streamed.chunked-coding"],
        "PATCH upload: 202": ["push.streamed.with-length"], "PATCH upload: Location": ["push.streamed.with-length"],
        "GET upload: 204": ["push.status.fresh", "push.status.after-chunk"],
        "GET upload: Location": ["push.status.fresh", "push.status.after-chunk"],
        "GET upload: Range": ["push.status.after-chunk"],
        "DELETE upload: 204": ["push.cancel.answer"],
        "POST single: 201": ["push.single.answer"], "POST single: Location": ["push.single.answer"],
        "POST mount: 201": ["mount.answer"], "POST mount: Location": ["mount.answer"],
        "GET blob: 200": ["pull.blob.small"], "GET blob: body": ["pull.blob.small"],
        "GET blob: 404": ["pull.blob.missing"], "GET blob: Docker-Content-Digest": ["pull.blob.digest-header"],
        "GET blob range: 206": ["pull.range.supported"],
        "HEAD blob: 200": ["exists.blob"], "HEAD blob: 404": ["exists.blob.missing"],
        "HEAD blob: Docker-Content-Digest": ["exists.blob.digest-header"],
        "HEAD blob: Content-Length": ["exists.blob.length"],
        "DELETE blob: 202": ["delete.blob.answer"], "DELETE blob: 404": ["delete.blob.missing"],
        "GET manifest by tag: 200": ["pull.manifest.by-tag"], "GET manifest by tag: body": ["pull.manifest.by-tag"],
        "GET manifest by tag: 404": ["pull.manifest.missing-tag"],
        "GET manifest by tag: Docker-Content-Digest": ["pull.manifest.digest-header.by-tag"],
        "GET manifest by digest: 200": ["pull.manifest.by-tag", "pull.manifest.by-digest"],
        "GET manifest by digest: body": ["pull.manifest.by-tag", "pull.manifest.by-digest"],
        "GET manifest by digest: 404": ["pull.manifest.missing-tag", "pull.manifest.missing-digest"],
        "GET manifest by digest: Docker-Content-Digest": [
            "pull.manifest.digest-header.by-tag", "pull.manifest.digest-header.by-digest",
        ],
        "HEAD manifest by tag: 200": ["exists.manifest.by-tag"],
        "HEAD manifest by tag: 404": ["exists.manifest.missing-tag"],
        "HEAD manifest by tag: Docker-Content-Digest": ["exists.manifest.digest-header"],
        "HEAD manifest by tag: Content-Length": ["exists.manifest.length"],
        "HEAD manifest by digest: 200": ["exists.manifest.by-tag", "exists.manifest.by-digest"],
        "HEAD manifest by digest: 404": ["exists.manifest.missing-tag", "exists.manifest.missing-digest"],
        "HEAD manifest by digest: Docker-Content-Digest": ["exists.manifest.digest-header"],
        "HEAD manifest by digest: Content-Length": ["exists.manifest.length"],
        "PUT manifest by tag: 201": ["push.manifest.by-tag"], "PUT manifest by tag: Location": ["push.manifest.by-tag"],
        "PUT manifest by digest: 201": ["push.manifest.by-tag", "push.manifest.by-digest"],
        "PUT manifest by digest: Location": ["push.manifest.by-tag", "push.manifest.by-digest"],
        "PUT manifest by tag of an index: 201": ["push.manifest.by-tag", "push.kind.oci-index"],
        "PUT manifest by digest of an index: 201": ["push.manifest.by-tag", "push.kind.oci-index"],
        "PUT manifest by tag of Docker's: 201": ["push.manifest.by-tag", "push.kind.docker-image"],
        "PUT manifest by digest of Docker's: 201": ["push.manifest.by-tag", "push.kind.docker-image"],
        "PUT manifest by tag of Docker's list: 201": ["push.manifest.by-tag", "push.kind.docker-list"],
        "PUT manifest by digest with subject: 201": ["push.manifest.by-tag", "referrers.subject-missing"],
        "PUT manifest by tag with subject: 201": [
            "push.manifest.by-tag", "referrers.subject-missing", "referrers.bytes",
        ],
        "PUT manifest by digest with subject: OCI-Subject": ["referrers.subject-header"],
        "DELETE manifest by tag: 202": ["delete.tag.answer"],
        "DELETE manifest by digest: 202": ["delete.manifest.answer"],
        "DELETE manifest by digest: 404": ["delete.manifest.missing"],
        "GET tags: 200": ["tags.list", "tags.without-tags"], "GET tags: form": ["tags.list", "tags.without-tags"],
        "GET tags: Link": ["tags.link"], "GET tags: 404": ["tags.of-unknown-repository"],
        "GET referrers: 200": ["referrers.form", "referrers.none", "referrers.of-unknown"],
        "GET referrers: form": ["referrers.form", "referrers.none", "referrers.of-unknown"],
        "GET referrers: Link": ["referrers.several"],
        "GET referrers: Content-Type": ["referrers.content-type"],
        "GET catalog: 200": ["catalog.lists"], "GET catalog: form": ["catalog.lists"],
        "GET catalog: Link": ["catalog.lists", "catalog.link"],
    ]
}
