import Crypto
import Model

/// Tells a token that we made, and that is good now, from anything else. Nothing of it is looked at before its signature
/// has been verified but where its parts begin and whether the first one is a header that we write.
package struct TokenVerifier: Sendable {
    /// How far the clocks of nodes may be apart.
    package static let leeway = Duration.seconds(90)

    private struct Key: Sendable {
        let header: [UInt8]
        let publicKey: P256.Signing.PublicKey
        let retiresAt: Timestamp?
    }

    private let realm: TokenRealm
    private let keys: [Key]

    /// A verifier of what any of these keys signed, for as long as each is believed.
    package init(_ realm: TokenRealm, _ keys: [SigningKey]) {
        self.realm = realm
        self.keys = keys.map {
            Key(header: Array(TokenIssuer.header($0).utf8), publicKey: $0.publicKey, retiresAt: $0.retiresAt)
        }
    }

    /// What the token says. Throws the first fault that was found.
    package func verify(_ text: String, now: Timestamp) throws(TokenFault) -> AccessToken {
        guard text.utf8.count <= AccessToken.longest else { throw .malformed }
        let bytes = Array(text.utf8)
        let dots = bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }
        guard dots.count == 2 else { throw .malformed }
        let header = bytes[..<dots[0]]
        guard let key = keys.first(where: { $0.header[...] == header }) else { throw .header }
        if let retiresAt = key.retiresAt, now >= retiresAt { throw .header }
        guard let signature = Base64URL.decode(bytes[(dots[1] + 1)...]), signature.count == 64,
            let payload = Base64URL.decode(bytes[(dots[0] + 1)..<dots[1]])
        else { throw .malformed }
        guard Self.isSigned(bytes[..<dots[1]], signature, by: key.publicKey) else { throw .signature }
        return try check(payload, now)
    }

    private static func isSigned(
        _ bytes: ArraySlice<UInt8>, _ signature: [UInt8], by key: P256.Signing.PublicKey
    ) -> Bool {
        do {
            let signature = try P256.Signing.ECDSASignature(rawRepresentation: signature)
            return key.isValidSignature(signature, for: SHA256.hash(data: bytes))
        } catch {
            // Two numbers that no signature has.
            return false
        }
    }

    private func check(_ payload: [UInt8], _ now: Timestamp) throws(TokenFault) -> AccessToken {
        let claims: TokenClaims
        do throws(ParseError) {
            claims = try TokenClaims(payload)
        } catch {
            throw .claims
        }
        guard claims.issuer == realm.issuer else { throw .issuer }
        guard claims.audience == realm.service else { throw .audience }
        let token = claims.token
        guard token.expiresAt > token.issuedAt - .seconds(1),
            token.expiresAt - token.issuedAt <= AccessToken.longestLife
        else { throw .claims }
        guard now < token.expiresAt + Self.leeway else { throw .expired }
        guard max(claims.notBefore, token.issuedAt) <= now + Self.leeway else { throw .early }
        return token
    }
}

/// The claims of a token (RFC 7519, section 4.1), read strictly: each of ours must be there, once, and of its type. Others
/// are passed over.
struct TokenClaims {
    private enum Key: String, DefinedKey {
        case iss, aud, sub, exp, nbf, iat, ms, jti, cred, access
        static let spelled = SpelledKey<Key>.all
    }

    let issuer: String
    /// One, and text: a list of them is refused, also one of one.
    let audience: String
    let notBefore: Timestamp
    let token: AccessToken

    /// Reads JSON. Throws `ParseError(.token)`.
    init(_ bytes: [UInt8]) throws(ParseError) {
        var json = try JSONReader(bytes, .token, noun: "the token")
        var texts: [Key: String] = [:]
        var numbers: [Key: Int64] = [:]
        var scope: TokenScope?
        try json.beginObject()
        while let key = try json.next(Key.self) {
            switch key {
            case .iss, .aud, .sub, .jti, .cred: texts[key] = try json.text()
            case .exp, .nbf, .iat, .ms: numbers[key] = try json.count()
            case .access: scope = try TokenScope.read(&json)
            }
        }
        try json.finish()
        guard let issuer = texts[.iss], let audience = texts[.aud], let id = texts[.jti], !id.isEmpty,
            let credential = texts[.cred].flatMap({ Credential($0) }), let exp = Self.time(numbers[.exp]),
            let nbf = Self.time(numbers[.nbf]),
            let iat = Self.time(numbers[.iat]), let ms = numbers[.ms], ms < 1000, let scope
        else { throw ParseError(.token, "the token lacks a claim, or has one that cannot be") }
        self.issuer = issuer
        self.audience = audience
        notBefore = nbf
        token = AccessToken(
            subject: try texts[.sub].map(Self.subject), credential: credential, scope: scope, id: id,
            issuedAt: iat + .milliseconds(ms), expiresAt: exp)
    }

    /// Seconds, up to the end of the year 9999.
    private static func time(_ seconds: Int64?) -> Timestamp? {
        guard let seconds, seconds <= 253_402_300_799 else { return nil }
        return Timestamp(seconds: seconds)
    }

    /// The key of a row, as we write it.
    private static func subject(_ text: String) throws(ParseError) -> PrincipalID {
        guard let value = Int64(text), value > 0, "\(value)" == text else {
            throw ParseError(.token, "the token's subject is none of ours")
        }
        return PrincipalID(value)
    }
}
