import Vocabulary

/// One exchange of a recording, sent again.
package struct ReplayStep: Sendable {
    /// What came of it.
    package enum Verdict: Sendable, Equatable {
        /// The client would have gone on.
        case good
        /// Not sent, for the reason given.
        case left(String)
        /// The client would have stopped or gone wrong: what it needs and what came.
        case bad(expected: String, got: String)

        func masked(by masker: Masker) -> Verdict {
            switch self {
            case .good: .good
            case .left(let reason): .left(masker.text(reason))
            case .bad(let expected, let got): .bad(expected: masker.text(expected), got: masker.text(got))
            }
        }
    }

    /// The line of the recording, counted from 1.
    package let line: Int
    /// The request as recorded.
    package let request: String
    /// What came of it.
    package let verdict: Verdict
}

/// Sends a recording to any registry, with fresh content and repositories, and judges by what the client can live with.
package final class Replay {
    let probe: Probe
    let recording: Recording
    /// New digest by the recorded one.
    var digests: [String: String] = [:]
    /// What has a new digest, to make it where a recording only read it.
    var contents: [String: Content] = [:]
    /// Where the uploads go on; nil for one that the registry spared.
    var uploads: [String: Place?] = [:]
    /// What was sent of each upload, at its place.
    var sent: [String: [UInt8]] = [:]
    /// How far the registry is, where that was told.
    var offsets: [String: Int] = [:]
    /// When, by the recording, a connection was cut or the upload that it cut was last asked for.
    var cutAt: Int?
    /// What is in each repository.
    var present: Set<String> = []
    /// The recorded repository of each upload.
    var homes: [String: String] = [:]
    /// Tokens that this run got, the latest last.
    var passes: [Pass] = []
    /// What this run renews its login with.
    var refresh: String?
    /// Where this registry gives out tokens, once that is known.
    var service: TokenService?
    /// As whom the request at hand goes out.
    var access = Request.Access.usual
    private let root: String
    private let realms: Set<String>

    /// Prepares to send; nothing goes out yet.
    package init(_ recording: Recording, context: RunContext) throws {
        self.recording = recording
        probe = try Probe(run: context, id: "replay")
        root = "\(context.target.prefix)/\(context.seed)/"
        realms = Replay.realms(recording)
    }

    /// Sends all of it, in the order in which the requests began.
    package func run() throws -> [ReplayStep] {
        var steps: [ReplayStep] = []
        for (number, exchange) in recording.exchanges.enumerated() {
            let verdict: ReplayStep.Verdict
            do {
                verdict = try step(exchange)
            } catch let failure as CheckFailure {
                verdict = .bad(expected: failure.expected, got: failure.got)
            } catch let setup as SetupFailure {
                verdict = .bad(expected: "\(setup.purpose): \(setup.failure.expected)", got: setup.failure.got)
            } catch let skip as Skip {
                verdict = .left(skip.reason)
            } catch let failure as TransportFailure {
                verdict = .bad(expected: "an answer", got: failure.detail)
            } catch let unanswered as Unanswered {
                verdict = .bad(expected: "an answer", got: "none, as every \(unanswered.kind) is left without one")
            } catch is Interrupted {
                verdict = .left("interrupted")
            }
            let masker = probe.run.masker
            steps.append(
                ReplayStep(
                    line: number + 2, request: masker.text("\(exchange.method) \(exchange.url)"),
                    verdict: verdict.masked(by: masker)))
        }
        if !probe.run.keep { Cleaner(probe).clean() }
        return steps
    }

    private func step(_ recorded: RecordedExchange) throws -> ReplayStep.Verdict {
        if let status = recorded.status, status >= 500 { return .left("the recorded registry failed here") }
        if realms.contains(String(recorded.url.prefix { $0 != "?" })) { return try login(recorded) }
        // What was masked is not known any more: a parameter can be spared, a path or a body cannot.
        var exchange = recorded
        exchange.url = Replay.withoutMasked(recorded.url)
        if exchange.url.contains(Masker.mask) { return .left("a part of its path is masked") }
        if exchange.body?.text?.contains(Masker.mask) == true { return .left("a part of its body is masked") }
        access = access(of: exchange)
        if exchange.status == 401 { return try challenged(exchange) }
        if exchange.url.hasPrefix("@") { return try upload(exchange) }
        guard exchange.url.hasPrefix("/v2/") else { return .left("not of the distribution API") }
        let target = Target(exchange.url)
        guard let target else {
            let answer = try send(exchange, .path(exchange.url), body: nil)
            try ReplayJudge(exchange, answer).status()
            return .good
        }
        switch target.kind {
        case .uploads: return try begin(exchange, target)
        case .manifest where exchange.method == "PUT": return try pushManifest(exchange, target)
        default: return try read(exchange, target)
        }
    }

    private static func withoutMasked(_ url: String) -> String {
        guard url.contains(Masker.mask) else { return url }
        let parts = url.split(separator: "?", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return url }
        let query = parts[1].split(separator: "&").filter { !$0.contains(Masker.mask) }.joined(separator: "&")
        return parts[0] + (query.isEmpty ? "" : "?" + query)
    }

    func repository(_ name: String) -> String { root + name }

    /// The new digest of a recorded one; a digest that nothing is known of gets one that nothing has.
    func digest(_ old: String) -> String {
        if let new = digests[old] { return new }
        return old.hasPrefix("sha512:") ? Content(old).digest512 : Content("nothing has \(old) \(root)").digest
    }

    func reference(_ old: String) -> String { old.contains(":") ? digest(old) : old }

    /// The bytes that a recorded body stands for, from `offset` of its blob on.
    func bytes(_ body: RecordedBody?, salt: String = "") throws -> Content {
        guard let body else { return Content([]) }
        if let text = body.text { return Content(text) }
        // A length is what somebody wrote: no client sends so much in one body.
        guard (0...1 << 30).contains(body.length) else { throw Skip("a body of \(body.length) bytes") }
        return try Content.random(body.length, seed: "\(root)\(body.digest)\(salt)")
    }

    func send(
        _ exchange: RecordedExchange, _ place: Place, body: Content?, range: String? = nil,
        access: Request.Access? = nil
    ) throws -> Answer {
        var request = Request(exchange.method, place)
        request.access = access ?? self.access
        for name in ["accept", "content-type", "range", "if-none-match", "connection"] {
            for value in exchange.headers[name] ?? [] { request.headers.append((name, value)) }
        }
        if let range { request.headers.append(("content-range", range)) }
        request.body = body
        if exchange.chunked == true { request.framing = .chunked }
        return try probe.send(request)
    }

    /// A recorded path in the names of this run.
    func path(_ target: Target) -> String {
        let isContent = [Target.Kind.manifest, .blob, .referrers].contains(target.kind)
        let rest = isContent ? reference(target.rest) : target.rest
        return "/v2/\(repository(target.repository))/\(target.kind.rawValue)/\(rest)" + target.query
    }

    private func read(_ exchange: RecordedExchange, _ target: Target) throws -> ReplayStep.Verdict {
        if let status = exchange.status, (200..<400).contains(status), exchange.method != "DELETE" {
            try ensure(exchange, target)
        }
        let answer = try send(exchange, .path(path(target)), body: nil)
        let judge = ReplayJudge(exchange, answer)
        try judge.status()
        if answer.status == 200 || answer.status == 206 {
            let content = contents[digest(exchange.contentDigest ?? target.rest)]
            try judge.headers(of: content) { self.digest($0) }
            try judge.body(expected: content, isList: target.kind == .tags)
        } else if exchange.method == "DELETE", answer.status < 300 {
            present.remove("\(repository(target.repository)) \(target.rest)")
        }
        return .good
    }

    /// What a recording only reads has to be there before.
    private func ensure(_ exchange: RecordedExchange, _ target: Target) throws {
        let name = repository(target.repository)
        switch target.kind {
        case .blob:
            let length =
                exchange.answerHeaders["content-length"]?.first.flatMap { Int($0) } ?? exchange.answerBody?.length
            try ensureBlob(target.rest, length ?? 0, body: exchange.answerBody, in: name)
        case .manifest:
            let key = "\(name) \(target.rest)"
            guard !present.contains(key) else { return }
            let later = recording.exchanges.first { other in
                other.method == "GET" && other.url == exchange.url && other.answerBody?.text != nil
            }
            guard let body = (exchange.answerBody?.text == nil ? later?.answerBody : exchange.answerBody),
                let text = body.text
            else {
                throw Skip("the recording reads a manifest that it never shows")
            }
            let type = exchange.answerHeaders["content-type"]?.first ?? MediaType.ociManifest
            let content = try manifest(text, in: name)
            try probe.push(
                Manifest(String(decoding: content.bytes, as: UTF8.self), type: type),
                as: reference(target.rest.contains(":") ? content.digest : target.rest), in: name)
            digests[body.digest] = content.digest
            contents[content.digest] = content
            present.formUnion([key, "\(name) \(body.digest)"])
        default: return
        }
    }

    func ensureBlob(_ old: String, _ length: Int, body: RecordedBody?, in name: String) throws {
        if present.contains("\(name) \(old)") { return }
        let content: Content
        if let new = digests[old], let known = contents[new] {
            content = known
        } else {
            content = try bytes(body ?? RecordedBody(length: length, digest: old, prefix: []))
        }
        try probe.pushBlob(content, in: name)
        digests[old] = old.hasPrefix("sha512:") ? content.digest512 : content.digest
        contents[content.digest] = content
        present.insert("\(name) \(old)")
    }

    /// A recorded manifest with the new digests in place of the old; what it names is made where it is not there.
    func manifest(_ text: String, in name: String) throws -> Content {
        guard let json = JSON(parsing: Array(text.utf8)) else { return Content(text) }
        let blobs = [json["config"]].compactMap { $0 } + (json["layers"]?.array ?? [])
        for blob in blobs where blob["urls"] == nil {
            guard let old = blob["digest"]?.string, let size = blob["size"]?.integer else { continue }
            if !present.contains("\(name) \(old)") { try ensureBlob(old, size, body: nil, in: name) }
        }
        var text = text
        for (old, new) in digests where text.contains(old) { text = text.replacing(old, with: new) }
        return Content(text)
    }

    private func pushManifest(_ exchange: RecordedExchange, _ target: Target) throws -> ReplayStep.Verdict {
        guard let body = exchange.body, let text = body.text else { return .left("a manifest that is no text") }
        let name = repository(target.repository)
        let taken = (200..<300).contains(exchange.status ?? 0)
        let content = taken ? try manifest(text, in: name) : Content(text)
        if taken {
            digests[body.digest] = content.digest
            contents[content.digest] = content
        }
        let answer = try probe.putManifest(
            content, taken || !target.rest.contains(":") ? reference(target.rest) : target.rest,
            type: exchange.headers["content-type"]?.first, in: name, access: access)
        let judge = ReplayJudge(exchange, answer)
        try judge.status()
        if taken {
            present.formUnion(["\(name) \(target.rest)", "\(name) \(body.digest)"])
            try judge.headers { self.digest($0) }
        }
        return .good
    }
}

extension Replay {
    /// A recorded path taken apart.
    struct Target {
        /// The endpoint.
        enum Kind: String {
            case uploads = "blobs/uploads"
            case blob = "blobs"
            case manifest = "manifests"
            case tags = "tags"
            case referrers
        }

        let kind: Kind
        let repository: String
        let rest: String
        let query: String

        /// Nil for what belongs to no repository.
        init?(_ url: String) {
            let path = String(url.prefix { $0 != "?" })
            query = String(url.dropFirst(path.count))
            for kind in [Kind.uploads, .blob, .manifest, .tags, .referrers] {
                guard let mark = path.range(of: "/\(kind.rawValue)/") else { continue }
                self.kind = kind
                repository = String(path[..<mark.lowerBound].dropFirst(4))
                rest = String(path[mark.upperBound...])
                return
            }
            return nil
        }

        /// A parameter of the query, decoded as far as digests and names need it.
        func parameter(_ name: String) -> String? {
            for pair in query.dropFirst().split(separator: "&") where pair.hasPrefix(name + "=") {
                return String(pair.dropFirst(name.count + 1)).replacing("%3A", with: ":").replacing("%3a", with: ":")
                    .replacing("%2F", with: "/").replacing("%2f", with: "/")
            }
            return nil
        }
    }
}
