import GRDB
import GRDBSQLite
import Runtime
import Store

/// One connection and the statements that were prepared on it.
///
/// `@unchecked`: everything happens inside `queue`, which lets one thread in at a time.
final class SQLiteConnection: @unchecked Sendable {
    private let queue: DatabaseQueue
    private var statements: [String: SQLiteStatementHandle] = [:]

    /// Opens the file at `path`; nil is a database in memory. Throws GRDB's errors.
    init(path: String?, _ configuration: GRDB.Configuration) throws {
        queue =
            try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
            ?? DatabaseQueue(configuration: configuration)
    }

    deinit {
        // Before the connection, which goes with the queue.
        for statement in statements.values { sqlite3_finalize(statement) }
    }

    /// Lends the database and what runs statements on it, inside no transaction.
    func withDatabase<T>(_ body: (Database, SQLiteStatements) throws -> T) throws -> T {
        try queue.inDatabase { try body($0, SQLiteStatements($0, of: self)) }
    }

    /// The statement of this text, prepared once: texts are few, as values are never part of one. Only from `withDatabase`.
    func prepared(_ sql: String, _ database: Database) throws(StoreError) -> SQLiteStatementHandle {
        if let known = statements[sql] { return known }
        var statement: SQLiteStatementHandle?
        // SQLite numbers its parameters with `?1` where PostgreSQL has `$1`.
        let status = sqlite3_prepare_v3(
            database.sqliteConnection, sql.replacing("$", with: "?"), -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement,
            nil)
        guard status == SQLITE_OK, let statement else { throw StoreError(database, sql) }
        statements[sql] = statement
        return statement
    }
}
