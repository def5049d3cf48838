import Foundation
import Model
import PostgresDriver
import Runtime
import Store
import Testing

@Suite("PostgreSQL", .enabled(if: Postgres.url != nil, Postgres.missing))
struct PostgresTests {
    static func makeCounter(_ database: any SQLDatabase) async throws {
        try await database.write { (db) throws(StoreError) in
            try db.execute("CREATE TABLE counter (n BIGINT NOT NULL)", [])
            try db.execute("INSERT INTO counter VALUES (0)", [])
        }
    }

    static func increment(_ database: any SQLDatabase) async throws(StoreError) {
        try await database.write { (db) throws(StoreError) in
            let value = try db.rows("SELECT n FROM counter", []).first?.integer(0) ?? 0
            try db.execute("UPDATE counter SET n = $1", [.integer(value + 1)])
        }
    }

    static func count(_ database: any SQLDatabase) async throws -> Int64? {
        try await database.read { (db) throws(StoreError) in try db.rows("SELECT n FROM counter", []).first?.integer(0)
        }
    }

    static func setting(_ name: String, _ database: PostgresDatabase) async throws -> String? {
        try await database.write { (db) throws(StoreError) in
            try db.rows("SELECT current_setting($1)", [.text(name)]).first?.text(0)
        }
    }

    @Test("of nodes that start at once on an empty database one migrates it, and all can use it")
    func migrations() async throws {
        try await Postgres.withSchema { settings in
            try await withThrowingTaskGroup { group in
                for _ in 0..<5 {
                    group.addTask {
                        let database = try await PostgresDatabase.open(settings)
                        try await Schema.migrate(database)
                        let number = try await MetadataStore(database).number("SELECT COUNT(*) FROM migrations")
                        #expect(number == Int64(Schema.migrations.count))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("writers on three nodes that add one to a number never lose one, and all get through")
    func nodes() async throws {
        try await Postgres.withSchema { settings in
            var nodes: [PostgresDatabase] = []
            for _ in 0..<3 { nodes.append(try await PostgresDatabase.open(settings)) }
            try await Self.makeCounter(nodes[0])
            try await withThrowingTaskGroup { group in
                for index in 0..<150 {
                    let node = nodes[index % 3]
                    group.addTask { try await Self.increment(node) }
                }
                try await group.waitForAll()
            }
            #expect(try await Self.count(nodes[1]) == 150)
        }
    }

    @Test("a transaction that others were in the way of, whose reads no lock protects, is run again")
    func writeSkew() async throws {
        try await Postgres.withSchema { settings in
            let database = try await PostgresDatabase.open(settings)
            try await database.write { (db) throws(StoreError) in
                try db.execute("CREATE TABLE duty (name TEXT PRIMARY KEY, isOn BIGINT NOT NULL)", [])
                try db.execute("INSERT INTO duty VALUES ('a', 1), ('b', 1)", [])
            }
            // Each goes off duty if somebody else is on: of two at once one must see that the other has gone.
            for _ in 0..<10 {
                try await withThrowingTaskGroup { group in
                    for name in ["a", "b"] {
                        group.addTask {
                            try await database.write { (db) throws(StoreError) in
                                let on = try db.rows("SELECT name FROM duty WHERE isOn = 1", []).count
                                guard on == 2 else { return }
                                try db.execute("UPDATE duty SET isOn = 0 WHERE name = $1", [.text(name)])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let left = try await database.write { (db) throws(StoreError) in
                    let left = try db.rows("SELECT name FROM duty WHERE isOn = 1", []).count
                    try db.execute("UPDATE duty SET isOn = 1", [])
                    return left
                }
                #expect(left == 1)
            }
        }
    }

    @Test("a body that goes on after a statement has failed commits nothing")
    func goesOn() async throws {
        try await Postgres.withSchema { settings in
            let database = try await PostgresDatabase.open(settings)
            try await Self.makeCounter(database)
            let code = await storeError {
                try await database.write { (db) throws(StoreError) in
                    try db.execute("UPDATE counter SET n = 7", [])
                    do throws(StoreError) { try db.execute("nonsense", []) } catch {}
                }
            }
            #expect(code == .unavailable)
            #expect(try await Self.count(database) == 0)
        }
    }

    @Test("what is acknowledged is on the disk, whatever the server's default is; what is held is not held for long")
    func sessionSettings() async throws {
        try await Postgres.withSchema { settings in
            for pooling in PostgresSettings.Pooling.allCases {
                var settings = settings
                settings["options"] = "\(settings["options"] ?? "") -c synchronous_commit=off"
                settings.pooling = pooling
                let database = try await PostgresDatabase.open(settings)
                #expect(try await Self.setting("synchronous_commit", database) == "on")
                #expect(try await Self.setting("transaction_isolation", database) == "serializable")
                for name in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
                    #expect(try await Self.setting(name, database) != "0", "\(name)")
                }
            }
        }
    }

    @Test("numbers, texts and bytes of any kind come back; sums are numbers; a NUL in a text is replaced")
    func values() async throws {
        try await Postgres.withSchema { settings in
            let database = try await PostgresDatabase.open(settings)
            let row = try await database.read { (db) throws(StoreError) in
                try db.rows(
                    """
                    SELECT SUM(n), MIN(n), CAST($1 AS TEXT), CAST($2 AS BYTEA), 1 = 1, CAST(-5 AS SMALLINT),
                        SUM(CAST(123456789012 AS BIGINT)), SUM(n) / 3 * 0 - 10000, CAST(NULL AS BIGINT), SUM(n) / 7
                    FROM (VALUES (CAST($3 AS BIGINT)), (-1)) AS t (n)
                    """, [.text("a\0b"), .bytes([]), .integer(.max)]
                ).first
            }
            let found = try #require(row)
            #expect(try found.integer(0) == .max - 1)
            #expect(try found.integer(1) == -1)
            #expect(try found.text(2) == "a\u{1}b")
            #expect(try found.bytes(3) == [])
            #expect(try found.integer(4) == 1)
            #expect(try found.integer(5) == -5)
            #expect(try found.integer(6) == 246_913_578_024)
            #expect(try found.integer(7) == -10_000)
            #expect(found.isNull(8))
        }
    }

    @Test("a value that was NULL first keeps the type that the server had told")
    func nullFirst() async throws {
        try await Postgres.withSchema { settings in
            let database = try await PostgresDatabase.open(settings)
            let all: [[SQLValue]] = [
                [.null, .null, .null], [.integer(7), .text("t"), .bytes([0, 1])], [.null, .null, .null],
            ]
            try await database.write { (db) throws(StoreError) in
                try db.execute("CREATE TABLE t (i INTEGER, x TEXT, b BYTEA)", [])
                for values in all { try db.execute("INSERT INTO t VALUES ($1, $2, $3)", values) }
            }
            let row = try await database.read { (db) throws(StoreError) in
                try db.rows("SELECT i, x, b FROM t WHERE i IS NOT NULL", []).first
            }
            let found = try #require(row)
            #expect(try found.integer(0) == 7)
            #expect(try found.text(1) == "t")
            #expect(try found.bytes(2) == [0, 1])
        }
    }

    @Test("no password is in what is said of settings or of a server that refuses them")
    func secrets() async throws {
        var settings = try PostgresSettings(url: try #require(Postgres.url))
        settings["password"] = "planted-secret"
        settings.absence = .milliseconds(1)
        #expect(!settings.description.contains("planted-secret"))
        do throws(StoreError) {
            _ = try await PostgresDatabase.open(settings)
            Issue.record("it was let in")
        } catch {
            #expect(error.code == .unavailable)
            #expect(!error.cause.contains("planted-secret"))
        }
        do throws(StoreError) {
            _ = try PostgresSettings(url: "postgresql://u:planted-secret@host:port:x/?=")
            Issue.record("it was taken")
        } catch {
            #expect(!error.cause.contains("planted-secret"))
        }
    }

    @Test("by TLS the server has to show a certificate of an authority that is trusted")
    func tls() async throws {
        let url = try #require(Postgres.variable("AERUGO_TEST_POSTGRES_TLS"))
        var settings = try PostgresSettings(url: url)
        let database = try await PostgresDatabase.open(settings)
        let isTLS = try await database.read { (db) throws(StoreError) in
            try db.rows("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", []).first?.integer(0)
        }
        #expect(isTLS == 1)
        #expect(!settings.isExposed)
        // The system's authorities do not know this one.
        settings["sslrootcert"] = nil
        settings.absence = .milliseconds(1)
        #expect(await storeError { _ = try await PostgresDatabase.open(settings) } == .unavailable)
    }

    @Test(
        "behind a pooler it works by session and, where it is told so, by transaction",
        arguments: [
            ("AERUGO_TEST_PGBOUNCER", PostgresSettings.Pooling.session),
            ("AERUGO_TEST_PGBOUNCER_TRANSACTION", .transaction),
        ])
    func poolers(variable: String, pooling: PostgresSettings.Pooling) async throws {
        try await Postgres.withDatabase(behind: Postgres.variable(variable)) { settings in
            var settings = settings
            settings.pooling = pooling
            let database = try await PostgresDatabase.open(settings)
            try await Schema.migrate(database)
            let store = MetadataStore(database)
            let digest = try await push("a/b", tags: ["t", "u"], to: store).digest
            #expect(try await store.manifest(.tag(.parse("t")), in: "a/b")?.known.digest == digest)
            try await Self.makeCounter(database)
            try await withThrowingTaskGroup { group in
                for _ in 0..<40 { group.addTask { try await Self.increment(database) } }
                try await group.waitForAll()
            }
            #expect(try await Self.count(database) == 40)
            #expect(try await Self.setting("synchronous_commit", database) == "on")
        }
    }
}
