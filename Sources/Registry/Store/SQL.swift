/// A value that goes into a statement or comes out of a row, of the types that SQLite and PostgreSQL share.
package enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
    case bytes([UInt8])
}

/// One row; columns by position.
package struct SQLRow: Sendable {
    private let values: [SQLValue]

    /// A row of these columns.
    package init(_ values: [SQLValue]) { self.values = values }

    /// The column as an integer. Throws `.damaged` when it is something else.
    package func integer(_ column: Int) throws(StoreError) -> Int64 {
        guard case .integer(let value) = values[column] else { throw wrong(column, "an integer") }
        return value
    }

    /// The column as text. Throws `.damaged` when it is something else.
    package func text(_ column: Int) throws(StoreError) -> String {
        guard case .text(let value) = values[column] else { throw wrong(column, "text") }
        return value
    }

    /// The column as text, nil for NULL.
    package func optionalText(_ column: Int) throws(StoreError) -> String? {
        isNull(column) ? nil : try text(column)
    }

    /// The column as bytes. Throws `.damaged` when it is something else.
    package func bytes(_ column: Int) throws(StoreError) -> [UInt8] {
        guard case .bytes(let value) = values[column] else { throw wrong(column, "bytes") }
        return value
    }

    /// Whether the column is NULL.
    package func isNull(_ column: Int) -> Bool { values[column] == .null }

    private func wrong(_ column: Int, _ wanted: String) -> StoreError {
        StoreError(.damaged, "column \(column) is not \(wanted)")
    }
}

/// A transaction in progress; every call blocks.
package protocol SQLTransaction {
    /// Runs a query with `$1`, `$2` … bound. Throws `StoreError`.
    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow]
    /// Runs a statement; gives the number of rows it changed. Throws `StoreError`.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int
}

/// A database that speaks the shared dialect. A driver may run a body again when another writer was in the
/// way, so it must not have effects outside.
package protocol SQLDatabase: Sendable {
    /// Runs `body` on a snapshot.
    func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLTransaction) throws(StoreError) -> T
    ) async throws(StoreError) -> T
    /// Runs `body` in a transaction that is durable when this returns. Nothing of it stays when `body` throws.
    func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLTransaction) throws(StoreError) -> T
    ) async throws(StoreError) -> T
    /// Applies those of the numbered migrations that have not been, under a lock.
    func migrate(_ migrations: [Migration]) async throws(StoreError)
}

/// A numbered change of the schema; never edited once landed.
package struct Migration: Sendable {
    package let number: Int
    package let statements: [String]
}
