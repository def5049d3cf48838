import Glibc
import HTTP

/// The socket of a server that runs on this machine. One request a connection; blocks, as the program does nothing else.
struct SocketTransport: APITransport {
    let path: String

    /// How long the server may take to go on with an answer, in seconds: hashing a password waits for others.
    private static let patience = 60

    /// Whether anybody listens there.
    var isOpen: Bool {
        guard let descriptor = connected() else { return false }
        close(descriptor)
        return true
    }

    func send(_ call: APICall) async throws(ConfigurationError) -> APIAnswer { try exchange(call) }

    /// `send` for a thread that may block.
    func exchange(_ call: APICall) throws(ConfigurationError) -> APIAnswer {
        guard let descriptor = connected() else {
            throw unreachable("cannot be reached: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var text = "\(call.method.name) \(call.target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        if !call.body.isEmpty || call.method != .get {
            text += "Content-Type: application/json\r\nContent-Length: \(call.body.count)\r\n"
        }
        let request = Array((text + "\r\n").utf8) + call.body
        guard Self.write(request, to: descriptor) else { throw unreachable("took no request") }
        guard let answer = Self.parse(Self.readAll(descriptor)) else { throw unreachable("gave no answer") }
        return answer
    }

    private func unreachable(_ what: String) -> ConfigurationError {
        ConfigurationError(description: "the server at \(path) \(what)", exitCode: 1)
    }

    /// A connected socket; nil, with `errno`, when nobody listens.
    private func connected() -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else {
            errno = ENAMETOOLONG
            return nil
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        let outcome = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard outcome == 0 else {
            let cause = errno
            close(descriptor)
            errno = cause
            return nil
        }
        return descriptor
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    private static func readAll(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return all }
            all += buffer[..<count]
        }
    }

    /// An answer of a server that sends lengths and closes: nil where it is not whole.
    private static func parse(_ bytes: [UInt8]) -> APIAnswer? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let body = Array(bytes[end.upperBound...])
        guard let words = lines.first?.split(separator: " "), words.count >= 2, let status = Int(words[1]) else {
            return nil
        }
        for line in lines.dropFirst() where line.lowercased().hasPrefix("content-length:") {
            guard Int(line.drop { $0 != ":" }.dropFirst().trimmingPrefix(" ")) == body.count else { return nil }
        }
        return APIAnswer(status: status, body: body)
    }
}
