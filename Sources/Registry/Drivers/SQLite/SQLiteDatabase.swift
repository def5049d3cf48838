import GRDB
import Metrics
import Model
import Runtime
import Store
import Synchronization

/// SQLite through GRDB: a write-ahead log, and a commit is on the disk when it is acknowledged (`synchronous = FULL`).
package final class SQLiteDatabase: SQLDatabase {
    private static let readerCount = 2
    private static let capacity = 4096

    package let dialect = SQLDialect.sqlite
    private let readers: Mutex<[SQLiteConnection]>
    private let reads: BlockingExecutor
    private let commits: GroupCommit
    private let log: WriteAheadLog?

    /// Opens or creates the file at `path`, for the user and the group alone; nil is a database in memory, for tests. `patience`
    /// is how long a read or write may wait for its turn. Throws `StoreError`.
    package init(path: String?, patience: Duration = .seconds(30), clocks: Clocks = .system) throws(StoreError) {
        do {
            if let path { try WriteAheadLog.create(path) }
            let writer = try SQLiteConnection(path: path, Self.configuration(isWriter: true, isFile: path != nil))
            try writer.withDatabase { database, _ in
                // Opening set NORMAL, with which a commit is not synced.
                try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")
            }
            var readers = [writer]
            if let path {
                readers = try (0..<Self.readerCount).map { _ in
                    try SQLiteConnection(path: path, Self.configuration(isWriter: false, isFile: true))
                }
            }
            self.readers = Mutex(readers)
            log = try path.map { try WriteAheadLog($0, writer: writer) }
            commits = GroupCommit(
                writer, capacity: Self.capacity, patience: patience, clocks: clocks
            ) { [log] in log?.keepShort() }
            reads = BlockingExecutor(
                name: "SQLite", threads: readers.count, capacity: Self.capacity, patience: patience, clocks: clocks)
        } catch {
            throw StoreError(error)
        }
    }

    deinit {
        reads.stop()
        commits.stop()
        log?.stop()
    }

    private static func configuration(isWriter: Bool, isFile: Bool) -> GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.readonly = !isWriter
        if isWriter, isFile { configuration.journalMode = .wal }
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -2048") }
        return configuration
    }

    package func metrics() -> [MetricFamily] { BlockingExecutor.metrics([reads]) + commits.metrics }

    package func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await reads.run { [self] () throws(StoreError) in
            // There are as many connections as threads.
            guard let connection = readers.withLock({ $0.popLast() }) else {
                throw StoreError(.overloaded, "no connection is free")
            }
            defer { readers.withLock { $0.append(connection) } }
            do {
                return try connection.withDatabase { _, statements in
                    var result: T?
                    try statements.transaction("BEGIN") { () throws(StoreError) in
                        result = try body(statements)
                        return true
                    }
                    guard let result else { throw StoreError(.unavailable, "the read did not run") }
                    return result
                }
            } catch {
                throw StoreError(error)
            }
        }
    }

    package func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let outcome = Outcome<T>()
        let failure: StoreError? = await withUnsafeContinuation { continuation in
            let job = WriteJob { statements in
                let result = Result { () throws(StoreError) in try body(statements) }
                outcome.result.withLock { $0 = result }
                if case .success = result { return true }
                return false
            } finish: { failure in
                continuation.resume(returning: failure)
            }
            if !commits.add(job) {
                continuation.resume(returning: StoreError(.overloaded, "\(Self.capacity) writes wait"))
            }
        }
        guard let result = outcome.result.withLock({ $0 }) else {
            throw failure ?? StoreError(.unavailable, "the write did not run")
        }
        // Why a body failed says more than that nothing of it was committed.
        let value = try result.get()
        if let failure { throw failure }
        return value
    }
}

/// What a write's body gave.
private final class Outcome<T: Sendable>: Sendable {
    let result = Mutex<Result<T, StoreError>?>(nil)
}
