import Foundation
import Vocabulary

/// Tokens that nobody gave out, made from one that somebody did.
enum ForgedTokenChecks {
    /// One check a forgery: `forge` makes a token from a good one.
    private static func forgery(
        _ name: String, _ gist: String, _ forge: @escaping @Sendable (TokenParts) throws -> String
    ) -> Check {
        Check(
            "auth.forged.\(name)", .must, "CVE-2025-24976: forged tokens", gist, ["jwt-valid", "oauth-covers"],
            needs: TokenChecks.need
        ) { probe in
            let parts = try goodToken(probe)
            try probe.with(token: try forge(parts), "POST", probe.uploadsPlace()).expect(401, 403)
        }
    }

    /// The parts of a token that pushes.
    private static func goodToken(_ probe: Probe) throws -> TokenParts {
        let service = try probe.tokenService()
        _ = try probe.newTaggedImage()
        let token = try probe.token(in: try probe.askToken(service, scopes: [TokenChecks.scope(probe.repository)]))
        guard let parts = TokenParts(token) else { throw Skip("tokens are opaque") }
        _ = try probe.leaning(on: "auth.token.get", "auth.token.two-scopes") {
            try probe.with(token: token, "POST", probe.uploadsPlace()).expect(202)
        }
        return parts
    }

    static let checks: [Check] = [
        forgery("none", "a token of alg none is refused") { try $0.unsigned() },
        forgery("none-case", "a token of alg nOnE is refused") { try $0.unsigned("nOnE") },
        Check(
            "auth.forged.claims", .must, "CVE-2025-24976: forged tokens",
            "a token whose claims were changed is refused, whoever it names then and whether it allows less or more",
            ["jwt-valid", "oauth-covers"],
            needs: TokenChecks.need
        ) { probe in
            let parts = try goodToken(probe)
            // A claim that nobody knows changes the signed bytes and nothing else: only the signature can tell.
            try probe.each([("sub", "somebody-else"), ("aerugo-conformance", "changed")]) { claim, value in
                var parts = parts
                parts.claims[claim] = value
                try probe.with(token: try parts.withOldSignature(), "POST", probe.uploadsPlace()).expect(401, 403)
            }
        },
        forgery("expired", "a token whose expiry was moved on is refused") { parts in
            var parts = parts
            parts.claims["exp"] = Int(Date().timeIntervalSince1970) + 1_000_000
            return try parts.withOldSignature()
        },
        forgery("hmac-empty", "a token signed by HMAC with an empty secret is refused") { try $0.hmac([]) },
        forgery("jwk", "a token that brings its own key in jwk is refused") { try $0.ownKey(carriesKey: true) },
        forgery("kid", "a token signed by a stranger's key is refused") {
            try $0.ownKey(carriesKey: false, kid: "stranger")
        },
        forgery("kid-path", "a key id that is a path is refused") {
            try $0.ownKey(carriesKey: false, kid: "../../../../dev/null")
        },
        forgery("jku", "a token that tells where its key is is refused") {
            try $0.ownKey(carriesKey: true, url: "http://127.0.0.1:1/keys")
        },
        forgery("cut", "a token without its signature is refused") { try $0.signingInput() + "." },
    ]
}
