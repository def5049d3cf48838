/// A content digest such as `sha256:6c3c…` (image-spec "descriptor.md", Digests), of an algorithm that we compute.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// The registered algorithms: a digest of another one is refused.
    package enum Algorithm: String, Sendable, CaseIterable {
        case sha256, sha512

        /// Length of the encoded part: lower-case hexadecimal digits.
        package var hexLength: Int {
            switch self {
            case .sha256: 64
            case .sha512: 128
            }
        }

        /// Reads an algorithm's name. Throws `ParseError(.digestAlgorithm)` for one that we do not compute.
        package static func parse(_ text: String) throws(ParseError) -> Algorithm {
            guard let algorithm = Algorithm(rawValue: text) else {
                throw ParseError(
                    .digestAlgorithm, "digest algorithm '\(text.excerpt)' is not supported: use sha256 or sha512")
            }
            return algorithm
        }
    }

    package let algorithm: Algorithm
    private let text: String

    /// Joins an algorithm and the bytes it gave.
    package init(_ algorithm: Algorithm, bytes: some Collection<UInt8>) {
        self.algorithm = algorithm
        text = algorithm.rawValue + ":" + Hex.encode(bytes)
    }

    private init(algorithm: Algorithm, text: String) {
        self.algorithm = algorithm
        self.text = text
    }

    /// Reads `algorithm:hex`. Throws `ParseError(.digest)`, or `.digestAlgorithm` where the form is right.
    package static func parse(_ text: String) throws(ParseError) -> Digest {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon != text.startIndex else {
            throw ParseError(.digest, "'\(text.excerpt)' is not a digest: write algorithm:hex, such as sha256:…")
        }
        let algorithm = try Algorithm.parse(String(text[..<colon]))
        let encoded = text[text.utf8.index(after: colon)...]
        guard encoded.utf8.count == algorithm.hexLength, encoded.utf8.allSatisfy(Hex.isLowerDigit) else {
            throw ParseError(
                .digest,
                "'\(text.excerpt)' is not a digest: \(algorithm) takes \(algorithm.hexLength) lower-case hex digits")
        }
        return Digest(algorithm: algorithm, text: text)
    }

    package var description: String { text }
}

/// Lower-case hexadecimal.
package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two digits a byte.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            var at = 0
            for byte in bytes {
                buffer[at] = digits[Int(byte >> 4)]
                buffer[at + 1] = digits[Int(byte & 15)]
                at += 2
            }
            return at
        }
    }

    static func isLowerDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
