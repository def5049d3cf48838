import Glibc
import Model

/// What the registry knows: repositories, tags, manifests, which repository has which blob, uploads in progress.
///
/// Every statement is written once, in the dialect that SQLite (3.40) and PostgreSQL (15) share. All functions throw
/// `StoreError` alone. A repository begins with the first blob or manifest that it gets.
package struct MetadataStore: Sendable {
    let database: any SQLDatabase

    /// A store over a migrated database.
    package init(_ database: any SQLDatabase) { self.database = database }

    /// Throws unless the database answers.
    package func check() async throws(StoreError) {
        _ = try await database.read { (db) throws(StoreError) in try db.rows("SELECT 1", []) }
    }

    /// Names of repositories after `last` in byte order, at most `limit`.
    package func repositories(after last: String, limit: Int) async throws(StoreError) -> [String] {
        try await database.read { (db) throws(StoreError) in
            try db.rows(
                "SELECT name FROM repositories WHERE name > $1 ORDER BY name LIMIT $2",
                [.text(last), .integer(Int64(limit))]
            ).texts()
        }
    }

    /// Tags after `last` in byte order, at most `limit`; nil when there is no such repository.
    package func tags(
        of repository: RepositoryName, after last: String, limit: Int
    ) async throws(StoreError) -> [String]? {
        try await database.read { (db) throws(StoreError) in
            guard let id = try db.repositoryID(repository) else { return nil }
            return try db.rows(
                "SELECT name FROM tags WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3",
                [.text(id), .text(last), .integer(Int64(limit))]
            ).texts()
        }
    }

    /// Whether the repository has been pushed to.
    package func hasRepository(_ name: RepositoryName) async throws(StoreError) -> Bool {
        try await database.read { (db) throws(StoreError) in try db.repositoryID(name) != nil }
    }

    /// The time for a row, in milliseconds since 1970.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// An id for an upload session, in the form of a UUID of version 4 (distribution-spec "POST then PUT").
    package static func newUUID() -> String {
        var id = Array(newID())
        id[12] = "4"
        id[16] = "a"
        return [id[..<8], id[8..<12], id[12..<16], id[16..<20], id[20...]].map { String($0) }.joined(separator: "-")
    }

    /// An id for a row: 128 random bits as 32 hexadecimal digits.
    package static func newID() -> String {
        var random = SystemRandomNumberGenerator()
        let bits = [random.next(), random.next()] as [UInt64]
        return bits.withUnsafeBytes { Hex.encode($0) }
    }
}

extension [SQLRow] {
    /// The first column of every row.
    func texts() throws(StoreError) -> [String] {
        var texts: [String] = []
        texts.reserveCapacity(count)
        for row in self { texts.append(try row.text(0)) }
        return texts
    }
}

extension SQLTransaction {
    /// The id of a repository, nil when there is none of that name.
    func repositoryID(_ name: RepositoryName) throws(StoreError) -> String? {
        try rows("SELECT id FROM repositories WHERE name = $1", [.text(name.description)]).first?.text(0)
    }

    /// The id of a repository, which is made where there is none.
    func makeRepository(_ name: RepositoryName) throws(StoreError) -> String {
        if let id = try repositoryID(name) { return id }
        try execute(
            "INSERT INTO repositories (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
            [.text(MetadataStore.newID()), .text(name.description), .integer(MetadataStore.now())])
        guard let id = try repositoryID(name) else { throw StoreError(.conflict, "repository vanished") }
        return id
    }
}
