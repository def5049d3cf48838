import MemoryDriver
import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Synchronization
import Testing
import Vocabulary

@Suite("Uploads in progress")
struct SessionTests {
    private static let day = Duration.seconds(86_400)

    @Test("a clock that jumps expires nothing that is in use; time that passes does")
    func jump() async throws {
        let time = TestClocks()
        let server = try await TestServer.start(clocks: time.clocks)
        let client = server.client()
        let location = try await client.begin("a")
        for jump in [Self.day * 3, Self.day * -6] {
            time.jump(jump)
            time.pass(.seconds(3600))
            _ = try await client.send("PATCH", location, body: Content.bytes(10))
            time.jump(Self.day * 3)
            await server.registry.sweepOnce()
            #expect(try await client.get(location).status == 204)
            time.jump(Self.day * -3)
        }
        time.pass(Self.day * 9)
        await server.registry.sweepOnce()
        #expect(try await client.get(location).status == 404)
        try await server.server.shutDown()
    }

    @Test("what was begun before the start is not expired before its clients had time to come back")
    func grace() async throws {
        let (time, database) = (TestClocks(), try SQLiteDatabase(path: nil))
        let first = try await TestServer.start(clocks: time.clocks, database: database)
        let location = try await first.client().begin("a")
        try await first.server.shutDown()
        time.pass(Self.day * 2)
        let second = try await TestServer.start(clocks: time.clocks, database: database)
        await second.registry.sweepOnce()
        #expect(try await second.client().get(location).status == 204)
        time.pass(.seconds(700))
        await second.registry.sweepOnce()
        #expect(try await second.client().get(location).status == 404)
        try await second.server.shutDown()
    }

    @Test("past its limit an address is told 429, and may begin again once it has ended one")
    func limits() async throws {
        var limits = Registry.Limits()
        limits.uploads.ofAddress = 3
        try await TestServer.with(limits: limits) { server in
            let client = server.client()
            var locations: [String] = []
            for _ in 0..<3 { locations.append(try await client.begin("a")) }
            let refused = try await client.send("POST", "/v2/b/blobs/uploads/")
            try expect(refused, 429, ErrorCode.tooManyRequests)
            #expect(refused["Retry-After"] != nil)
            let digest = Content.digest([1])
            try expect(
                await client.send("POST", "/v2/b/blobs/uploads/?digest=\(digest)", body: [1]), 429,
                ErrorCode.tooManyRequests)
            #expect(try await client.send("PUT", "\(locations[0])?digest=\(digest)", body: [1]).status == 201)
            locations[0] = try await client.begin("b")
            try expect(await client.send("POST", "/v2/b/blobs/uploads/"), 429, ErrorCode.tooManyRequests)
            #expect(try await client.delete(locations[1]).status == 204)
            _ = try await client.begin("b")
        }
    }

    @Test(
        "who still writes to an upload that another node has gone on with is told where it goes on, and harms nothing",
        arguments: ["PATCH", "PUT"])
    func overtaken(method: String) async throws {
        let (database, blobs) = (try SQLiteDatabase(path: nil), MemoryBlobStore())
        let nodes = [
            try await TestServer.start(blobs: blobs, database: database),
            try await TestServer.start(blobs: blobs, database: database),
        ]
        let location = try await nodes[0].client().begin("a")
        let (mine, others) = (Content.bytes(20), Content.bytes(5).reversed() as [UInt8])
        let late = try nodes[0].wire()
        let target = method == "PUT" ? "\(location)?digest=\(Content.digest(mine))" : location
        let head = "\(method) \(target) HTTP/1.1\r\nHost: a\r\nContent-Range: 0-19\r\nContent-Length: 20\r\n\r\n"
        _ = try await late.send(Array(head.utf8) + mine[..<10])
        // Its first bytes are written, or it would not be overtaken: the others come behind what the other node writes.
        try await eventually("the first bytes are written") {
            guard let key = try await blobs.keys(after: nil, limit: 1).first else { return false }
            return try await blobs.open(key).size >= 10
        }
        #expect(try await nodes[1].client().send("PATCH", location, body: others).status == 202)
        _ = try await late.send(Array(mine[10...]))
        let told = try await late.answer(to: method)
        #expect(told.status == 416, "\(String(decoding: told.body, as: UTF8.self))")
        for node in nodes {
            let status = try await node.client().get(location)
            #expect(status.status == 204 && status["Range"] == "0-4")
        }
        let whole = Content.digest(others)
        #expect(try await nodes[0].client().send("PUT", "\(location)?digest=\(whole)").status == 201)
        #expect(try await nodes[1].client().get("/v2/a/blobs/\(whole)").body == others)
        for node in nodes { try await node.server.shutDown() }
    }

    /// Counts transactions that write, and the sessions that one of them ended at most.
    private final class CountedDatabase: SQLDatabase {
        let base: SQLiteDatabase
        private let count = Mutex(0)
        private let ended = Mutex(Int64(0))

        init() throws { base = try SQLiteDatabase(path: nil) }

        var writes: Int { count.withLock { $0 } }
        var mostEnded: Int64 { ended.withLock { $0 } }
        var dialect: SQLDialect { base.dialect }

        func read<T: Sendable>(
            _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
        ) async throws(StoreError) -> T { try await base.read(body) }

        func write<T: Sendable>(
            _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
        ) async throws(StoreError) -> T {
            count.withLock { $0 += 1 }
            return try await base.write { [self] (connection) throws(StoreError) in
                let before = try Self.sessions(connection)
                let result = try body(connection)
                let gone = before - (try Self.sessions(connection))
                ended.withLock { $0 = max($0, gone) }
                return result
            }
        }

        /// How many there are; none before there is a table of them.
        static func sessions(_ connection: any SQLConnection) throws(StoreError) -> Int64 {
            let tables = try connection.rows("SELECT 1 FROM sqlite_master WHERE name = 'upload_sessions'", [])
            guard !tables.isEmpty else { return 0 }
            return try connection.rows("SELECT COUNT(*) FROM upload_sessions", []).first?.integer(0) ?? 0
        }
    }

    @Test("expiry keeps up: one sweep ends thousands of idle uploads, a few in a transaction, while others push")
    func thousands() async throws {
        let (time, database) = (TestClocks(), try CountedDatabase())
        var limits = Registry.Limits()
        (limits.uploads.ofAddress, limits.uploads.inAll) = (10_000, 10_000)
        try await TestServer.with(limits: limits, clocks: time.clocks, database: database) { server in
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let client = server.client()
                        for _ in 0..<750 { _ = try await client.begin("a") }
                    }
                }
                try await group.waitForAll()
            }
            time.pass(limits.uploadIdle + .seconds(1))
            let client = server.client()
            let fresh = try await client.begin("a")
            let before = database.writes
            let sweep = Task { [registry = server.registry] in await registry.sweepOnce() }
            var pushes = 0
            for mark in 0..<5 {
                try await client.push(Content.bytes(10, seed: mark + 1), to: "b")
                pushes += 1
            }
            await sweep.value
            #expect(database.mostEnded <= 64)
            #expect(database.writes - before >= 3000 / 64 + pushes)
            let left = try await database.read { (db) throws(StoreError) in try CountedDatabase.sessions(db) }
            #expect(left == 1)
            #expect(try await client.get(fresh).status == 204)
        }
    }

    @Test("a sweep that has nothing to do writes nothing")
    func emptySweep() async throws {
        let database = try CountedDatabase()
        let server = try await TestServer.start(database: database)
        let client = server.client()
        try await client.pushImage("a", "t")
        _ = try await client.begin("a")
        let before = database.writes
        for _ in 0..<3 { await server.registry.sweepOnce() }
        #expect(database.writes == before)
        // The same blob once more: its second object goes, and is forgotten by one write.
        try await client.push(Content.config, to: "a")
        let pushed = database.writes
        for _ in 0..<3 { await server.registry.sweepOnce() }
        #expect(database.writes == pushed + 1)
        try await server.server.shutDown()
    }
}
