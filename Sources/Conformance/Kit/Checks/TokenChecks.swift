import Foundation
import Vocabulary

/// Docker's token authentication, for registries that ask for credentials.
enum TokenChecks {
    private static let section = "Docker V2: Token Authentication"
    static let need: Set<Need> = [.push, .credentials]

    static let checks: [Check] = challenge + service + bounds

    static func scope(_ repository: String, _ actions: String = "pull,push") -> String {
        "repository:\(repository):\(actions)"
    }

    private static let challenge: [Check] = [
        Check(
            "auth.asked", .should, section,
            "a registry that the run has credentials for asks for them before it takes a push", ["opinion"],
            needs: [.push, .identity]
        ) { probe in
            let answer = try probe.postUpload(access: .none)
            try answer.expect(anyOf: [401, 403], "without credentials")
        },
        Check(
            "auth.challenge", .must, section, "/v2/ without credentials is 401 with a Bearer or Basic challenge",
            ["http-401-challenge"], needs: [.credentials]
        ) { probe in
            var answer = try probe.nobody("GET", .path("/v2/"))
            // Who lets everybody read may ask nobody who reads.
            if answer.status == 200 { answer = try probe.nobody("POST", probe.uploadsPlace()) }
            try answer.expect(401)
            let line = try answer.expectHeader("WWW-Authenticate")
            let challenge = Challenge(answer.headers)
            try require(
                challenge.map { ["bearer", "basic"].contains($0.scheme) && $0.parameters["realm"] != nil } ?? false,
                "Bearer realm=\"…\" or Basic realm=\"…\"", line, answer)
        },
        Check(
            "auth.challenge.scope", .should, section,
            "the challenge for a repository names the scope that is needed", ["opinion"], needs: need
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
            "auth.login", .must, section, "/v2/ with the credentials is 200: login needs it", ["pull-category"],
            needs: [.credentials]
        ) { probe in
            try probe.get(.path("/v2/")).expect(200)
        },
        Check(
            "auth.nobody-writes", .must, section, "without credentials nothing is pushed, mounted or deleted",
            ["oauth-covers", "http-401-sent"],
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
            "auth.nobody-reads", .should, section,
            "what asks for credentials at /v2/ asks for them when something is pulled, too", ["opinion"],
            needs: need
        ) { probe in
            if try probe.nobody("GET", .path("/v2/")).status != 401 { throw Skip("the registry asks nobody who reads") }
            let image = try probe.newTaggedImage()
            for reference in ["latest", image.digest] {
                let answer = try probe.nobody("GET", probe.manifestPlace(reference))
                // Public repositories are told by a token that anybody gets: then this is no leak, but policy.
                try answer.expect(anyOf: [401, 403, 404], "without credentials")
            }
        },
        Check(
            "auth.nobody-finishes", .must, section, "without credentials nobody goes on with somebody's upload",
            ["oauth-covers", "http-401-sent"],
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
            "auth.wrong-password", .must, section, "a wrong password opens nothing",
            ["oauth-password", "http-401-sent"],
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
            "auth.schemes", .should, "RFC 9110 §11.6.2: Authorization",
            "nonsense in Authorization is refused, not a server's error", ["http-401-sent"], needs: [.credentials]
        ) { probe in
            try probe.each([
                "Bearer", "Bearer nonsense", "Bearer a.b.c", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x=1", "?",
            ]) { value in
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
            ["docker-token"],
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
            "docker's login request (account, client_id, offline_token, no scope) gives a token", ["docker-token"],
            needs: need
        ) { probe in
            let service = try probe.tokenService()
            let answer = try probe.askToken(
                service, scopes: [], query: "account=x&client_id=docker&offline_token=true")
            let token = try probe.token(in: answer)
            try probe.with(token: token, "GET", .path("/v2/")).expect(200)
        },
        Check(
            "auth.token.lifetime", .should, section, "expires_in, where it is told, is a number of 60 at least",
            ["docker-token-life"],
            needs: need
        ) { probe in
            let answer = try probe.askToken(try probe.tokenService(), scopes: [scope(probe.repository)])
            let json = try answer.expect(200).json()
            _ = try probe.token(in: answer)
            guard let told = json["expires_in"] else { throw Skip("expires_in is not told") }
            try require((told.integer ?? 0) >= 60, "expires_in of 60 at least", "\(told.integer ?? 0)", answer)
        },
        Check(
            "auth.token.issued-at", .should, section, "issued_at, where it is told, is an RFC 3339 time", ["opinion"],
            needs: need
        ) { probe in
            let answer = try probe.askToken(try probe.tokenService(), scopes: [scope(probe.repository)])
            _ = try probe.token(in: answer)
            guard let told = try answer.json()["issued_at"] else { throw Skip("issued_at is not told") }
            let form = /[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})/
            let isTime = told.string?.wholeMatch(of: form) != nil
            try require(isTime, "issued_at as RFC 3339", told.string ?? "no string", answer)
        },
        Check(
            "auth.token.same", .should, section, "token and access_token, where both are told, are the same",
            ["docker-token-same"], needs: need
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
            "auth.token.two-scopes", .should, section, "two scopes asked for are two scopes in the token",
            ["docker-token-scopes"], needs: need
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
            "POST of the realm with a password grant, as ctr sends it, gives a token for all its scopes",
            ["oauth-token"], needs: need
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
            ["oauth-token"],
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
            "auth.scope.pull-only", .must, "Docker V2: Token Scope", "a token for pull does not push", ["oauth-covers"],
            needs: need
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
            "a token for one repository does not work in another", ["oauth-covers"], needs: need
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
            "auth.scope.none", .must, "Docker V2: Token Scope", "a token without a scope pushes nothing",
            ["oauth-covers"], needs: need
        ) { probe in
            let service = try probe.tokenService()
            _ = try probe.newTaggedImage()
            let token = try probe.token(in: try probe.askToken(service, scopes: []))
            try probe.with(token: token, "POST", probe.uploadsPlace()).expect(401, 403)
        },
        Check(
            "auth.scope.malformed", .should, "Docker V2: Token Scope",
            "a malformed scope is a client error, or a token without it; never a server's error", ["opinion"],
            needs: need
        ) { probe in
            let service = try probe.tokenService()
            try probe.each([
                "nonsense", "repository", "repository::", "repository:a:b:c:d", ":::", "repository:../x:pull",
            ]) { scope in
                let answer = try probe.askToken(service, scopes: [scope])
                try require(
                    answer.status == 200 || (400..<500).contains(answer.status), "200 or 4xx for the scope \(scope)",
                    "status \(answer.status)", answer)
                if answer.status == 200 { _ = try probe.token(in: answer) }
            }
        },
        Check(
            "auth.scope.mount", .must, "CVE-2024-39897: mount authorization",
            "a token that may push but not read the source does not mount from it", ["oauth-covers"], needs: need
        ) { probe in
            let service = try probe.tokenService()
            let source = probe.repository("source")
            let blob = try probe.newBlob(in: source)
            if try probe.nobody("GET", probe.blobPlace(blob.digest, in: source)).status == 200 {
                throw Skip("anybody may pull here")
            }
            let token = try probe.token(in: try probe.askToken(service, scopes: [scope(probe.repository)]))
            try probe.each(["mount=\(blob.digest)&from=\(source)", "mount=\(blob.digest)"]) { query in
                let answer = try probe.with(token: token, "POST", probe.uploadsPlace(query))
                try require(answer.status != 201, "any status but 201", "201", answer)
            }
            try probe.get(probe.blobPlace(blob.digest)).expect(404)
        },
        Check(
            "auth.service.other", .must, "Docker V2: Token Scope", "a token for another service does not work here",
            ["jwt-audience"],
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
}
