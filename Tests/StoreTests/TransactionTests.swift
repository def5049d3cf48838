import Model
import Runtime
import SQLiteDriver
import Store
import Synchronization
import Testing

/// A database whose commits fail: the first ones, as often as said, and with which error.
private final class FailingDatabase: SQLDatabase {
    let dialect = SQLDialect.sqlite
    let runs = Mutex(0)
    private let database: SQLiteDatabase
    private let failures: Int
    private let code: StoreError.Code

    init(_ database: SQLiteDatabase, failures: Int, _ code: StoreError.Code) {
        self.database = database
        self.failures = failures
        self.code = code
    }

    func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T { try await database.read(body) }

    func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let (failures, code) = (failures, code)
        let run = runs.withLock { runs in
            runs += 1
            return runs
        }
        return try await database.write { (connection) throws(StoreError) in
            let value = try body(connection)
            guard run > failures else { throw StoreError(code, "failure \(run)") }
            return value
        }
    }
}

@Suite("Transactions of the store")
struct TransactionTests {
    private func store(failures: Int, _ code: StoreError.Code) async throws -> (MetadataStore, FailingDatabase) {
        let database = try SQLiteDatabase(path: nil)
        try await Schema.migrate(database)
        let failing = FailingDatabase(database, failures: failures, code)
        return (MetadataStore(failing, pause: { _ in }), failing)
    }

    private func make(_ store: MetadataStore) async -> StoreError.Code? {
        await storeError {
            let name = try name("a/b")
            try await store.write { (db) throws(StoreError) in try db.makeRepository(name, visibility: 1) }
        }
    }

    @Test("one that another writer was in the way of runs again, and nothing of the tries before it stays")
    func again() async throws {
        let (store, failing) = try await store(failures: 4, .conflict)
        #expect(await make(store) == nil)
        #expect(failing.runs.withLock { $0 } == 5)
        #expect(try await store.number("SELECT COUNT(*) FROM repositories") == 1)
        #expect(try await store.number("SELECT repositories FROM namespaces") == 1)
    }

    @Test("it is given up after five tries, and at once for any other reason")
    func givenUp() async throws {
        let (busy, failing) = try await store(failures: 100, .conflict)
        #expect(await make(busy) == .conflict)
        #expect(failing.runs.withLock { $0 } == 5)
        let (full, other) = try await store(failures: 100, .full)
        #expect(await make(full) == .full)
        #expect(other.runs.withLock { $0 } == 1)
    }

    @Test("a key that is taken is a conflict, for which another one is made")
    func takenKey() async throws {
        let numbers = Mutex<[UInt64]>([7, 0, 8])
        // The clock stands: the first source makes the keys 7 and 8, and the second one begins at 8.
        let clock = HandClock()
        let database = try SQLiteDatabase(path: nil)
        try await Schema.migrate(database)
        for text in ["a", "b"] {
            let source = IDSource(clocks: clock.clocks) { numbers.withLock { $0.isEmpty ? 1 : $0.removeFirst() } }
            let store = MetadataStore(database, ids: source, pause: { _ in })
            _ = try await store.repository(text)
        }
        #expect(try await MetadataStore(database).number("SELECT COUNT(*) FROM repositories") == 2)
    }

    @Test("a version moves with what it is about, also when nobody knows how a commit ended, and not by reading")
    func versions() async throws {
        let database = try SQLiteDatabase(path: nil)
        try await Schema.migrate(database)
        let store = MetadataStore(database)
        let (a, b) = (try await store.repository("a"), try await store.repository("b"))
        func version(_ repository: Repository) -> Version? { store.versions.atOnce(.repository(repository.id)) }
        let (old, other) = (version(a), version(b))
        _ = try await store.tags(of: "a")
        #expect(version(a) == old)
        try await push("a", tags: ["t"], to: store)
        #expect(version(a) != old)
        #expect(version(b) == other)
        let pushed = version(a)
        try await addBlob(bytes(3), to: "a", store)
        #expect(version(a) != pushed)

        let failing = FailingDatabase(database, failures: 1, .unavailable)
        let doubtful = MetadataStore(failing, versions: store.versions)
        let before = version(a)
        let tag = Reference.tag(try .parse("t"))
        let code = await storeError {
            _ = try await doubtful.write { (db) throws(StoreError) in
                try db.remove(tag, from: a, by: PrincipalID(0))
            }
        }
        #expect(code == .unavailable)
        #expect(version(a) != before)
    }
}
