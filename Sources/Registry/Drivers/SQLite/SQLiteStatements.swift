import GRDB
import GRDBSQLite
import Runtime
import Store

/// Runs statements on a connection, by SQLite's own interface: a push is ten of them, and conversions on the way would be
/// most of what they cost.
struct SQLiteStatements: SQLConnection {
    let database: Database
    private let connection: SQLiteConnection

    /// What runs statements on a connection that is lent at present.
    init(_ database: Database, of connection: SQLiteConnection) {
        self.database = database
        self.connection = connection
    }

    private var handle: SQLiteConnectionHandle? { database.sqliteConnection }

    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        var rows: [SQLRow] = []
        try step(sql, arguments) { rows.append(Self.row(of: $0)) }
        return rows
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int {
        try step(sql, arguments) { _ in }
        return Int(sqlite3_changes(handle))
    }

    private func step(
        _ sql: String, _ arguments: [SQLValue], _ take: (SQLiteStatementHandle) -> Void
    ) throws(StoreError) {
        let statement = try connection.prepared(sql, database)
        // What a reset returns is what the step before it returned.
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in arguments.enumerated() {
            guard Self.bind(value, at: Int32(index + 1), of: statement) == SQLITE_OK else {
                throw StoreError(database, sql)
            }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: take(statement)
            case SQLITE_DONE: return
            default: throw StoreError(database, sql)
            }
        }
    }
}

// MARK: Transactions

extension SQLiteStatements {
    /// Runs `body` in a transaction, which is committed if it gives true. Throws what `body` throws, and why it could not be
    /// committed.
    func transaction(_ begin: StaticString, _ body: () throws(StoreError) -> Bool) throws(StoreError) {
        try execute("\(begin)", [])
        do throws(StoreError) {
            if try body() {
                try execute("COMMIT", [])
            } else {
                try rollBack()
            }
        } catch {
            try rollBack()
            throw error
        }
    }

    /// Runs `body` in a part of a transaction, of which nothing stays if it gives false. Throws `.conflict` where the whole
    /// transaction is gone: a full disk ends all of it, and to go on would commit without what came before.
    func part(_ body: () -> Bool) throws(StoreError) {
        try execute("SAVEPOINT part", [])
        let isKept = body()
        guard isInTransaction else {
            throw StoreError(.conflict, "SQLite: a write that would have been committed together failed")
        }
        if !isKept { try execute("ROLLBACK TO part", []) }
        try execute("RELEASE part", [])
    }

    private var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    private func rollBack() throws(StoreError) {
        if isInTransaction { try execute("ROLLBACK", []) }
    }
}

// MARK: Values

typealias SQLiteStatementHandle = OpaquePointer
typealias SQLiteConnectionHandle = OpaquePointer

extension SQLiteStatements {
    /// Tells SQLite to copy what it is given (`SQLITE_TRANSIENT`).
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    private static func bind(_ value: SQLValue, at index: Int32, of statement: SQLiteStatementHandle) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                // Without an address it would be NULL.
                guard let base = bytes.baseAddress, !bytes.isEmpty else {
                    return sqlite3_bind_text(statement, index, "", 0, copied)
                }
                return base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    sqlite3_bind_text(statement, index, $0, Int32(clamping: bytes.count), copied)
                }
            }
        case .bytes(let bytes):
            guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
            return bytes.withUnsafeBytes {
                sqlite3_bind_blob(statement, index, $0.baseAddress, Int32(clamping: $0.count), copied)
            }
        }
    }

    private static func row(of statement: SQLiteStatementHandle) -> SQLRow {
        SQLRow((0..<sqlite3_data_count(statement)).map { value(of: statement, $0) })
    }

    private static func value(of statement: SQLiteStatementHandle, _ column: Int32) -> SQLValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT:
            return Int64(exactly: sqlite3_column_double(statement, column)).map { .integer($0) } ?? .null
        case SQLITE_TEXT:
            let text = sqlite3_column_text(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            return .text(
                String(decoding: UnsafeBufferPointer(start: text, count: text == nil ? 0 : count), as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = sqlite3_column_blob(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            return .bytes([UInt8](UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count)))
        default: return .null
        }
    }
}
