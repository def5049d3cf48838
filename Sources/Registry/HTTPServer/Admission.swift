import Metrics
import NIOCore
import Synchronization

/// Where a connection comes from.
struct RemoteAddress: Sendable {
    /// The address for people, without port; of a client of IPv4 on a socket that takes both, the one that it has there.
    let text: String
    /// Whether it is a program on this machine, on a socket of the file system.
    let isLocal: Bool
    /// What connections are counted by: the address, or of IPv6 its network of 64 bits, as that is what a client gets.
    let origin: String

    /// That of a client of the socket at `path`.
    init(local path: String) { (text, isLocal, origin) = ("local", true, path) }

    /// That of a client of a door beside the main one: it counts for itself, whoever comes through the other.
    init(_ address: SocketAddress?, door: String) {
        text = RemoteAddress(address).text
        (isLocal, origin) = (true, door)
    }

    init(_ address: SocketAddress?) {
        isLocal = false
        let full = address?.ipAddress ?? "-"
        text = String(full.hasPrefix("::ffff:") && full.contains(".") ? full.dropFirst(7) : full[...])
        guard case .v6(let v6)? = address, text.contains(":") else {
            origin = text
            return
        }
        origin = withUnsafeBytes(of: v6.address.sin6_addr) { bytes in
            bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ".")
        }
    }
}

/// Counts connections, and the bytes of requests that are not whole, all of them and by address, so that one address
/// cannot take all there is.
final class Admission: Sendable {
    private struct State {
        var count = 0
        var byOrigin: [String: Int] = [:]
        var bytes = 0
        var bytesByOrigin: [String: Int] = [:]
    }

    /// Most connections of the machine's own programs, which count for themselves: a crowd does not keep its operator out.
    private static let localLimit = 64
    /// Bytes that every connection may leave unread: the heads of nearly all requests are smaller.
    static let freeBytes = 4 << 10
    private let limit: Int
    private let limitOfOne: Int
    private let byteLimit: Int
    private let exempt: @Sendable (String) -> Bool
    private let state = Mutex(State())
    private let (taken, refused) = (Counter(), Counter())

    /// At most `limit` connections, of one address `limitOfOne` unless it is `exempt`: that of a proxy is. Of the `bytes` one
    /// gets half.
    init(limit: Int, limitOfOne: Int, bytes: Int, exempt: @escaping @Sendable (String) -> Bool) {
        self.limit = limit
        self.limitOfOne = limitOfOne
        byteLimit = bytes
        self.exempt = exempt
    }

    /// Whether one more may come from there; `leave` must follow then.
    func enter(_ remote: RemoteAddress) -> Bool {
        let isAllowed = allows(remote)
        (isAllowed ? taken : refused).add()
        return isAllowed
    }

    private func allows(_ remote: RemoteAddress) -> Bool {
        guard !remote.isLocal else { return enterLocally(remote) }
        let isExempt = exempt(remote.text)
        return state.withLock { state in
            let own = state.byOrigin[remote.origin] ?? 0
            guard state.count < limit, isExempt || own < limitOfOne else { return false }
            state.count += 1
            state.byOrigin[remote.origin] = own + 1
            return true
        }
    }

    private func enterLocally(_ remote: RemoteAddress) -> Bool {
        state.withLock { state in
            let own = state.byOrigin[remote.origin] ?? 0
            guard own < Self.localLimit else { return false }
            state.byOrigin[remote.origin] = own + 1
            return true
        }
    }

    /// One has gone.
    func leave(_ remote: RemoteAddress) {
        state.withLock { state in
            if !remote.isLocal { state.count -= 1 }
            let own = state.byOrigin[remote.origin] ?? 1
            state.byOrigin[remote.origin] = own > 1 ? own - 1 : nil
        }
    }

    /// A connection from there has `new` bytes unread in place of `old`; false, and nothing has changed, where there is no
    /// room for more.
    func hold(_ new: Int, insteadOf old: Int, _ remote: RemoteAddress) -> Bool {
        let isExempt = remote.isLocal || exempt(remote.text)
        return state.withLock { state in
            let own = (state.bytesByOrigin[remote.origin] ?? 0) - old + new
            let all = state.bytes - old + new
            guard new <= old || (all <= byteLimit && (isExempt || own <= byteLimit / 2)) else { return false }
            state.bytes = all
            state.bytesByOrigin[remote.origin] = own > 0 ? own : nil
            return true
        }
    }

    /// Bytes that are held, of all.
    var heldBytes: Int { state.withLock { $0.bytes } }

    /// How many came, and how many were closed at once.
    var metrics: [MetricFamily] {
        [
            MetricFamily("aerugo_connections_accepted_total", .counter, "Connections that were taken.", taken.value),
            MetricFamily(
                "aerugo_connections_refused_total", .counter,
                "Connections that were closed at once, as there were too many.", refused.value),
            MetricFamily(
                "aerugo_unread_request_bytes", .gauge,
                "Bytes of requests that are not whole, as far as they are counted.",
                heldBytes),
        ]
    }
}
