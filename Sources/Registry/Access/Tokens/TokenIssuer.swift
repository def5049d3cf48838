import Model

/// Makes access tokens: JSON Web Tokens signed by ES256 (RFC 7519, RFC 7518 section 3.4).
///
/// The bytes of the header are the same for all tokens of a key. The verifier compares them as they are, and so cannot be led
/// to read an algorithm, a key or an extension out of what the sender wrote; a JSON encoder that orders members as it likes
/// would not do.
package struct TokenIssuer: Sendable {
    private let realm: TokenRealm
    private let key: SigningKey

    /// An issuer that signs with this key.
    package init(_ realm: TokenRealm, _ key: SigningKey) {
        self.realm = realm
        self.key = key
    }

    /// The token as it travels. Throws `.badRequest` where its scopes are too many to travel in a header, and `.internalError`
    /// where the library could not sign.
    package func issue(_ token: AccessToken) throws(RegistryError) -> String {
        let signed = Self.header(key) + "." + Base64URL.encode(Array(claims(token).utf8))
        let signature: [UInt8]
        do {
            signature = try key.sign(Array(signed.utf8))
        } catch {
            throw RegistryError(.internalError, "the token could not be made", cause: "signing: \(error)")
        }
        let text = signed + "." + Base64URL.encode(signature)
        guard text.utf8.count <= AccessToken.longest else {
            throw RegistryError(.badRequest, "the scopes do not fit into one token: ask for fewer at a time")
        }
        return text
    }

    /// The first part of every token that this key signs. The type is ours alone (RFC 8725, section 3.11).
    static func header(_ key: SigningKey) -> String {
        Base64URL.encode(Array(#"{"alg":"ES256","kid":"\#(key.id)","typ":"aerugo-access+jwt"}"#.utf8))
    }

    private func claims(_ token: AccessToken) -> String {
        let issued = token.issuedAt.seconds
        // `ms`: what `iat` rounds away. A password that changes within a second of a login ends that login or does not.
        let milliseconds = token.issuedAt.milliseconds - issued * 1000
        let subject = token.subject.map { #","sub":"\#($0)""# } ?? ""
        return #"{"iss":\#(quoted(realm.issuer)),"aud":\#(quoted(realm.service))\#(subject),"#
            + #""exp":\#(token.expiresAt.seconds),"nbf":\#(issued),"iat":\#(issued),"ms":\#(milliseconds),"#
            + #""jti":\#(quoted(token.id)),"cred":\#(quoted(token.credential.text)),"access":\#(token.scope.access)}"#
    }

    /// A JSON string.
    private func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case "\0"..<" ": out += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
