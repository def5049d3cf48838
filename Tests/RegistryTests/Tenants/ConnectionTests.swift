import Foundation
import Model
import Testing

/// What a connection remembers of who came last must never count for more than asking again would.
@Suite("Tenants: many requests on one connection", .takesTurns)
struct ConnectionTests {
    @Test("each request is its own credentials', whoever came on the connection before")
    func turns() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            for name in ["ann/a", "bob/b"] { #expect(try await house.push(String(name.prefix(3)), name) == 201) }
            let client = house.server.client()
            func key(_ who: String) async throws -> String {
                let made = try await house.done(who, "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
                return try #require(made["secret"] as? String)
            }
            let (first, second) = (try await key("ann"), try await key("bob"))
            let lines = [
                [house.line("ann")], [house.line("bob")], [Household.basic("ann", first)], ["X-API-Key: \(first)"],
                ["X-API-Key: \(second)"], [try await house.bearer(house.line("ann"), "repository:ann/a:pull")],
                [try await house.bearer(house.line("bob"), "repository:bob/b:pull")], [],
                // Authorization counts for more.
                [house.line("bob"), "X-API-Key: \(first)"], [house.line("ann"), "X-API-Key: \(second)"],
            ]
            let isAnns = [true, false, true, true, false, true, false, nil, false, true]
            var random = SystemRandomNumberGenerator()
            for _ in 0..<200 {
                let turn = Int.random(in: 0..<lines.count, using: &random)
                for (path, own) in [("ann/a", true), ("bob/b", false)] {
                    let status = try await client.get("/v2/\(path)/manifests/t", lines[turn]).status
                    let wanted = isAnns[turn].map { $0 == own ? [200] : [404, 401] } ?? [401]
                    #expect(wanted.contains(status), "\(turn) \(path): \(status)")
                }
            }
            // What differs in the last byte alone, or is a beginning of the other, is another.
            let good = lines[5][0]
            for _ in 0..<3 { #expect(try await client.get("/v2/ann/a/manifests/t", [good]).status == 200) }
            for bad in [String(good.dropLast()), good + "A", String(good.dropLast()) + "_"] where bad != good {
                #expect(try await client.get("/v2/ann/a/manifests/t", [bad]).status == 401)
                #expect(try await client.get("/v2/ann/a/manifests/t", [good]).status == 200)
            }
        }
    }

    @Test("what is taken away is gone with the next request of the same connection")
    func revocation() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            #expect(try await house.push("ann", "ann/a") == 201)
            let permission = "/api/v1/repositories/ann%2Fa/permissions/user:bob"
            try await house.done("ann", "PUT", permission, #"{"actions":["pull"]}"#)
            let made = try await house.done("bob", "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
            let (id, secret) = (try #require(made["id"] as? String), try #require(made["secret"] as? String))
            let keyed = try await house.bearer(Household.basic("bob", secret), "repository:ann/a:pull")
            let lines = [house.line("bob"), Household.basic("bob", secret), "X-API-Key: \(secret)", keyed]
            let clients = lines.map { _ in house.server.client() }
            func expect(_ statuses: [Int], _ why: Comment) async throws {
                for (client, (line, status)) in zip(clients, zip(lines, statuses)) {
                    // Failures are counted, and a few are enough to have to wait.
                    for _ in 0..<(status == 401 ? 1 : 3) {
                        #expect(try await client.get("/v2/ann/a/manifests/t", [line]).status == status, why)
                    }
                }
            }
            try await expect([200, 200, 200, 200], "at first")
            try await house.done("ann", "DELETE", permission)
            try await expect([404, 404, 404, 404], "the permission is gone")
            try await house.done("ann", "PUT", permission, #"{"actions":["pull"]}"#)
            try await expect([200, 200, 200, 200], "and there again")
            try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"disabled":true}"#)
            try await expect([401, 401, 401, 401], "disabled")
            try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"disabled":false}"#)
            try await expect([200, 200, 200, 200], "enabled")
            try await house.done("bob", "DELETE", "/api/v1/keys/\(id)")
            try await expect([200, 401, 401, 401], "the key is gone")
            try await house.done("root", "PUT", "/api/v1/users/bob/password", #"{"password":"another one"}"#)
            try await expect([401, 401, 401, 401], "another password")
        }
    }

    @Test("a token and a key end with their time, on a connection that has used them all along")
    func expiry() async throws {
        let time = TestClocks()
        try await TestServer.with(policy: .accounts, clocks: time.clocks) { server in
            _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: Household.rootPassword)
            let house = Household(server: server)
            #expect(try await house.push("root", "root/a") == 201)
            let end = (time.clocks.wall() + .seconds(600)).rfc3339
            let made = try await house.done("root", "POST", "/api/v1/keys", #"{"name":"k","expires_at":"\#(end)"}"#)
            let key = Household.basic("root", try #require(try made.object()["secret"] as? String))
            let token = try await house.bearer(house.line("root"), "repository:root/a:pull")
            let clients = [key, token].map { ($0, house.server.client()) }
            func statuses() async throws -> [Int] {
                var found: [Int] = []
                for (line, client) in clients {
                    _ = try await client.get("/v2/root/a/manifests/t", [line])
                    found.append(try await client.get("/v2/root/a/manifests/t", [line]).status)
                }
                return found
            }
            #expect(try await statuses() == [200, 200])
            // What is remembered of a key is so no longer than the key lasts.
            time.pass(.seconds(595))
            #expect(try await statuses() == [200, 200])
            time.pass(.seconds(6))
            #expect(try await statuses() == [401, 200])
            time.pass(.seconds(3600 + 90 - 601 - 1))
            #expect(try await statuses() == [401, 200])
            time.pass(.seconds(2))
            #expect(try await statuses() == [401, 401])
        }
    }
}
