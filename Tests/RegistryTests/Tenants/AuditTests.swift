import Access
import Foundation
import Model
import Service
import Testing

@Suite("Tenants: the audit", .takesTurns)
struct AuditTests {
    /// The entries of an action, newest first, as they are shown.
    private func events(_ house: Household, _ action: String) async throws -> [[String: Any]] {
        let page = try await house.done("root", "GET", "/api/v1/audit?n=1000").object()
        return (page["items"] as? [[String: Any]] ?? []).filter { $0["action"] as? String == action }
    }

    @Test("a login is written down once an hour for each credential and address, a kept one always, and its end")
    func logins() async throws {
        let time = TestClocks()
        try await TestServer.with(policy: .accounts, clocks: time.clocks) { server in
            _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: Household.rootPassword)
            let house = Household(server: server)
            try await house.addUsers("ann")
            let made = try await house.done("ann", "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
            let key = Household.basic("ann", try #require(made["secret"] as? String))
            for _ in 0..<5 {
                for line in [house.line("ann"), key] {
                    #expect(try await house.server.client().get("/v2/", [line]).status == 200)
                }
                // What is remembered of them is over.
                time.pass(.seconds(60))
            }
            let first = try await events(house, "login").filter { $0["subject"] as? String == "ann" }
            #expect(first.count == 2)
            #expect(first.allSatisfy { $0["who"] as? String == "ann" && $0["outcome"] as? String == "done" })
            #expect(first.allSatisfy { ($0["request_id"] as? String)?.isEmpty == false })
            #expect(first.allSatisfy { $0["address"] as? String == "127.0.0.1" })
            time.pass(.seconds(3600))
            #expect(try await house.server.client().get("/v2/", [key]).status == 200)
            #expect(try await events(house, "login").filter { $0["subject"] as? String == "ann" }.count == 3)
            for _ in 0..<2 {
                let kept = try await house.token(key, [], "&offline_token=true&client_id=docker")
                let form = "token=\(kept["refresh_token"] as? String ?? "")"
                #expect(
                    try await house.server.client().send("POST", "/auth/logout", body: Array(form.utf8)).status == 204)
            }
            let kept = try await events(house, "login.keep")
            #expect(kept.count == 2)
            #expect(kept.first?["detail"] as? String == "docker")
            #expect(try await events(house, "logout").count == 2)
        }
    }

    @Test("what is done with a robot's key is in its organization's audit, under the name that it logs in by")
    func keys() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            _ = try await house.done("ann", "POST", "/api/v1/organizations", #"{"name":"acme"}"#)
            _ = try await house.done("ann", "POST", "/api/v1/organizations/acme/robots", #"{"name":"ci"}"#)
            let made = try await house.done(
                "ann", "POST", "/api/v1/organizations/acme/robots/ci/keys", #"{"name":"k"}"#
            ).object()
            let id = try #require(made["id"] as? String)
            _ = try await house.done("ann", "DELETE", "/api/v1/organizations/acme/robots/ci/keys/\(id)")
            _ = try await house.done("bob", "POST", "/api/v1/keys", #"{"name":"mine"}"#)
            let page = try await house.done("ann", "GET", "/api/v1/organizations/acme/audit").object()
            let told = (page["items"] as? [[String: Any]] ?? []).compactMap { entry -> String? in
                guard let action = entry["action"] as? String, action.hasPrefix("key.") else { return nil }
                return "\(action) \(entry["subject"] as? String ?? "")"
            }
            #expect(told == ["key.delete acme+ci k", "key.create acme+ci k"])
            #expect(try await events(house, "key.create").first?["subject"] as? String == "bob mine")
        }
    }

    @Test("a refusal has the id of its request, and many that are alike are one entry with their number")
    func refusals() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            #expect(try await house.push("ann", "ann/a") == 201)
            let client = house.server.client()
            let refused = try await client.get("/v2/", [Household.basic("ann", "wrong")])
            #expect(refused.status == 401)
            let entry = try #require(try await events(house, "login").first { $0["outcome"] as? String == "refused" })
            #expect(entry["request_id"] as? String == refused["X-Request-Id"])
            #expect(entry["subject"] as? String == "ann")
            let denied = try await client.delete("/v2/ann/a/manifests/t", by: house.line("eve"))
            #expect(denied.status == 403)
            let request = try #require(try await events(house, "request").first)
            #expect(request["request_id"] as? String == denied["X-Request-Id"])
            #expect(request["who"] as? String == "eve")
            #expect(request["subject"] as? String == "DELETE /v2/ann/a/manifests/t")
            let caller = Caller(.anonymous, Sender(address: "192.0.2.1", requestID: "r"))
            for _ in 0..<1000 { house.server.accounts.audit.refused(caller, "request", "many") }
            let many = try await events(house, "request").filter { $0["subject"] as? String == "many" }
            #expect(many.count == 1)
            #expect(many.first?["detail"] as? String == "1000 times")
            for index in 0..<10_000 { house.server.accounts.audit.refused(caller, "request", "other \(index)") }
            #expect(try await events(house, "request").count < 1000)
            let dropped = try #require(try await events(house, "audit.dropped").last?["subject"] as? String)
            #expect(dropped.hasSuffix(" entries"))
        }
    }

    @Test("entries that are older than they are to get go, and logins that have expired; too many kept ones end")
    func expiry() async throws {
        let time = TestClocks()
        try await TestServer.with(policy: .accounts, clocks: time.clocks) { server in
            _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: Household.rootPassword)
            let house = Household(server: server)
            let made = try await house.done("root", "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
            let key = Household.basic("root", try #require(made["secret"] as? String))
            func refreshed(_ token: String?) async throws -> Int {
                let form = "grant_type=refresh_token&refresh_token=\(token ?? "")"
                return try await server.client().send("POST", "/auth/token", body: Array(form.utf8)).status
            }
            let first = try await house.token(key, [], "&offline_token=true")["refresh_token"] as? String
            #expect(try await refreshed(first) == 200)
            time.pass(.seconds(1))
            for _ in 0..<1000 { _ = try await house.token(key, [], "&offline_token=true") }
            #expect(try await refreshed(first) == 401, "a thousand others were kept since")
            time.pass(.seconds(366 * 86_400))
            await server.accounts.audit.expire()
            await server.accounts.logins.expire()
            #expect(try await events(house, "login.keep").isEmpty)
            #expect(try await !events(house, "login").isEmpty, "the one that asks")
        }
    }
}

extension Client {
    fileprivate func delete(_ target: String, by line: String) async throws -> Answer {
        try await send("DELETE", target, [line])
    }
}
