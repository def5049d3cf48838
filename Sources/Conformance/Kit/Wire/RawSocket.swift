import Foundation

/// A plain TCP connection for bytes that an HTTP library would not send. Used by one thread.
package final class RawSocket {
    private let descriptor: Int32
    private let end: ContinuousClock.Instant

    /// Connects within `deadline`, which also bounds everything that follows.
    package init(to address: Address, deadline: Duration) throws(TransportFailure) {
        end = ContinuousClock.now + deadline
        descriptor = try RawSocket.connect(address, deadline)
    }

    deinit { close(descriptor) }

    /// A connected descriptor that the caller owns.
    static func connected(to address: Address) throws(TransportFailure) -> Int32 {
        try connect(address, .seconds(10))
    }

    private static func connect(_ address: Address, _ deadline: Duration) throws(TransportFailure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, String(address.port), &hints, &found) == 0, let first = found else {
            throw TransportFailure(kind: .unreachable, detail: "no address for \(address.host)")
        }
        defer { freeaddrinfo(first) }
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let info = next?.pointee {
            let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
            if descriptor >= 0 {
                var limit = timeval(tv_sec: Int(max(1, deadline.components.seconds)), tv_usec: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return descriptor }
                close(descriptor)
            }
            next = info.ai_next
        }
        throw TransportFailure(kind: .unreachable, detail: "nobody listens at \(address.hostHeader)")
    }

    /// Sends all bytes; false when the other side closed first.
    package func send(_ bytes: [UInt8]) -> Bool { RawSocket.send(bytes, over: descriptor) }

    /// Sends all bytes over a connected descriptor; false when the other side closed first.
    static func send(_ bytes: [UInt8], over descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Says that nothing more will be sent.
    package func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// What came next; empty when the other side closed, nil when nothing came within `wait` or the deadline.
    package func receive(within wait: Duration) -> [UInt8]? {
        let left = min(wait, end - ContinuousClock.now)
        guard left > .zero else { return nil }
        let (seconds, rest) = left.components
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(min(seconds * 1_000 + rest / 1_000_000_000_000_000 + 1, 3_600_000))
        guard poll(&poller, 1, milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer.prefix(count)) : []
    }
}

/// What came back over a raw connection.
package struct RawReply: Sendable {
    /// Everything that was read.
    package let bytes: [UInt8]
    /// The status codes of the answers' heads, in order; interim ones included.
    package let statuses: [Int]
    /// Whether the other side closed the connection.
    package let closed: Bool
    /// The number of the exchange in the record.
    package let exchange: Int

    /// The first final status; nil when there was none.
    package var status: Int? { statuses.first { $0 >= 200 } }
}

extension Probe {
    /// Sends bytes over a connection of their own and reads until `answers` heads came, the other side closes,
    /// or `wait` passes with nothing new. `pieces` go out one by one with `pause` between them.
    package func raw(
        _ pieces: [[UInt8]], answers: Int = 1, wait: Duration = .seconds(5), pause: Duration = .zero
    ) throws -> RawReply {
        for attempt in 1... {
            let reply = try rawOnce(pieces, answers: answers, wait: wait, pause: pause)
            let (headers, _) = RawReader.firstFinal(reply.bytes)
            guard Patience.asks(reply.status ?? 0, headers) else { return reply }
            try Patience.wait(attempt, reply.status ?? 0, headers, run)
        }
        throw Interrupted()
    }

    private func rawOnce(_ pieces: [[UInt8]], answers: Int, wait: Duration, pause: Duration) throws -> RawReply {
        if base.scheme != "http" { throw Skip("bytes of our own go over plain HTTP only, and the target is https") }
        if run.isInterrupted { throw Interrupted() }
        let start = ContinuousClock.now
        let node = nodeOfRawBytes()
        let socket = try RawSocket(to: node.map { run.target.nodes[$0] } ?? base, deadline: run.target.deadline)
        var received: [UInt8] = []
        var closed = false
        for (index, piece) in pieces.enumerated() {
            guard socket.send(piece) else { break }
            if pause > .zero, index + 1 < pieces.count, let early = socket.receive(within: pause) {
                received += early
                if early.isEmpty { closed = true }
                break
            }
        }
        while !closed, RawReader.heads(received).filter({ $0 >= 200 }).count < answers {
            guard let bytes = socket.receive(within: wait) else { break }
            if bytes.isEmpty { closed = true }
            received += bytes
        }
        // A moment for what comes with or behind the head: a body, a second answer, a closed connection.
        while !closed, let bytes = socket.receive(within: .milliseconds(30)) {
            if bytes.isEmpty { closed = true }
            received += bytes
        }
        let exchange = record(raw: Array(pieces.joined()), received, start, node)
        return RawReply(
            bytes: received, statuses: RawReader.heads(received), closed: closed, exchange: exchange.number)
    }

    private func record(
        raw sent: [UInt8], _ received: [UInt8], _ start: ContinuousClock.Instant, _ node: Int?
    ) -> Exchange {
        let masker = run.masker
        var incoming = Incoming()
        incoming.status = RawReader.heads(received).first { $0 >= 200 } ?? 0
        (incoming.headers, incoming.body) = RawReader.firstFinal(received)
        // What an earlier answer gave is another session's when a script asks again.
        let target = String(decoding: sent.split(separator: 32, maxSplits: 2).dropFirst().first ?? [], as: UTF8.self)
        let place = places.last { Address($0.url(on: base))?.target == target }
        return recorder.add { number in
            var exchange = Exchange(
                number: number, method: "RAW", url: base.origin, headers: Headers(), place: place ?? .path("/"),
                body: nil, bodyText: "", framing: .length, raw: masker.bytes(sent),
                rawTarget: place == nil ? nil : masker.text(target),
                response: incoming.status == 0 ? nil : Probe.response(incoming, masker),
                failure: incoming.status == 0 ? "no answer" : nil, duration: ContinuousClock.now - start)
            exchange.node = node
            return exchange
        }
    }
}

/// Reads HTTP heads out of bytes, for raw connections only.
package enum RawReader {
    /// The status codes of all heads, in order: `HTTP/1.`, a digit, a blank and three digits, wherever they stand.
    /// A body needs no line end, so that the next head may follow it on the same line.
    package static func heads(_ bytes: [UInt8]) -> [Int] {
        let mark = Array("HTTP/1.".utf8)
        var statuses: [Int] = []
        var index = 0
        while index + 12 <= bytes.count {
            if bytes[index] == mark[0], bytes[index..<index + 7].elementsEqual(mark),
                let status = Int(String(decoding: bytes[index + 9..<index + 12], as: UTF8.self))
            {
                statuses.append(status)
                index += 12
            } else {
                index += 1
            }
        }
        return statuses
    }

    /// Header lines of the first final answer, and what stands behind its head.
    package static func firstFinal(_ bytes: [UInt8]) -> (Headers, [UInt8]) {
        var rest = bytes[...]
        while let end = headEnd(rest) {
            let lines = String(decoding: rest[..<end], as: UTF8.self).split { $0.isNewline }
            rest = rest[end...]
            let status = lines.first?.split(separator: " ").dropFirst().first ?? "1"
            guard !status.hasPrefix("1") else { continue }
            var headers = Headers()
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                headers.add(String(line[..<colon]), line[line.index(after: colon)...].trimmed)
            }
            return (headers, Array(rest))
        }
        return (Headers(), Array(rest))
    }

    private static func headEnd(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in bytes.startIndex...(bytes.endIndex - 4)
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10 {
            return index + 4
        }
        return nil
    }
}
