import Foundation
import Model
import Testing

@Suite("Tenants: tokens as Docker's clients get them", .takesTurns)
struct TokenFlowTests {
    @Test("a token for several scopes says of each what may be done, and no more")
    func scopes() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            #expect(try await house.push("ann", "ann/a") == 201)
            let body = try await house.token(
                house.line("ann"), ["repository:ann/a:push,pull", "repository:eve/x:pull", "registry:catalog:*"])
            #expect(body["scope"] as? String == "repository:ann/a:pull,push registry:catalog:*")
            #expect(body["expires_in"] as? Int == 3600)
            #expect(body["token"] as? String == body["access_token"] as? String)
            #expect(body["issued_at"] == nil)
            let line = "Authorization: Bearer \(body["token"] as? String ?? "")"
            #expect(try await house.pull(by: line, "ann/a") == 200)
            #expect(try await house.push(by: line, "ann/a", "u") == 201)
            #expect(try await house.server.client().get("/v2/", [line]).status == 200)
            #expect(try await house.server.client().get("/v2/_catalog", [line]).texts("repositories") == ["ann/a"])
            // What it was not made for it does not open, though its owner may.
            #expect(try await house.push(by: line, "ann/b") == 401)
            for path in ["/api/v1/keys", "/api/v1/auth/me", "/api/v1/organizations"] {
                #expect(try await house.server.client().get(path, [line]).status == 401, "\(path)")
            }
            // Nor is a token made of a token.
            #expect(try await house.server.client().get("/auth/token", [line]).status == 401)
        }
    }

    @Test("anybody gets a token, which opens what is public and nothing else")
    func anonymous() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            for name in ["ann/open", "ann/shut"] { #expect(try await house.push("ann", name) == 201) }
            try await house.done("ann", "PATCH", "/api/v1/repositories/ann%2Fopen", #"{"visibility":"public"}"#)
            #expect(try await house.pull(by: nil, "ann/open") == 200)
            #expect(try await house.pull(by: nil, "ann/shut") == 401)
            let line = try await house.bearer(nil, "repository:ann/open:pull,push", "repository:ann/shut:pull")
            #expect(try await house.pull(by: line, "ann/open") == 200)
            #expect(try await house.pull(by: line, "ann/shut") == 401)
            #expect(try await house.push(by: line, "ann/open") == 401)
            #expect(try await house.server.client().get("/v2/", [line]).status == 200)
        }
    }

    @Test("a refresh token gets access tokens until its login ends, by GET's offline_token and by POST")
    func refresh() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/a") == 201)
            let client = house.server.client()
            let first = try await house.token(house.line("ann"), [], "&offline_token=true&account=ann&client_id=docker")
            let refresh = try #require(first["refresh_token"] as? String)
            #expect(refresh.hasPrefix("ar_"))
            func post(_ form: String) async throws -> Answer {
                try await client.send("POST", "/auth/token", body: Array(form.utf8))
            }
            let form =
                "grant_type=refresh_token&service=aerugo&scope=repository%3Aann%2Fa%3Apull&refresh_token=\(refresh)"
            let answer = try await post(form)
            #expect(answer.status == 200)
            #expect(try answer.object()["refresh_token"] as? String == refresh)
            let access = try answer.object()["access_token"] as? String ?? ""
            #expect(try await house.pull(by: "Authorization: Bearer \(access)", "ann/a") == 200)
            let password =
                "grant_type=password&service=aerugo&username=ann&password=password+of+ann&access_type=offline"
            #expect(try await post(password).object()["refresh_token"] != nil)
            #expect(try await post(password.replacing("of", with: "off")).status == 401)
            for bad in ["", "grant_type=magic", "grant_type=password", form.replacing("ar_", with: "ak_")] {
                #expect([400, 401].contains(try await post(bad).status), "\(bad)")
            }
            #expect(try await client.send("POST", "/auth/logout", body: Array("token=\(refresh)".utf8)).status == 204)
            #expect(try await post(form).status == 401)
            #expect(try await house.pull(by: "Authorization: Bearer \(access)", "ann/a") == 401, "what came of it")
        }
    }

    @Test("an API key opens what its scope says, as Basic, as Bearer and alone, and its tokens no more")
    func keys() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            for name in ["ann/a", "ann/b"] { #expect(try await house.push("ann", name) == 201) }
            let made = try await house.done(
                "ann", "POST", "/api/v1/keys",
                #"{"name":"ci","scope":[{"repositories":"ann/a","actions":["pull"]}]}"#
            ).object()
            let secret = try #require(made["secret"] as? String)
            let lines = [
                Household.basic("ann", secret), "Authorization: Bearer \(secret)", "X-API-Key: \(secret)",
                try await house.bearer(
                    Household.basic("ann", secret), "repository:ann/a:pull,push", "repository:ann/b:pull"),
            ]
            for line in lines {
                #expect(try await house.pull(by: line, "ann/a") == 200)
                #expect(try await house.pull(by: line, "ann/b") == 401)
                #expect(try await house.push(by: line, "ann/a", "v") == 401)
                #expect(try await house.server.client().get("/api/v1/keys", [line]).status == 401)
            }
            #expect(try await house.pull(by: Household.basic("eve", secret), "ann/a") == 401, "not her key")
            let mistyped = String(secret.dropLast()) + (secret.hasSuffix("0") ? "1" : "0")
            let refused = try await house.server.client().get("/v2/", ["X-API-Key: \(mistyped)"])
            #expect(refused.status == 401)
            #expect(refused.text.contains("mistyped"))
            // No list tells the secret again.
            #expect(try await !house.done("ann", "GET", "/api/v1/keys").text.contains(secret))
            let id = try #require(made["id"] as? String)
            let fresh = try await house.done("ann", "POST", "/api/v1/keys/\(id)/rotate", #"{"overlap":3600}"#).object()
            for text in [secret, fresh["secret"] as? String ?? ""] {
                #expect(try await house.pull(by: Household.basic("ann", text), "ann/a") == 200)
            }
            try await house.done("ann", "POST", "/api/v1/keys/\(id)/rotate", #"{"overlap":0}"#)
            #expect(try await house.pull(by: Household.basic("ann", secret), "ann/a") == 401)
            try await house.done("ann", "DELETE", "/api/v1/keys/\(id)")
            for line in lines { #expect(try await house.pull(by: line, "ann/a") == 401) }
        }
    }
}
