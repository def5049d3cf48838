import CLibCrypto
import Model

/// A running SHA-256 or SHA-512 whose state can be saved and taken up again, on another node too.
package struct ContentHash: Sendable {
    private enum Context: Sendable {
        case sha256(SHA256_CTX)
        case sha512(SHA512_CTX)
    }

    private var context: Context

    /// Starts anew.
    package init(_ algorithm: Digest.Algorithm) {
        switch algorithm {
        case .sha256:
            var raw = SHA256_CTX()
            SHA256_Init(&raw)
            context = .sha256(raw)
        case .sha512:
            var raw = SHA512_CTX()
            SHA512_Init(&raw)
            context = .sha512(raw)
        }
    }

    /// Which digest it makes.
    package var algorithm: Digest.Algorithm {
        switch context {
        case .sha256: .sha256
        case .sha512: .sha512
        }
    }

    /// Takes in more bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch context {
        case .sha256(var raw):
            SHA256_Update(&raw, bytes.baseAddress, bytes.count)
            context = .sha256(raw)
        case .sha512(var raw):
            SHA512_Update(&raw, bytes.baseAddress, bytes.count)
            context = .sha512(raw)
        }
    }

    /// Bytes that were taken in.
    package var count: Int64 {
        switch context {
        case .sha256(let raw): Int64(truncatingIfNeeded: (UInt64(raw.Nh) << 32 | UInt64(raw.Nl)) / 8)
        case .sha512(let raw): Int64(truncatingIfNeeded: UInt64(raw.Nh) << 61 | UInt64(raw.Nl) / 8)
        }
    }

    /// The digest of all that was taken in; the hash itself can go on.
    package var digest: Digest {
        var out = [UInt8](repeating: 0, count: algorithm.hexLength / 2)
        switch context {
        case .sha256(var raw): SHA256_Final(&out, &raw)
        case .sha512(var raw): SHA512_Final(&out, &raw)
        }
        return Digest(algorithm, bytes: out)
    }

    /// The digest of bytes at hand.
    package static func digest(_ algorithm: Digest.Algorithm, of bytes: [UInt8]) -> Digest {
        var hash = ContentHash(algorithm)
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.digest
    }

    /// The state, for `init(_:state:)`. Its layout is that of this OpenSSL: nodes of one registry run one version.
    package var state: [UInt8] {
        switch context {
        case .sha256(let raw): withUnsafeBytes(of: raw) { Array($0) }
        case .sha512(let raw): withUnsafeBytes(of: raw) { Array($0) }
        }
    }

    /// Goes on from a saved state; nil when it is not one of this algorithm's.
    package init?(_ algorithm: Digest.Algorithm, state: [UInt8]) {
        switch algorithm {
        case .sha256:
            var raw = SHA256_CTX()
            guard Self.load(state, into: &raw), raw.num < 64, raw.md_len == 32 else { return nil }
            context = .sha256(raw)
        case .sha512:
            var raw = SHA512_CTX()
            guard Self.load(state, into: &raw), raw.num < 128, raw.md_len == 64 else { return nil }
            context = .sha512(raw)
        }
    }

    private static func load<T>(_ state: [UInt8], into raw: inout T) -> Bool {
        guard state.count == MemoryLayout<T>.size else { return false }
        withUnsafeMutableBytes(of: &raw) { $0.copyBytes(from: state) }
        return true
    }
}
