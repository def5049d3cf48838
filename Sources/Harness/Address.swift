/// The parts of an http or https URL as written: nothing decoded, nothing normalized.
package struct Address: Sendable, Equatable {
    /// `http` or `https`.
    package let scheme: String
    /// Host name or address; IPv6 without brackets.
    package let host: String
    /// Port, the scheme's own when none was written.
    package let port: Int
    /// Path with query, beginning with `/`.
    package let target: String

    /// An address from its parts.
    package init(scheme: String, host: String, port: Int, target: String) {
        (self.scheme, self.host, self.port, self.target) = (scheme, host, port, target)
    }

    /// Parses an absolute http or https URL; nil when it is none. Credentials and a fragment are passed over.
    package init?(_ url: String) {
        do throws(AddressError) {
            try self.init(parsing: url)
        } catch {
            return nil
        }
    }

    /// Parses an absolute http or https URL. Throws why it is none.
    package init(parsing url: String) throws(AddressError) {
        guard let mark = url.firstRange(of: "://") else { throw .scheme }
        scheme = url[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { throw .scheme }
        let rest = url[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let (host, port) = try HostAndPort.split(place)
        self.host = host
        self.port = port ?? (scheme == "https" ? 443 : 80)
        let target = rest.dropFirst(authority.count).prefix { $0 != "#" }
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
    }

    /// `scheme://host:port`, without a port where it is the scheme's own.
    package var origin: String { "\(scheme)://\(hostHeader)" }

    /// `host:port`, an IPv6 address in brackets.
    package var hostAndPort: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// The value of the `Host` header.
    package var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == "https" ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// Resolves a `Location` or `Link` reference against this address (RFC 3986 section 5.2), without its fragment, which is the
    /// client's own affair (RFC 9110 section 10.2.2). What leads to another scheme is given back as it is.
    package func resolving(_ reference: String) -> String {
        let reference = String(reference.prefix { $0 != "#" })
        let scheme = reference.prefix { $0 != ":" && $0 != "/" && $0 != "?" }
        if scheme.count < reference.count, reference[scheme.endIndex] == ":", !scheme.isEmpty {
            return Address(reference).map { $0.origin + Address.withoutDots($0.target) } ?? reference
        }
        if reference.hasPrefix("//") { return resolving(self.scheme + ":" + reference) }
        if reference.hasPrefix("/") { return origin + Address.withoutDots(reference) }
        let path = target.prefix { $0 != "?" }
        if reference.isEmpty { return origin + target }
        if reference.hasPrefix("?") { return origin + path + reference }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return origin + Address.withoutDots(String(folder) + reference)
    }

    /// A path as proxies may pass it on: decoded, without empty parts, without dot segments (RFC 3986 section 6.2.2).
    package static func cleaned(_ path: String) -> String {
        var plain = queryUnescaped(path)
        while plain.contains("//") { plain = plain.replacing("//", with: "/") }
        return withoutDots(plain)
    }

    /// `target` without the segments `.` and `..` of its path (RFC 3986 section 5.2.4); the query stays as it is.
    package static func withoutDots(_ target: String) -> String {
        let path = target.prefix { $0 != "?" }
        guard path.contains("/.") else { return target }
        var kept: [Substring] = []
        var endsInFolder = false
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            endsInFolder = segment == "." || segment == ".."
            if !endsInFolder { kept.append(segment) } else if segment == ".." { _ = kept.popLast() }
        }
        if endsInFolder { kept.append("") }
        return "/" + kept.joined(separator: "/") + target.dropFirst(path.count)
    }

    /// `url` with `query` added behind what query it has already; without its fragment, which is never sent.
    package static func adding(_ query: String, to url: String) -> String {
        let url = url.prefix { $0 != "#" }
        return query.isEmpty ? String(url) : url + (url.contains("?") ? "&" : "?") + query
    }
}

/// Why a text is no URL that can be asked.
package enum AddressError: String, Error, CustomStringConvertible {
    /// Neither http nor https.
    case scheme = "the scheme is missing or not taken"
    /// Nothing stands before the port.
    case host = "the host is missing"
    /// An IPv6 address that is open to the right.
    case bracket = "the bracket is not closed"
    /// Something else than a port.
    case behindBracket = "no port stands behind the bracket"
    /// No number, or too large.
    case port = "the port is no number from 1 to 65535"

    /// For people.
    package var description: String { rawValue }
}

/// A `HOST[:PORT]`.
package enum HostAndPort {
    /// Host without brackets, and the port where there is one, 1 ... 65535. Throws why it reads as none.
    package static func split(_ authority: Substring) throws(AddressError) -> (host: String, port: Int?) {
        try split(authority, ports: 1...65_535)
    }

    /// The same for a place to listen on, where port 0 is any that is free.
    package static func splitListening(_ authority: Substring) throws(AddressError) -> (host: String, port: Int?) {
        try split(authority, ports: 0...65_535)
    }

    private static func split(
        _ authority: Substring, ports: ClosedRange<Int>
    ) throws(AddressError) -> (host: String, port: Int?) {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw .bracket }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let behind = authority[authority.index(after: close)...]
            guard behind.isEmpty || behind.hasPrefix(":") else { throw .behindBracket }
            port = behind.isEmpty ? nil : behind.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty else { throw .host }
        guard let port else { return (String(host), nil) }
        guard let number = Int(port), ports.contains(number), port.first != "+" else { throw .port }
        return (String(host), number)
    }
}
