import Glibc
import NIOCore
import NIOSSL

/// Looks names up before anything is timed.
package enum AddressBook {
    /// All addresses of an endpoint, IPv4 and IPv6, in the order in which the system would try them (RFC 6724). Throws
    /// when there is none; blocks.
    package static func addresses(of endpoint: Endpoint) throws(RunError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let isFound = getaddrinfo(endpoint.host, "\(endpoint.port)", &hints, &list) == 0
        defer { if isFound { freeaddrinfo(list) } }
        var found: [SocketAddress] = []
        var next = isFound ? list : nil
        while let entry = next?.pointee {
            if let address = address(entry, host: endpoint.host), !found.contains(address) { found.append(address) }
            next = entry.ai_next
        }
        guard !found.isEmpty else {
            throw RunError("the name '\(endpoint.host)' cannot be looked up: check the URL and the network")
        }
        return found
    }

    private static func address(_ entry: addrinfo, host: String) -> SocketAddress? {
        let address = entry.ai_addr
        return switch entry.ai_family {
        case AF_INET:
            address?.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee, host: host) }
        case AF_INET6:
            address?.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee, host: host) }
        default: nil
        }
    }

    /// How certificates of targets are judged. Throws when `authority` cannot be read.
    ///
    /// - Parameters:
    ///   - isInsecure: takes any certificate.
    ///   - authority: a PEM file whose certificates are trusted instead of the system's.
    package static func tls(isInsecure: Bool, authority: String?) throws(RunError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        if isInsecure { configuration.certificateVerification = .none }
        if let authority { configuration.trustRoots = .file(authority) }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw RunError("the certificates in '\(authority ?? "the system's store")' cannot be read")
        }
    }
}
