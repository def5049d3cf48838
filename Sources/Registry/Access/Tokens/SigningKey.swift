import Crypto
import Model

/// A key of ECDSA on P-256 that access tokens are signed with. Made by the registry, kept in the store and nowhere else.
package struct SigningKey: Sendable {
    private let key: P256.Signing.PrivateKey
    /// Its id in tokens and in the key set: the thumbprint of its public half (RFC 7638), so that it says which key it is and
    /// cannot be chosen.
    package let id: String
    package let createdAt: Timestamp
    /// From when on nothing that it signed is believed; nil while it signs.
    package let retiresAt: Timestamp?

    private init(_ key: P256.Signing.PrivateKey, createdAt: Timestamp, retiresAt: Timestamp?) {
        self.key = key
        self.createdAt = createdAt
        self.retiresAt = retiresAt
        let (x, y) = Self.coordinates(key)
        // The members in the order of their names, as the thumbprint wants.
        let canonical = #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
        id = Base64URL.encode(Array(SHA256.hash(data: Array(canonical.utf8))))
    }

    /// A new key.
    package static func make(createdAt: Timestamp) -> SigningKey {
        SigningKey(P256.Signing.PrivateKey(), createdAt: createdAt, retiresAt: nil)
    }

    /// The key of these bytes, as `secret` gave them; nil when they are none.
    package init?(secret: [UInt8], createdAt: Timestamp, retiresAt: Timestamp?) {
        do {
            self.init(
                try P256.Signing.PrivateKey(rawRepresentation: secret), createdAt: createdAt, retiresAt: retiresAt)
        } catch {
            // Of 2^256 there are a few numbers, and all other lengths, that are no key.
            return nil
        }
    }

    /// The private key in 32 bytes, for its row: whoever has them makes tokens.
    package var secret: [UInt8] { Array(key.rawRepresentation) }

    var publicKey: P256.Signing.PublicKey { key.publicKey }

    /// Signs: 64 bytes, r and s (RFC 7518, section 3.4). Throws what the library does where it is out of memory or of luck.
    func sign(_ bytes: [UInt8]) throws -> [UInt8] {
        Array(try key.signature(for: SHA256.hash(data: bytes)).rawRepresentation)
    }

    /// The public half as a member of a key set (RFC 7517).
    var publicJSON: String {
        let (x, y) = Self.coordinates(key)
        return #"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)","kid":"\#(id)","use":"sig","alg":"ES256"}"#
    }

    private static func coordinates(_ key: P256.Signing.PrivateKey) -> (x: String, y: String) {
        let point = Array(key.publicKey.rawRepresentation)
        return (Base64URL.encode(point.prefix(32)), Base64URL.encode(point.suffix(32)))
    }
}

/// What is printed of a key is its id.
extension SigningKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "signing key \(id)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The public keys that tokens are verified with, as a document (RFC 7517, section 5): `{"keys":[…]}`, without those that
/// are not believed any more.
package func publicKeySet(_ keys: [SigningKey], now: Timestamp) -> String {
    let alive = keys.filter { key in key.retiresAt.map { now < $0 } ?? true }
    return #"{"keys":[\#(alive.map(\.publicJSON).joined(separator: ","))]}"#
}
