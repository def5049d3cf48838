import Foundation
import Glibc
import Synchronization

/// A real HTTP server on a port of its own that answers what a test tells it to: for protocols whose servers cannot be had, and
/// to stand between a driver and its server. A thread a connection; one request at a time on each.
final class HTTPStub: Sendable {
    struct Request: Sendable {
        let method: String
        /// With its query.
        let target: String
        let headers: [String: String]
        let body: [UInt8]
        /// All of the head, as it came.
        let head: [UInt8]
    }

    enum Answer: Sendable {
        case reply(Int, [(String, String)] = [], [UInt8] = [])
        /// Closes the connection without a word.
        case hangUp
        /// Says nothing for so many milliseconds, then does the other.
        indirect case late(Int, Answer)
        /// Bytes as they are, and closes.
        case raw([UInt8])
    }

    let port: Int
    private let listener: Int32
    private let handler: @Sendable (Request) -> Answer
    /// Before the body is read: false to hang up.
    private let takesBody: @Sendable (Request) -> Bool

    var url: String { "http://127.0.0.1:\(port)" }

    init(
        takesBody: @escaping @Sendable (Request) -> Bool = { _ in true },
        _ handler: @escaping @Sendable (Request) -> Answer
    ) throws {
        self.handler = handler
        self.takesBody = takesBody
        listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard status else { throw POSIXError(.EADDRINUSE) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread { [self] in
                    serve(client)
                    Glibc.close(client)
                }
            }
        }
    }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    private func serve(_ client: Int32) {
        var pending: [UInt8] = []
        while let head = Self.head(client, &pending) {
            guard let request = Self.parse(head, []), takesBody(request),
                let body = Self.take(Int(request.headers["content-length"] ?? "0") ?? 0, client, &pending),
                let whole = Self.parse(head, body), answer(handler(whole), whole, client)
            else { return }
        }
    }

    private func answer(_ answer: Answer, _ request: Request, _ client: Int32) -> Bool {
        switch answer {
        case .hangUp: return false
        case .raw(let bytes):
            _ = Self.send(bytes, client)
            return false
        case .late(let milliseconds, let answer):
            usleep(UInt32(milliseconds) * 1000)
            return self.answer(answer, request, client)
        case .reply(let status, let headers, let body):
            var head = "HTTP/1.1 \(status) Whatever\r\n"
            if !headers.contains(where: { $0.0.lowercased() == "content-length" }), status != 204 {
                head += "Content-Length: \(body.count)\r\n"
            }
            for (name, value) in headers { head += "\(name): \(value)\r\n" }
            return Self.send(Array((head + "\r\n").utf8) + (request.method == "HEAD" ? [] : body), client)
        }
    }

    /// Bytes up to an empty line; nil at the end.
    static func head(_ socket: Int32, _ pending: inout [UInt8]) -> [UInt8]? {
        while true {
            if let end = pending.firstRange(of: [13, 10, 13, 10]) {
                let head = Array(pending[..<end.upperBound])
                pending.removeFirst(end.upperBound)
                return head
            }
            guard receive(socket, &pending) else { return nil }
        }
    }

    static func take(_ count: Int, _ socket: Int32, _ pending: inout [UInt8]) -> [UInt8]? {
        while pending.count < count { guard receive(socket, &pending) else { return nil } }
        let body = Array(pending[..<count])
        pending.removeFirst(count)
        return body
    }

    private static func receive(_ socket: Int32, _ pending: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        pending += buffer[..<count]
        return true
    }

    static func send(_ bytes: [UInt8], _ socket: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(socket, raw.baseAddress.map { $0 + done }, raw.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    private static func parse(_ head: [UInt8], _ body: [UInt8]) -> Request? {
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1)
            if halves.count == 2 { headers[halves[0].lowercased()] = halves[1].trimmingCharacters(in: .whitespaces) }
        }
        return Request(
            method: String(words[0]), target: String(words[1]), headers: headers, body: body, head: head)
    }

    /// Hands a request on to the server at a port, on a connection of its own; gives its whole answer.
    static func forward(_ request: Request, to port: Int) -> [UInt8] {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        // The connection is for one request: its end tells the end of the answer.
        let head = request.head.dropLast(2) + Array("Connection: close\r\n\r\n".utf8)
        guard isConnected, send(Array(head) + request.body, socket) else { return [] }
        var answer: [UInt8] = []
        while receive(socket, &answer) {}
        return answer
    }
}
