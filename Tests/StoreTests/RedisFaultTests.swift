import RedisDriver
import Runtime
import Store
import Synchronization
import TestServers
import Testing

/// What becomes of those who ask when the server fails.
extension RedisTests {
    /// Notes of what the driver tells of its server.
    private final class Told: Sendable {
        private let all = Mutex<[String?]>([])

        var faults: [String?] { all.withLock { $0 } }
        func note(_ fault: StoreError?) { all.withLock { $0.append(fault?.cause) } }
    }

    @Test(
        "a server that is killed is told once and missed by nobody; one that comes back is used again, empty as it is")
    func killed() async throws {
        try await withServer { server, settings in
            let told = Told()
            let cache = await RedisCache.open(settings) { told.note($0) }
            cache.keep([1], for: "k", life: .seconds(600))
            try await eventually { await cache.value(for: "k") == [1] }
            server.kill()
            for _ in 0..<500 {
                #expect(await cache.value(for: "k") == nil)
                #expect(await cache.pour(BucketPortion(size: .seconds(1), capacity: .seconds(9)), into: "b") == nil)
                #expect(await cache.lives(of: ["m"]) == nil)
                cache.keep([1], for: "k", life: .seconds(600))
                await cache.mark([("m", .seconds(600))])
            }
            await #expect(throws: StoreError.self) { try await cache.check() }
            #expect(told.faults.count == 2 && told.faults[0] == nil && told.faults[1] != nil)
            try await server.start()
            try await eventually { await cache.lives(of: ["m"]) == [.zero] }
            #expect(await cache.value(for: "k") == nil)
            try await eventually {
                cache.keep([2], for: "k", life: .seconds(600))
                return await cache.value(for: "k") == [2]
            }
            try await cache.check()
            #expect(told.faults.count == 3 && told.faults[2] == nil)
        }
    }

    @Test("a server that stands still costs those who wait its deadline, and the next ones nothing")
    func paused() async throws {
        try await withServer { server, settings in
            var settings = settings
            settings.commandTime = .milliseconds(500)
            let cache = await RedisCache.open(settings)
            try await cache.check()
            server.pause()
            let began = ContinuousClock.now
            for _ in 0..<1000 { #expect(await cache.value(for: "k") == nil) }
            // Each by itself would make it 500 seconds.
            #expect(ContinuousClock.now - began < .seconds(250))
            server.resume()
            try await eventually { await cache.lives(of: ["k"]) == [.zero] }
        }
    }

    @Test("a server that sleeps is done without as long as it does")
    func asleep() async throws {
        try await withServer { server, settings in
            var settings = settings
            settings.commandTime = .milliseconds(200)
            let cache = await RedisCache.open(settings)
            try await eventually { await cache.lives(of: ["k"]) == [.zero] }
            async let sleep = server.cli("DEBUG", "SLEEP", "3")
            var missed = 0
            try await eventually {
                if await cache.lives(of: ["k"]) == nil { missed += 1 }
                return missed > 0
            }
            _ = try await sleep
            try await eventually { await cache.lives(of: ["k"]) == [.zero] }
        }
    }

    @Test("a wrong password and a server that is not there are told, and stop nobody")
    func refused() async throws {
        try await withServer { _, settings in
            var (wrong, away) = (settings, settings)
            wrong.password = "wrong"
            away.host = "127.0.0.1"
            away.port = 1
            for settings in [wrong, away] {
                let cache = await RedisCache.open(settings)
                let fault = try #require(cache.fault)
                #expect(!fault.cause.contains("wrong "))
                #expect(await cache.value(for: "k") == nil)
                await #expect(throws: StoreError.self) { try await cache.check() }
            }
        }
    }

    @Test("keys that hold something else are no values and no buckets")
    func kinds() async throws {
        try await withServer { server, settings in
            let cache = await RedisCache.open(settings)
            _ = try await server.cli("LPUSH", "k", "1", "2")
            #expect(await cache.value(for: "k") == nil)
            #expect(await cache.pour(BucketPortion(size: .seconds(1), capacity: .seconds(9)), into: "k") == nil)
            try await cache.check()
            // A mark that somebody has made last for ever is none of ours.
            _ = try await server.cli("SET", "m", "1")
            #expect(await cache.lives(of: ["m"]) == [.zero])
            cache.keep([3], for: "k", life: .seconds(600))
            try await eventually { await cache.value(for: "k") == [3] }
        }
    }
}
