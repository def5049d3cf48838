import Access
import Foundation
import HTTP
import MemoryDriver
import Model
import RedisDriver
import Runtime
import SQLiteDriver
import Service
import Store
import TestServers
import Testing

/// A registry that keeps hardly a manifest itself, with a Redis of its own.
private struct SharingRegistry {
    let server: TestServer
    let redis: RedisServer
    let database: any SQLDatabase
    let cache: RedisCache

    static func with(
        policy: Policy = .open, _ change: (inout RedisSettings) -> Void = { _ in },
        _ body: (SharingRegistry) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let redis = try await RedisServer(scratch.path)
        defer { redis.kill() }
        let cache = await RedisCache.open(settings(redis, change))
        let engine = try await Engine.empty()
        var limits = Registry.Limits()
        limits.manifestCache = 0
        let server = try await TestServer.start(
            limits: limits, policy: policy, database: engine.database, versions: engine.versions, cache: cache)
        let result: Result<Void, any Error>
        do {
            let registry = SharingRegistry(server: server, redis: redis, database: engine.database, cache: cache)
            result = .success(try await body(registry))
        } catch {
            result = .failure(error)
        }
        try await server.server.shutDown()
        try result.get()
    }

    /// Patient enough for a machine that is busy.
    static func settings(_ redis: RedisServer, _ change: (inout RedisSettings) -> Void = { _ in }) -> RedisSettings {
        var settings = RedisSettings()
        (settings.host, settings.password) = (redis.socket, RedisServer.password)
        (settings.connectTime, settings.commandTime) = (.seconds(60), .seconds(60))
        change(&settings)
        return settings
    }

    static func manifest(_ mark: String, padding: Int = 0) -> String {
        let more = String(repeating: "x", count: padding)
        return
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"m":"\#(mark)\#(more)"}}"#
    }

    func push(_ tag: String, _ content: String) async throws {
        let answer = try await server.client().send(
            "PUT", "/v2/n/r/manifests/\(tag)", ["Content-Type: application/vnd.oci.image.index.v1+json"],
            body: Array(content.utf8))
        guard answer.status == 201 else { throw WireError(description: "push: \(answer.status) \(answer.text)") }
    }

    func pull(_ tag: String) async throws -> String {
        let answer = try await server.client().send("GET", "/v2/n/r/manifests/\(tag)")
        return answer.status == 200 ? answer.text : "\(answer.status)"
    }

    /// Pushes a few, and waits until Redis has them.
    func fill(_ count: Int = 3) async throws {
        for index in 0..<count { try await push("t\(index)", Self.manifest("\(index)")) }
        try await eventually("Redis has all") { try await keys().count >= count }
    }

    func keys() async throws -> [String] {
        try await redis.cli("KEYS", "aerugo:manifest:*").split(separator: "\n").map(String.init)
    }

    /// Takes the truth's bytes away, so that who gives them has them from elsewhere.
    func spoilTruth() async throws {
        _ = try await database.write { (db) throws(StoreError) in
            try db.execute("UPDATE manifests SET bytes = $1", [.bytes([0])])
        }
    }
}

@Suite(
    "Manifests that nodes share",
    .enabled(if: Engine.variable("AERUGO_TEST_REDIS") != nil, "AERUGO_TEST_REDIS names no server"), .takesTurns)
struct SharedCacheTests {
    @Test("what one node has pushed every other one has from the cache, and what was deleted is gone all the same")
    func content() async throws {
        try await SharingRegistry.with { registry in
            try await registry.fill()
            try await registry.spoilTruth()
            for _ in 0..<3 {
                for index in 0..<3 {
                    #expect(try await registry.pull("t\(index)") == SharingRegistry.manifest("\(index)"))
                }
            }
            #expect(try await registry.server.client().send("DELETE", "/v2/n/r/manifests/t1").status == 202)
            #expect(try await registry.pull("t1") == "404")
            #expect(try await registry.pull("t2") == SharingRegistry.manifest("2"))
        }
    }

    @Test("a cache that lies is found out, and put right", arguments: ["", "x", "{}"])
    func lies(value: String) async throws {
        try await SharingRegistry.with { registry in
            try await registry.fill()
            let length = SharingRegistry.manifest("0").utf8.count
            for key in try await registry.keys() {
                // One that is as long as the right one, too.
                let lie = value == "x" ? String(repeating: "x", count: length) : value
                _ = try await registry.redis.cli("SET", key, lie)
            }
            for _ in 0..<3 {
                for index in 0..<3 {
                    #expect(try await registry.pull("t\(index)") == SharingRegistry.manifest("\(index)"))
                }
            }
            try await eventually("Redis has the truth again") {
                let contents = try await registry.redis.contents().filter { $0.key.contains("manifest") }
                return contents.allSatisfy { $0.key == "aerugo:manifest:" + Content.digest(Array($0.value.utf8)) }
            }
            // Others' values under a digest are lies, too.
            let all = try await registry.redis.contents().filter { $0.key.contains("manifest") }
            for (one, other) in zip(all, all.reversed()) {
                _ = try await registry.redis.cli("SET", one.key, other.value)
            }
            for index in 0..<3 {
                #expect(try await registry.pull("t\(index)") == SharingRegistry.manifest("\(index)"))
            }
        }
    }

    @Test("what is too large is not kept there, and ends of what is are spread over hours")
    func sizes() async throws {
        try await SharingRegistry.with(policy: .open, { $0.largestValue = 1000 }) { registry in
            let large = SharingRegistry.manifest("large", padding: 2000)
            try await registry.push("large", large)
            try await registry.fill(8)
            #expect(try await registry.pull("large") == large)
            let keys = try await registry.keys()
            #expect(keys.count == 8 && !keys.contains("aerugo:manifest:" + Content.digest(Array(large.utf8))))
            var lives: [Int] = []
            for key in keys { lives.append(try #require(Int(try await registry.redis.cli("TTL", key)))) }
            #expect(lives.allSatisfy { (60_000...86_400).contains($0) })
            #expect(Set(lives).count > 1)
        }
    }

    @Test("a cache that is killed, or comes back empty, is no more than slower; health says so, readiness does not")
    func killed() async throws {
        try await SharingRegistry.with { registry in
            try await registry.fill()
            let client = registry.server.client()
            registry.redis.kill()
            for _ in 0..<20 {
                for index in 0..<3 {
                    #expect(try await registry.pull("t\(index)") == SharingRegistry.manifest("\(index)"))
                }
            }
            try await registry.push("t0", SharingRegistry.manifest("new"))
            #expect(try await registry.pull("t0") == SharingRegistry.manifest("new"))
            #expect(try await client.get("/readyz").status == 200)
            let part = await registry.server.registry.components().first { $0.name == "cache (redis)" }
            #expect(part?.fault?.isEmpty == false)
            try await registry.redis.start()
            var turn = 0
            try await eventually("it is used again") {
                turn += 1
                try await registry.push("t1", SharingRegistry.manifest("again \(turn)"))
                return try await !registry.keys().isEmpty
            }
            try await eventually("it is well") {
                await registry.server.registry.components().allSatisfy { $0.fault == nil }
            }
        }
    }

    @Test("a cache that stands still is waited for no longer than its deadline, and then not at all")
    func paused() async throws {
        try await SharingRegistry.with(policy: .open, { $0.commandTime = .seconds(5) }) { registry in
            try await registry.fill()
            registry.redis.pause()
            // A pull that waits for the deadline takes that long; one that a busy machine makes slow does not.
            var waits = 0
            for round in 0..<200 {
                let began = ContinuousClock.now
                #expect(try await registry.pull("t\(round % 3)") == SharingRegistry.manifest("\(round % 3)"))
                if ContinuousClock.now - began >= .seconds(5) { waits += 1 }
            }
            #expect(waits < 20)
            registry.redis.resume()
            try await eventually("it is well") { registry.cache.fault == nil }
        }
    }

    @Test("nothing that anybody logs in with, and no name or address, is in the cache, whatever is typed where")
    func secrets() async throws {
        try await SharingRegistry.with(policy: .accounts) { registry in
            let server = registry.server
            _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: Household.rootPassword)
            let house = Household(server: server)
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/app") == 201)
            let key = try await house.done("ann", "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
            let secret = try #require(key["secret"] as? String)
            let token = try await house.bearer(house.line("ann"), "repository:ann/app:pull")
            let refresh =
                try await house.token(house.line("ann"), [], "&offline_token=true")["refresh_token"] as? String
            let lines = [
                token, Household.basic("ann", secret), Household.basic("ann", "wrong-password"),
                Household.basic("a-password-for-a-name", "x"), Household.basic("ann", secret + "x"),
                Household.basic("ann", "wrong-password"),
            ]
            for line in lines { _ = try await house.pull(by: line, "ann/app") }
            let contents = try await registry.redis.contents()
            #expect(contents.contains { $0.key.hasPrefix("aerugo:failures:") })
            #expect(contents.contains { $0.key.hasPrefix("aerugo:known:") })
            let planted = [
                "ann", "root", "127.0.0.1", "2130706433", "16777343", "password", "a-password-for-a-name", secret,
                String(secret.prefix(8)), Household.rootPassword, Household.password("ann"), try #require(refresh),
                String(token.dropFirst(22)),
            ]
            for (key, value) in contents where !key.hasPrefix("aerugo:manifest:") {
                for text in planted { #expect(!key.contains(text) && !value.contains(text), "\(key) \(value)") }
                #expect(key.wholeMatch(of: /aerugo:(failures|block|known|rate):[0-9a-f]{64}/) != nil)
                let isNumber = value.allSatisfy { $0.isNumber }
                #expect(isNumber, "\(key) \(value)")
            }
        }
    }
}
