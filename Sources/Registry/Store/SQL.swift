import Metrics
import Runtime

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

/// What a driver lends for the time of a transaction; every call blocks.
package protocol SQLConnection {
    /// Runs a query with `$1`, `$2` … bound. Throws `StoreError`, `.conflict` for a key that is taken.
    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow]
    /// Runs a statement; gives the number of rows it changed. Throws as `rows` does.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int
}

/// The words in which the two engines differ; all else is written in what they share.
package struct SQLDialect: Sendable {
    /// Whose words they are, for people.
    package let name: String
    /// The type of a key of 64 bits that is the only column of a primary key.
    package let key: String
    /// The type of text that is compared and ordered byte by byte.
    package let orderedText: String
    /// Behind a table whose rows are to lie in the order of the primary key.
    package let clustered: String

    package static let sqlite = SQLDialect(
        name: "SQLite", key: "INTEGER", orderedText: "TEXT", clustered: " WITHOUT ROWID")
    package static let postgreSQL = SQLDialect(
        name: "PostgreSQL", key: "BIGINT", orderedText: #"TEXT COLLATE "C""#, clustered: "")
}

/// A database that speaks the shared dialect. Transactions are serializable in meaning: one that another writer was in the
/// way of throws `.conflict`, and its body may be run again, so that it must not have effects outside.
package protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }
    /// How its queues and connections stand.
    func metrics() -> [MetricFamily]
    /// Runs `body` on a snapshot.
    func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T
    /// Runs `body` in a transaction that is durable when this returns. Nothing of it stays when `body` throws.
    func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T
    /// The same while nobody else, on whichever node, is in the middle of a write: for changes of the schema.
    func writeAlone<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T
}

extension SQLDatabase {
    /// Nothing.
    package func metrics() -> [MetricFamily] { [] }

    /// Where one process alone has the database, and writes one after the other.
    package func writeAlone<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T { try await write(body) }
}
