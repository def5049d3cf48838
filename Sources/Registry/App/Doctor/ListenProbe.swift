import Glibc

/// Whether the address is there to be listened on.
enum ListenProbe {
    static func listen(_ plan: Plan, _ server: ServerState) -> [Finding] {
        let place = "\(plan.listen.host):\(plan.listen.port)"
        switch server {
        case .answers, .silent, .unknown: return []
        case .none, .absent: break
        }
        guard let reason = refusal(plan.listen) else { return [.ok("listen", place)] }
        return [.failed("listen", "\(place): \(reason)", "Set `listen` to another address, or stop what has this one.")]
    }

    /// Why it cannot be had; nil where it can.
    private static func refusal(_ address: ListenAddress) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host, "\(address.port)", &hints, &found)
        guard code == 0, let first = found?.pointee else { return String(cString: gai_strerror(code)) }
        defer { freeaddrinfo(found) }
        let descriptor = socket(first.ai_family, first.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        var isReused: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
        // Two may bind to one address before one of them listens.
        guard bind(descriptor, first.ai_addr, first.ai_addrlen) == 0, Glibc.listen(descriptor, 1) == 0 else {
            return String(cString: strerror(errno))
        }
        return nil
    }
}
