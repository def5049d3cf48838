import Access
import Crypto
import Foundation
import Model

/// Makes tokens out of any parts, as a forger would.
struct Forgery {
    static let realm = TokenRealm(issuer: "https://registry.example", service: "registry.example")
    static let now = Timestamp(milliseconds: 1_800_000_000_123)

    let key = SigningKey.make(createdAt: Forgery.now)

    var issuer: TokenIssuer { TokenIssuer(Self.realm, key) }
    var verifier: TokenVerifier { TokenVerifier(Self.realm, [key]) }

    static func token(
        _ subject: Int64? = 42, credential: Credential = .password(since: 0),
        scope: TokenScope = TokenScope(granted: []),
        lifetime: Duration = .seconds(3600)
    ) -> AccessToken {
        AccessToken(
            subject: subject.map { PrincipalID($0) }, credential: credential, scope: scope, id: "0a1b2c", issuedAt: now,
            lifetime: lifetime)
    }

    static func encode(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }

    /// The header that we write.
    var header: String { #"{"alg":"ES256","kid":"\#(key.id)","typ":"aerugo-access+jwt"}"# }

    /// The claims that we write, with some replaced by other JSON, nil to leave one out, and text put behind.
    static func claims(_ changes: [String: String?] = [:], and more: String = "") -> String {
        var members: [(String, String)] = [
            ("iss", #""https://registry.example""#), ("aud", #""registry.example""#), ("sub", #""42""#),
            ("exp", "1800003600"), ("nbf", "1800000000"), ("iat", "1800000000"), ("ms", "123"), ("jti", #""0a1b2c""#),
            ("cred", #""password:0""#), ("access", "[]"),
        ]
        members = members.compactMap { name, value in
            guard let change = changes[name] else { return (name, value) }
            return change.map { (name, $0) }
        }
        return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + more + "}"
    }

    /// Our key as the library has it.
    func ours() throws -> P256.Signing.PrivateKey { try P256.Signing.PrivateKey(rawRepresentation: key.secret) }

    /// Signs with our key.
    func sign(_ text: String) throws -> [UInt8] { Array(try ours().signature(for: Data(text.utf8)).rawRepresentation) }

    /// A token of these texts, signed well by our key.
    func signed(header: String? = nil, _ claims: String) throws -> String {
        let text = Self.encode(header ?? self.header) + "." + Self.encode(claims)
        return text + "." + Base64URL.encode(try sign(text))
    }

    /// What the verifier says of a token; nil where it takes it.
    func fault(_ token: String, now: Timestamp = Forgery.now) -> TokenFault? {
        do throws(TokenFault) {
            _ = try verifier.verify(token, now: now)
            return nil
        } catch {
            return error
        }
    }
}
