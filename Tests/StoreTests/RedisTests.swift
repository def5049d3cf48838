import Foundation
import RedisDriver
import Runtime
import Store
import Synchronization
import TestServers
import Testing

/// The server that `ci/services start redis` names.
enum Redis {
    static let url = ProcessInfo.processInfo.environment["AERUGO_TEST_REDIS"]
    static let missing: Comment = #"AERUGO_TEST_REDIS names no server: eval "$(ci/services start)""#

    /// Patient enough for a machine that is busy.
    static func settings() throws -> RedisSettings {
        let url = try #require(url)
        let parts = try #require(URLComponents(string: url))
        var settings = RedisSettings()
        settings.host = parts.host ?? ""
        settings.port = parts.port ?? 0
        settings.password = parts.password ?? ""
        (settings.connectTime, settings.commandTime) = (.seconds(60), .seconds(60))
        return settings
    }

    /// A key that no other test has.
    static func key() -> String { "test:\(IDSource().token())" }
}

@Suite("Redis", .enabled(if: Redis.url != nil, Redis.missing))
struct RedisTests {
    private static func open(_ change: (inout RedisSettings) -> Void = { _ in }) async throws -> RedisCache {
        var settings = try Redis.settings()
        change(&settings)
        let cache = await RedisCache.open(settings)
        try await cache.check()
        return cache
    }

    /// What is told comes some time.
    private static func keep(_ value: [UInt8], _ key: String, _ cache: RedisCache) async throws {
        cache.keep(value, for: key, life: .seconds(600))
        try await eventually { await cache.value(for: key) == value }
    }

    @Test("what is kept is there, whatever its bytes are, for every node")
    func values() async throws {
        let (one, other) = (try await Self.open(), try await Self.open())
        for value in [[], [0], Array("$3\r\nGET\r\n".utf8), bytes(100_000, seed: 3), bytes(256 << 10, seed: 4)] {
            let key = Redis.key()
            #expect(await one.value(for: key) == nil)
            try await Self.keep(value, key, one)
            #expect(await other.value(for: key) == value)
        }
    }

    @Test("what is longer than the limit is neither kept nor believed")
    func large() async throws {
        let (cache, small) = (try await Self.open(), try await Self.open { $0.largestValue = 1000 })
        let (key, next) = (Redis.key(), Redis.key())
        small.keep(bytes(1001, seed: 1), for: key, life: .seconds(600))
        try await Self.keep([1], next, small)
        #expect(await cache.value(for: key) == nil)
        try await Self.keep(bytes(1001, seed: 1), key, cache)
        #expect(await small.value(for: key) == nil)
        // So long that it is not even read to its end: that connection is given up, and another one made.
        try await Self.keep(bytes(200_000, seed: 1), key, cache)
        #expect(await small.value(for: key) == nil)
        try await eventually { await small.value(for: next) == [1] }
    }

    @Test("what is kept for a while is gone behind it")
    func expiry() async throws {
        let (cache, key) = (try await Self.open(), Redis.key())
        cache.keep([1], for: key, life: .milliseconds(30))
        await cache.mark([(key + "m", .milliseconds(30)), (key + "n", .seconds(600))])
        try await eventually { await cache.value(for: key) == nil }
        try await eventually { await cache.lives(of: [key + "m"]) == [.zero] }
        let left = try #require(await cache.lives(of: [key, key + "n"]))
        #expect(left[0] == .zero && left[1] > .seconds(300) && left[1] <= .seconds(600))
        await cache.mark([(key + "n", nil)])
        #expect(await cache.lives(of: [key + "n"]) == [.zero])
    }

    @Test("however many nodes pour at once, a bucket takes what it holds and no more")
    func buckets() async throws {
        let (nodes, key) = ([try await Self.open(), try await Self.open()], Redis.key())
        let portion = BucketPortion(size: .seconds(10_000), capacity: .seconds(70_000))
        let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<60 {
                group.addTask {
                    let level = try #require(await nodes[index % 2].pour(portion, into: key))
                    #expect(level.level <= portion.capacity)
                    return level.isTaken
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(taken == 7)
        let level = try #require(await nodes[0].pour(portion, into: key))
        #expect(!level.isTaken && level.level > .seconds(60_000))
        await nodes[0].mark([(key, nil)])
        #expect(await nodes[1].pour(portion, into: key)?.isTaken == true)
    }

    @Test("a bucket leaks")
    func leak() async throws {
        let (cache, key) = (try await Self.open(), Redis.key())
        let portion = BucketPortion(size: .milliseconds(20), capacity: .milliseconds(20))
        #expect(await cache.pour(portion, into: key)?.isTaken == true)
        try await eventually { await cache.pour(portion, into: key)?.isTaken == true }
    }

    @Test(
        "a bucket with nonsense in it is empty or full, and no more than that",
        arguments: ["", "nonsense", "nan", "-nan", "inf", "-inf", "1e300", "-1", "99999999999999999999", "0x10"])
    func lies(value: String) async throws {
        let (cache, key) = (try await Self.open(), Redis.key())
        try await Self.keep(Array(value.utf8), key, cache)
        let portion = BucketPortion(size: .seconds(1000), capacity: .seconds(5000))
        let level = try #require(await cache.pour(portion, into: key))
        #expect(level.isTaken ? level.level == .seconds(1000) : level.level == .seconds(5000))
    }

    @Test("those who want one value at once ask for it once")
    func singleFlight() async throws {
        try await withServer { server, settings in
            let cache = await RedisCache.open(settings)
            try await Self.keep([7], "k", cache)
            _ = try await server.cli("CONFIG", "RESETSTAT")
            server.pause()
            let begun = Begun()
            let values = await withTaskGroup(of: [UInt8]?.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        begun.count.wrappingAdd(1, ordering: .relaxed)
                        return await cache.value(for: "k")
                    }
                }
                while begun.count.load(ordering: .relaxed) < 200 { await Task.yield() }
                server.resume()
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(values.count == 200 && values.allSatisfy { $0 == [7] })
            let calls = try await server.cli("INFO", "commandstats").firstMatch(of: /cmdstat_get:calls=(\d+)/)
            // A few may have come behind the answer.
            #expect(try #require(calls.flatMap { Int($0.1) }) <= 20)
        }
    }
}

/// How many have begun.
private final class Begun: Sendable {
    let count = Atomic(0)
}

/// Runs `body` with a server of its own, and settings that lead to it.
func withServer(_ body: (RedisServer, RedisSettings) async throws -> Void) async throws {
    let scratch = try Scratch()
    let server = try await RedisServer(scratch.path)
    var settings = RedisSettings()
    settings.host = server.socket
    settings.password = RedisServer.password
    (settings.connectTime, settings.commandTime) = (.seconds(60), .seconds(60))
    do {
        try await body(server, settings)
    } catch {
        server.kill()
        throw error
    }
    server.kill()
    withExtendedLifetime(scratch) {}
}
