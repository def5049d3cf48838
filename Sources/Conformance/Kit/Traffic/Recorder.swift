import Crypto
import Foundation
import Synchronization

/// A proxy that writes down what passes: streams bodies of any size, keeps their lengths and digests.
package final class TrafficRecorder: Sendable {
    private struct State {
        var began: [Int: RecordedExchange] = [:]
        var agents: [Int: String] = [:]
        var next = 0
        var uploads: [String: Int] = [:]
    }

    private let upstream: Address
    private let listener: Int32
    private let masker: Masker
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    /// Listens; nothing is accepted yet. Throws `RunnerFailure` when the address is taken.
    package init(upstream: Address, listen: Address, masker: Masker) throws {
        self.upstream = upstream
        self.masker = masker
        listener = try StreamSocket.listen(on: listen)
    }

    /// Serves until `stop`, a thread a connection.
    package func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            let thread = Thread { [self] in relay(connection) }
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// Accepts nobody any more.
    package func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func relay(_ connection: Int32) {
        let client = StreamSocket(connection)
        var server: StreamSocket?
        guard client.beginsLikeText() else {
            // A client that tries TLS first goes on with plain HTTP when it is answered in that, not when it is hung up on.
            _ = client.write(Array("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".utf8))
            return
        }
        while let head = MessageHead(client) {
            if server == nil { server = connect() }
            guard let there = server else { return }
            let number = begin(head)
            guard exchange(head, number, client, there) else {
                there.shut()
                return client.shut()
            }
        }
    }

    private func connect() -> StreamSocket? {
        do {
            return StreamSocket(try RawSocket.connected(to: upstream))
        } catch {
            return nil
        }
    }

    /// Passes one request and its answer; false when the connections cannot go on.
    private func exchange(_ head: MessageHead, _ number: Int, _ client: StreamSocket, _ server: StreamSocket) -> Bool {
        var passed = head
        if head["expect"] != nil {
            guard client.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) else { return false }
            passed.drop("expect")
        }
        guard server.write(passed.bytes) else { return false }
        let sent = BodyRelay(head, from: client, to: server, isAnswer: false).run()
        note(number) { exchange in
            if sent.count > 0 || head.hasBody { exchange.body = sent.recorded }
            if head.isChunked { exchange.chunked = true }
        }
        guard sent.isWhole, var answer = MessageHead(server) else { return false }
        while (100..<200).contains(answer.status) {
            guard let next = MessageHead(server) else { return false }
            answer = next
        }
        // Before the client has it: its next request may come on another connection at once, and names the Location.
        answered(number, answer)
        guard client.write(answer.bytes) else {
            note(number) { $0.cut = true }
            return false
        }
        let hasBody = head.method != "HEAD" && answer.status != 204 && answer.status != 304
        let came =
            hasBody
            ? BodyRelay(answer, from: server, to: client, isAnswer: true).run() : BodyRelay.Passed(isWhole: true)
        note(number) { exchange in
            if hasBody, came.count > 0 { exchange.answerBody = came.recorded }
            if !came.isWhole { exchange.cut = true }
        }
        let closes = [head, answer].contains { $0["connection"]?.lowercased() == "close" }
        return came.isWhole && !closes
    }

    private func begin(_ head: MessageHead) -> Int {
        let elapsed = Int(Milliseconds(ContinuousClock.now - start).value)
        return state.withLock { state in
            let number = state.next
            state.next += 1
            state.agents[number] = head["user-agent"] ?? ""
            state.began[number] = RecordedExchange(
                at: elapsed, method: head.method, url: named(head.target, state), headers: kept(head, state))
            return number
        }
    }

    private func note(_ number: Int, _ change: (inout RecordedExchange) -> Void) {
        state.withLock { state in
            guard var exchange = state.began[number] else { return }
            change(&exchange)
            state.began[number] = exchange
        }
    }

    private func answered(_ number: Int, _ answer: MessageHead) {
        state.withLock { state in
            guard var exchange = state.began[number] else { return }
            if let location = answer["location"], location.contains("/blobs/uploads/") {
                let path = TrafficRecorder.path(location)
                if state.uploads[path] == nil { state.uploads[path] = state.uploads.count + 1 }
            }
            exchange.status = answer.status
            exchange.answerHeaders = kept(answer, state)
            state.began[number] = exchange
        }
    }

    private static func path(_ location: String) -> String {
        let target = Address(location)?.target ?? location
        return String(target.prefix { $0 != "?" })
    }

    /// The target with an upload's path replaced by its name, secrets masked.
    private func named(_ target: String, _ state: State) -> String {
        let path = TrafficRecorder.path(target)
        guard let upload = state.uploads[path] else { return masker.text(target) }
        let query = (Address(target)?.target ?? target).dropFirst(path.count + 1).split(separator: "&")
            .filter { !$0.hasPrefix("_state=") }
        return "@\(upload)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    private static let interesting: Set<String> = [
        "accept", "content-type", "content-length", "content-range", "range", "location", "docker-content-digest",
        "user-agent", "link", "oci-subject", "oci-filters-applied", "www-authenticate", "authorization", "connection",
        "etag", "if-none-match", "allow", "accept-ranges",
    ]

    private func kept(_ head: MessageHead, _ state: State) -> [String: [String]] {
        var result: [String: [String]] = [:]
        for field in masker.headers(head.headers).fields
        where TrafficRecorder.interesting.contains(field.name.lowercased()) {
            let name = field.name.lowercased()
            var value = name == "location" ? named(head["location"] ?? "", state) : field.value
            // The product is enough; the rest of it tells of the machine.
            if name == "user-agent" { value = value.prefix { $0 != " " && $0 != "+" } + "" }
            result[name, default: []].append(value)
        }
        return result
    }

    /// Everything so far, a session for each name that `split` gives; a request without a repository goes to the
    /// session that its user agent was last seen in.
    package func recordings(title: String, split: (String) -> String?) -> [String: Recording] {
        let (exchanges, agents) = state.withLock { ($0.began.sorted { $0.key < $1.key }, $0.agents) }
        var owners: [String: String] = [:]
        var uploads: [String: String] = [:]
        var sessions: [String: [Int: RecordedExchange]] = [:]
        let named = exchanges.map { number, exchange in
            (number, exchange, split(exchange.url) ?? uploads[String(exchange.url.prefix { $0 != "?" })])
        }
        for (number, exchange, first) in named {
            let agent = agents[number] ?? ""
            let name =
                first ?? uploads[String(exchange.url.prefix { $0 != "?" })] ?? owners[agent]
                ?? named.first { $0.0 > number && agents[$0.0] == agent && $0.2 != nil }?.2 ?? "other"
            if let first { owners[agent] = first }
            for location in exchange.answerHeaders["location"] ?? [] where location.hasPrefix("@") {
                uploads[String(location.prefix { $0 != "?" })] = name
            }
            sessions[name, default: [:]][number] = exchange
        }
        return TrafficRecorder.merged(sessions).mapValues { Recording(title: title, exchanges: $0) }
    }

    /// `a-list` and `a-mounted` belong to the session `a`, where there is one.
    private static func merged(_ sessions: [String: [Int: RecordedExchange]]) -> [String: [RecordedExchange]] {
        var result: [String: [Int: RecordedExchange]] = [:]
        for (name, exchanges) in sessions {
            let owner =
                sessions.keys.filter { name == $0 || name.hasPrefix($0 + "-") }.min { $0.count < $1.count } ?? name
            result[owner, default: [:]].merge(exchanges) { first, _ in first }
        }
        return result.mapValues { exchanges in exchanges.sorted { $0.key < $1.key }.map(\.value) }
    }
}

/// The head of a request or an answer, with its bytes as they came.
struct MessageHead {
    private(set) var bytes: [UInt8]
    private(set) var headers = Headers()
    let method: String
    let target: String
    let status: Int

    /// Reads a head; nil when the connection ended.
    init?(_ socket: StreamSocket) {
        guard socket.beginsLikeText(), let first = socket.line() else { return nil }
        var bytes = first
        let words = String(decoding: first, as: UTF8.self).trimmed.split(separator: " ").map(String.init)
        guard words.count >= 2 else { return nil }
        let isAnswer = words[0].hasPrefix("HTTP/")
        (method, target, status) = (
            isAnswer ? "" : words[0], isAnswer ? "" : words[1], isAnswer ? Int(words[1]) ?? 0 : 0
        )
        while true {
            guard let line = socket.line() else { return nil }
            bytes += line
            let text = String(decoding: line, as: UTF8.self).trimmed
            if text.isEmpty { break }
            guard let colon = text.firstIndex(of: ":") else { continue }
            headers.add(String(text[..<colon]), text[text.index(after: colon)...].trimmed)
        }
        self.bytes = bytes
    }

    subscript(_ name: String) -> String? { headers[name] }

    var isChunked: Bool { headers["transfer-encoding"]?.lowercased().contains("chunked") ?? false }
    var length: Int? { headers["content-length"].flatMap { Int($0) } }
    var hasBody: Bool { isChunked || (length ?? 0) > 0 || (method == "PUT" && length != nil) }

    /// Leaves a header out of what is passed on.
    mutating func drop(_ name: String) {
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        bytes = Array(lines.filter { !$0.lowercased().hasPrefix(name + ":") }.joined(separator: "\r\n").utf8)
    }
}

/// Passes a body on and digests it on the way.
struct BodyRelay {
    /// What passed.
    struct Passed {
        var count = 0
        var digest = Digests.sha256([])
        var prefix: [UInt8] = []
        var isWhole: Bool
        var recorded: RecordedBody { RecordedBody(length: count, digest: digest, prefix: prefix) }
    }

    private let head: MessageHead
    private let source: StreamSocket
    private let sink: StreamSocket
    private let isAnswer: Bool

    init(_ head: MessageHead, from source: StreamSocket, to sink: StreamSocket, isAnswer: Bool) {
        (self.head, self.source, self.sink, self.isAnswer) = (head, source, sink, isAnswer)
    }

    func run() -> Passed {
        var passed = Passed(isWhole: true)
        var hash = SHA256()
        func take(_ bytes: [UInt8]) {
            hash.update(data: bytes)
            passed.count += bytes.count
            if passed.prefix.count < 16_385 { passed.prefix += bytes.prefix(16_385 - passed.prefix.count) }
        }
        if head.isChunked {
            passed.isWhole = chunks(take)
        } else if let length = head.length {
            passed.isWhole = counted(length, take)
        } else if isAnswer {
            while case let bytes = source.read(atMost: 131_072), !bytes.isEmpty {
                take(bytes)
                guard sink.write(bytes) else { break }
            }
            passed.isWhole = false
        }
        passed.digest = "sha256:" + Hex.encode(hash.finalize())
        return passed
    }

    private func counted(_ length: Int, _ take: ([UInt8]) -> Void) -> Bool {
        var left = length
        while left > 0 {
            let bytes = source.read(atMost: min(left, 131_072))
            guard !bytes.isEmpty else { return false }
            take(bytes)
            left -= bytes.count
            guard sink.write(bytes) else { return false }
        }
        return true
    }

    private func chunks(_ take: ([UInt8]) -> Void) -> Bool {
        while let line = source.line() {
            guard sink.write(line) else { return false }
            let digits = String(decoding: line, as: UTF8.self).trimmed.prefix { $0 != ";" }
            guard digits.allSatisfy(\.isHexDigit), let size = Int(digits, radix: 16) else { return false }
            guard size > 0 else {
                while let trailer = source.line() {
                    guard sink.write(trailer) else { return false }
                    if trailer == [13, 10] { return true }
                }
                return false
            }
            guard counted(size, take), let end = source.line(), sink.write(end) else { return false }
        }
        return false
    }
}
