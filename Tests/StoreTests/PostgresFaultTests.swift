import PostgresDriver
import Runtime
import Store
import Synchronization
import Testing

/// Counts for several tasks.
private final class Tally: Sendable {
    let count = Mutex(Int64(0))
}

/// What becomes of transactions when the server, or the way to it, fails.
extension PostgresTests {
    /// A proxy before the server, and settings that lead through it.
    private static func withProxy(
        _ body: (PostgresProxy, PostgresSettings) async throws -> Void
    ) async throws {
        try await Postgres.withSchema { settings in
            let scratch = try Scratch()
            let (host, port) = (try #require(settings["host"]), try #require(settings["port"]))
            let proxy = try PostgresProxy(scratch.path, to: "\(host)/.s.PGSQL.\(port)")
            defer { proxy.close() }
            var through = settings
            (through["host"], through["port"]) = (scratch.path, "1")
            try await body(proxy, through)
            withExtendedLifetime(scratch) {}
        }
    }

    @Test("connections that the server has ended are made anew, and nobody hears of it")
    func ended() async throws {
        try await Postgres.withSchema { settings in
            var settings = settings
            settings["application_name"] = "ended-\(IDSource().token())"
            let database = try await PostgresDatabase.open(settings)
            try await Self.makeCounter(database)
            for round in 1...5 {
                _ = try await Self.count(database)
                let name = try #require(settings["application_name"])
                try await Postgres.administer(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = '\(name)'")
                try await Self.increment(database)
                #expect(try await Self.count(database) == Int64(round))
            }
        }
    }

    @Test(
        "a commit that was cut off is carried out once, whether the server had heard of it or not",
        arguments: [true, false])
    func cutCommits(isDelivered: Bool) async throws {
        try await Self.withProxy { proxy, settings in
            var settings = settings
            // Nothing is prepared, so that the text is there each time.
            settings.pooling = .transaction
            let database = try await PostgresDatabase.open(settings)
            try await Self.makeCounter(database)
            for round in 1...10 {
                proxy.set(.cutting(text: "COMMIT", isDelivered: isDelivered))
                try await Self.increment(database)
                #expect(proxy.cutCount == round)
                #expect(try await Self.count(database) == Int64(round))
            }
        }
    }

    @Test("what is acknowledged under cuts at any place is there, and nothing twice")
    func cutsAnywhere() async throws {
        try await Self.withProxy { proxy, settings in
            var settings = settings
            settings.pooling = .transaction
            let database = try await PostgresDatabase.open(settings)
            try await Self.makeCounter(database)
            let acknowledged = Tally()
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<12 {
                            try await Self.increment(database)
                            acknowledged.count.withLock { $0 += 1 }
                        }
                    }
                }
                group.addTask {
                    for text in ["UPDATE", "COMMIT", "LOCK", "SELECT n", "BEGIN", "ROLLBACK", "COMMIT", "xact"] {
                        for isDelivered in [true, false] {
                            proxy.set(.cutting(text: text, isDelivered: isDelivered))
                            let before = proxy.cutCount
                            for _ in 0..<200 where proxy.cutCount == before {
                                try await Task.sleep(for: .milliseconds(5))
                            }
                        }
                    }
                    proxy.set(.fair)
                }
                try await group.waitForAll()
            }
            #expect(proxy.cutCount > 4)
            #expect(try await Self.count(database) == acknowledged.count.withLock { $0 })
        }
    }

    @Test("the end of a commit is told by what it left, not by its number, which a crash may give to another")
    func marks() async throws {
        try await Postgres.withSchema { settings in
            let database = try await PostgresDatabase.open(settings)
            try await Self.makeCounter(database)
            for _ in 0..<3 { try await Self.increment(database) }
            let rows = try await database.ask("SELECT COUNT(*), MIN(token) FROM write_marks WHERE token <> 0")
            let row = try #require(rows.first)
            #expect(try (1...8).contains(row.integer(0)), "one a connection, however many transactions there were")
            let before = try row.integer(1)
            let code = await storeError {
                try await database.write { (db) throws(StoreError) in
                    try db.execute("UPDATE counter SET n = 9", [])
                    throw StoreError(.missing, "changed my mind")
                }
            }
            #expect(code == .missing)
            let after = try await database.ask("SELECT MIN(token) FROM write_marks WHERE token <> 0")
            #expect(try after.first?.integer(0) == before, "what did not commit left none")
        }
    }

    /// What `body` gives once it does: on a busy machine the first tries may still be late.
    private static func eventually<T>(_ body: () async throws -> T) async throws -> T {
        for _ in 0..<100 {
            do { return try await body() } catch { try await Task.sleep(for: .milliseconds(200)) }
        }
        return try await body()
    }

    @Test("a server that is away for a moment is waited for; for longer, that is said soon; then it is there again")
    func away() async throws {
        try await Self.withProxy { proxy, settings in
            var settings = settings
            settings.absence = .seconds(6)
            let database = try await PostgresDatabase.open(settings)
            try await Self.makeCounter(database)
            proxy.set(.down)
            async let waiting: Void = Self.increment(database)
            try await Task.sleep(for: .milliseconds(300))
            proxy.set(.fair)
            try await waiting
            proxy.set(.down)
            let clock = ContinuousClock()
            let time = await clock.measure {
                #expect(await storeError { try await Self.increment(database) } == .unavailable)
            }
            #expect(time < .seconds(40))
            // Once it is known to be away nobody waits for the whole time.
            let next = await clock.measure {
                #expect(await storeError { _ = try await Self.count(database) } == .unavailable)
            }
            #expect(next < .seconds(5))
            proxy.set(.fair)
            try await Self.eventually { try await Self.increment(database) }
            #expect(try await Self.count(database) == 2)
        }
    }

    @Test("a server that is there and says nothing costs its time, and no more")
    func stalled() async throws {
        try await Self.withProxy { proxy, settings in
            var settings = settings
            try await Self.makeCounter(try await PostgresDatabase.open(settings))
            settings.statementTime = .seconds(1)
            let database = try await Self.eventually { [settings] in try await PostgresDatabase.open(settings) }
            proxy.set(.stalled)
            let time = await ContinuousClock().measure {
                #expect(await storeError { _ = try await Self.count(database) } == .overloaded)
            }
            #expect(time < .seconds(40))
            proxy.set(.fair)
            #expect(try await Self.eventually { try await Self.count(database) } == 0)
        }
    }

    @Test("a statement that takes too long is ended by the server, and its connection is good")
    func statementTime() async throws {
        try await Postgres.withSchema { settings in
            var settings = settings
            // Makes what there has to be, which takes its time on a busy machine.
            _ = try await PostgresDatabase.open(settings)
            settings.statementTime = .seconds(1)
            let database = try await Self.eventually { [settings] in try await PostgresDatabase.open(settings) }
            let code = await storeError {
                _ = try await database.read { (db) throws(StoreError) in try db.rows("SELECT pg_sleep(60)", []) }
            }
            #expect(code == .overloaded)
            let one = try await Self.eventually {
                try await database.read { (db) throws(StoreError) in try db.rows("SELECT 1", []).first?.integer(0) }
            }
            #expect(one == 1)
        }
    }

    @Test("a node that starts waits for who is at it; a change of the schema takes as long as it takes")
    func slowBeginnings() async throws {
        try await Postgres.withSchema { settings in
            var hasty = settings
            hasty.statementTime = .seconds(4)
            hasty.lockTime = .seconds(1)
            let other = try await PostgresDatabase.open(settings)
            let database = try await PostgresDatabase.open(hasty)
            async let holding: Void = other.write { (db) throws(StoreError) in
                _ = try db.rows(
                    "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), $1))",
                    [.integer(PostgresDatabase.beginning)])
                _ = try db.rows("SELECT pg_sleep(10)", [])
            }
            let question = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(10)' AND state = 'active'"
            while try await other.ask(question).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            async let starting = PostgresDatabase.open(hasty)
            try await database.writeAlone { (db) throws(StoreError) in
                try db.execute("CREATE TABLE made (n BIGINT)", [])
                _ = try db.rows("SELECT pg_sleep(7)", [])
            }
            #expect(try await starting.ask("SELECT n FROM made").isEmpty)
            try await holding
        }
    }
}
