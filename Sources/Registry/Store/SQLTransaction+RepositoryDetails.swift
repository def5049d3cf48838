import Model
import Runtime

/// A row of the table of repositories, with all that is shown of one.
package struct RepositoryDetails: Sendable {
    package let repository: Repository
    package let visibility: Int64
    package let description: String
    package let tags: Int64
    package let manifests: Int64
    package let blobs: Int64
    /// Each blob once.
    package let bytes: Int64
    /// Of what its tags point to, each tag for itself.
    package let logicalBytes: Int64
    package let pulls: Int64
    package let createdAt: Timestamp
    package let pushedAt: Timestamp?
    package let pulledAt: Timestamp?
    package let deletedAt: Timestamp?

    static let columns = """
        r.id, r.namespace_id, r.name, r.visibility, r.description, r.tags, r.manifests, r.blobs,
        r.blob_bytes + r.manifest_bytes, r.pulls, r.created_at, r.pushed_at, r.pulled_at, r.deleted_at,
        r.logical_bytes
        """

    init(_ row: SQLRow) throws(StoreError) {
        let (id, namespace, text): (RepositoryID, NamespaceID, String) = (
            try row.id(0), try row.id(1), try row.text(2)
        )
        do throws(ParseError) {
            repository = Repository(id: id, namespace: namespace, name: try RepositoryName.parse(text))
        } catch {
            throw StoreError(.damaged, "a repository's name is none: \(error.message)")
        }
        visibility = try row.integer(3)
        description = try row.text(4)
        tags = try row.integer(5)
        manifests = try row.integer(6)
        blobs = try row.integer(7)
        bytes = try row.integer(8)
        pulls = try row.integer(9)
        createdAt = try row.time(10)
        pushedAt = try row.optionalTime(11)
        pulledAt = try row.optionalTime(12)
        deletedAt = try row.optionalTime(13)
        logicalBytes = try row.integer(14)
    }
}

/// Which repositories are asked for.
package struct RepositoryFilter: Sendable {
    /// The beginning of their names, or of a word in them.
    package var word = ""
    package var namespace: NamespaceID?
    package var visibility: Int64?
    /// Those that this principal may pull from; nil for all.
    package var reader: PrincipalID?
    /// Those that were deleted and can be restored, in the place of those that are there.
    package var areDeleted = false

    /// All that are there.
    package init() {}
}

extension SQLTransaction {
    /// Repositories behind `last` in byte order of their names, at most `limit`.
    package func repositories(
        _ filter: RepositoryFilter, after last: String, limit: Int
    ) throws(StoreError) -> [RepositoryDetails] {
        var arguments: [SQLValue] = [.text(last), SQLValue(limit)]
        func place(_ value: SQLValue) -> String {
            arguments.append(value)
            return "$\(arguments.count)"
        }
        var conditions = filter.areDeleted ? "AND r.deleted_at IS NOT NULL" : "AND r.deleted_at IS NULL"
        conditions += " AND r.begun_at IS NOT NULL"
        var source = (table: "repositories r", name: "r.name")
        if !filter.word.isEmpty {
            source = ("repository_words w JOIN repositories r ON r.id = w.repository_id", "w.name")
            conditions += " AND \(NameWords.condition(filter.word, place))"
        }
        if let namespace = filter.namespace { conditions += " AND r.namespace_id = \(place(SQLValue(namespace)))" }
        if let visibility = filter.visibility { conditions += " AND r.visibility = \(place(.integer(visibility)))" }
        if let reader = filter.reader { conditions += " " + Self.isReadable(by: place(SQLValue(reader))) }
        let found = try rows(
            """
            SELECT \(RepositoryDetails.columns) FROM \(source.table) WHERE \(source.name) > $1 \(conditions)
            ORDER BY \(source.name) LIMIT $2
            """, arguments)
        var details: [RepositoryDetails] = []
        for row in found { details.append(try RepositoryDetails(row)) }
        return details
    }

    /// All that is shown of a repository; nil when it is gone.
    package func details(of repository: RepositoryID) throws(StoreError) -> RepositoryDetails? {
        let row = try rows(
            "SELECT \(RepositoryDetails.columns) FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL",
            [SQLValue(repository)]
        ).first
        return try row.map { (row) throws(StoreError) in try RepositoryDetails(row) }
    }

    /// The repository of this name that was deleted and can be restored; nil when there is none.
    package func deletedRepository(_ name: RepositoryName) throws(StoreError) -> RepositoryDetails? {
        let row = try rows(
            """
            SELECT \(RepositoryDetails.columns) FROM repositories r
            WHERE r.name = $1 AND r.deleted_at > 0 ORDER BY r.deleted_at DESC LIMIT 1
            """, [.text(name.description)]
        ).first
        return try row.map { (row) throws(StoreError) in try RepositoryDetails(row) }
    }

    /// Makes a repository stand in lists though nothing was pushed to it.
    package func begin(_ repository: RepositoryID, description: String) throws(StoreError) {
        try execute(
            "UPDATE repositories SET begun_at = COALESCE(begun_at, $2), description = $3 WHERE id = $1",
            [SQLValue(repository), SQLValue(now), .text(description)])
    }

    /// Sets what a repository says of itself.
    package func setDescription(_ text: String, of repository: Repository) throws(StoreError) {
        try execute(
            "UPDATE repositories SET description = $2 WHERE id = $1", [SQLValue(repository.id), .text(text)])
    }

    /// Counts pulls of a repository. Nothing that is cached hangs on that.
    package func notePulls(_ count: Int, of repository: RepositoryID) throws(StoreError) {
        try execute(
            "UPDATE repositories SET pulls = pulls + $2, pulled_at = $3 WHERE id = $1",
            [SQLValue(repository), SQLValue(count), SQLValue(now)])
    }

    /// Notes that a tag was pulled.
    package func notePull(of tag: String, in repository: RepositoryID) throws(StoreError) {
        try execute(
            "UPDATE tags SET pulled_at = $3 WHERE repository_id = $1 AND name = $2",
            [SQLValue(repository), .text(tag), SQLValue(now)])
    }

    /// Takes a repository out of sight. Its name stays taken, and all that it has is there, until it is purged.
    package func retire(_ repository: Repository) throws(StoreError) {
        let found = try execute(
            "UPDATE repositories SET deleted_at = $2, version = version + 1 WHERE id = $1 AND deleted_at IS NULL",
            [SQLValue(repository.id), SQLValue(now)])
        guard found > 0 else { throw StoreError(.missing, "repository \(repository.name) was deleted") }
        moved.insert(.repository(repository.id))
        try touchAccess(repository.namespace)
    }

    /// Brings a repository back that was taken out of sight.
    package func restore(_ repository: Repository) throws(StoreError) {
        try execute(
            "UPDATE repositories SET deleted_at = NULL, version = version + 1 WHERE id = $1",
            [SQLValue(repository.id)])
        moved.insert(.repository(repository.id))
        try touchAccess(repository.namespace)
    }

    /// A repository that was deleted before `moment`; nil when there is none.
    package func repository(deletedBefore moment: Timestamp) throws(StoreError) -> RepositoryDetails? {
        let row = try rows(
            """
            SELECT \(RepositoryDetails.columns) FROM repositories r WHERE r.deleted_at < $1 ORDER BY r.id LIMIT 1
            """, [SQLValue(moment)]
        ).first
        return try row.map { (row) throws(StoreError) in try RepositoryDetails(row) }
    }
}
