import NIOCore
import NIOSSL

/// Looks names up before anything is timed.
package enum AddressBook {
    /// Addresses of an endpoint, IPv4 and IPv6 as the system tells them. Throws when there is none; blocks.
    package static func addresses(of endpoint: Endpoint) throws(RunError) -> [SocketAddress] {
        do {
            return [try SocketAddress.makeAddressResolvingHost(endpoint.host, port: endpoint.port)]
        } catch {
            throw RunError("the name '\(endpoint.host)' cannot be looked up: check the URL and the network")
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
