import Crypto
import CryptoExtras
import Foundation

/// Bytes of a request body together with how to make them again, so that a failure can be reproduced from a script.
package struct Content: Sendable, Equatable {
    /// Where the bytes come from.
    package enum Recipe: Sendable, Equatable {
        /// Nothing but the bytes themselves.
        case literal
        /// The AES-128-CTR key stream of `key` (32 hexadecimal digits, zero nonce), from byte `offset` on.
        case keystream(key: String, offset: Int)
        /// `head`, then `count` times the letter `a`, then `tail`.
        case padded(head: String, count: Int, tail: String)
    }

    /// The bytes.
    package let bytes: [UInt8]
    /// How to make them again.
    package let recipe: Recipe

    /// Bytes with no recipe but themselves.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        recipe = .literal
    }

    /// UTF-8 text.
    package init(_ text: String) {
        self.init(Array(text.utf8))
    }

    private init(bytes: [UInt8], recipe: Recipe) {
        self.bytes = bytes
        self.recipe = recipe
    }

    /// Incompressible bytes that depend on `seed` and on nothing else. Throws only when the cipher itself fails.
    package static func random(_ count: Int, seed: String) throws -> Content {
        let key = Array(SHA256.hash(data: Array(seed.utf8)).prefix(16))
        let nonce = try AES._CTR.Nonce(nonceBytes: [UInt8](repeating: 0, count: 16))
        let stream = try AES._CTR.encrypt(
            [UInt8](repeating: 0, count: count), using: SymmetricKey(data: key), nonce: nonce)
        return Content(bytes: Array(stream), recipe: .keystream(key: Hex.encode(key), offset: 0))
    }

    /// Text around `count` letters `a`: a document of any size.
    package static func padded(_ head: String, count: Int, _ tail: String) -> Content {
        let bytes = Array(head.utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: count) + Array(tail.utf8)
        return Content(bytes: bytes, recipe: .padded(head: head, count: count, tail: tail))
    }

    /// Number of bytes.
    package var count: Int { bytes.count }

    /// A part of the content that still knows its recipe. The range is clamped to what there is.
    package subscript(range: Range<Int>) -> Content {
        let range = range.clamped(to: 0..<count)
        switch recipe {
        case .literal, .padded:
            return Content(bytes: Array(bytes[range]), recipe: .literal)
        case .keystream(let key, let offset):
            return Content(bytes: Array(bytes[range]), recipe: .keystream(key: key, offset: offset + range.lowerBound))
        }
    }

    /// The digest, as `sha256:…`.
    package var digest: String { Digests.sha256(bytes) }
    /// The digest, as `sha512:…`.
    package var digest512: String { Digests.sha512(bytes) }
}

/// Digests as the distribution API writes them. The registry under test hashes with another library.
package enum Digests {
    /// `sha256:` and 64 hexadecimal digits.
    package static func sha256(_ bytes: [UInt8]) -> String {
        "sha256:" + Hex.encode(SHA256.hash(data: bytes))
    }

    /// `sha512:` and 128 hexadecimal digits.
    package static func sha512(_ bytes: [UInt8]) -> String {
        "sha512:" + Hex.encode(SHA512.hash(data: bytes))
    }

    /// The digest of `bytes` by the algorithm of `digest`; nil for an algorithm that the runner does not know.
    package static func same(as digest: String, _ bytes: [UInt8]) -> String? {
        if digest.hasPrefix("sha256:") { return sha256(bytes) }
        if digest.hasPrefix("sha512:") { return sha512(bytes) }
        return nil
    }
}

/// Lower-case hexadecimal.
package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two digits a byte.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(128)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
