import Crypto

/// A secret that the registry makes and hands out once: an API key, a refresh token or a session. It says nothing of its owner; rows
/// are found by its hash, so that a stolen database opens nothing.
///
/// The text is the kind's prefix, 43 letters and digits that hold 256 random bits, and 6 that are a checksum of all before:
/// a scanner of leaked secrets knows one without asking, a typing error is told from a key that was revoked, and a double
/// click selects the whole.
package struct OpaqueSecret: Sendable, Hashable {
    /// What a secret is for. The prefix is under the checksum: no kind is another one respelled.
    package enum Kind: String, Sendable, CaseIterable {
        case apiKey = "ak_"
        case refreshToken = "ar_"
        /// What a login at the management API is used by, for a while.
        case session = "as_"
        /// What is sent by mail: to set a password, and to confirm an address.
        case passwordReset = "ap_"
        case registration = "ac_"
        case addressChange = "ae_"
    }

    /// Why a text is no secret.
    package enum Fault: Error, Sendable, Equatable {
        /// It does not have the form of one: perhaps a password.
        case foreign
        /// It has the form, but the checksum is another one.
        case mistyped
    }

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let bodyLength = 43
    private static let checksumLength = 6

    /// Bytes of every secret's text.
    package static let length = 3 + bodyLength + checksumLength

    package let kind: Kind
    /// The secret itself: shown to its owner once, kept and logged nowhere.
    package let text: String

    private init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }

    /// A new secret of the machine's randomness.
    package static func make(_ kind: Kind) -> OpaqueSecret {
        var random = SystemRandomNumberGenerator()
        return make(kind, using: &random)
    }

    /// A new secret of this randomness.
    package static func make(_ kind: Kind, using random: inout some RandomNumberGenerator) -> OpaqueSecret {
        var bytes = Array(kind.rawValue.utf8)
        for _ in 0..<bodyLength { bytes.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)]) }
        bytes += checksum(bytes)
        return OpaqueSecret(kind: kind, text: String(decoding: bytes, as: UTF8.self))
    }

    /// Reads the text of a secret of any kind. Throws `.foreign`, `.mistyped`.
    package static func parse(_ text: some StringProtocol) throws(Fault) -> OpaqueSecret {
        guard let kind = kind(of: text) else { throw .foreign }
        let bytes = Array(text.utf8)
        guard checksum(bytes.dropLast(checksumLength)) == bytes.suffix(checksumLength) else { throw .mistyped }
        return OpaqueSecret(kind: kind, text: String(decoding: bytes, as: UTF8.self))
    }

    /// Whether a text has the form of a secret, its checksum aside: no password may.
    package static func looksLikeOne(_ text: some StringProtocol) -> Bool { kind(of: text) != nil }

    /// SHA-256 of the text: what rows are found by. A plain hash will do, as nobody guesses 256 bits.
    package var hash: [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// The beginning, by which its owner knows it in a list; leaves 220 bits to guess.
    package var hint: String { String(text.prefix(9)) }

    private static func kind(of text: some StringProtocol) -> Kind? {
        guard text.utf8.count == length, text.utf8.dropFirst(3).allSatisfy(alphabet.contains) else { return nil }
        return Kind.allCases.first { text.utf8.starts(with: $0.rawValue.utf8) }
    }

    /// CRC-32 (ISO 3309) in 6 digits of base 62, as it is in GitHub's tokens.
    private static func checksum(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        var rest = Int(~crc)
        var digits: [UInt8] = []
        for _ in 0..<checksumLength {
            digits.append(alphabet[rest % alphabet.count])
            rest /= alphabet.count
        }
        return digits.reversed()
    }
}

/// What is printed of a secret, in a log or by a debugger, is its hint.
extension OpaqueSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { hint + "…" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
