/// The encoding of paths and queries that signatures are made over: every byte that is not unreserved, in capitals
/// (RFC 3986 section 2.3; AWS, "Create a signed request", UriEncode).
enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// A name or value of a query.
    static func encode(_ text: String) -> String { encode(text, keeping: nil) }

    /// A path, whose slashes stay.
    static func path(_ text: String) -> String { encode(text, keeping: UInt8(ascii: "/")) }

    /// A query in the order and form that is signed.
    static func query(_ items: [(name: String, value: String)]) -> String {
        items.map { (encode($0.name), encode($0.value)) }
            .sorted { $0.0 == $1.0 ? $0.1.utf8Precedes($1.1) : $0.0.utf8Precedes($1.0) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    private static func encode(_ text: String, keeping kept: UInt8?) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: out.append(byte)
            case kept: out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

extension String {
    fileprivate func utf8Precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
