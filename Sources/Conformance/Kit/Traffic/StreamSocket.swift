import Foundation

/// A connected socket that is read by lines and counts. Used by one thread.
final class StreamSocket {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0

    /// Takes over a descriptor.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var limit = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// A listening socket on an address such as `127.0.0.1:5001`. Throws `RunnerFailure` when that is not possible.
    static func listen(on address: Address) throws -> Int32 {
        var place = sockaddr_in()
        guard inet_pton(AF_INET, address.host == "localhost" ? "127.0.0.1" : address.host, &place.sin_addr) == 1 else {
            throw RunnerFailure("cannot listen on \(address.hostHeader): the host is an IPv4 address or localhost")
        }
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(address.port).bigEndian
        let bound = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                    && Glibc.listen(listener, 128) == 0
            }
        }
        guard bound else { throw RunnerFailure("cannot listen on \(address.hostHeader)") }
        return listener
    }

    private func fill() -> Bool {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        var chunk = [UInt8](repeating: 0, count: 131_072)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffer.append(contentsOf: chunk[0..<count])
        return true
    }

    /// The bytes up to and with the next line end; nil when the other side closed.
    func line() -> [UInt8]? {
        while true {
            if let end = buffer[start...].firstIndex(of: 10) {
                defer { start = end + 1 }
                return Array(buffer[start...end])
            }
            guard buffer.count - start < 1 << 20, fill() else { return nil }
        }
    }

    /// Whether what comes next could begin an HTTP request: a letter. A client that tries TLS first begins with 0x16,
    /// and waits until somebody hangs up. Blocks until a byte is there; false when the other side closed.
    func beginsLikeText() -> Bool {
        if start == buffer.count, !fill() { return false }
        return (0x41...0x7A).contains(buffer[start])
    }

    /// At most `count` bytes, at least one; empty when the other side closed.
    func read(atMost count: Int) -> [UInt8] {
        if start == buffer.count, !fill() { return [] }
        let end = min(buffer.count, start + count)
        defer { start = end }
        return Array(buffer[start..<end])
    }

    /// Sends all bytes; false when the other side closed.
    func write(_ bytes: [UInt8]) -> Bool { RawSocket.send(bytes, over: descriptor) }

    /// Ends both directions at once.
    func shut() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}
