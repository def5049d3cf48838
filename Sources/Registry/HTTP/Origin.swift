import Glibc
import Model

/// A block of IP addresses, such as `10.0.0.0/8`.
package struct AddressBlock: Sendable, Equatable {
    private let bytes: [UInt8]
    private let bits: Int

    /// Reads an address, or an address and the length of its prefix; nil when it is neither.
    package init?(_ text: String) {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = Self.bytes(of: String(halves[0])) else { return nil }
        guard halves.count == 1 || Int(halves[1]).map((0...bytes.count * 8).contains) == true else { return nil }
        self.bytes = bytes
        bits = halves.count == 1 ? bytes.count * 8 : Int(halves[1]) ?? 0
    }

    /// Whether the address is in the block.
    package func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        return (0..<bits).allSatisfy { bit in
            (bytes[bit / 8] ^ other[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }

    private static func bytes(of text: String) -> [UInt8]? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return withUnsafeBytes(of: v4) { Array($0) } }
        var v6 = in6_addr()
        if inet_pton(AF_INET6, text, &v6) == 1 { return withUnsafeBytes(of: v6) { Array($0) } }
        return nil
    }
}

extension HTTPSettings {
    /// The proxies that are trusted, where a peer of this address is one of them; else none.
    package func proxies(of peer: String) -> [AddressBlock] {
        trustedProxies.contains { $0.contains(peer) } ? trustedProxies : []
    }
}

extension Request {
    /// Scheme and host as the client sees them; a proxy's word counts only if the proxy is trusted.
    func origin(_ settings: HTTPSettings) -> String {
        var (scheme, host) = (isSecure ? "https" : "http", authority.map(String.init) ?? headers["Host"] ?? "")
        if isProxied {
            let forwarded = forwarded()
            scheme = forwarded["proto"] ?? headers["X-Forwarded-Proto"]?.firstElement ?? scheme
            host = forwarded["host"] ?? headers["X-Forwarded-Host"]?.firstElement ?? host
        }
        let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"<>\\^`{|}/?#@".utf8.contains($0) }
        guard isPlain, !host.isEmpty, scheme == "http" || scheme == "https" else { return "" }
        return "\(scheme)://\(host)"
    }

    /// Whether a browser sent it for a page of another site, and it is to change something: the credentials that it came with
    /// are then those that the browser keeps, and nobody's will. What is no browser has no `Origin` (RFC 6454 section 7).
    /// Sites that the operator has named are trusted.
    func isFromOtherSite(_ settings: HTTPSettings) -> Bool {
        guard method != .get, method != .head, let site = headers["Origin"],
            !settings.corsOrigins.contains(site)
        else { return false }
        let own = [origin(settings), settings.url].map(Self.host)
        return !own.contains(Self.host(site)) || Self.host(site).isEmpty
    }

    /// The host and port of an origin; the scheme is what a proxy changes.
    private static func host(_ origin: String) -> Substring {
        AbsoluteForm.parts(origin)?.authority ?? ""
    }

    /// The first element of `Forwarded` (RFC 7239).
    private func forwarded() -> [String: String] {
        guard let first = headers["Forwarded"]?.firstElement else { return [:] }
        var pairs: [String: String] = [:]
        for pair in first.split(separator: ";") {
            let halves = pair.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else { continue }
            let value = halves[1].trimmed
            let bare =
                value.hasPrefix("\"") && value.hasSuffix("\"") && value.count >= 2
                ? value.dropFirst().dropLast() : value
            pairs[halves[0].trimmed.lowercased()] = String(bare)
        }
        return pairs
    }
}

extension String {
    /// What stands before the first comma of a list.
    fileprivate var firstElement: String { String(prefix { $0 != "," }.trimmed) }
}
