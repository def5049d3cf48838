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
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// `http://host:port`
    package var description: String { (isTLS ? "https://" : "http://") + authority }
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
        let isTLS: Bool
        var rest: Substring
        if text.hasPrefix("http://") {
            (isTLS, rest) = (false, text.dropFirst(7))
        } else if text.hasPrefix("https://") {
            (isTLS, rest) = (true, text.dropFirst(8))
        } else {
            throw refuse("the scheme is missing or not taken")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        rest = rest.dropFirst(authority.count).prefix { $0 != "#" }
        guard !authority.contains("@") else {
            throw TargetError(description: "credentials do not belong in the URL: use --user and --password-file")
        }
        let (host, given) = try HostRule.split(authority, refuse)
        guard given != 0 else { throw refuse("the port is no number from 1 to 65535") }
        for byte in text.utf8 where byte <= 0x20 || byte == 0x7F {
            throw refuse("blanks and control characters must be escaped")
        }
        endpoint = Endpoint(isTLS: isTLS, host: host, port: given ?? (isTLS ? 443 : 80))
        path = rest.hasPrefix("/") ? String(rest) : "/" + rest
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
        (host, port) = try Self.split(text[...], refuse)
        for byte in text.utf8 where byte <= 0x20 || byte == 0x7F || byte == 0x2F {
            throw refuse("blanks and slashes are no part of a host")
        }
    }

    /// It is that host and that port.
    package func allows(_ endpoint: Endpoint) -> Bool {
        host.lowercased() == endpoint.host && (port ?? (endpoint.isTLS ? 443 : 80)) == endpoint.port
    }

    /// Host without brackets, and the port where there is one, 0 ... 65535. Throws what `refuse` makes of the reason.
    package static func split(
        _ authority: Substring, _ refuse: (String) -> TargetError
    ) throws(TargetError) -> (host: String, port: Int?) {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw refuse("the bracket is not closed") }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let behind = authority[authority.index(after: close)...]
            guard behind.isEmpty || behind.hasPrefix(":") else { throw refuse("no port stands behind the bracket") }
            port = behind.isEmpty ? nil : behind.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty else { throw refuse("the host is missing") }
        guard let port else { return (String(host), nil) }
        guard let number = Int(port), (0...65_535).contains(number), port.first != "+" else {
            throw refuse("the port is no number from 1 to 65535")
        }
        return (String(host), number)
    }
}
