import Crypto
import Foundation
import HTTP
import Testing
import Vocabulary

/// What an error body says, once it has been found to be in the form that the spec has for it.
struct APIError: Sendable, Equatable {
    let code: String
    let message: String
    let detail: [String: String]

    /// Reads a body (distribution-spec "Error Codes"). Throws when it is not in that form.
    static func parse(_ answer: Answer) throws -> [APIError] {
        guard answer["Content-Type"] == "application/json" else {
            throw WireError(description: "\(answer.status) with Content-Type \(answer["Content-Type"] ?? "none")")
        }
        guard let root = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any], root.count == 1,
            let errors = root["errors"] as? [[String: Any]], !errors.isEmpty
        else { throw WireError(description: "not an error body: \(answer.text)") }
        return try errors.map { error in
            guard let code = error["code"] as? String, let message = error["message"] as? String, !message.isEmpty,
                code.wholeMatch(of: /[A-Z_]+/) != nil, Set(error.keys).isSubset(of: ["code", "message", "detail"])
            else { throw WireError(description: "not an error: \(error)") }
            return APIError(code: code, message: message, detail: error["detail"] as? [String: String] ?? [:])
        }
    }
}

/// Problem details (RFC 9457).
enum Problem {
    static func check(_ answer: Answer) throws {
        guard let body = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any],
            answer["Content-Type"] == "application/problem+json", body["status"] as? Int == answer.status,
            (body["title"] as? String)?.isEmpty == false, (body["code"] as? String)?.isEmpty == false
        else { throw WireError(description: "no problem: \(answer.status) \(answer.text)") }
    }
}

/// One client, one request at a time, on a connection that is kept while the server keeps it.
actor Client {
    let port: Int
    private var wire: Wire?

    init(port: Int) { self.port = port }

    /// Sends a request and reads its answer. Every answer is looked at: an error has a body of the spec's form, and what
    /// is below `/v2/` says so and has a request id. `headers`: whole lines.
    func send(
        _ method: String, _ target: String, _ headers: [String] = [], body: [UInt8]? = nil
    ) async throws -> Answer {
        let wire = try self.wire ?? Wire(port: port)
        self.wire = nil
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost:\(port)\r\n"
        for header in headers { head += header + "\r\n" }
        let hasLength = headers.contains { $0.lowercased().hasPrefix("transfer-encoding") }
        if !hasLength, body != nil || ["POST", "PUT", "PATCH"].contains(method) {
            head += "Content-Length: \(body?.count ?? 0)\r\n"
        }
        try await wire.send(Array((head + "\r\n").utf8) + (body ?? []))
        var answer = try await wire.answer(to: method)
        while answer.status == 100 { answer = try await wire.answer(to: method) }
        if answer["Connection"] != "close" { self.wire = wire }
        try check(answer, method, target)
        return answer
    }

    private func check(_ answer: Answer, _ method: String, _ target: String) throws {
        if answer.status >= 400, method != "HEAD" {
            if target.hasPrefix("/api/") { try Problem.check(answer) } else { _ = try APIError.parse(answer) }
        }
        // The table of operations says all that may be answered.
        let path = target.prefix { $0 != "?" }
        if let known = Method.all[method], case .found(let operation, _) = OperationTable.all.find(known, path) {
            #expect(operation.statuses.contains(answer.status), "\(method) \(operation.pattern.text)")
        }
        #expect(answer["X-Request-Id"]?.isEmpty == false, "\(method) \(target)")
        #expect(answer["Date"] != nil)
        if target.hasPrefix("/v2/") {
            #expect(answer["Docker-Distribution-API-Version"] == "registry/2.0", "\(method) \(target)")
        }
    }

    func get(_ target: String, _ headers: [String] = []) async throws -> Answer {
        try await send("GET", target, headers)
    }
    func head(_ target: String, _ headers: [String] = []) async throws -> Answer {
        try await send("HEAD", target, headers)
    }
    func delete(_ target: String) async throws -> Answer { try await send("DELETE", target) }

    /// Begins an upload; gives its Location.
    func begin(_ repository: String, _ query: String = "") async throws -> String {
        let answer = try await send("POST", "/v2/\(repository)/blobs/uploads/\(query)")
        guard answer.status == 202, let location = answer["Location"] else {
            throw WireError(description: "POST: \(answer.status) \(answer.text)")
        }
        return location
    }

    /// Pushes a blob in one POST; gives its digest.
    @discardableResult
    func push(_ content: [UInt8], to repository: String, algorithm: String = "sha256") async throws -> String {
        let digest = Content.digest(content, algorithm)
        let answer = try await send("POST", "/v2/\(repository)/blobs/uploads/?digest=\(digest)", body: content)
        guard answer.status == 201 else { throw WireError(description: "push: \(answer.status) \(answer.text)") }
        return digest
    }

    /// Pushes an image manifest with its configuration; gives its digest.
    @discardableResult
    func pushImage(
        _ repository: String, _ reference: String? = nil, mark: String = "", subject: String? = nil, type: String? = nil
    ) async throws -> String {
        try await push(Content.config, to: repository)
        return try await put(Content.image(mark, subject: subject, artifactType: type), repository, reference)
    }

    /// Puts a manifest under a tag, or its digest; gives its digest.
    @discardableResult
    func put(
        _ manifest: [UInt8], _ repository: String, _ reference: String? = nil, type: String = MediaType.ociManifest
    ) async throws -> String {
        let digest = Content.digest(manifest)
        let answer = try await send(
            "PUT", "/v2/\(repository)/manifests/\(reference ?? digest)", ["Content-Type: \(type)"], body: manifest)
        guard answer.status == 201 else { throw WireError(description: "PUT: \(answer.status) \(answer.text)") }
        return digest
    }
}

extension Answer {
    /// The JSON object of an answer that must be a 200.
    func object() throws -> [String: Any] {
        guard (200..<300).contains(status),
            let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        else {
            throw WireError(description: "\(status) \(text)")
        }
        return object
    }

    /// A member of that object which is a list of texts.
    func texts(_ name: String) throws -> [String] {
        guard let texts = try object()[name] as? [String] else { throw WireError(description: "no \(name) in \(text)") }
        return texts
    }

    /// The descriptors of an index.
    func manifests() throws -> [[String: Any]] {
        guard let items = try object()["manifests"] as? [[String: Any]] else { throw WireError(description: text) }
        return items
    }

    /// The target of a `Link` to the next page, nil without one. Throws for a Link of another form.
    func next() throws -> String? {
        guard let link = self["Link"] else { return nil }
        guard let match = link.wholeMatch(of: /<([^>]*)>; rel="next"/) else {
            throw WireError(description: "Link: \(link)")
        }
        return String(match.1)
    }
}

extension Method {
    fileprivate static let all: [String: Method] = [
        "GET": .get, "HEAD": .head, "POST": .post, "PUT": .put, "PATCH": .patch, "DELETE": .delete,
    ]
}

/// What the tests push.
enum Content {
    static let config = Array("{}".utf8)

    /// `algorithm:hex`, by code that the server does not use.
    static func digest(_ bytes: [UInt8], _ algorithm: String = "sha256") -> String {
        let raw = algorithm == "sha256" ? Array(SHA256.hash(data: bytes)) : Array(SHA512.hash(data: bytes))
        return algorithm + ":" + raw.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Bytes that look random and are the same in every run.
    static func bytes(_ count: Int, seed: Int = 1) -> [UInt8] {
        var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                buffer[index] = UInt8(truncatingIfNeeded: state >> 32)
            }
            initialized = count
        }
    }

    /// A descriptor that tells the truth of this content.
    static func descriptor(_ content: [UInt8], _ type: String, more: String = "") -> String {
        #"{"mediaType":"\#(type)","digest":"\#(digest(content))","size":\#(content.count)\#(more)}"#
    }

    /// An image manifest with the configuration `{}` and these layers.
    static func image(
        _ mark: String = "", layers: [[UInt8]] = [], subject: String? = nil, artifactType: String? = nil,
        padding: Int = 0
    ) -> [UInt8] {
        let list = layers.map { descriptor($0, MediaType.ociLayerGzip) }
        var text = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","annotations":{"mark":"\#(mark)","#
        text += #""padding":"\#(String(repeating: "x", count: padding))"},"#
        text += #""config":{"mediaType":"\#(MediaType.ociEmpty)","digest":"\#(digest(config))","size":2},"#
        text += #""layers":[\#(list.joined(separator: ","))]"#
        if let subject {
            text += #","subject":{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(subject)","size":2}"#
        }
        if let artifactType { text += #","artifactType":"\#(artifactType)""# }
        return Array((text + "}").utf8)
    }

    /// An index of these images and indexes.
    static func index(
        _ images: [[UInt8]], indexes: [[UInt8]] = [], type: String = MediaType.ociIndex, more: String = ""
    ) -> [UInt8] {
        let list =
            images.map { descriptor($0, MediaType.ociManifest) } + indexes.map { descriptor($0, MediaType.ociIndex) }
        return Array(
            #"{"schemaVersion":2,"mediaType":"\#(type)","manifests":[\#(list.joined(separator: ","))]\#(more)}"#.utf8)
    }
}

/// That an answer is this error, and tells it in the form that the spec has.
func expect(
    _ answer: Answer, _ status: Int, _ code: String, _ comment: Comment? = nil,
    at place: SourceLocation = #_sourceLocation
) throws {
    #expect(answer.status == status, comment, sourceLocation: place)
    #expect(try APIError.parse(answer).first?.code == code, comment, sourceLocation: place)
}

/// Looks again and again until `condition` holds. Throws when it does not within `limit`.
func eventually(
    _ what: String, within limit: Duration = .seconds(120), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw WireError(description: "never: \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
