import Foundation
import Glibc
import Model
import Runtime
import SQLiteDriver
import Store
import Testing

@Suite("SQLDatabase contract")
struct SQLiteTests {
    private static func withTable(_ kind: DatabaseKind, _ body: (any SQLDatabase) async throws -> Void) async throws {
        try await kind.withDatabase { database in
            _ = try await database.write { (db) throws(StoreError) in
                try db.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v BIGINT, b BYTEA)", [])
            }
            try await body(database)
        }
    }

    private static func insert(_ database: any SQLDatabase, _ key: String, _ value: Int64 = 0) async throws {
        _ = try await database.write { (db) throws(StoreError) in
            try db.execute("INSERT INTO t (k, v) VALUES ($1, $2)", [.text(key), .integer(value)])
        }
    }

    private static func keys(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read { (db) throws(StoreError) in
            var keys: [String] = []
            for row in try db.rows("SELECT k FROM t ORDER BY k", []) { keys.append(try row.text(0)) }
            return keys
        }
    }

    @Test("values of every type come back as they went in", arguments: DatabaseKind.allCases)
    func values(kind: DatabaseKind) async throws {
        try await Self.withTable(kind) { database in
            let texts = ["", "a", "ä🐳", "O'Brien; DROP TABLE t;--", "a\nb"]
            for text in texts {
                _ = try await database.write { (db) throws(StoreError) in
                    try db.execute(
                        "INSERT INTO t (k, v, b) VALUES ($1, $2, $3)",
                        [.text(text), .integer(.min), .bytes([0, 255, 0])])
                }
                let row = try await database.read { (db) throws(StoreError) in
                    try db.rows("SELECT k, v, b, NULL FROM t WHERE k = $1", [.text(text)]).first
                }
                let found = try #require(row, "\(text.debugDescription)")
                #expect(try found.text(0) == text)
                #expect(try found.integer(1) == .min)
                #expect(try found.bytes(2) == [0, 255, 0])
                #expect(found.isNull(3))
                #expect(try found.optionalText(3) == nil)
                #expect(throws: StoreError.self) { try found.integer(0) }
                #expect(throws: StoreError.self) { try found.text(2) }
            }
        }
    }

    @Test("nothing stays of a write that throws", arguments: DatabaseKind.allCases)
    func rollback(kind: DatabaseKind) async throws {
        try await Self.withTable(kind) { database in
            let code = await storeError {
                _ = try await database.write { (db) throws(StoreError) in
                    try db.execute("INSERT INTO t (k) VALUES ('a')", [])
                    throw StoreError(.missing, "changed my mind")
                }
            }
            #expect(code == .missing)
            let keys = try await Self.keys(database)
            #expect(keys.isEmpty)
        }
    }

    @Test("a write that fails in a batch does not take the others with it", arguments: DatabaseKind.allCases)
    func batch(kind: DatabaseKind) async throws {
        try await Self.withTable(kind) { database in
            try await Self.insert(database, "taken")
            let gate = Gate()
            let failures = try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
                // The first write holds the thread, so that all the others are committed together.
                group.addTask {
                    try await database.write { (_) throws(StoreError) in gate.wait() }
                    return (-1, true)
                }
                await gate.waitUntilReached()
                for index in 0..<60 {
                    group.addTask {
                        let code = await storeError {
                            _ = try await database.write { (db) throws(StoreError) in
                                try db.execute("INSERT INTO t (k) VALUES ($1)", [.text("k\(index)")])
                                if index % 3 == 1 { try db.execute("INSERT INTO t (k) VALUES ('taken')", []) }
                                if index % 3 == 2 { throw StoreError(.damaged, "no") }
                            }
                        }
                        return (index, code == nil)
                    }
                }
                gate.open()
                var failed: Set<Int> = []
                for try await (index, isGood) in group where !isGood { failed.insert(index) }
                return failed
            }
            #expect(failures == Set((0..<60).filter { $0 % 3 != 0 }))
            #expect(
                Set(try await Self.keys(database)) == Set((0..<60).filter { $0 % 3 == 0 }.map { "k\($0)" } + ["taken"]))
        }
    }

    @Test("more writes than one batch holds are all carried out", arguments: DatabaseKind.allCases)
    func manyWrites(kind: DatabaseKind) async throws {
        try await Self.withTable(kind) { database in
            try await withThrowingTaskGroup { group in
                for index in 0..<1000 { group.addTask { try await Self.insert(database, "\(index)") } }
                try await group.waitForAll()
            }
            #expect(try await Self.keys(database).count == 1000)
        }
    }

    @Test("two writers that add one to a number never lose one", arguments: DatabaseKind.allCases)
    func increments(kind: DatabaseKind) async throws {
        try await Self.withTable(kind) { database in
            try await Self.insert(database, "n")
            try await withThrowingTaskGroup { group in
                for _ in 0..<200 {
                    group.addTask {
                        _ = try await database.write { (db) throws(StoreError) in
                            let value = try db.rows("SELECT v FROM t WHERE k = 'n'", []).first?.integer(0) ?? 0
                            try db.execute("UPDATE t SET v = $1 WHERE k = 'n'", [.integer(value + 1)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let value = try await database.read { (db) throws(StoreError) in
                try db.rows("SELECT v FROM t", []).first?.integer(0)
            }
            #expect(value == 200)
        }
    }

    @Test("execute tells how many rows changed", arguments: DatabaseKind.allCases)
    func changes(kind: DatabaseKind) async throws {
        try await Self.withTable(kind) { database in
            for key in ["a", "b", "c"] { try await Self.insert(database, key) }
            let counts = try await database.write { (db) throws(StoreError) in
                [
                    try db.execute("UPDATE t SET v = 1 WHERE k < 'c'", []),
                    try db.execute("DELETE FROM t WHERE k = 'x'", []),
                    try db.execute("INSERT INTO t (k) VALUES ('a') ON CONFLICT (k) DO NOTHING", []),
                    try db.execute("DELETE FROM t", []),
                ]
            }
            #expect(counts == [2, 0, 0, 3])
        }
    }

    @Test("a statement that is not SQL is an error of the store", arguments: DatabaseKind.allCases)
    func notSQL(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            #expect(
                await storeError {
                    _ = try await database.read { (db) throws(StoreError) in try db.rows("nonsense", []) }
                } == .unavailable)
        }
    }

    @Test("migrations applied twice change nothing", arguments: DatabaseKind.allCases)
    func migrateTwice(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let store = MetadataStore(database)
            try await push("a/b", tags: ["t"], to: store)
            try await Schema.migrate(database)
            try await Schema.migrate(database)
            #expect(try await store.tags(of: "a/b") == ["t"])
        }
    }

    @Test("a database that a newer program wrote is refused", arguments: DatabaseKind.allCases)
    func newer(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            _ = try await database.write { (db) throws(StoreError) in
                try db.execute("INSERT INTO migrations VALUES (1000000)", [])
            }
            #expect(await storeError { try await Schema.migrate(database) } == .unavailable)
        }
    }

    @Test("migrations have numbers of their own, from 2 on")
    func numbers() {
        #expect(Schema.migrations.map(\.number) == Array(2..<2 + Schema.migrations.count))
    }

    @Test("a database of the first schema, which had names for keys, is refused, and told apart from a newer one")
    func older() async throws {
        let database = try SQLiteDatabase(path: nil)
        try await database.write { (db) throws(StoreError) in
            try db.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY)", [])
            try db.execute("INSERT INTO migrations VALUES (1)", [])
        }
        do {
            try await Schema.migrate(database)
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.cause.contains("older"))
        }
    }

    @Test("every commit of the writer is synced, whatever opening the database has set")
    func synchronous() async throws {
        try await DatabaseKind.file.withDatabase { database in
            let level = try await database.write { (db) throws(StoreError) in
                try db.rows("PRAGMA synchronous", []).first?.integer(0)
            }
            #expect(level == 2, "2 is FULL")
        }
    }

    @Test("the log is copied into the database as it grows, and begins anew")
    func logStaysShort() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/aerugo.db"
        let database = try SQLiteDatabase(path: path)
        _ = try await database.write { (db) throws(StoreError) in
            try db.execute("CREATE TABLE t (k BIGINT PRIMARY KEY, b BYTEA)", [])
        }
        let content = bytes(256 << 10)
        for key in 0..<200 {
            _ = try await database.write { (db) throws(StoreError) in
                try db.execute("INSERT INTO t VALUES ($1, $2)", [.integer(Int64(key)), .bytes(content)])
            }
        }
        let size = try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int
        #expect(try #require(size) < 32 << 20, "50 MiB were written")
    }

    @Test("others have no rights on the database's files")
    func rights() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/aerugo.db"
        let database = try SQLiteDatabase(path: path)
        try await Schema.migrate(database)
        for file in [path, path + "-wal", path + "-shm"] {
            var status = stat()
            try #require(stat(file, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o640, "\(file)")
        }
        withExtendedLifetime(database) {}
    }

    @Test("a database survives being opened again")
    func reopen() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/aerugo.db"
        do {
            let database = try SQLiteDatabase(path: path)
            try await Schema.migrate(database)
            try await push("a/b", tags: ["t"], to: MetadataStore(database))
        }
        let database = try SQLiteDatabase(path: path)
        try await Schema.migrate(database)
        #expect(try await MetadataStore(database).tags(of: "a/b") == ["t"])
    }

    @Test("a file that is no database is damaged, not overwritten")
    func notADatabase() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/aerugo.db"
        let text = String(repeating: "this is no database\n", count: 1000)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let code = await storeError {
            let database = try SQLiteDatabase(path: path)
            try await Schema.migrate(database)
        }
        #expect(code == .damaged)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }
}
