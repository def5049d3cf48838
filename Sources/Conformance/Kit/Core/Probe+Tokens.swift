import Crypto
import Foundation

/// A Bearer challenge as the checks of token authentication use it.
package struct TokenService: Sendable {
    /// The URL that gives tokens.
    package let realm: String
    /// The name of the registry there.
    package let service: String
}

extension Probe {
    /// The token service that the registry names; skips the check where it asks for anything but Bearer tokens.
    package func tokenService() throws -> TokenService {
        var request = Request("GET", .path("/v2/"))
        request.access = .none
        var answer = try send(request)
        // Who lets everybody read may ask nobody who reads.
        if answer.status == 200 { answer = try postUpload(access: .none) }
        guard let challenge = Challenge(answer.headers), challenge.scheme == "bearer" else {
            throw Skip("the registry asks for no Bearer token")
        }
        guard let realm = challenge.parameters["realm"] else {
            throw answer.failure("a Bearer challenge with a realm", answer.headers["WWW-Authenticate"] ?? "none")
                .told(of: ["auth.challenge"])
        }
        return TokenService(realm: base.resolving(realm), service: challenge.parameters["service"] ?? "")
    }

    /// Asks for a token by GET, as docker, podman and skopeo do, without credentials for nobody; skips the check of who
    /// has a token and no password.
    package func askToken(
        _ service: TokenService, scopes: [String], as identity: Identity? = nil, query: String = ""
    ) throws -> Answer {
        var parts = ["service=" + queryEscaped(service.service)]
        parts += scopes.map { "scope=" + queryEscaped($0) }
        if !query.isEmpty { parts.append(query) }
        var request = Request("GET", .url(Address.adding(parts.joined(separator: "&"), to: service.realm)))
        request.access = .none
        let identity = identity ?? run.target.identity
        if identity.proof != .anonymous {
            guard let basic = identity.basic else { throw Skip("the run has a token, no password to get one with") }
            request.headers = [("Authorization", basic)]
        }
        return try send(request)
    }

    /// Asks for a token by POST, as ctr and docker with a refresh token do.
    package func postToken(_ service: TokenService, _ fields: [(String, String)]) throws -> Answer {
        var request = Request("POST", .url(service.realm))
        request.access = .none
        request.headers = [("Content-Type", "application/x-www-form-urlencoded")]
        let form = [("service", service.service)] + fields
        request.body = Content(form.map { $0.0 + "=" + queryEscaped($0.1) }.joined(separator: "&"))
        return try send(request)
    }

    /// The token of an answer; its value is never written.
    package func token(in answer: Answer) throws -> String {
        try leaning(on: "auth.token.get") {
            let json = try answer.expect(200).json()
            guard let token = json["token"]?.string ?? json["access_token"]?.string, !token.isEmpty else {
                throw answer.failure("token or access_token in the answer", "neither")
            }
            run.masker.learn(token)
            return token
        }
    }

    /// A request with a token of the check's own choice and nothing else.
    package func with(token: String, _ method: String, _ place: Place, body: Content? = nil) throws -> Answer {
        run.masker.learn(token)
        var request = Request(method, place)
        request.access = .none
        request.headers = [("Authorization", "Bearer " + token), ("Accept", MediaTypes.all)]
        request.body = body
        return try send(request)
    }

    /// A request without any credentials.
    package func nobody(_ method: String, _ place: Place, body: Content? = nil, type: String? = nil) throws -> Answer {
        var request = Request(method, place)
        request.access = .none
        request.headers = [("Accept", MediaTypes.all)] + (type.map { [("Content-Type", $0)] } ?? [])
        request.body = body
        return try send(request)
    }

    /// A request as somebody else.
    package func other(
        _ identity: Identity, _ method: String, _ place: Place, body: Content? = nil, type: String? = nil
    ) throws -> Answer {
        var request = Request(method, place)
        request.access = .identity(identity)
        request.headers = [("Accept", MediaTypes.all)] + (type.map { [("Content-Type", $0)] } ?? [])
        request.body = body
        return try send(request)
    }
}

/// A JSON Web Token taken apart, to forge others from it. Knows no keys.
package struct TokenParts {
    /// The header's members.
    package var header: [String: Any]
    /// The claims.
    package var claims: [String: Any]
    /// The signature as it was.
    package let signature: String

    /// Takes a token apart; nil when it is none of this kind (opaque tokens are allowed).
    package init?(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = TokenParts.object(parts[0]), let claims = TokenParts.object(parts[1])
        else {
            return nil
        }
        (self.header, self.claims, signature) = (header, claims, parts[2])
    }

    private static func object(_ part: String) -> [String: Any]? {
        var text = part.replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        guard let data = Data(base64Encoded: text) else { return nil }
        do {
            return try JSONSerialization.jsonObject(with: data) as? [String: Any]
        } catch {
            return nil
        }
    }

    private static func part(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// What is signed: header and claims. Throws only when they are no JSON.
    package func signingInput() throws -> String {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        let head = try JSONSerialization.data(withJSONObject: header, options: options)
        let body = try JSONSerialization.data(withJSONObject: claims, options: options)
        return TokenParts.part(head) + "." + TokenParts.part(body)
    }

    /// With the signature that the original had.
    package func withOldSignature() throws -> String { try signingInput() + "." + signature }

    /// `alg: none`, without a signature.
    package func unsigned(_ algorithm: String = "none") throws -> String {
        var parts = self
        parts.header["alg"] = algorithm
        return try parts.signingInput() + "."
    }

    /// Signed by HMAC-SHA256 with `secret`.
    package func hmac(_ secret: [UInt8]) throws -> String {
        var parts = self
        parts.header["alg"] = "HS256"
        let input = try parts.signingInput()
        let code = HMAC<SHA256>.authenticationCode(for: Array(input.utf8), using: SymmetricKey(data: secret))
        return input + "." + TokenParts.part(Data(code))
    }

    /// Signed by a new P-256 key, which the header carries as `jwk` where `carriesKey`, under `kid` where given.
    package func ownKey(carriesKey: Bool, kid: String? = nil, url: String? = nil) throws -> String {
        let key = P256.Signing.PrivateKey()
        var parts = self
        parts.header["alg"] = "ES256"
        let point = key.publicKey.rawRepresentation
        if carriesKey {
            parts.header["jwk"] = [
                "kty": "EC", "crv": "P-256", "x": TokenParts.part(point.prefix(32)),
                "y": TokenParts.part(point.suffix(32)),
            ]
        }
        if let kid { parts.header["kid"] = kid }
        if let url { parts.header["jku"] = url }
        let input = try parts.signingInput()
        return input + "." + TokenParts.part(try key.signature(for: Data(input.utf8)).rawRepresentation)
    }
}
