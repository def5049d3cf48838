import Foundation
import HTTP
import Model
import Testing

@Suite("Tenants: what belongs in another place", .takesTurns)
struct ConfusionTests {
    @Test("a secret of one kind opens nothing where another kind belongs, in whatever field it comes")
    func secrets() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/a") == 201)
            let made = try await house.done("ann", "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
            let key = try #require(made["secret"] as? String)
            let answer = try await house.token(house.line("ann"), ["repository:ann/a:pull"], "&offline_token=true")
            let access = try #require(answer["token"] as? String)
            let refresh = try #require(answer["refresh_token"] as? String)
            let password = Household.password("ann")
            let client = house.server.client()
            for (line, why) in [
                ("Authorization: Bearer \(refresh)", "a refresh token"), ("X-API-Key: \(refresh)", "a refresh token"),
                (Household.basic("ann", refresh), "a refresh token"), (Household.basic("ann", access), "a token"),
                ("X-API-Key: \(access)", "a token"), ("X-API-Key: \(password)", "a password"),
                ("Authorization: Bearer \(password)", "a password"), ("Authorization: \(key)", "no scheme"),
                ("Authorization: Token \(key)", "a scheme that is none"), ("Authorization: Basic \(key)", "no base64"),
                ("Authorization: Bearer", "nothing"), ("Authorization:", "nothing"), ("X-API-Key:", "nothing"),
                ("Authorization: Bearer \(access) \(access)", "two"), ("Authorization: Bearer \(access),x", "a list"),
                ("Authorization: Bearer \(access)\r\nX-API-Key: \(key)x", nil),
            ] as [(String, String?)] {
                let status = try await client.get("/v2/ann/a/manifests/t", [line]).status
                // What comes beside a good Authorization is not looked at.
                #expect(status == (why == nil ? 200 : 401), "\(why ?? "")")
                #expect(try await [200, 401].contains(client.get("/api/v1/auth/me", [line]).status))
                if why != nil { #expect(try await client.get("/auth/token", [line]).status == 401, "\(why ?? "")") }
            }
            for query in [
                "access_token=\(access)", "token=\(access)", "api_key=\(key)", "apikey=\(key)", "key=\(key)",
                "X-API-Key=\(key)", "username=ann&password=password%20of%20ann",
            ] {
                #expect(try await client.get("/v2/ann/a/manifests/t?\(query)").status == 401, "in the query")
                #expect(try await client.get("/api/v1/auth/me?\(query)").status == 401, "in the query")
            }
            for secret in [access, key, password.replacing(" ", with: "+"), "ar_", ""] {
                let form = "grant_type=refresh_token&refresh_token=\(secret)"
                #expect(try await client.send("POST", "/auth/token", body: Array(form.utf8)).status == 401)
            }
            // None of this ended the login.
            let form = "grant_type=refresh_token&refresh_token=\(refresh)"
            #expect(try await client.send("POST", "/auth/token", body: Array(form.utf8)).status == 200)
        }
    }

    @Test("an upload is its beginner's, in its repository, while they may push there")
    func sessions() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob", "eve")
            try await house.addOrganization("acme", owner: "ann", ["bob": "maintainer"])
            for name in ["acme/a", "acme/b"] { #expect(try await house.push("ann", name) == 201) }
            #expect(try await house.push("eve", "eve/x") == 201)
            let begun = try await house.done("bob", "POST", "/v2/acme/a/blobs/uploads/", "")
            let location = try #require(begun["Location"])
            let digest = Content.digest(Array("late".utf8))
            func tries(_ who: String?, _ location: String) async throws -> [Int] {
                var found: [Int] = []
                for (method, target, body) in [
                    ("GET", location, nil), ("PATCH", location, "late"),
                    ("PUT", location + (location.contains("?") ? "&" : "?") + "digest=\(digest)", "late"),
                    ("DELETE", location, nil),
                ] as [(String, String, String?)] {
                    found.append(try await house.send(who, method, target, body).status)
                }
                return found
            }
            #expect(try await tries("ann", location) == [404, 404, 404, 404], "the owner, who did not begin it")
            #expect(try await tries("eve", location) == [403, 403, 403, 403])
            #expect(try await tries(nil, location) == [401, 401, 401, 401])
            #expect(try await tries("bob", location.replacing("acme/a", with: "acme/b")) == [404, 404, 404, 404])
            #expect(try await tries("eve", location.replacing("acme/a", with: "eve/x")) == [404, 404, 404, 404])
            #expect(try await house.send("bob", "GET", location).status == 204)
            try await house.done("ann", "PUT", "/api/v1/organizations/acme/members/bob", #"{"role":"reader"}"#)
            #expect(try await tries("bob", location) == [403, 403, 403, 403], "a reader now")
            try await house.done("ann", "PUT", "/api/v1/organizations/acme/members/bob", #"{"role":"developer"}"#)
            #expect(try await tries("bob", location).prefix(2) == [204, 202], "and a developer again")
            #expect(try await house.send("ann", "HEAD", "/v2/acme/a/blobs/\(digest)").status == 404)
        }
    }
}
