import Foundation
import Model

/// A password as it is hashed: in normal form C, so that `é` is one password whichever way a keyboard writes it
/// (RFC 8265, section 4).
package struct Password: Sendable, Hashable {
    /// Bytes that one may have, after it was normalised.
    package static let longest = 1024
    /// Text that is longer than this is not normalised at all: no sequence shrinks to less than a quarter.
    private static let longestText = 4 * longest

    /// UTF-8.
    let bytes: [UInt8]

    /// Reads a password. Throws `ParseError(.password)` when it is empty, too long, or has a NUL character in it.
    package static func parse(_ text: String) throws(ParseError) -> Password {
        let tooLong = ParseError(.password, "the password has over \(longest) bytes: choose a shorter one")
        guard text.utf8.count <= longestText else { throw tooLong }
        let isPlain = text.utf8.allSatisfy { $0 < 0x80 }
        let bytes = Array((isPlain ? text : text.precomposedStringWithCanonicalMapping).utf8)
        guard bytes.count <= longest else { throw tooLong }
        guard !bytes.isEmpty else { throw ParseError(.password, "the password is empty") }
        guard !bytes.contains(0) else { throw ParseError(.password, "the password has a NUL character in it") }
        return Password(bytes: bytes)
    }

    /// A password to begin with, for somebody to read out or type: 20 letters and digits, none like another; 116 bits.
    package static func generate() -> String {
        var random = SystemRandomNumberGenerator()
        return generate(using: &random)
    }

    /// The same of this randomness.
    package static func generate(using random: inout some RandomNumberGenerator) -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return String((0..<20).map { _ in alphabet[Int.random(in: alphabet.indices, using: &random)] })
    }
}

/// What is printed of a password is that there is one.
extension Password: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "a password" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a password that somebody chooses must be; for those that are there already it makes no difference.
package struct PasswordRules: Sendable {
    /// Least number of characters.
    package let minimumLength: Int

    /// Rules; 8 characters are what NIST SP 800-63B, section 5.1.1.2, asks for.
    package init(minimumLength: Int = 8) { self.minimumLength = minimumLength }

    /// The password, for the account of this name. Throws `ParseError(.password)`, which says what to do.
    package func choose(_ text: String, for name: String) throws(ParseError) -> Password {
        let password = try Password.parse(text)
        guard text.unicodeScalars.count >= minimumLength else {
            throw ParseError(.password, "the password is too short: take \(minimumLength) characters or more")
        }
        guard text.lowercased() != name.lowercased() else {
            throw ParseError(.password, "the password is the name: choose another one")
        }
        guard !OpaqueSecret.looksLikeOne(text) else {
            throw ParseError(.password, "the password has the form of an API key: choose another one")
        }
        return password
    }
}
