import Foundation
import GRDB
import Store

/// Statements on one connection of SQLite, prepared once and kept.
struct SQLiteTransaction: SQLTransaction {
    let database: Database

    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        do {
            let statement = try prepared(sql)
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
            try prepared(sql).execute(arguments: StatementArguments(arguments.map(\.databaseValue)))
            return database.changesCount
        } catch {
            throw StoreError(error)
        }
    }

    /// SQLite numbers its parameters with `?1` where PostgreSQL has `$1`.
    private func prepared(_ sql: String) throws -> Statement {
        try database.cachedStatement(sql: sql.replacing("$", with: "?"))
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

extension StoreError {
    /// What an error of GRDB means to a caller.
    init(_ error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_FULL: self.init(.full, error.description)
            case .SQLITE_IOERR where [.SQLITE_IOERR_WRITE, .SQLITE_IOERR_FSYNC].contains(error.extendedResultCode):
                self.init(.full, error.description)
            case .SQLITE_BUSY, .SQLITE_LOCKED: self.init(.conflict, error.description)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self.init(.damaged, error.description)
            default: self.init(.unavailable, error.description)
            }
        default: self.init(.unavailable, "\(error)")
        }
    }
}
