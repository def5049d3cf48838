import Access
import Foundation
import HTTP
import MemoryDriver
import RedisDriver
import Runtime
import Service
import Store
import TestServers
import Testing

/// Two nodes on one PostgreSQL and one Redis, which count together.
@Suite(
    "What nodes count together",
    .enabled(
        if: Engine.variable("AERUGO_TEST_POSTGRES") != nil && Engine.variable("AERUGO_TEST_REDIS") != nil,
        "AERUGO_TEST_POSTGRES or AERUGO_TEST_REDIS names no server"), .takesTurns)
struct SharedCounterTests {
    private static func withNodes(
        _ http: HTTPSettings = .init(), _ body: ([Household], RedisServer) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let redis = try await RedisServer(scratch.path)
        defer { redis.kill() }
        let schema = try await Engine.schema()
        let blobs = MemoryBlobStore()
        defer { blobs.close() }
        var nodes: [Household] = []
        for _ in 0..<2 {
            let (database, versions) = try await Engine.node(of: schema)
            var settings = RedisSettings()
            (settings.host, settings.password) = (redis.socket, RedisServer.password)
            (settings.connectTime, settings.commandTime) = (.seconds(60), .seconds(60))
            nodes.append(
                Household(
                    server: try await TestServer.start(
                        http: http, blobs: blobs, policy: .accounts, database: database, versions: versions,
                        cache: await RedisCache.open(settings))))
        }
        let result: Result<Void, any Error>
        do {
            _ = try await nodes[0].server.accounts.users.addFirstAdministrator(
                .parse("root"), password: Household.rootPassword)
            result = .success(try await body(nodes, redis))
        } catch {
            result = .failure(error)
        }
        for node in nodes { try await node.server.server.shutDown() }
        try result.get()
    }

    /// The status of a login.
    private static func logIn(_ name: String, _ secret: String, _ node: Household) async throws -> Int {
        try await node.server.client().get("/v2/", [Household.basic(name, secret)]).status
    }

    @Test("failed logins at one node are failures at the other, too; without Redis each counts its own")
    func logins() async throws {
        try await Self.withNodes { nodes, redis in
            try await nodes[0].addUsers("ann", "bob", "cid")
            for round in 0..<6 { #expect(try await Self.logIn("ann", "wrong", nodes[round % 2]) == 401) }
            // Of six five are free, and the one beyond costs a second, the next one two. Neither node alone has counted six.
            var statuses: [Int] = []
            for round in 0..<6 { statuses.append(try await Self.logIn("ann", "wrong", nodes[round % 2])) }
            #expect(statuses.contains(429), "\(statuses)")
            redis.kill()
            for node in nodes {
                #expect(try await Self.logIn("cid", Household.password("cid"), node) == 200)
                for _ in 0..<6 { #expect(try await Self.logIn("bob", "wrong", node) == 401) }
                statuses = []
                for _ in 0..<5 { statuses.append(try await Self.logIn("bob", "wrong", node)) }
                #expect(statuses.contains(429), "\(statuses)")
            }
        }
    }

    @Test("the right password at one node clears what was wrong at the other")
    func success() async throws {
        try await Self.withNodes { nodes, _ in
            try await nodes[0].addUsers("ann")
            for _ in 0..<3 { #expect(try await Self.logIn("ann", "wrong", nodes[0]) == 401) }
            #expect(try await Self.logIn("ann", Household.password("ann"), nodes[1]) == 200)
            // Four since then, seven in all.
            for round in 0..<4 { #expect(try await Self.logIn("ann", "wrong", nodes[round % 2]) == 401) }
        }
    }

    @Test("requests at one node count against the rate at the other, too; without Redis each counts its own")
    func rates() async throws {
        var http = HTTPSettings()
        http.rates = [.list: 4]
        try await Self.withNodes(http) { nodes, redis in
            try await nodes[0].addUsers("ann", "bob")
            func list(_ name: String, _ node: Household) async throws -> Answer {
                try await node.server.client().get("/v2/_catalog", [node.line(name)])
            }
            for round in 0..<4 {
                let answer = try await list("ann", nodes[round % 2])
                #expect(answer.status == 200 && answer["RateLimit-Remaining"] == "\(3 - round)")
            }
            for node in nodes {
                let answer = try await list("ann", node)
                #expect(answer.status == 429 && answer["RateLimit-Remaining"] == "0" && answer["Retry-After"] != nil)
            }
            // Another one is counted apart.
            #expect(try await list("bob", nodes[0]).status == 200)
            redis.kill()
            // Two of four each, as each knows; what was refused for the other's sake has cost nothing here.
            for node in nodes {
                for _ in 0..<2 { #expect(try await list("ann", node).status == 200) }
                #expect(try await list("ann", node).status == 429)
            }
        }
    }
}
