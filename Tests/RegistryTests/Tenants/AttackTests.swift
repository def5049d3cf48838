import Access
import Crypto
import Foundation
import Model
import Runtime
import Synchronization
import Testing

@Suite("Tenants: attacks", .takesTurns)
struct AttackTests {
    private static let digest = Content.digest(Content.config)

    private static func base64(_ bytes: some DataProtocol) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func token(_ line: String) -> String { String(line.dropFirst("Authorization: Bearer ".count)) }

    @Test("a forged token opens nothing, whatever its header says it is signed by")
    func forged() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/secret") == 201)
            let good = Self.token(try await house.bearer(house.line("ann"), "repository:ann/secret:pull,push"))
            #expect(try await house.pull(by: "Authorization: Bearer \(good)", "ann/secret") == 200)
            let parts = good.split(separator: ".").map(String.init)
            let keys = try await house.server.client().get("/auth/keys")
            let published = try #require(try keys.object()["keys"] as? [[String: String]]).first
            let id = try #require(published?["kid"])
            func header(_ algorithm: String, _ more: String = "") -> String {
                Self.base64(Data(#"{"alg":"\#(algorithm)","kid":"\#(id)","typ":"aerugo-access+jwt"\#(more)}"#.utf8))
            }
            let own = P256.Signing.PrivateKey()
            func signed(_ header: String) throws -> String {
                let text = header + "." + parts[1]
                return text + "." + Self.base64(try own.signature(for: Data(text.utf8)).rawRepresentation)
            }
            func hashed(_ header: String, _ secret: Data) -> String {
                let text = header + "." + parts[1]
                let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: secret))
                return text + "." + Self.base64(Data(code))
            }
            let (x, y) = (published?["x"] ?? "", published?["y"] ?? "")
            let forgeries = [
                header("none") + "." + parts[1] + ".", header("None") + "." + parts[1] + "." + parts[2],
                hashed(header("HS256"), Data(keys.text.utf8)), hashed(header("HS256"), Data((x + y).utf8)),
                try signed(parts[0]), try signed(header("ES256", #","jku":"http://127.0.0.1:\#(house.server.port)/"#)),
                try signed(header("ES256", #","jwk":{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#)),
                parts[0] + "." + parts[1] + ".", parts[0] + "." + parts[1], good + ".", good + "=", good + "A",
                parts[0] + "." + Self.base64(Data("{}".utf8)) + "." + parts[2], String(good.dropLast()),
            ]
            for forgery in forgeries {
                let line = "Authorization: Bearer \(forgery)"
                #expect(try await house.pull(by: line, "ann/secret") == 401, "\(forgery)")
                #expect(try await house.push(by: line, "ann/secret", "v") == 401, "\(forgery)")
                for path in ["/v2/", "/v2/_catalog", "/api/v1/auth/me", "/api/v1/users", "/auth/token"] {
                    #expect(try await house.server.client().get(path, [line]).status == 401, "\(path) \(forgery)")
                }
            }
        }
    }

    @Test("every kind of secret opens its own door alone")
    func kinds() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/secret") == 201)
            let client = house.server.client()
            let answer = try await house.token(house.line("ann"), ["repository:ann/secret:pull"], "&offline_token=true")
            let access = try #require(answer["token"] as? String)
            let refresh = try #require(answer["refresh_token"] as? String)
            for line in [
                "Authorization: Bearer \(refresh)", "X-API-Key: \(refresh)", Household.basic("ann", refresh),
                "X-API-Key: \(access)", Household.basic("ann", access), Household.basic(access, ""),
                "X-API-Key: \(Household.password("ann"))", "Authorization: Bearer \(Household.password("ann"))",
            ] {
                for path in ["/v2/", "/v2/ann/secret/manifests/t", "/auth/token", "/api/v1/auth/me"] {
                    #expect(try await client.get(path, [line]).status == 401, "\(path) \(line.prefix(30))")
                }
            }
            let key = try await house.done("ann", "POST", "/api/v1/keys", #"{"name":"ci"}"#).object()
            for token in [access, key["secret"] as? String ?? "", Household.password("ann").replacing(" ", with: "+")] {
                let form = "grant_type=refresh_token&refresh_token=\(token)"
                #expect(try await client.send("POST", "/auth/token", body: Array(form.utf8)).status == 401)
            }
            // A token for the registry's own protocol reaches no account.
            let bearer = "Authorization: Bearer \(access)"
            for path in ["/api/v1/auth/me", "/api/v1/keys", "/api/v1/users", "/api/v1/organizations"] {
                let status = try await client.get(path, [bearer]).status
                #expect([401, 403].contains(status), "\(path): \(status)")
            }
        }
    }

    @Test("no token is made of a token, so that a narrow one of a wide key stays narrow, and ends")
    func tokenOfToken() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            for name in ["ann/a", "ann/b"] { #expect(try await house.push("ann", name) == 201) }
            let key = try await house.done(
                "ann", "POST", "/api/v1/keys", #"{"name":"ci","scope":[{"repositories":"ann/*","actions":["pull"]}]}"#
            ).object()
            let secret = try #require(key["secret"] as? String)
            for line in [house.line("ann"), Household.basic("ann", secret)] {
                let narrow = try await house.bearer(line, "repository:ann/a:pull")
                for query in ["", "?scope=repository:ann/a:pull", "?scope=repository:ann/b:pull&offline_token=true"] {
                    let answer = try await house.server.client().get("/auth/token" + query, [narrow])
                    #expect(answer.status == 401, "\(query): \(answer.text)")
                }
            }
        }
    }

    @Test("a login lives no longer than the key that it came of")
    func expiry() async throws {
        let hand = HandClock()
        let server = try await TestServer.start(policy: .accounts, clocks: hand.clocks)
        _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: Household.rootPassword)
        let house = Household(server: server)
        #expect(try await house.push("root", "root/a") == 201)
        let end = ISO8601DateFormatter().string(from: Date().addingTimeInterval(3600))
        let key = try await house.done("root", "POST", "/api/v1/keys", #"{"name":"ci","expires_at":"\#(end)"}"#)
            .object()
        let basic = Household.basic("root", try #require(key["secret"] as? String))
        let answer = try await house.token(basic, ["repository:root/a:pull"], "&offline_token=true")
        let refresh = try #require(answer["refresh_token"] as? String)
        let form = "grant_type=refresh_token&scope=repository:root/a:pull&refresh_token=\(refresh)"
        func renewed() async throws -> Answer {
            try await server.client().send("POST", "/auth/token", body: Array(form.utf8))
        }
        hand.advance(.seconds(3000))
        let late = try await renewed()
        #expect(late.status == 200)
        let bearer = "Authorization: Bearer \(try late.object()["token"] as? String ?? "")"
        #expect(try await house.pull(by: bearer, "root/a") == 200)
        hand.advance(.seconds(1200))
        #expect(try await house.pull(by: basic, "root/a") == 401)
        #expect(try await renewed().status == 401)
        try await server.server.shutDown()
    }

    @Test("no scope that is written in another way gets more than its plain form")
    func injection() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            #expect(try await house.push("ann", "ann/secret") == 201)
            for scope in [
                "repository:ann/secret:pull", "repository:ann/secret:*", "repository(plugin):ann/secret:pull",
                "repository:eve/x:pull%20repository:ann/secret:pull",
                "repository:eve/x:pull&scope=repository:ann/secret:pull",
                "repository:eve/../ann/secret:pull", "repository:ann%2Fsecret:pull", "repository:ann%252Fsecret:pull",
                "repository:ANN/secret:pull", "repository:ann/secret%00:pull", "repository:ann/secret%0a:pull",
                "repository:ann_secret:pull", "repository:ann/%25:pull", "repository:*:pull", "repository:ann/*:pull",
                "registry:ann/secret:*", "repository:eve/x:pull:ann/secret:pull", "*",
                "repository:ann/secret:pull,admin",
                "repository:eve/x:pull%22%7D%2C%7B%22type%22%3A%22repository%22%2C%22name%22%3A%22ann/secret",
            ] {
                for who in ["eve", nil] {
                    let answer = try await house.server.client().get(
                        "/auth/token?scope=\(scope)", who.map { [house.line($0)] } ?? [])
                    #expect(answer.status == 200, "\(scope)")
                    let token = try answer.object()["token"] as? String ?? ""
                    let part = token.split(separator: ".").dropFirst().first.map { String($0) } ?? ""
                    let padded =
                        part.replacing("-", with: "+").replacing("_", with: "/")
                        + String(repeating: "=", count: (4 - part.count % 4) % 4)
                    let claims = String(decoding: Data(base64Encoded: padded) ?? Data(), as: UTF8.self)
                    #expect(claims.contains(#""access":"#))
                    #expect(!claims.contains("secret"), "\(scope): \(claims)")
                    #expect(try await house.pull(by: "Authorization: Bearer \(token)", "ann/secret") != 200)
                }
            }
        }
    }

    @Test("no other way to write a path leads past the decision")
    func paths() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            #expect(try await house.push("ann", "ann/secret") == 201)
            #expect(try await house.push("eve", "eve/mine") == 201)
            let tails = ["manifests/t", "blobs/\(Self.digest)", "tags/list", "referrers/\(Self.digest)"]
            for tail in tails {
                for path in [
                    "/v2/ann/secret/\(tail)", "/v2/ann/secret/\(tail)/", "/v2//ann/secret/\(tail)",
                    "//v2/ann/secret/\(tail)",
                    "/v2/ann//secret/\(tail)", "/v2/./ann/secret/\(tail)", "/v2/eve/../ann/secret/\(tail)",
                    "/v2/eve/mine/../../ann/secret/\(tail)", "/v2/eve/mine/%2e%2e/%2e%2e/ann/secret/\(tail)",
                    "/v2/ann%2fsecret/\(tail)", "/v2/ann%2Fsecret/\(tail)", "/v2/ann%252fsecret/\(tail)",
                    "/v2/ANN/secret/\(tail)",
                    "/%762/ann/secret/\(tail)", "/V2/ann/secret/\(tail)", "/v2/ann/secret/\(tail)?x=/v2/eve/mine/",
                    "/v2/ann/secret/\(tail);x", "/v2/ann/secret/\(tail)%00", "/v2/ann/secret/\(tail)%20",
                    "/v2/ann/secret%00/\(tail)",
                    "/v2/ann/se%63ret/\(tail)", "/v2/eve/mine/../ann/secret/\(tail)", "/v2/ann/secret/./\(tail)",
                ] {
                    for who in [nil, "eve"] {
                        let answer = try await house.send(who, "GET", path)
                        let isEmpty = tail.hasPrefix("referrers") && who != nil && answer.status == 200
                        #expect(answer.status >= 400 || isEmpty, "\(who ?? "anybody") \(path): \(answer.status)")
                        #expect(!answer.text.contains("\"schemaVersion\":2,\"config\""), "\(path)")
                        #expect(answer.body != Content.config)
                    }
                }
            }
        }
    }

    @Test("a key that reaches less than its owner mounts, pulls and pushes no further, at either end")
    func narrowKey() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            for name in ["ann/a", "ann/b"] { #expect(try await house.push("ann", name) == 201) }
            func line(_ scope: String) async throws -> String {
                let made = try await house.done("ann", "POST", "/api/v1/keys", #"{"name":"ci","scope":[\#(scope)]}"#)
                return Household.basic("ann", try #require(try made.object()["secret"] as? String))
            }
            let mount = "/v2/ann/new/blobs/uploads/?mount=\(Self.digest)&from=ann/a"
            let pusher = try await line(#"{"repositories":"ann/new","actions":["push"]}"#)
            let puller = try await line(#"{"repositories":"ann/a","actions":["pull"]}"#)
            let token = try await house.bearer(pusher, "repository:ann/new:pull,push", "repository:ann/a:pull")
            for (credentials, status) in [(pusher, 202), (token, 202), (puller, 401)] {
                let answer = try await house.server.client().send("POST", mount, [credentials], body: [])
                #expect(answer.status == status, "\(answer.text)")
            }
            #expect(try await house.send("ann", "HEAD", "/v2/ann/new/blobs/\(Self.digest)").status == 404)
            // No key with a bound reaches the account, or makes a wider one.
            for (method, path, body) in [
                ("GET", "/api/v1/auth/me", nil), ("GET", "/api/v1/keys", nil),
                ("POST", "/api/v1/keys", #"{"name":"wide"}"#), ("POST", "/api/v1/organizations", #"{"name":"own"}"#),
            ] as [(String, String, String?)] {
                for credentials in [pusher, puller, token] {
                    let answer = try await house.server.client().send(
                        method, path, [credentials], body: body.map { Array($0.utf8) })
                    #expect([401, 403].contains(answer.status), "\(method) \(path): \(answer.status)")
                }
            }
        }
    }

    @Test("a name that is the beginning of another, or matches it as a pattern, opens nothing of it")
    func patterns() async throws {
        try await Household.with { house in
            try await house.addUsers("a_b", "axb", "ann", "annex")
            let made = try await house.done(
                "root", "POST", "/api/v1/keys", #"{"name":"ci","scope":[{"repositories":"ann/*","actions":["pull"]}]}"#)
            let key = Household.basic("root", try #require(try made.object()["secret"] as? String))
            for name in ["a_b/r", "axb/r", "ann/r", "annex/r"] {
                #expect(try await house.push(String(name.split(separator: "/")[0]), name) == 201)
            }
            #expect(try await house.pull(by: house.line("a_b"), "axb/r") == 404)
            #expect(try await house.pull(by: house.line("axb"), "a_b/r") == 404)
            #expect(try await house.pull(by: house.line("ann"), "annex/r") == 404)
            #expect(try await house.pull(by: key, "annex/r") == 401)
            for (query, found) in [
                ("a_b", ["a_b"]), ("%25", []), ("_", []), ("a%25", []), ("ann", ["ann", "annex"]),
            ] {
                let text = try await house.done("root", "GET", "/api/v1/users?q=\(query)").text
                for name in ["a_b", "axb", "ann", "annex"] {
                    #expect(text.contains("\"\(name)\"") == found.contains(name), "\(query): \(text)")
                }
            }
            try await house.done("root", "PATCH", "/api/v1/repositories/ann%2Fr", #"{"visibility":"public"}"#)
            for (who, namespace, found) in [
                ("root", "ann", ["ann/r"]), ("root", "a_b", ["a_b/r"]), ("root", "an", []), ("root", "zoe", []),
                ("ann", "ann", ["ann/r"]), ("ann", "annex", []), ("annex", "ann", ["ann/r"]),
            ] {
                let page = try await house.done(who, "GET", "/api/v1/repositories?namespace=\(namespace)").object()
                let names = (page["items"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
                #expect(names == found, "\(who) \(namespace)")
            }
            for bad in ["a%25", "A", "../ann", ""] {
                #expect(try await house.send("root", "GET", "/api/v1/repositories?namespace=\(bad)").status == 400)
            }
            try await house.done("root", "PATCH", "/api/v1/repositories/ann%2Fr", #"{"visibility":"private"}"#)
            for name in ["a_b", "axb", "ann"] {
                let list = try await house.done(name, "GET", "/v2/_catalog").texts("repositories")
                #expect(list == ["\(name)/r"], "\(name): \(list)")
            }
        }
    }

    @Test("what belongs to one parent is not found under another")
    func foreignChildren() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            try await house.addOrganization("acme", owner: "ann")
            try await house.addOrganization("evil", owner: "eve")
            try await house.done("ann", "POST", "/api/v1/organizations/acme/robots", #"{"name":"bot"}"#)
            try await house.done("ann", "POST", "/api/v1/organizations/acme/teams", #"{"name":"core"}"#)
            func id(_ path: String) async throws -> String {
                let made = try await house.done("ann", "POST", path, #"{"name":"ci"}"#)
                return try #require(try made.object()["id"] as? String)
            }
            let robotKey = try await id("/api/v1/organizations/acme/robots/bot/keys")
            let key = try await id("/api/v1/keys")
            try await house.done("eve", "POST", "/api/v1/organizations/evil/robots", #"{"name":"own"}"#)
            for (method, path, body) in [
                ("DELETE", "/api/v1/keys/\(key)", nil), ("DELETE", "/api/v1/keys/\(robotKey)", nil),
                ("POST", "/api/v1/keys/\(key)/rotate", "{}"), ("POST", "/api/v1/keys/\(robotKey)/rotate", "{}"),
                ("DELETE", "/api/v1/organizations/evil/robots/own/keys/\(robotKey)", nil),
                ("POST", "/api/v1/organizations/evil/robots/own/keys/\(robotKey)/rotate", "{}"),
                ("DELETE", "/api/v1/organizations/evil/robots/own/keys/\(key)", nil),
                ("DELETE", "/api/v1/organizations/evil/robots/bot", nil),
                ("POST", "/api/v1/organizations/evil/robots/bot/keys", #"{"name":"x"}"#),
                ("DELETE", "/api/v1/organizations/evil/teams/core", nil),
                ("PUT", "/api/v1/organizations/evil/teams/core/members/eve", nil),
                ("POST", "/api/v1/organizations/acme/robots/bot/keys", #"{"name":"x"}"#),
                ("DELETE", "/api/v1/organizations/acme/robots/bot", nil),
                ("PUT", "/api/v1/organizations/acme/members/eve", #"{"role":"owner"}"#),
                ("DELETE", "/api/v1/organizations/acme", nil), ("GET", "/api/v1/organizations/acme", nil),
                ("GET", "/api/v1/users/ann/keys", nil), ("POST", "/api/v1/users/ann/keys", #"{"name":"x"}"#),
            ] as [(String, String, String?)] {
                let answer = try await house.send("eve", method, path, body)
                #expect([403, 404].contains(answer.status), "\(method) \(path): \(answer.status) \(answer.text)")
            }
            try await house.done("ann", "DELETE", "/api/v1/keys/\(key)")
            try await house.done("ann", "DELETE", "/api/v1/organizations/acme/robots/bot/keys/\(robotKey)")
        }
    }

    @Test("who guesses has to wait, whoever has logged in from there has not")
    func guessing() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            let client = house.server.client()
            func logIn(_ name: String, _ password: String) async throws -> Answer {
                let form = "grant_type=password&username=\(name)&password=\(password.replacing(" ", with: "+"))"
                return try await client.send("POST", "/auth/token", body: Array(form.utf8))
            }
            #expect(try await logIn("ann", Household.password("ann")).status == 200)
            var refused: Answer?
            for index in 0..<40 where refused == nil {
                let answer = try await logIn(index % 2 == 0 ? "eve" : "nobody\(index)", "guess \(index)")
                #expect([401, 429].contains(answer.status))
                if answer.status == 429 { refused = answer }
            }
            #expect(Int(try #require(refused)["Retry-After"] ?? "") ?? 0 >= 1)
            #expect(try await logIn("ann", Household.password("ann")).status == 200)
        }
    }
}

/// The machine's clocks, set forward by hand.
private final class HandClock: Sendable {
    private let ahead = Mutex(Duration.zero)

    var clocks: Clocks {
        Clocks(
            wall: { [self] in Clocks.system.wall() + ahead.withLock { $0 } },
            uptime: { [self] in Clocks.system.uptime() + ahead.withLock { $0 } })
    }

    func advance(_ duration: Duration) { ahead.withLock { $0 += duration } }
}
