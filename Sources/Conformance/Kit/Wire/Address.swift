import Foundation

/// What the runner needs of a URL: its parts as written, nothing decoded or normalized.
package struct Address: Sendable, Equatable {
    /// `http` or `https`.
    package let scheme: String
    /// Host name or address; IPv6 without brackets.
    package let host: String
    /// Port, the scheme's own when none was written.
    package let port: Int
    /// Path with query, beginning with `/`.
    package let target: String

    /// Parses an absolute http or https URL; nil when it is none.
    package init?(_ url: String) {
        guard let mark = url.range(of: "://") else { return nil }
        let scheme = url[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = url[mark.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        guard let (host, port) = Address.split(authority, standard: scheme == "https" ? 443 : 80) else { return nil }
        var target = String(rest[end...].prefix { $0 != "#" })
        if !target.hasPrefix("/") { target = "/" + target }
        (self.scheme, self.host, self.port, self.target) = (scheme, host, port, target)
    }

    private static func split(_ authority: Substring, standard: Int) -> (String, Int)? {
        var host = authority
        var port = standard
        let portMark = authority.lastIndex(of: ":")
        if let mark = portMark, !authority[mark...].contains("]") {
            host = authority[..<mark]
            let digits = authority[authority.index(after: mark)...]
            guard let number = Int(digits), (1...65_535).contains(number) else { return nil }
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return host.isEmpty ? nil : (String(host), port)
    }

    /// `scheme://host:port`, without a port where it is the scheme's own.
    package var origin: String {
        let name = host.contains(":") ? "[\(host)]" : host
        let standard = scheme == "https" ? 443 : 80
        return port == standard ? "\(scheme)://\(name)" : "\(scheme)://\(name):\(port)"
    }

    /// The value of the `Host` header.
    package var hostHeader: String { String(origin.dropFirst(scheme.count + 3)) }

    /// Resolves a `Location` or `Link` reference against this address (RFC 3986 section 5.2).
    package func resolving(_ reference: String) -> String {
        if reference.contains("://"), Address(reference) != nil { return reference }
        // Another scheme is kept as it is, for whoever has to say that nobody can go there.
        let scheme = reference.prefix { $0 != ":" && $0 != "/" && $0 != "?" && $0 != "#" }
        if reference.dropFirst(scheme.count).hasPrefix("://"), !scheme.isEmpty { return reference }
        if reference.hasPrefix("//") { return self.scheme + ":" + reference }
        if reference.hasPrefix("/") { return origin + reference }
        let path = target.prefix { $0 != "?" }
        if reference.hasPrefix("?") { return origin + path + reference }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return origin + Address.withoutDots(String(folder) + reference)
    }

    /// A path as proxies may pass it on: decoded, without empty parts, without dot segments (RFC 3986 section 6.2.2).
    package static func cleaned(_ path: String) -> String {
        var plain = path.removingPercentEncoding ?? path
        while plain.contains("//") { plain = plain.replacing("//", with: "/") }
        return withoutDots(plain)
    }

    private static func withoutDots(_ target: String) -> String {
        let path = target.prefix { $0 != "?" }
        var kept: [Substring] = []
        for part in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            if part == ".." { _ = kept.popLast() } else if part != "." { kept.append(part) }
        }
        return "/" + kept.joined(separator: "/") + target.dropFirst(path.count)
    }

    /// `url` with `query` added behind what query it has already; without its fragment, which is never sent.
    package static func adding(_ query: String, to url: String) -> String {
        let url = url.prefix { $0 != "#" }
        return query.isEmpty ? String(url) : url + (url.contains("?") ? "&" : "?") + query
    }
}

/// Percent-encoding of one query value: everything but RFC 3986's unreserved characters.
package func queryEscaped(_ text: String) -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    var result = ""
    for byte in text.utf8 {
        if plain.contains(byte) {
            result.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            result += "%" + Hex.encode([byte]).uppercased()
        }
    }
    return result
}
