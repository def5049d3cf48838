import Runtime

/// A numbered change of the schema; never edited once landed.
package struct Migration: Sendable {
    package let number: Int
    /// Its statements in an engine's words.
    package let statements: @Sendable (SQLDialect) -> [String]

    /// A change, in an engine's words.
    package init(number: Int, statements: @escaping @Sendable (SQLDialect) -> [String]) {
        self.number = number
        self.statements = statements
    }
}

/// The tables, a file a topic. Times are milliseconds since 1970; keys are `Identifier`s, made here and not there; digests are
/// `Digest.compact`. Rows refer to keys and never to names. What is deleted softly keeps its row, with `deleted_at`.
package enum Schema {
    /// All migrations, in order. The first schema, number 1, had no keys: nothing of it can be read.
    package static let migrations = [
        Migration(number: 2) { dialect in
            tenants(dialect) + content(dialect) + uploads(dialect) + events(dialect)
        },
        Migration(number: 3) { accounts($0) },
        Migration(number: 4) { management($0) },
        Migration(number: 5) { requests($0) },
        Migration(number: 6) { invitations($0) },
        Migration(number: 7) { mail($0) },
        Migration(number: 8) { listing($0) },
        Migration(number: 9) { dialect in totals(dialect) + userListing(dialect) },
        Migration(number: 10) { reviews($0) },
    ]

    /// Applies those of the migrations that have not been: of nodes that start at once one does, and the others see it.
    /// Throws `.unavailable` for a database of another version.
    package static func migrate(
        _ database: any SQLDatabase, _ migrations: [Migration] = Self.migrations
    ) async throws(StoreError) {
        let dialect = database.dialect
        _ = try await database.writeAlone { (db) throws(StoreError) in
            try db.execute("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY)", [])
            var done: Set<Int64> = []
            for row in try db.rows("SELECT number FROM migrations", []) { done.insert(try row.integer(0)) }
            try check(done, migrations)
            for migration in migrations where !done.contains(Int64(migration.number)) {
                for statement in migration.statements(dialect) { try db.execute(statement, []) }
                try db.execute("INSERT INTO migrations VALUES ($1)", [.integer(Int64(migration.number))])
            }
        }
    }

    private static func check(_ done: Set<Int64>, _ migrations: [Migration]) throws(StoreError) {
        let known = Set(migrations.map { Int64($0.number) })
        guard let stranger = done.subtracting(known).max() else { return }
        guard stranger < known.min() ?? 0 else {
            throw StoreError(.unavailable, "the database was written by a newer aerugo: run that one")
        }
        throw StoreError(
            .unavailable,
            "the database was written by an older aerugo, whose data this one cannot read: start with an empty directory, "
                + "and copy what you need from the old one with that version running")
    }
}
