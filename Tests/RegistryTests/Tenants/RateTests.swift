import Access
import Foundation
import HTTP
import Model
import Runtime
import Synchronization
import Testing

@Suite("Tenants: time and rates", .takesTurns)
struct RateTests {
    @Test("who asks more often than the limit is told how long to wait; others and other kinds of requests are not")
    func limits() async throws {
        var settings = HTTPSettings()
        settings.rates = [.list: 3]
        try await TestServer.with(http: settings) { server in
            let client = server.client()
            for left in ["2", "1", "0"] {
                let answer = try await client.get("/v2/_catalog")
                #expect(answer.status == 200)
                #expect(answer["RateLimit-Limit"] == "3")
                #expect(answer["RateLimit-Remaining"] == left)
                #expect(Int(answer["RateLimit-Reset"] ?? "").map { (1...60).contains($0) } == true)
            }
            let answer = try await client.get("/v2/_catalog")
            #expect(answer.status == 429)
            #expect(answer["RateLimit-Limit"] == "3")
            #expect(answer["RateLimit-Remaining"] == "0")
            #expect(Int(answer["Retry-After"] ?? "").map { (1...60).contains($0) } == true)
            let other = try await client.get("/v2/")
            #expect(other.status == 200)
            #expect(other["RateLimit-Limit"] == nil)
            #expect(try await client.get("/healthz").status == 200)
        }
    }

    @Test("a token of a key ends with the key, also when the token was remembered")
    func expiry() async throws {
        let passed = Mutex(Duration.zero)
        let clocks = Clocks(
            wall: { Clocks.system.wall() + passed.withLock { $0 } },
            uptime: { Clocks.system.uptime() + passed.withLock { $0 } })
        let server = try await TestServer.start(policy: .accounts, clocks: clocks)
        _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: Household.rootPassword)
        let house = Household(server: server)
        try await house.addUsers("ann")
        #expect(try await house.push("ann", "ann/a") == 201)
        let end = (clocks.wall() + .seconds(600)).rfc3339
        let key = try await house.done("ann", "POST", "/api/v1/keys", #"{"name":"k","expires_at":"\#(end)"}"#).object()
        let line = Household.basic("ann", key["secret"] as? String ?? "")
        let token = try await house.bearer(line, "repository:ann/a:pull")
        for credentials in [line, token] { #expect(try await house.pull(by: credentials, "ann/a") == 200) }
        passed.withLock { $0 = .seconds(620) }
        for credentials in [line, token] { #expect(try await house.pull(by: credentials, "ann/a") == 401) }
        try await server.server.shutDown()
    }
}
