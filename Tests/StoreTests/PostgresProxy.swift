import Foundation
import Glibc
import Synchronization

/// Stands between a driver and the server, on a socket of its own, and does what networks do.
final class PostgresProxy: Sendable {
    /// What happens to what a client sends.
    enum Weather: Sendable {
        case fair
        /// Nothing passes, either way, and nobody is told.
        case stalled
        /// Connections are closed, and new ones as soon as they are made.
        case down
        /// Once: the connection is cut when this text passes, before the server has it or just behind.
        case cutting(text: String, isDelivered: Bool)
    }

    private let directory: String
    private let target: String
    private let listener: Int32
    private let weather = Mutex(Weather.fair)
    private let cuts = Atomic(0)

    /// How often a connection was cut.
    var cutCount: Int { cuts.load(ordering: .relaxed) }

    /// Listens in `directory`, as libpq expects it of port 1, for what is to go to the socket at `target`.
    init(_ directory: String, to target: String) throws {
        self.directory = directory
        self.target = target
        listener = try Self.socket("\(directory)/.s.PGSQL.1") { bind($0, $1, $2) }
        guard listen(listener, 64) == 0 else { throw POSIXError(.EIO) }
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread { [self] in serve(client) }
            }
        }
    }

    func set(_ new: Weather) { weather.withLock { $0 = new } }

    /// Ends it.
    func close() {
        set(.down)
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    private static func socket(
        _ path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isFitting = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count else { return false }
            room.copyBytes(from: path.utf8)
            return true
        }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard isFitting, status == 0 else {
            Glibc.close(descriptor)
            throw POSIXError(.EIO)
        }
        return descriptor
    }

    private func serve(_ client: Int32) {
        defer { Glibc.close(client) }
        guard let server = connected() else { return }
        defer { Glibc.close(server) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let now = weather.withLock { $0 }
            if case .down = now { return }
            var events = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&events, 2, 20) > 0 else { continue }
            if case .stalled = now {
                usleep(20_000)
                continue
            }
            for (from, to) in [(0, server), (1, client)] where events[from].revents != 0 {
                let count = recv(events[from].fd, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                let isCut = from == 0 ? cut(buffer[..<count]) : nil
                if isCut == false { return }
                guard send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
                if isCut == true { return }
            }
        }
    }

    private func connected() -> Int32? {
        do {
            return try Self.socket(target) { connect($0, $1, $2) }
        } catch {
            return nil
        }
    }

    /// Whether a connection is to be cut at these bytes: true for behind them; nil for not.
    private func cut(_ bytes: ArraySlice<UInt8>) -> Bool? {
        weather.withLock { weather in
            guard case .cutting(let text, let isDelivered) = weather,
                String(decoding: bytes, as: UTF8.self).contains(text)
            else { return nil }
            weather = .fair
            cuts.wrappingAdd(1, ordering: .relaxed)
            return isDelivered
        }
    }
}
