import Foundation
import Glibc
import Synchronization

/// Why the wire did not give what was asked of it.
struct WireError: Error, CustomStringConvertible {
    let description: String
}

/// An answer as it came.
struct Answer: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    /// The first value of a header, whatever its case.
    subscript(name: String) -> String? { all(name).first }

    func all(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A connection that sends any bytes and reads HTTP/1.1 answers: none of the server's own code, so that nothing is
/// mended on the way. Every call blocks on a thread of the connection's own, at most two minutes.
final class Wire: Sendable {
    private let descriptor: Int32
    private let received = Mutex<[UInt8]>([])

    /// Connects to a port of this machine. `receiveBuffer`: bytes that the kernel may take in while nobody reads; `source`:
    /// the address to come from.
    init(port: Int, host: String = "127.0.0.1", receiveBuffer: Int32? = nil, source: String? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw WireError(description: "socket: \(errno)") }
        var limit = timeval(tv_sec: 120, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        if var receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, 4) }
        let outcome =
            source.map { Self.call(bind, descriptor, $0, 0) } == -1 ? -1 : Self.call(connect, descriptor, host, port)
        guard outcome == 0 else {
            // Closed by deinit, which runs here too: closed twice, it would be somebody else's.
            throw WireError(description: "connect: \(String(cString: strerror(errno)))")
        }
    }

    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ descriptor: Int32, _ host: String,
        _ port: Int
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr(host)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { close(descriptor) }

    private func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            // Not Dispatch: it has a limited number of threads, which waiting clients would use up.
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Sends all of it; false when the peer would not take it.
    @discardableResult
    func send(_ bytes: [UInt8]) async throws -> Bool {
        try await onThread { [descriptor] in
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes { raw in
                    Glibc.send(descriptor, raw.baseAddress?.advanced(by: done), raw.count - done, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }

    @discardableResult
    func send(_ text: String) async throws -> Bool { try await send(Array(text.utf8)) }

    /// Reads one answer. `method`: what it is the answer to, as HEAD has no body. Throws at the end of the connection.
    func answer(to method: String = "GET") async throws -> Answer {
        try await onThread { [self] in
            let (status, headers) = try readHead()
            let hasBody = method != "HEAD" && status >= 200 && status != 204 && status != 304
            guard hasBody else { return Answer(status: status, headers: headers, body: []) }
            let lengths = headers.filter { $0.name.lowercased() == "content-length" }
            guard lengths.count == 1, let length = Int(lengths[0].value) else {
                throw WireError(description: "an answer \(status) without one Content-Length")
            }
            while received.withLock({ $0.count }) < length {
                guard try fill() else {
                    throw WireError(description: "\(received.withLock { $0.count }) bytes of a body of \(length)")
                }
            }
            let body = received.withLock { buffer in
                defer { buffer.removeFirst(length) }
                return Array(buffer[..<length])
            }
            return Answer(status: status, headers: headers, body: body)
        }
    }

    /// Reads until this many answers have begun, while the other thread may still be sending; gives how many did.
    func read(answers wanted: Int) async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { [self] in
                continuation.resume(
                    with: Result {
                        let begin = Array("HTTP/1.1 ".utf8)
                        var (count, tail): (Int, [UInt8]) = (0, [])
                        while count < wanted, try fill() {
                            let bytes =
                                tail
                                + received.withLock { buffer in
                                    defer { buffer = [] }
                                    return buffer
                                }
                            var index = 0
                            while index + begin.count <= bytes.count {
                                if bytes[index] == begin[0], bytes[index..<index + begin.count].elementsEqual(begin) {
                                    count += 1
                                }
                                index += 1
                            }
                            tail = Array(bytes[index...])
                        }
                        return count
                    })
            }
        }
    }

    /// All that still comes until the peer closes; a reset counts as that.
    func rest() async throws -> [UInt8] {
        try await onThread { [self] in
            while try fill() {}
            return received.withLock { buffer in
                defer { buffer = [] }
                return buffer
            }
        }
    }

    /// Says that nothing more will be sent; answers can still be read.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Cuts the connection the hard way: the peer gets a reset.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func readHead() throws -> (Int, [(name: String, value: String)]) {
        let end = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            let found: String? = received.withLock { buffer in
                guard buffer.count >= 4 else { return nil }
                for start in max(0, searched - 3)...(buffer.count - 4) where Array(buffer[start..<start + 4]) == end {
                    defer { buffer.removeFirst(start + 4) }
                    return String(decoding: buffer[..<start], as: UTF8.self)
                }
                searched = buffer.count
                return nil
            }
            if let found { return try Self.parse(found) }
            guard try fill() else { throw WireError(description: "the connection ended before an answer") }
        }
    }

    private static func parse(_ head: String) throws -> (Int, [(name: String, value: String)]) {
        var lines = head.components(separatedBy: "\r\n")
        let first = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard first.count >= 2, first[0] == "HTTP/1.1", let status = Int(first[1]) else {
            throw WireError(description: "not an answer: \(head.prefix(200))")
        }
        return (
            status,
            try lines.map { line in
                guard let colon = line.firstIndex(of: ":") else {
                    throw WireError(description: "not a header: \(line)")
                }
                return (String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
            }
        )
    }

    /// Reads some more; false at the end of the connection. Throws when nothing comes.
    private func fill() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { throw WireError(description: "nothing came for 120 s") }
        guard count > 0 else { return false }
        received.withLock { $0.append(contentsOf: buffer[..<count]) }
        return true
    }
}
