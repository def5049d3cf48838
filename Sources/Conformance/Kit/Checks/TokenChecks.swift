import Foundation
import Vocabulary

/// Docker's token authentication, for registries that ask for credentials.
enum TokenChecks {
    private static let section = "Docker V2: Token Authentication"
    private static let need: Set<Need> = [.push, .credentials]

    static let checks: [Check] = challenge + service + bounds + forged

    private static func scope(_ repository: String, _ actions: String = "pull,push") -> String {
        "repository:\(repository):\(actions)"
    }

    private static let challenge: [Check] = [
        Check(
            "auth.challenge", .must, section, "/v2/ without credentials is 401 with a Bearer or Basic challenge",
            ["http-semantics"], needs: [.credentials]
        ) { probe in
            let answer = try probe.nobody("GET", .path("/v2/"))
            try answer.expect(401)
            let line = try answer.expectHeader("WWW-Authenticate")
            let challenge = Challenge(answer.headers)
            try require(
                challenge.map { ["bearer", "basic"].contains($0.scheme) && $0.parameters["realm"] != nil } ?? false,
                "Bearer realm=\"…\" or Basic realm=\"…\"", line, answer)
        },
        Check(
            "auth.challenge.scope", .should, section,
            "the challenge for a repository names the scope that is needed", needs: need
        ) { probe in
            _ = try probe.tokenService()
            _ = try probe.newTaggedImage()
            for (method, place, action) in [
                ("GET", probe.manifestPlace("latest"), "pull"), ("POST", probe.uploadsPlace(), "push"),
            ] {
                let answer = try probe.nobody(method, place)
                if answer.status != 401 { throw Skip("\(method) needs no credentials here (status \(answer.status))") }
                let scope = Challenge(answer.headers)?.parameters["scope"] ?? ""
                let parts = scope.split(separator: ":").map(String.init)
                try require(
                    parts.count == 3 && parts[0] == "repository" && parts[1] == probe.repository
                        && parts[2].split(separator: ",").contains { $0 == action },
                    "scope=\"repository:\(probe.repository):…\(action)…\"", scope.isEmpty ? "no scope" : scope, answer)
            }
        },
        Check(
            "auth.login", .must, section, "/v2/ with the credentials is 200: login needs it", needs: [.credentials]
        ) { probe in
            try probe.get(.path("/v2/")).expect(200)
        },
        Check(
            "auth.nobody-writes", .must, section, "without credentials nothing is pushed, mounted or deleted",
            needs: need
        ) { probe in
            let image = try probe.newTaggedImage()
            let blob = try probe.random(50)
            let tries: [(String, Place, Content?, String?)] = [
                ("POST", probe.uploadsPlace(), nil, nil),
                ("POST", probe.uploadsPlace("digest=" + blob.digest), blob, MediaType.octetStream),
                ("PUT", probe.manifestPlace("nobody"), image.content, image.type),
                ("DELETE", probe.manifestPlace("latest"), nil, nil),
                ("DELETE", probe.manifestPlace(image.digest), nil, nil),
            ]
            for (method, place, body, type) in tries {
                try probe.nobody(method, place, body: body, type: type).expect(
                    anyOf: [401, 403, 404, 405], "without credentials")
            }
            try probe.get(probe.manifestPlace("nobody"), ("Accept", image.type)).expect(404)
            try probe.get(probe.manifestPlace("latest"), ("Accept", image.type)).expect(200)
        },
        Check(
            "auth.nobody-finishes", .must, section, "without credentials nobody goes on with somebody's upload",
            needs: need
        ) { probe in
            let upload = try probe.beginUpload()
            let content = try probe.random(50)
            guard let address = Address(upload.place.url(on: probe.base)), address.origin == probe.base.origin else {
                throw Skip("uploads go to another host")
            }
            try probe.nobody("PATCH", upload.place, body: content).expectClientError("without credentials")
            try probe.nobody("PUT", upload.place.adding("digest=" + content.digest), body: content)
                .expectClientError("without credentials")
            try probe.nobody("DELETE", upload.place).expectClientError("without credentials")
            try probe.get(upload.place).expect(204)
        },
        Check(
            "auth.wrong-password", .must, section, "a wrong password opens nothing", ["http-semantics"],
            needs: [.credentials]
        ) { probe in
            guard case .password(let user, _) = probe.run.target.identity.proof else {
                throw Skip("the run has a token, no password")
            }
            let wrong = Identity(name: "wrong", proof: .password(user: user, password: try probe.word("wrong-")))
            let answer = try probe.other(wrong, "POST", probe.uploadsPlace())
            try answer.expect(401, 403)
        },
        Check(
            "auth.schemes", .must, "RFC 9110 §11.6.2: Authorization",
            "nonsense in Authorization is refused, not a server's error", ["http-semantics"], needs: [.credentials]
        ) { probe in
            for value in [
                "Bearer", "Bearer nonsense", "Bearer a.b.c", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x=1", "?",
            ] {
                var request = Request("POST", probe.uploadsPlace())
                request.access = .none
                request.headers = [("Authorization", value)]
                try probe.send(request).expectClientError("for Authorization: \(value)")
            }
        },
    ]

    private static let service: [Check] = [
        Check(
            "auth.token.get", .must, section, "GET of the realm with Basic credentials gives a token that works",
            needs: need
        ) { probe in
            let service = try probe.tokenService()
            _ = try probe.newTaggedImage()
            let answer = try probe.askToken(service, scopes: [scope(probe.repository, "pull")])
            let token = try probe.token(in: answer)
            try probe.with(token: token, "GET", probe.manifestPlace("latest")).expect(200)
        },
        Check(
            "auth.token.docker-login", .must, section,
            "docker's login request (account, client_id, offline_token, no scope) gives a token", needs: need
        ) { probe in
            let service = try probe.tokenService()
            let answer = try probe.askToken(
                service, scopes: [], query: "account=x&client_id=docker&offline_token=true")
            let token = try probe.token(in: answer)
            try probe.with(token: token, "GET", .path("/v2/")).expect(200)
        },
        Check(
            "auth.token.lifetime", .must, section, "expires_in, where it is told, is a number of 60 at least",
            needs: need
        ) { probe in
            let answer = try probe.askToken(try probe.tokenService(), scopes: [scope(probe.repository)])
            let json = try answer.expect(200).json()
            _ = try probe.token(in: answer)
            guard let told = json["expires_in"] else { throw Skip("expires_in is not told") }
            try require((told.integer ?? 0) >= 60, "expires_in of 60 at least", "\(told.integer ?? 0)", answer)
        },
        Check(
            "auth.token.issued-at", .must, section, "issued_at, where it is told, is an RFC 3339 time", needs: need
        ) { probe in
            let answer = try probe.askToken(try probe.tokenService(), scopes: [scope(probe.repository)])
            _ = try probe.token(in: answer)
            guard let told = try answer.json()["issued_at"] else { throw Skip("issued_at is not told") }
            let form = /[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})/
            let isTime = told.string?.wholeMatch(of: form) != nil
            try require(isTime, "issued_at as RFC 3339", told.string ?? "no string", answer)
        },
        Check(
            "auth.token.same", .must, section, "token and access_token, where both are told, are the same", needs: need
        ) { probe in
            let answer = try probe.askToken(try probe.tokenService(), scopes: [scope(probe.repository)])
            _ = try probe.token(in: answer)
            let json = try answer.json()
            guard let one = json["token"]?.string, let two = json["access_token"]?.string else {
                throw Skip("one of them alone is told")
            }
            try require(one == two, "token equal to access_token", "two different ones", answer)
        },
        Check(
            "auth.token.two-scopes", .must, section, "two scopes asked for are two scopes in the token", needs: need
        ) { probe in
            let service = try probe.tokenService()
            let repositories = ["one", "two"].map { probe.repository($0) }
            for repository in repositories { _ = try probe.newTaggedImage(in: repository) }
            let answer = try probe.askToken(service, scopes: repositories.map { scope($0) })
            let token = try probe.token(in: answer)
            for repository in repositories {
                try probe.with(token: token, "GET", probe.manifestPlace("latest", in: repository)).expect(200)
                let begun = try probe.with(token: token, "POST", probe.uploadsPlace(in: repository))
                try begun.expect(202)
            }
        },
        Check(
            "auth.token.post", .may, section,
            "POST of the realm with a password grant, as ctr sends it, gives a token for all its scopes", needs: need
        ) { probe in
            let service = try probe.tokenService()
            guard case .password(let user, let password) = probe.run.target.identity.proof else {
                throw Skip("the run has a token, no password")
            }
            let repositories = ["one", "two"].map { probe.repository($0) }
            for repository in repositories { _ = try probe.newTaggedImage(in: repository) }
            let answer = try probe.postToken(
                service,
                [
                    ("grant_type", "password"), ("client_id", "aerugo-conformance"), ("username", user),
                    ("password", password), ("scope", repositories.map { scope($0) }.joined(separator: " ")),
                ])
            if [404, 405, 401].contains(answer.status) { throw Skip("no POST of tokens (status \(answer.status))") }
            let token = try probe.token(in: answer)
            for repository in repositories {
                try probe.with(token: token, "GET", probe.manifestPlace("latest", in: repository)).expect(200)
            }
        },
        Check(
            "auth.token.refresh", .may, section, "a refresh token, where one is given, gives another token by POST",
            needs: need
        ) { probe in
            let service = try probe.tokenService()
            _ = try probe.newTaggedImage()
            let login = try probe.askToken(service, scopes: [], query: "client_id=docker&offline_token=true")
            _ = try probe.token(in: login)
            guard let refresh = try login.json()["refresh_token"]?.string else {
                throw Skip("no refresh_token is given")
            }
            probe.run.masker.learn(refresh)
            let answer = try probe.postToken(
                service,
                [
                    ("grant_type", "refresh_token"), ("client_id", "docker"), ("refresh_token", refresh),
                    ("scope", scope(probe.repository)),
                ])
            let token = try probe.token(in: answer)
            try probe.with(token: token, "GET", probe.manifestPlace("latest")).expect(200)
        },
    ]

    private static let bounds: [Check] = [
        Check(
            "auth.scope.pull-only", .must, "Docker V2: Token Scope", "a token for pull does not push", needs: need
        ) { probe in
            let service = try probe.tokenService()
            let image = try probe.newTaggedImage()
            let token = try probe.token(in: try probe.askToken(service, scopes: [scope(probe.repository, "pull")]))
            try probe.with(token: token, "GET", probe.manifestPlace("latest")).expect(200)
            try probe.with(token: token, "POST", probe.uploadsPlace()).expect(401, 403)
            try probe.with(token: token, "PUT", probe.manifestPlace("pushed"), body: image.content).expect(401, 403)
            try probe.with(token: token, "DELETE", probe.manifestPlace("latest")).expect(401, 403, 405)
        },
        Check(
            "auth.scope.other-repository", .must, "Docker V2: Token Scope",
            "a token for one repository does not work in another", needs: need
        ) { probe in
            let service = try probe.tokenService()
            let other = probe.repository("other")
            _ = try probe.newTaggedImage()
            _ = try probe.newTaggedImage(in: other)
            if try probe.nobody("GET", probe.manifestPlace("latest", in: other)).status == 200 {
                throw Skip("anybody may pull here")
            }
            let token = try probe.token(in: try probe.askToken(service, scopes: [scope(probe.repository)]))
            try probe.with(token: token, "GET", probe.manifestPlace("latest", in: other)).expect(401, 403, 404)
            try probe.with(token: token, "POST", probe.uploadsPlace(in: other)).expect(401, 403, 404)
        },
        Check(
            "auth.scope.none", .must, "Docker V2: Token Scope", "a token without a scope pushes nothing", needs: need
        ) { probe in
            let service = try probe.tokenService()
            _ = try probe.newTaggedImage()
            let token = try probe.token(in: try probe.askToken(service, scopes: []))
            try probe.with(token: token, "POST", probe.uploadsPlace()).expect(401, 403)
        },
        Check(
            "auth.scope.malformed", .must, "Docker V2: Token Scope",
            "a malformed scope is a client error, or a token without it; never a server's error", needs: need
        ) { probe in
            let service = try probe.tokenService()
            for scope in [
                "nonsense", "repository", "repository::", "repository:a:b:c:d", ":::", "repository:../x:pull",
            ] {
                let answer = try probe.askToken(service, scopes: [scope])
                try require(
                    answer.status == 200 || (400..<500).contains(answer.status), "200 or 4xx for the scope \(scope)",
                    "status \(answer.status)", answer)
                if answer.status == 200 { _ = try probe.token(in: answer) }
            }
        },
        Check(
            "auth.scope.mount", .must, "CVE-2024-39897: mount authorization",
            "a token that may push but not read the source does not mount from it", needs: need
        ) { probe in
            let service = try probe.tokenService()
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            if try probe.nobody("GET", probe.blobPlace(blob.digest, in: source)).status == 200 {
                throw Skip("anybody may pull here")
            }
            let token = try probe.token(in: try probe.askToken(service, scopes: [scope(probe.repository)]))
            for query in ["mount=\(blob.digest)&from=\(source)", "mount=\(blob.digest)"] {
                let answer = try probe.with(token: token, "POST", probe.uploadsPlace(query))
                try require(answer.status != 201, "any status but 201", "201", answer)
            }
            try probe.get(probe.blobPlace(blob.digest)).expect(404)
        },
        Check(
            "auth.service.other", .must, "Docker V2: Token Scope", "a token for another service does not work here",
            needs: need
        ) { probe in
            let service = try probe.tokenService()
            _ = try probe.newTaggedImage()
            let elsewhere = TokenService(realm: service.realm, service: "another.example")
            let answer = try probe.askToken(elsewhere, scopes: [scope(probe.repository)])
            if (400..<500).contains(answer.status) { return }
            let token = try probe.token(in: answer)
            try probe.with(token: token, "POST", probe.uploadsPlace()).expect(401, 403)
        },
    ]

    /// One check a forgery: `forge` makes a token from a good one.
    private static func forgery(
        _ name: String, _ gist: String, _ forge: @escaping @Sendable (TokenParts) throws -> String
    ) -> Check {
        Check("auth.forged.\(name)", .must, "CVE-2025-24976: forged tokens", gist, needs: need) { probe in
            let parts = try goodToken(probe)
            try probe.with(token: try forge(parts), "POST", probe.uploadsPlace()).expect(401, 403)
        }
    }

    /// The parts of a token that pushes.
    private static func goodToken(_ probe: Probe) throws -> TokenParts {
        let service = try probe.tokenService()
        _ = try probe.newTaggedImage()
        let token = try probe.token(in: try probe.askToken(service, scopes: [scope(probe.repository)]))
        guard let parts = TokenParts(token) else { throw Skip("tokens are opaque") }
        try probe.with(token: token, "POST", probe.uploadsPlace()).expect(202)
        return parts
    }

    private static let forged: [Check] = [
        forgery("none", "a token of alg none is refused") { try $0.unsigned() },
        forgery("none-case", "a token of alg nOnE is refused") { try $0.unsigned("nOnE") },
        Check(
            "auth.forged.claims", .must, "CVE-2025-24976: forged tokens",
            "a token whose claims were changed is refused, whoever it names then and whether it allows less or more",
            needs: need
        ) { probe in
            let parts = try goodToken(probe)
            // A claim that nobody knows changes the signed bytes and nothing else: only the signature can tell.
            for (claim, value) in [("sub", "somebody-else"), ("aerugo-conformance", "changed")] {
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
