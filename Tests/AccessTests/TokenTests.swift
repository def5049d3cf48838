import Access
import Crypto
import Foundation
import Model
import Testing

@Suite("Access tokens")
struct TokenTests {
    private let forge = Forgery()

    private func members(_ part: Substring) throws -> [String: Any] {
        let bytes = try #require(Base64URL.decode(Array(part.utf8)[...]))
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test("a token says what it was made to say", arguments: [42, Int64.max, nil] as [Int64?])
    func roundTrip(subject: Int64?) throws {
        let scope = TokenScope(
            granted: try ScopeRequest.parse(["repository:a/b:pull,push repository:c:* registry:catalog:*"]))
        let token = Forgery.token(subject, credential: .apiKey(KeyID(7)), scope: scope)
        let text = try forge.issuer.issue(token)
        #expect(try forge.verifier.verify(text, now: Forgery.now) == token)
        #expect(token.issuedAt == Forgery.now)
    }

    @Test("on the wire it is a JSON Web Token with the claims of Docker's tokens")
    func wire() throws {
        let scope = TokenScope(granted: try ScopeRequest.parse(["repository:a/b:pull"]))
        let parts = try forge.issuer.issue(Forgery.token(scope: scope)).split(separator: ".")
        let header = try members(parts[0])
        #expect(Set(header.keys) == ["alg", "kid", "typ"])
        #expect(header["alg"] as? String == "ES256")
        #expect(header["kid"] as? String == forge.key.id)
        let claims = try members(parts[1])
        #expect(Set(claims.keys) == ["iss", "aud", "sub", "exp", "nbf", "iat", "ms", "jti", "cred", "access"])
        #expect(claims["aud"] as? String == "registry.example")
        #expect(claims["sub"] as? String == "42")
        #expect(claims["exp"] as? Int == 1_800_003_600)
        #expect(claims["iat"] as? Int == 1_800_000_000)
        let access = try #require((claims["access"] as? [[String: Any]])?.first)
        #expect(access["name"] as? String == "a/b")
        #expect(access["actions"] as? [String] == ["pull"])
        // What a client makes of the claims: anybody's library takes the signature.
        let published = try forge.ours().publicKey
        let signature = try #require(Base64URL.decode(Array(parts[2].utf8)[...]))
        #expect(
            published.isValidSignature(
                try P256.Signing.ECDSASignature(rawRepresentation: signature),
                for: Data("\(parts[0]).\(parts[1])".utf8)))
    }

    @Test("texts that JSON escapes are written so")
    func quoting() throws {
        let realm = TokenRealm(issuer: "a\"\\\n\u{1f}é", service: "s\t")
        let text = try TokenIssuer(realm, forge.key).issue(Forgery.token())
        let read = try TokenVerifier(realm, [forge.key]).verify(text, now: Forgery.now)
        #expect(read == Forgery.token())
    }

    @Test("a token never lives longer than a day, whatever is asked for")
    func life() throws {
        let token = Forgery.token(lifetime: .seconds(1_000_000_000))
        #expect(token.expiresAt - token.issuedAt <= AccessToken.longestLife)
        #expect(forge.fault(try forge.issuer.issue(token)) == nil)
    }

    @Test("more scopes than fit into a header are refused when the token is made, not when it is used")
    func large() throws {
        let long = String(repeating: "a", count: 250)
        let scope = TokenScope(granted: try ScopeRequest.parse((10..<74).map { "repository:\(long)\($0):*" }))
        let error = #expect(throws: RegistryError.self) { try forge.issuer.issue(Forgery.token(scope: scope)) }
        #expect(error?.code == .badRequest)
    }

    @Test("a key is found again from its bytes, with the same id; other bytes are no key")
    func keys() throws {
        let again = try #require(SigningKey(secret: forge.key.secret, createdAt: Forgery.now, retiresAt: nil))
        #expect(again.id == forge.key.id)
        #expect(again.createdAt == Forgery.now)
        #expect(forge.key.secret.count == 32)
        let text = try TokenIssuer(Forgery.realm, again).issue(Forgery.token())
        #expect(forge.fault(text) == nil)
        for secret in [
            [], [1], Array(repeating: 0, count: 32), Array(repeating: 255, count: 32), forge.key.secret + [0],
        ] {
            #expect(SigningKey(secret: secret, createdAt: Forgery.now, retiresAt: nil) == nil)
        }
        #expect(SigningKey.make(createdAt: Forgery.now).id != forge.key.id)
    }

    @Test("a key's id is its thumbprint, as RFC 7638 computes it")
    func thumbprint() throws {
        // The private key of RFC 7515, appendix A.3; the thumbprint was computed from it by another program.
        let secret = try #require(Base64URL.decode(Array("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI".utf8)[...]))
        let key = try #require(SigningKey(secret: secret, createdAt: Forgery.now, retiresAt: nil))
        let document = publicKeySet([key], now: Forgery.now)
        #expect(key.id == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")
        #expect(document.contains(#""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU""#))
        #expect(document.contains(#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#))
    }

    @Test("the old key's tokens are good until it retires, and the key set says which keys are believed")
    func rotation() throws {
        let old = try #require(
            SigningKey(
                secret: SigningKey.make(createdAt: Forgery.now).secret, createdAt: Forgery.now,
                retiresAt: Forgery.now + .seconds(100)))
        let verifier = TokenVerifier(Forgery.realm, [forge.key, old])
        let text = try TokenIssuer(Forgery.realm, old).issue(Forgery.token())
        let new = try forge.issuer.issue(Forgery.token())
        let (before, after) = (Forgery.now + .milliseconds(99_999), Forgery.now + .seconds(100))
        #expect(try verifier.verify(text, now: before) == Forgery.token())
        #expect(throws: TokenFault.header) { try verifier.verify(text, now: after) }
        for moment in [before, after] { #expect(try verifier.verify(new, now: moment) == Forgery.token()) }
        #expect(publicKeySet([forge.key, old], now: before).contains(old.id))
        #expect(!publicKeySet([forge.key, old], now: after).contains(old.id))
        let document = publicKeySet([forge.key, old], now: before)
        #expect(!document.contains(Base64URL.encode(old.secret)) && !document.contains(#""d":"#))
        let read = try #require(
            try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: [[String: String]]])
        #expect(read["keys"]?.count == 2)
        #expect(read["keys"]?.allSatisfy { $0["use"] == "sig" && $0["alg"] == "ES256" && $0["kty"] == "EC" } == true)
        #expect(publicKeySet([], now: before) == #"{"keys":[]}"#)
    }

    @Test("printing a key does not print it")
    func silence() {
        var dumped = ""
        dump(forge.key, to: &dumped)
        let printed = dumped + "\(forge.key)" + String(reflecting: forge.key)
        #expect(printed.contains(forge.key.id))
        #expect(!printed.contains(Base64URL.encode(forge.key.secret)))
    }

    @Test("base64url has one spelling for each value", arguments: 0..<4)
    func base64(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for length in 0..<70 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(Array(text.utf8)[...]) == bytes)
            let other = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            #expect(text == other.replacing("=", with: ""))
            for spelling in [other, text + "A", text + "=", text + "\n", " " + text, text + "é"] where spelling != text
            {
                #expect(Base64URL.decode(Array(spelling.utf8)[...]) != bytes, "\(spelling)")
            }
        }
        for text in ["A", "AB", "AAB", "AA+A", "AA/A", "AA==", "A A"] {
            #expect(Base64URL.decode(Array(text.utf8)[...]) == nil, "\(text)")
        }
    }
}
