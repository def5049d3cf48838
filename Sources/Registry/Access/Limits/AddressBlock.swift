import Glibc

/// Addresses that are taken for one client: an IPv4 address, or the /64 of an IPv6 one, out of which a host has addresses
/// without number (RFC 6177).
package struct AddressBlock: Hashable, Sendable {
    private enum Kind: Hashable, Sendable {
        case v4(UInt32)
        case v6(UInt64)
        /// A socket without address, or text that is none: all of these are one client.
        case other
    }

    private let kind: Kind

    /// The block of an address as text, without port, of IPv6 with or without brackets and zone.
    package init(_ address: String) {
        var text = address.prefix(64)
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        if let zone = text.firstIndex(of: "%") { text = text[..<zone] }
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, String(text), &v4) == 1 {
            kind = .v4(v4.s_addr)
        } else if inet_pton(AF_INET6, String(text), &v6) == 1 {
            kind = withUnsafeBytes(of: v6) { bytes in
                let mapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 255 && bytes[11] == 255
                return mapped
                    ? .v4(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
                    : .v6(bytes.loadUnaligned(as: UInt64.self))
            }
        } else {
            kind = .other
        }
    }

    /// A text that no other block has.
    package var text: String {
        switch kind {
        case .v4(let address): "v4:\(address)"
        case .v6(let network): "v6:\(network)"
        case .other: "other"
        }
    }
}
