import GRDB
import Store
import Synchronization

/// SQLite through GRDB: write-ahead log, a commit is on disk when it is acknowledged.
///
/// Writes that wait together are committed together, so that many clients share one fsync; each has its own savepoint.
package final class SQLiteDatabase: SQLDatabase {
    private let writer: any DatabaseWriter
    private let readers: BlockingExecutor
    private let commits: BlockingExecutor
    private let waiting = Mutex<[WriteJob]>([])

    /// Opens or creates the file at `path`; nil is a database in memory, for tests. Throws `StoreError`.
    package init(path: String?) throws(StoreError) {
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = Self.readerCount
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try db.execute(
                sql: "PRAGMA synchronous = FULL; PRAGMA cache_size = -2048; PRAGMA wal_autocheckpoint = 1000")
        }
        do {
            if let path {
                writer = try DatabasePool(path: path, configuration: configuration)
            } else {
                writer = try DatabaseQueue(configuration: configuration)
            }
        } catch {
            throw StoreError(error)
        }
        readers = BlockingExecutor(name: "SQLite reads", threads: Self.readerCount, capacity: Self.capacity)
        // Every write that waits has a turn here, some of which find nothing left to do: this queue is never the one to refuse.
        commits = BlockingExecutor(name: "SQLite writes", threads: 1, capacity: .max)
    }

    private static let readerCount = 2
    private static let capacity = 4096

    package func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLTransaction) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await readers.run { [writer] () throws(StoreError) in
            do {
                return try writer.read { try body(SQLiteTransaction(database: $0)) }
            } catch {
                throw StoreError(error)
            }
        }
    }

    package func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLTransaction) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let outcome = Outcome<T>()
        let job = WriteJob { db in
            outcome.set(Result { () throws(StoreError) in try body(SQLiteTransaction(database: db)) })
            return outcome.isSuccess
        }
        let isAccepted = waiting.withLock { waiting in
            if waiting.count < Self.capacity { waiting.append(job) }
            return waiting.last === job
        }
        guard isAccepted else { throw StoreError(.overloaded, "\(Self.capacity) writes wait") }
        // The first job to get a thread commits all that wait; the others find their outcome ready.
        try await commits.run { [self] () throws(StoreError) in
            commitWaiting()
            if let failure = job.failure.withLock({ $0 }) { throw failure }
        }
        return try outcome.get()
    }

    package func migrate(_ migrations: [Store.Migration]) async throws(StoreError) {
        try await commits.run { [writer] () throws(StoreError) in
            do {
                try writer.write { db in
                    try db.execute(sql: "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)")
                    let done = try Set(Int.fetchAll(db, sql: "SELECT number FROM migrations"))
                    let newest = migrations.map(\.number).max() ?? 0
                    guard done.allSatisfy({ $0 <= newest }) else {
                        throw StoreError(.unavailable, "the database was written by a newer aerugo: run that one")
                    }
                    for migration in migrations where !done.contains(migration.number) {
                        for statement in migration.statements { try db.execute(sql: statement) }
                        try db.execute(sql: "INSERT INTO migrations VALUES (?)", arguments: [migration.number])
                    }
                }
            } catch {
                throw StoreError(error)
            }
        }
    }

    private func commitWaiting() {
        let batch = waiting.withLock { waiting in
            let batch = Array(waiting.prefix(128))
            waiting.removeFirst(batch.count)
            return batch
        }
        guard !batch.isEmpty else { return }
        do {
            try writer.write { db in
                for job in batch {
                    try db.inSavepoint { job.body(db) ? .commit : .rollback }
                }
            }
        } catch {
            let failure = StoreError(error)
            for job in batch { job.failure.withLock { $0 = failure } }
        }
    }
}

/// A write that waits for the next commit. `failure` is why that commit failed, if it did.
private final class WriteJob: Sendable {
    /// Runs the write; false asks for a rollback of it alone.
    let body: @Sendable (Database) -> Bool
    let failure = Mutex<StoreError?>(nil)

    init(_ body: @escaping @Sendable (Database) -> Bool) { self.body = body }
}

/// What a write's body gave.
private final class Outcome<T: Sendable>: Sendable {
    private let result = Mutex<Result<T, StoreError>?>(nil)

    func set(_ value: Result<T, StoreError>) { result.withLock { $0 = value } }

    var isSuccess: Bool {
        result.withLock { if case .success = $0 { true } else { false } }
    }

    func get() throws(StoreError) -> T {
        guard let result = result.withLock({ $0 }) else { throw StoreError(.unavailable, "the write did not run") }
        return try result.get()
    }
}
