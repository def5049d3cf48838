import Harness

/// Where connections go: scheme, host and port.
package struct Endpoint: Hashable, Codable, Sendable, CustomStringConvertible {
    /// Scheme `https`.
    package let isTLS: Bool
    /// Lower case, without brackets.
    package let host: String
    /// 1 ... 65535.
    package let port: Int

    /// - Parameters:
    ///   - host: without brackets; upper case is folded.
    ///   - port: 1 ... 65535.
    package init(isTLS: Bool, host: String, port: Int) {
        self.isTLS = isTLS
        self.host = host.lowercased()
        self.port = port
    }

    /// `host:port`, without the port where it is the scheme's own: the value of `Host`.
    package var authority: String { Address(self, "/").hostHeader }

    /// `http://host:port`
    package var description: String { Address(self, "/").origin }
}

extension Address {
    /// An address below an endpoint.
    init(_ endpoint: Endpoint, _ path: String) {
        self.init(
            scheme: endpoint.isTLS ? "https" : "http", host: endpoint.host, port: endpoint.port, target: path)
    }

    /// Where it stands.
    var endpoint: Endpoint { Endpoint(isTLS: scheme == "https", host: host, port: port) }
}

/// A URL that cannot be aimed at.
package struct TargetError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with it, and what would do.
    package let description: String

    /// - Parameter description: what is wrong with it, and what would do.
    package init(description: String) {
        self.description = description
    }
}

/// The URL that the user named: the only host that is ever loaded.
package struct Target: Hashable, Codable, Sendable, CustomStringConvertible {
    /// Scheme, host and port.
    package let endpoint: Endpoint
    /// Path and query, beginning with `/`.
    package let path: String

    /// - Parameter path: with its query, beginning with `/`.
    package init(endpoint: Endpoint, path: String) {
        self.endpoint = endpoint
        self.path = path
    }

    /// Reads `http[s]://host[:port][/path]`. Credentials in a URL are refused: they end up in process lists.
    package init(parsing text: String) throws(TargetError) {
        func refuse(_ reason: String) -> TargetError {
            TargetError(description: "'\(text)': \(reason); write http://HOST[:PORT][/PATH] or https://…")
        }
        guard !Location.hasCredentials(text) else {
            throw TargetError(description: "credentials do not belong in the URL: use --user and --password-file")
        }
        let address: Address
        do throws(AddressError) {
            address = try Address(parsing: text)
        } catch {
            throw refuse(error.description)
        }
        for byte in text.utf8 where byte <= 0x20 || byte == 0x7F {
            throw refuse("blanks and control characters must be escaped")
        }
        (endpoint, path) = (address.endpoint, address.target)
    }

    /// The URL.
    package var description: String { endpoint.description + path }
}

/// A `HOST[:PORT]` that may be spoken to; without a port, the scheme's own is meant.
package struct HostRule: Hashable, Sendable {
    private let host: String
    private let port: Int?

    /// Reads `HOST` or `HOST:PORT`, an IPv6 address in brackets.
    package init(parsing text: String) throws(TargetError) {
        func refuse(_ reason: String) -> TargetError {
            TargetError(description: "'\(text)': \(reason); write HOST or HOST:PORT")
        }
        do throws(AddressError) {
            (host, port) = try HostAndPort.split(text[...])
        } catch {
            throw refuse(error.description)
        }
        for byte in text.utf8 where byte <= 0x20 || byte == 0x7F || byte == 0x2F {
            throw refuse("blanks and slashes are no part of a host")
        }
    }

    /// It is that host and that port.
    package func allows(_ endpoint: Endpoint) -> Bool {
        host.lowercased() == endpoint.host && (port ?? (endpoint.isTLS ? 443 : 80)) == endpoint.port
    }
}
