import Vocabulary

/// What a login gives, to whom, and what it must not.
enum LoginChecks {
    private static let section = "Docker V2: Token Authentication"
    private static let scope = "Docker V2: Token Scope"

    static let checks: [Check] = [
        Check(
            "auth.token.wrong-password", .must, section,
            "a wrong password gives no token, neither by GET nor by POST", ["oauth-password"], needs: TokenChecks.need
        ) { probe in
            let service = try probe.tokenService()
            guard case .password(let user, _) = probe.run.target.identity.proof else {
                throw Skip("the run has a token, no password")
            }
            let wrong = try probe.word("wrong-")
            let identity = Identity(name: "wrong", proof: .password(user: user, password: wrong))
            let scopes = [TokenChecks.scope(probe.repository)]
            let answers = [
                try probe.askToken(service, scopes: scopes, as: identity),
                try probe.postToken(
                    service,
                    [
                        ("grant_type", "password"), ("client_id", "aerugo-conformance"), ("username", user),
                        ("password", wrong), ("scope", scopes[0]),
                    ]),
            ]
            for answer in answers where answer.status == 200 {
                // Who gives everybody a token gives one that pushes nothing.
                let token = try probe.token(in: answer)
                try probe.with(token: token, "POST", probe.uploadsPlace()).expect(401, 403, 404)
            }
        },
        Check(
            "auth.token.anonymous", .must, scope, "a token that nobody logged in for pushes nothing", ["oauth-covers"],
            needs: TokenChecks.need
        ) { probe in
            let token = try anonymous(probe, [TokenChecks.scope(probe.repository, "pull,push,delete")])
            let image = try probe.newTaggedImage()
            try probe.with(token: token, "POST", probe.uploadsPlace()).expect(401, 403, 404)
            try probe.with(token: token, "PUT", probe.manifestPlace("pushed"), body: image.content).expect(
                anyOf: [401, 403, 404], "with a token that nobody logged in for")
            try probe.with(token: token, "DELETE", probe.manifestPlace("latest")).expect(
                anyOf: [401, 403, 404, 405], "with a token that nobody logged in for")
        },
        Check(
            "auth.token.public", .should, scope,
            "what a token that nobody logged in for reads of an image it reads all of", ["opinion"],
            needs: TokenChecks.need
        ) { probe in
            let token = try anonymous(probe, [TokenChecks.scope(probe.repository, "pull")])
            let image = try probe.newTaggedImage()
            let blob = try probe.newBlob()
            if try probe.with(token: token, "GET", probe.manifestPlace("latest")).status != 200 {
                throw Skip("what the run pushes is not public")
            }
            for place in [
                probe.manifestPlace(image.digest), probe.blobPlace(blob.digest), probe.tagsPlace(),
            ] {
                try probe.with(token: token, "GET", place).expect(200)
            }
        },
        Check(
            "auth.token.partial", .should, section,
            "scopes of which some are not granted give a token for the others", ["docker-token-scopes"],
            needs: TokenChecks.need.union([.secondIdentity])
        ) { probe in
            let service = try probe.tokenService()
            guard let other = probe.run.strangers.first, other.basic != nil else { throw Skip("needs a stranger") }
            _ = try probe.newTaggedImage()
            let theirs = "\(other.name)/\(probe.run.seed)/partial"
            let answer = try probe.askToken(
                service, scopes: [TokenChecks.scope(theirs), TokenChecks.scope(probe.repository)])
            let token = try probe.token(in: answer)
            try probe.with(token: token, "GET", probe.manifestPlace("latest")).expect(200)
            try probe.with(token: token, "POST", probe.uploadsPlace()).expect(202)
        },
        Check(
            "auth.scope.insufficient", .should, "RFC 6750 §3.1: Error Codes",
            "a token that does not reach is told so, as insufficient_scope, where an error is told", ["opinion"],
            needs: TokenChecks.need
        ) { probe in
            let service = try probe.tokenService()
            _ = try probe.newTaggedImage()
            let token = try probe.token(
                in: try probe.askToken(service, scopes: [TokenChecks.scope(probe.repository, "pull")]))
            let answer = try probe.with(token: token, "POST", probe.uploadsPlace())
            try answer.expect(401, 403)
            guard let told = Challenge(answer.headers)?.parameters["error"] else {
                throw Skip("no error is told in a challenge")
            }
            try require(told == "insufficient_scope", "error=\"insufficient_scope\"", told, answer)
        },
        Check(
            "auth.token.as-password", .should, "Quay, CVE-2026-134651: tokens as passwords",
            "a token to pull, given as a password, gives no token that pushes", ["opinion"], needs: TokenChecks.need
        ) { probe in
            let service = try probe.tokenService()
            guard case .password(let user, _) = probe.run.target.identity.proof else {
                throw Skip("the run has a token, no password")
            }
            _ = try probe.newTaggedImage()
            let token = try probe.token(
                in: try probe.askToken(service, scopes: [TokenChecks.scope(probe.repository, "pull")]))
            let identity = Identity(name: "token", proof: .password(user: user, password: token))
            let answer = try probe.askToken(service, scopes: [TokenChecks.scope(probe.repository)], as: identity)
            guard answer.status == 200 else { return }
            let more = try probe.token(in: answer)
            try probe.with(token: more, "POST", probe.uploadsPlace()).expect(401, 403, 404)
        },
        Check(
            "auth.refresh.no-access", .should, "RFC 6749 §1.5: Refresh Token",
            "a refresh token is for the token service alone", ["opinion"], needs: TokenChecks.need
        ) { probe in
            let refresh = try refreshToken(probe, nil)
            _ = try probe.newTaggedImage()
            try probe.with(token: refresh, "GET", probe.manifestPlace("latest")).expect(401, 403, 404)
            try probe.with(token: refresh, "POST", probe.uploadsPlace()).expect(401, 403, 404)
        },
        Check(
            "tenants.refresh", .must, scope, "a refresh token gives what its owner may, and no more",
            ["oauth-covers"], needs: TokenChecks.need.union([.secondIdentity])
        ) { probe in
            let service = try probe.tokenService()
            _ = try probe.newTaggedImage()
            for other in probe.run.strangers {
                let answer = try probe.postToken(
                    service,
                    [
                        ("grant_type", "refresh_token"), ("client_id", "docker"),
                        ("refresh_token", try refreshToken(probe, other)),
                        ("scope", TokenChecks.scope(probe.repository, "pull,push,delete")),
                    ])
                guard answer.status == 200 else { continue }
                let token = try probe.token(in: answer)
                try probe.with(token: token, "GET", probe.manifestPlace("latest")).expect(401, 403, 404)
                try probe.with(token: token, "POST", probe.uploadsPlace()).expect(401, 403, 404)
            }
        },
    ]

    /// A token for nobody; skips the check where there is none.
    private static func anonymous(_ probe: Probe, _ scopes: [String]) throws -> String {
        let service = try probe.tokenService()
        let answer = try probe.askToken(service, scopes: scopes, as: .anonymous)
        guard answer.status == 200 else {
            throw Skip("nobody gets a token without credentials (status \(answer.status))")
        }
        return try probe.token(in: answer)
    }

    /// The refresh token of a login as docker makes it; skips the check where none is given.
    private static func refreshToken(_ probe: Probe, _ identity: Identity?) throws -> String {
        let service = try probe.tokenService()
        let login = try probe.askToken(
            service, scopes: [], as: identity, query: "client_id=docker&offline_token=true")
        _ = try probe.token(in: login)
        guard let refresh = try login.json()["refresh_token"]?.string else { throw Skip("no refresh_token is given") }
        probe.run.masker.learn(refresh)
        return refresh
    }
}
