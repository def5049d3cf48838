import GRDB
import Runtime
import Store

/// SQLite in memory on the thread of whoever asks, which it blocks: for simulations, where a schedule decides who is next.
package final class InlineSQLiteDatabase: SQLDatabase {
    package let dialect = SQLDialect.sqlite
    private let connection: SQLiteConnection

    /// An empty database. Throws `StoreError`.
    package init() throws(StoreError) {
        var configuration = GRDB.Configuration()
        configuration.foreignKeysEnabled = true
        configuration.allowsUnsafeTransactions = true
        do { connection = try SQLiteConnection(path: nil, configuration) } catch { throw StoreError(error) }
    }

    /// Begins something that `restore` takes back, with all that is committed until then. Throws `StoreError`.
    package func save() throws(StoreError) { try run { (db) throws(StoreError) in _ = try db.execute("BEGIN", []) } }

    /// Takes back all that was committed since `save`. Throws `StoreError`.
    package func restore() throws(StoreError) {
        try run { (db) throws(StoreError) in _ = try db.execute("ROLLBACK", []) }
    }

    package func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T { try run(body) }

    package func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T { try writeNow(body) }

    /// `write`, for who is not asynchronous.
    package func writeNow<T>(_ body: (any SQLConnection) throws(StoreError) -> T) throws(StoreError) -> T {
        try run { (statements) throws(StoreError) in
            try statements.execute("SAVEPOINT write", [])
            do throws(StoreError) {
                let value = try body(statements)
                try statements.execute("RELEASE write", [])
                return value
            } catch {
                try statements.execute("ROLLBACK TO write", [])
                try statements.execute("RELEASE write", [])
                throw error
            }
        }
    }

    private func run<T>(_ body: (SQLiteStatements) throws(StoreError) -> T) throws(StoreError) -> T {
        do {
            return try connection.withDatabase { _, statements in try body(statements) }
        } catch {
            throw StoreError(error)
        }
    }
}
