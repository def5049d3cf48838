import Foundation
import HTTP
import Model
import Testing

@Suite("The contract of the management API")
struct ContractTests {
    @Test("the document that is published is the one in docs/openapi.json, and JSON")
    func document() async throws {
        let kept = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/openapi.json")
        try await Household.with { house in
            let answer = try await house.server.client().get("/api/v1/openapi.json")
            #expect(answer.status == 200)
            let published = try JSONSerialization.jsonObject(with: Data(answer.body))
            let text = try JSONSerialization.data(
                withJSONObject: published, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            if ProcessInfo.processInfo.environment["AERUGO_KEEP_DOCUMENT"] != nil { try (text + [10]).write(to: kept) }
            #expect(
                try Data(contentsOf: kept) == text + [10],
                "the API has changed: look whether old clients still understand it, then run AERUGO_KEEP_DOCUMENT=1 ci/test --filter ContractTests"
            )
        }
    }

    @Test("every operation is described, by a name of its own")
    func described() {
        let operations = OperationTable.all.operations.filter { $0.errorStyle == .problem }
        #expect(Set(operations.map(\.spec)).count == operations.count)
        for operation in operations {
            #expect(operation.summary.hasSuffix("."), "\(operation.spec)")
        }
    }

    @Test(
        "a body that does not fit is refused with the member that is wrong, and changes nothing",
        arguments: [
            (#"{"name":"eve","nme":1}"#, "nme"), (#"{}"#, "name"), (#"{"name":7}"#, "name"),
            (#"{"name":"eve","admin":"yes"}"#, "admin"), (#"{"name":"eve","email":""}"#, "email"),
            (#"{"name":"eve","password":"\#(String(repeating: "x", count: 1025))"}"#, "password"),
            // What no member can have.
            (#"{"name":-1}"#, "name"), (#"{"name":"eve","admin":1.5}"#, "admin"),
            (#"{"name":"eve","email":"\u0000@example.com"}"#, "email"), (#"{"name":"eve","nme":-1}"#, "nme"),
            (#"{"name":"eve","password":92233720368547758080}"#, "password"),
        ])
    func misfit(body: String, field: String) async throws {
        try await Household.with { house in
            let answer = try await house.send("root", "POST", "/api/v1/users", body)
            #expect(answer.status == 400)
            #expect(try answer.problem()["field"] as? String == field)
            #expect(try await house.send("root", "GET", "/api/v1/users/eve").status == 404)
        }
    }

    @Test(
        "what cannot be JSON, or is not said to be, is refused",
        arguments: [("[]", "application/json", 400), ("{", "application/json", 400), ("{}", "text/plain", 415)])
    func noObject(body: String, type: String, status: Int) async throws {
        try await Household.with { house in
            let answer = try await house.server.client().send(
                "POST", "/api/v1/users", [house.line("root"), "Content-Type: \(type)"], body: Array(body.utf8))
            #expect(answer.status == status)
        }
    }

    @Test(
        "a parameter that is not known, is there twice or does not fit is refused",
        arguments: ["nn=1", "n=0", "n=1001", "n=x", "n=1&n=2", "after=\(String(repeating: "a", count: 1025))"])
    func parameter(query: String) async throws {
        try await Household.with { house in
            let answer = try await house.send("root", "GET", "/api/v1/users?\(query)")
            #expect(answer.status == 400)
            #expect(try answer.problem()["code"] as? String == "field_invalid")
        }
    }

    @Test("who may not is told so before anything of the request is looked at")
    func order() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            #expect(try await house.send(nil, "POST", "/api/v1/users?x=1", "{").status == 401)
            #expect(try await house.send("ann", "POST", "/api/v1/users?x=1", "{").status == 403)
        }
    }

    @Test("a list's Link leads to its next page, and keeps what was asked for")
    func link() async throws {
        try await Household.with { house in
            try await house.addUsers("anja", "ann", "anton", "hanna")
            var target: String? = "/api/v1/users?n=1&q=an"
            var seen: [String] = []
            while let next = target {
                let answer = try await house.done("root", "GET", next)
                let items = try answer.object()["items"] as? [[String: Any]] ?? []
                seen += items.compactMap { $0["name"] as? String }
                target = answer["Link"].map { String($0.drop { $0 != "/" }.prefix { $0 != ">" }) }
            }
            // The beginning of a word, not any part of one.
            #expect(seen == ["anja", "ann", "anton"])
        }
    }

    @Test("the patterns of names say what the parsers say")
    func patterns() throws {
        let account = try Regex("[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*")
        var random = SystemRandomNumberGenerator()
        let letters = Array("ab0._-A/é")
        for _ in 0..<20_000 {
            let text = String((0..<Int.random(in: 1...6, using: &random)).map { _ in letters.randomElement()! })
            let isName: Bool
            do { _ = try AccountName.parse(text); isName = true } catch { isName = false }
            #expect(isName == (text.wholeMatch(of: account) != nil), "\(text)")
        }
    }
}

@Suite("Sessions at the management API")
struct SessionAPITests {
    private static func logIn(_ house: Household, _ name: String, _ password: String? = nil) async throws -> Answer {
        try await house.send(
            nil, "POST", "/api/v1/auth/login",
            #"{"name":"\#(name)","password":"\#(password ?? Household.password(name))"}"#)
    }

    private static func secrets(_ answer: Answer) throws -> (access: String, refresh: String) {
        let object = try answer.object()
        guard let access = object["access_token"] as? String, let refresh = object["refresh_token"] as? String else {
            throw WireError(description: "no session: \(answer.status) \(answer.text)")
        }
        return ("Authorization: Bearer \(access)", refresh)
    }

    private static func me(_ house: Household, _ line: String) async throws -> Int {
        try await house.server.client().get("/api/v1/auth/me", [line]).status
    }

    @Test("a session is begun by name or address, renewed, and ended; what was before it is over each time")
    func life() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            try await house.done("root", "PATCH", "/api/v1/users/ann", #"{"email":"ann@example.com"}"#)
            #expect(try await Self.logIn(house, "ann", "wrong password").status == 401)
            #expect(try await Self.logIn(house, "nobody", "wrong password").status == 401)
            let first = try Self.secrets(
                await Self.logIn(house, "ann@example.com", Household.password("ann")))
            #expect(try await Self.me(house, first.access) == 200)
            let renewed = try await house.send(
                nil, "POST", "/api/v1/auth/refresh", #"{"refresh_token":"\#(first.refresh)"}"#)
            let second = try Self.secrets(renewed)
            #expect(try await Self.me(house, first.access) == 401)
            #expect(try await Self.me(house, second.access) == 200)
            for path in ["refresh", "logout"] {
                _ = try await house.send(
                    nil, "POST", "/api/v1/auth/\(path)", #"{"refresh_token":"\#(first.refresh)"}"#)
            }
            #expect(try await Self.me(house, second.access) == 200)
            let body = #"{"refresh_token":"\#(second.refresh)"}"#
            #expect(try await house.send(nil, "POST", "/api/v1/auth/logout", body).status == 204)
            #expect(try await Self.me(house, second.access) == 401)
            #expect(try await house.send(nil, "POST", "/api/v1/auth/refresh", body).status == 401)
        }
    }

    @Test("a change of password and being disabled end a session with the next request")
    func end() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            let ann = try Self.secrets(await Self.logIn(house, "ann"))
            let bob = try Self.secrets(await Self.logIn(house, "bob"))
            #expect(try await Self.me(house, ann.access) == 200)
            try await house.done("root", "PUT", "/api/v1/users/ann/password", "{}")
            try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"disabled":true}"#)
            #expect(try await Self.me(house, ann.access) == 401)
            #expect(try await Self.me(house, bob.access) == 401)
            #expect(try await Self.logIn(house, "bob").status == 401)
        }
    }

    @Test("a session is no API key, no refresh token and no way to a token")
    func doors() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            let ann = try Self.secrets(await Self.logIn(house, "ann"))
            let secret = String(ann.access.dropFirst("Authorization: Bearer ".count))
            #expect(try await Self.me(house, Household.basic("ann", secret)) == 401)
            #expect(try await Self.me(house, "X-API-Key: \(secret)") == 401)
            #expect(try await Self.me(house, "Authorization: Bearer \(ann.refresh)") == 401)
            #expect(try await house.server.client().get("/auth/token?service=aerugo", [ann.access]).status == 401)
            let body = #"{"refresh_token":"\#(secret)"}"#
            #expect(try await house.send(nil, "POST", "/api/v1/auth/refresh", body).status == 401)
        }
    }
}
