import GRDB
import GRDBSQLite
import Runtime

extension StoreError {
    /// What an error of SQLite means to a caller.
    init(_ error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError: self.init(Self.code(of: error), error.description)
        default: self.init(.unavailable, "\(error)")
        }
    }

    /// Why the last call on a connection failed, which was about this statement.
    init(_ database: Database, _ sql: String) {
        let connection = database.sqliteConnection
        let message = sqlite3_errmsg(connection).map { String(cString: $0) }
        self.init(
            DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)), message: message, sql: sql))
    }

    private static func code(of error: DatabaseError) -> Code {
        switch error.extendedResultCode {
        // A key that is taken: made anew when the transaction is run again.
        case .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_ROWID: return .conflict
        case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_FSYNC: return .full
        default: break
        }
        switch error.resultCode {
        case .SQLITE_FULL: return .full
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .conflict
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .damaged
        default: return .unavailable
        }
    }
}
