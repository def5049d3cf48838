/// An address that mail can be sent to, such as `ann@example.com` (RFC 5321 section 4.1.2, without quotes, comments and
/// literals): visible ASCII, so that nothing in it can end a line or a header.
package struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
    /// Most bytes of one (RFC 5321 section 4.5.3.1.3, without the angle brackets).
    package static let maximumLength = 254
    /// As a regular expression.
    package static let pattern = "^\(localPart)@\(host)(\\.\(host))*$"

    private static let localPart = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    private static let host = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"

    package let description: String

    /// Reads an address. Throws `ParseError(.email)`.
    package static func parse(_ text: String) throws(ParseError) -> EmailAddress {
        guard text.utf8.count <= maximumLength else {
            throw ParseError(.email, "an e-mail address has at most \(maximumLength) characters")
        }
        let halves = text.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count == 2, isDotted(halves[0], isLocal), isDotted(halves[1], isHost) else {
            throw ParseError(
                .email, "'\(text.excerpt)' is no e-mail address: write one such as ann@example.com, in ASCII")
        }
        return EmailAddress(description: text)
    }

    /// What is the same of two spellings of one address: letters of either case are taken for one.
    package var key: String { Self.key(description) }

    /// The same of text that may be no address.
    package static func key(_ text: String) -> String {
        String(decoding: text.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static func isDotted(_ text: Substring, _ isPart: (Substring) -> Bool) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && isPart($0) }
    }

    private static func isLocal(_ part: Substring) -> Bool {
        part.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+/=?^_`{|}~-".utf8.contains($0) }
    }

    private static func isHost(_ part: Substring) -> Bool {
        part.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") } && part.utf8.first != UInt8(ascii: "-")
            && part.utf8.last != UInt8(ascii: "-")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }
}
