import Foundation
import GRDB
import Runtime
import Store

/// One connection and the statements that were prepared on it.
///
/// `@unchecked`: everything happens inside `queue`, which lets one thread in at a time.
final class SQLiteConnection: @unchecked Sendable {
    let queue: DatabaseQueue
    private var statements: [String: Statement] = [:]

    /// Opens the file at `path`; nil is a database in memory. Throws GRDB's errors.
    init(path: String?, _ configuration: GRDB.Configuration) throws {
        queue =
            try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
            ?? DatabaseQueue(configuration: configuration)
    }

    /// Lends the database and what runs statements on it, inside no transaction.
    func withDatabase<T>(_ body: (Database, SQLiteStatements) throws -> T) throws -> T {
        try queue.inDatabase { try body($0, SQLiteStatements(database: $0, connection: self)) }
    }

    /// The statement of this text, prepared once: texts are few, as values are never part of one. Only from `withDatabase`.
    fileprivate func prepared(_ sql: String, _ database: Database) throws -> Statement {
        if let known = statements[sql] { return known }
        // SQLite numbers its parameters with `?1` where PostgreSQL has `$1`.
        let statement = try database.makeStatement(sql: sql.replacing("$", with: "?"))
        statements[sql] = statement
        return statement
    }
}

/// Runs statements within a transaction that somebody else began.
struct SQLiteStatements: SQLConnection {
    let database: Database
    fileprivate let connection: SQLiteConnection

    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        do {
            let statement = try connection.prepared(sql, database)
            let cursor = try Row.fetchCursor(statement, arguments: StatementArguments(arguments.map(\.databaseValue)))
            var rows: [SQLRow] = []
            while let row = try cursor.next() {
                rows.append(SQLRow(row.databaseValues.map(SQLValue.init)))
            }
            return rows
        } catch {
            throw StoreError(error)
        }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int {
        do {
            let statement = try connection.prepared(sql, database)
            try statement.execute(arguments: StatementArguments(arguments.map(\.databaseValue)))
            return database.changesCount
        } catch {
            throw StoreError(error)
        }
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .text(let value): value.databaseValue
        case .bytes(let value): Data(value).databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let value): self = .integer(value)
        case .double(let value): self = Int64(exactly: value).map { .integer($0) } ?? .null
        case .string(let value): self = .text(value)
        case .blob(let value): self = .bytes([UInt8](value))
        }
    }
}
