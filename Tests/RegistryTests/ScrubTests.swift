import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Synchronization
import Testing
import Vocabulary

@Suite("Scrub", .takesTurns)
struct ScrubTests {
    private static let day = Duration.seconds(86_400)

    @Test("a blob that nobody asks for is read through when it is due, found damaged, and found whole again")
    func looks() async throws {
        let (store, time) = (ProbeStore(), TestClocks())
        try await TestServer.with(blobs: store, clocks: time.clocks) { server in
            let client = server.client()
            let content = Content.bytes(5000)
            let target = "/v2/a/blobs/\(try await client.push(content, to: "a"))"
            // What is cached must not outlive the verdict either.
            #expect(try await client.get(target).body == content)
            #expect(await server.registry.scrubOnce() == ScrubResult(), "it has only just come")
            time.pass(Self.day * 2)
            store.set { $0.substitute = Digest(.sha256, bytes: [UInt8](repeating: 0, count: 32)) }
            var found = await server.registry.scrubOnce()
            #expect(found.read == 1 && found.condemned == 1)
            #expect(try await client.get(target).status == 404)
            #expect(await server.registry.scrubOnce() == ScrubResult(), "it was looked at a moment ago")
            time.pass(Self.day * 2)
            store.set { $0.substitute = nil }
            found = await server.registry.scrubOnce()
            #expect(found.read == 1 && found.recovered == 1)
            #expect(try await client.get(target).body == content)
            time.pass(Self.day * 29)
            #expect(await server.registry.scrubOnce() == ScrubResult(), "a look counts for a month")
            time.pass(Self.day * 2)
            #expect(await server.registry.scrubOnce().read == 1)
        }
    }

    @Test("an error condemns nothing, and a store that is not there is left alone")
    func errors() async throws {
        let (store, time) = (ProbeStore(), TestClocks())
        try await TestServer.with(blobs: store, clocks: time.clocks) { server in
            let client = server.client()
            let target = "/v2/a/blobs/\(try await client.push(Content.bytes(5000), to: "a"))"
            time.pass(Self.day * 2)
            store.set { $0.failure = StoreError(.unavailable, "told to") }
            let found = await server.registry.scrubOnce()
            #expect(found.unread == 1 && found.condemned == 0)
            store.set { $0.failure = nil }
            #expect(try await client.get(target).status == 200)
        }
    }

    @Test("it reads no faster than it may")
    func pace() async throws {
        let time = TestClocks()
        var limits = Registry.Limits()
        limits.scrubRate = 1 << 20
        try await TestServer.with(limits: limits, clocks: time.clocks) { server in
            for seed in 1...3 { try await server.client().push(Content.bytes(20 << 20, seed: seed), to: "a") }
            time.pass(Self.day * 2)
            let slept = Mutex([Duration]())
            let found = await server.registry.scrubOnce { pause in slept.withLock { $0.append(pause) } }
            #expect(found.read == 3)
            let pauses = slept.withLock { $0 }
            #expect(pauses.reduce(.zero, +) == .seconds(60))
            #expect(pauses.allSatisfy { $0 <= .seconds(16) })
        }
    }
}
