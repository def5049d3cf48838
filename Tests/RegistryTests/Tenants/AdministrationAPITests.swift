import Foundation
import HTTP
import Model
import Testing

@Suite("The management API: changes, audit, system, pages of other origins")
struct AdministrationAPITests {
    @Test(
        "a change with If-Match goes through where nothing has changed since, and else changes nothing",
        arguments: [
            ("/api/v1/users/ann", #"{"email":"a@example.com"}"#, #"{"email":"b@example.com"}"#),
            ("/api/v1/organizations/acme", #"{"description":"one"}"#, #"{"description":"two"}"#),
            ("/api/v1/repositories/acme%2Fapp", #"{"description":"one"}"#, #"{"description":"two"}"#),
        ])
    func ifMatch(target: String, one: String, two: String) async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            try await house.addOrganization("acme", owner: "ann")
            #expect(try await house.push("ann", "acme/app") == 201)
            let client = house.server.client()
            func patch(_ tag: String, _ body: String) async throws -> Answer {
                let answer = try await client.send(
                    "PATCH", target, [house.line("root"), "If-Match: \(tag)"], body: Array(body.utf8))
                try Contract.check(answer, to: "PATCH", target)
                return answer
            }
            let tag = try #require(try await house.done("root", "GET", target)["ETag"])
            let changed = try await patch(tag, one)
            #expect(changed.status == 200)
            #expect(try await patch(tag, two).status == 412)
            #expect(try await house.done("root", "GET", target)["ETag"] == changed["ETag"])
            #expect(try await patch(try #require(changed["ETag"]), two).status == 200)
            #expect(try await patch("*", one).status == 200)
            #expect(try await house.done("root", "GET", target)["ETag"] == changed["ETag"])
        }
    }

    @Test("of many who change the same with one If-Match, one does")
    func race() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            let tag = try #require(try await house.done("root", "GET", "/api/v1/users/ann")["ETag"])
            let line = house.line("root")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        try await house.server.client().send(
                            "PATCH", "/api/v1/users/ann", [line, "If-Match: \(tag)"],
                            body: Array(#"{"email":"\#(number)@example.com"}"#.utf8)
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count == 1 && statuses.filter { $0 == 412 }.count == 7)
        }
    }

    @Test(
        "an address of an organization is one of the web, or nothing",
        arguments: ["javascript:alert(1)", "https://", "http://a b"])
    func address(text: String) async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            try await house.addOrganization("acme", owner: "ann")
            let path = "/api/v1/organizations/acme"
            #expect(try await house.send("ann", "PATCH", path, #"{"website":"\#(text)"}"#).status == 400)
            try await house.done("ann", "PATCH", path, #"{"website":"https://example.com/x"}"#)
            #expect(try await house.done("ann", "PATCH", path, #"{"website":""}"#).object()["website"] as? String == "")
        }
    }

    @Test("an organization goes with all that it has where its name is said, and nothing of it comes back")
    func confirmed() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            try await house.addOrganization("acme", owner: "ann")
            #expect(try await house.push("ann", "acme/app") == 201)
            let path = "/api/v1/organizations/acme"
            #expect(try await house.send("ann", "DELETE", path).status == 409)
            #expect(try await house.send("ann", "DELETE", "\(path)?confirm=other").status == 409)
            try await house.done("ann", "DELETE", "\(path)?confirm=acme")
            #expect(try await house.pull(by: house.line("ann"), "acme/app") == 404)
            try await house.addOrganization("acme", owner: "bob")
            #expect(
                try await house.send("bob", "POST", "/api/v1/repositories/acme%2Fapp/restore").status == 404)
            await house.server.registry.sweepOnce()
            #expect(try await house.push("bob", "acme/app", "new") == 201)
            #expect(try await house.pull(by: house.line("bob"), "acme/app", "t") == 404)
        }
    }

    @Test("the audit is asked by what, who, how it ended and when, and comes as lines too")
    func audit() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            try await house.addOrganization("acme", owner: "ann", ["bob": "reader"])
            func actions(_ query: String) async throws -> [String] {
                let answer = try await house.done("root", "GET", "/api/v1/audit?\(query)")
                let items = try answer.object()["items"] as? [[String: Any]] ?? []
                return items.compactMap { $0["action"] as? String }
            }
            #expect(try await actions("action=user.create") == ["user.create", "user.create", "user.create"])
            #expect(try await actions("who=ann&n=1") == ["member.set"])
            #expect(try await actions("who=ann&until=2020-01-01T00:00:00Z").isEmpty)
            #expect(try await actions("since=2020-01-01T00:00:00Z&outcome=done&action=member.set").count == 1)
            let lines = try await house.server.client().get(
                "/api/v1/audit?format=ndjson&n=2", [house.line("root")])
            #expect(lines["Content-Type"] == "application/x-ndjson" && lines["Link"] != nil)
            let parsed = try lines.text.split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
            #expect(parsed.count == 2 && parsed.allSatisfy { $0?["request_id"] != nil })
        }
    }

    @Test("the system says what it is, whether its parts work and how much there is, and no path of the machine")
    func system() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/app") == 201)
            let numbers = try await house.done("root", "GET", "/api/v1/system/statistics").object()
            #expect(numbers["users"] as? Int == 2 && numbers["repositories"] as? Int == 1)
            #expect(numbers["bytes"] as? Int == Content.config.count + Content.image().count)
            let parts = try await house.done("root", "GET", "/api/v1/system/health").object()["items"]
            #expect((parts as? [[String: Any]])?.allSatisfy { $0["works"] as? Bool == true } == true)
            try await house.done("ann", "GET", "/api/v1/system/info")
            for path in ["statistics", "health", "settings"] {
                #expect(try await house.send("ann", "GET", "/api/v1/system/\(path)").status == 403)
            }
            try await house.done("root", "GET", "/api/v1/system/settings")
        }
    }

    @Test("the names of repositories that went with their organization are free at once for who makes it again")
    func namesAgain() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            for _ in 0..<2 {
                try await house.addOrganization("acme", owner: "ann")
                try await house.done("ann", "POST", "/api/v1/repositories", #"{"name":"acme/app"}"#)
                #expect(try await house.push("ann", "acme/app") == 201)
                try await house.done("ann", "DELETE", "/api/v1/organizations/acme?confirm=acme")
            }
        }
    }

    @Test("pages of origins that were named may use the API and read images; others see nothing")
    func crossOrigin() async throws {
        var http = HTTPSettings()
        http.corsOrigins = ["https://ui.example.com"]
        try await TestServer.with(http: http, policy: .accounts) { server in
            let client = server.client()
            func ask(_ path: String, _ method: String, _ origin: String) async throws -> String? {
                let answer = try await client.send(
                    "OPTIONS", path, ["Origin: \(origin)", "Access-Control-Request-Method: \(method)"])
                return answer["Access-Control-Allow-Origin"]
            }
            let own = "https://ui.example.com"
            #expect(try await ask("/api/v1/users", "POST", own) == own)
            #expect(try await ask("/api/v1/users", "DELETE", own) == nil)
            #expect(try await ask("/api/v1/users", "POST", "https://evil.example.com") == nil)
            #expect(try await ask("/v2/a/b/manifests/t", "GET", own) == own)
            #expect(try await ask("/v2/a/b/manifests/t", "PUT", own) == nil)
            #expect(try await ask("/nothing", "GET", own) == nil)
            for (site, status) in [(own, 401), ("https://evil.example.com", 403)] {
                let answer = try await client.send(
                    "POST", "/api/v1/users", ["Origin: \(site)", "Content-Type: application/json"],
                    body: Array("{}".utf8))
                #expect(answer.status == status, "\(site)")
            }
            let refused = try await client.get("/api/v1/users", ["Origin: \(own)"])
            #expect(refused.status == 401 && refused["Access-Control-Allow-Origin"] == own)
            let other = try await client.get("/api/v1/users", ["Origin: null"])
            #expect(other["Access-Control-Allow-Origin"] == nil && other.all("Vary").contains("Origin"))
            #expect(try await client.get("/api/v1/users")["Access-Control-Allow-Origin"] == nil)
        }
        try await TestServer.with(policy: .accounts) { server in
            let answer = try await server.client().send(
                "OPTIONS", "/api/v1/users", ["Origin: https://a.example", "Access-Control-Request-Method: GET"])
            #expect(answer.status == 405 && answer["Access-Control-Allow-Origin"] == nil)
        }
    }

    @Test("the page that describes the API has nothing from elsewhere and names every operation")
    func page() async throws {
        try await Household.with { house in
            let page = try await house.server.client().get("/api/docs")
            #expect(page.status == 200 && page["Content-Type"] == "text/html; charset=utf-8")
            for operation in OperationTable.all.operations where operation.errorStyle == .problem {
                #expect(page.text.contains(#"id="\#(operation.spec)""#), "\(operation.spec)")
            }
            for outside in ["<script", "src=", "url(", "@import", "https://"] {
                #expect(!page.text.contains(outside), "\(outside)")
            }
        }
    }
}
