import Model
import Runtime
import SQLiteDriver
import Store
import Synchronization
import Testing

/// A database that counts: statements, and for each write how many rows it changed.
private final class CountingDatabase: SQLDatabase {
    private struct Counter: SQLConnection {
        let connection: any SQLConnection
        let counts: CountingDatabase

        func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
            counts.statements.withLock { $0 += 1 }
            return try connection.rows(sql, arguments)
        }

        func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int {
            counts.statements.withLock { $0 += 1 }
            let changed = try connection.execute(sql, arguments)
            counts.changes.withLock { $0[$0.count - 1] += changed }
            return changed
        }
    }

    let dialect = SQLDialect.sqlite
    let statements = Mutex(0)
    let changes = Mutex<[Int]>([])
    private let database: SQLiteDatabase

    init(_ database: SQLiteDatabase) { self.database = database }

    func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await database.read { (connection) throws(StoreError) in
            try body(Counter(connection: connection, counts: self))
        }
    }

    func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await database.write { (connection) throws(StoreError) in
            self.changes.withLock { $0.append(0) }
            return try body(Counter(connection: connection, counts: self))
        }
    }
}

@Suite("Edges of manifests")
struct EdgeTests {
    private func edges(_ count: Int) -> [ManifestEdge] {
        (0..<count).map { ManifestEdge(.layer, sha256(Array("\($0)".utf8)), size: 1) }
    }

    @Test("a push costs as many statements with 500 layers as with one, and finds what is missing of them")
    func statements() async throws {
        let database = try SQLiteDatabase(path: nil)
        try await Schema.migrate(database)
        let counting = CountingDatabase(database)
        let store = MetadataStore(counting)
        var costs: [Int] = []
        for count in [1, 500] {
            let contents = (0..<count).map { Array("\(count)-\($0)".utf8) }
            for content in contents { try await addBlob(content, to: "a", store) }
            let required = contents.map(sha256)
            let repository = try await store.repository("a")
            let push = ManifestPush(
                manifest: manifest("\(count)", edges: required.map { ManifestEdge(.layer, $0, size: 1) }),
                try image(of: contents), tags: [try .parse("t\(count)")], isSparse: false, precondition: Precondition(),
                repository: repository, principal: PrincipalID(0))
            let before = counting.statements.withLock { $0 }
            let outcome = try await store.write { (db) throws(StoreError) in try push.carryOut(db) }
            guard case .stored = outcome else {
                Issue.record("\(outcome)")
                return
            }
            costs.append(counting.statements.withLock { $0 } - before)
        }
        // Edges go in in parts that are powers of two: 500 are six of them, one is one.
        #expect(costs[1] - costs[0] == 5)
        #expect(costs[0] <= 12)
    }

    @Test("the edges of a large manifest come in parts before it and go in parts after it, or when it never comes")
    func loose() async throws {
        let database = try SQLiteDatabase(path: nil)
        try await Schema.migrate(database)
        let (clock, counting) = (HandClock(), CountingDatabase(database))
        let store = MetadataStore(counting, clocks: clock.clocks, ids: IDSource(clocks: clock.clocks))
        let repository = try await store.repository("a")
        let edges = edges(1200)
        func stage() async throws -> ManifestID {
            let id: ManifestID = store.ids.next()
            for first in stride(from: 0, to: edges.count, by: SQLTransaction.setLimit) {
                let part = edges[first..<min(first + SQLTransaction.setLimit, edges.count)]
                try await store.write { (db) throws(StoreError) in
                    try db.addLoose(part, from: first, to: id, in: repository)
                }
            }
            return id
        }
        func sweep() async throws {
            while try await store.read({ (db) throws(StoreError) in try db.hasLooseEdges() }) {
                _ = try await store.write { (db) throws(StoreError) in try db.removeLooseEdges() }
            }
        }
        func count() async throws -> Int64? { try await store.number("SELECT COUNT(*) FROM manifest_edges") }
        let push = ManifestPush(
            manifest: manifest("large", edges: edges), try image(of: []), tags: [], isSparse: false,
            precondition: Precondition(), repository: repository, principal: PrincipalID(0))

        let staged = try await stage()
        let user = try await store.read { (db) throws(StoreError) in
            try db.manifest(naming: edges[0].digest, as: .blobs, in: repository)
        }
        #expect(user == nil, "an edge counts once its manifest is there")
        _ = try await store.write { (db) throws(StoreError) in try push.carryOut(db, staged: staged) }
        clock.advance(by: .seconds(2 * 3600))
        try await sweep()
        #expect(try await count() == 1200, "nothing of a manifest that is there is loose")

        #expect(try await store.remove(.digest(push.manifest.digest), from: "a") == .removed)
        let late = try await stage()
        try await sweep()
        #expect(try await count() == 2400, "not yet")
        clock.advance(by: .seconds(2 * 3600))
        let code = await storeError {
            _ = try await store.write { (db) throws(StoreError) in try push.carryOut(db, staged: late) }
        }
        #expect(code == .overloaded, "edges that may be gone are nobody's")
        try await sweep()
        #expect(try await count() == 0)
        #expect(try await store.number("SELECT COUNT(*) FROM loose_edges") == 0)
        let most = counting.changes.withLock { $0.max() } ?? 0
        #expect(most <= SQLTransaction.setLimit + 10, "no transaction is long")
    }
}
