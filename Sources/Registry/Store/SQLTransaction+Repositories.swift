import Model
import Runtime

/// What a transaction adds to a repository's counters: gathered by the statements, written once, by `change`.
package struct UsageChange {
    var blobs = 0
    var blobBytes: Int64 = 0
    var manifests = 0
    var manifestBytes: Int64 = 0
    var tags = 0
    /// What tags refer to, each for itself: that of as many manifests as a transaction points tags to.
    var logicalBytes: Int64 = 0
    /// Bytes of blobs that no other repository of the namespace has.
    var namespaceBlobBytes: Int64 = 0
    /// Whether content came, rather than went.
    var begins: Bool

    /// Nothing yet of a change by which content comes (`begins`) or goes.
    package init(begins: Bool) { self.begins = begins }
}

/// A row of the table of repositories.
package struct RepositoryRecord: Sendable {
    package let repository: Repository
    package let visibility: Int64
}

extension SQLTransaction {
    /// The repository of this name; nil when there is none.
    package func repository(_ name: RepositoryName) throws(StoreError) -> RepositoryRecord? {
        let found = try rows(
            "SELECT id, namespace_id, visibility FROM repositories WHERE name = $1 AND deleted_at IS NULL",
            [.text(name.description)]
        ).first
        guard let found else { return nil }
        return RepositoryRecord(
            repository: Repository(id: try found.id(0), namespace: try found.id(1), name: name),
            visibility: try found.integer(2))
    }

    /// The repository of this key; nil when there is none, or no more.
    package func repository(_ id: RepositoryID) throws(StoreError) -> RepositoryRecord? {
        let found = try rows(
            "SELECT name, namespace_id, visibility FROM repositories WHERE id = $1 AND deleted_at IS NULL",
            [SQLValue(id)]
        ).first
        guard let found else { return nil }
        let text = try found.text(0)
        let name: RepositoryName
        do throws(ParseError) {
            name = try RepositoryName.parse(text)
        } catch {
            throw StoreError(.damaged, "a repository's name is none: \(error.message)")
        }
        return RepositoryRecord(
            repository: Repository(id: id, namespace: try found.id(1), name: name), visibility: try found.integer(2))
    }

    /// Makes a repository, in the namespace that its name begins with, which is made where it is not there. The one that
    /// is there is left as it is.
    package func makeRepository(_ name: RepositoryName, visibility: Int64) throws(StoreError) {
        guard try repository(name) == nil else { return }
        let known = try namespace(name.namespace)?.namespace.id
        let namespace = if let known { known } else { try addNamespace(name.namespace, .open) }
        let id: RepositoryID = newID()
        try execute(
            """
            INSERT INTO repositories
                (id, namespace_id, name, visibility, version, blobs, blob_bytes, manifests, manifest_bytes, created_at,
                    has_words)
            VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0, $5, 1)
            """,
            [SQLValue(id), SQLValue(namespace), .text(name.description), .integer(visibility), SQLValue(now)])
        try addWords(of: name.description, id, .repositories)
        try execute(
            "UPDATE namespaces SET repositories = repositories + 1 WHERE id = $1", [SQLValue(namespace)])
        try addRepositories(1, in: namespace)
    }

    /// Names of repositories after `last` in byte order, at most `limit`, of those that had content; only those that
    /// `reader` may pull from, or all.
    package func repositoryNames(
        after last: String, limit: Int, readableBy reader: PrincipalID? = nil
    ) throws(StoreError) -> [String] {
        let readable = reader == nil ? "" : Self.isReadable(by: "$3")
        return try rows(
            """
            SELECT r.name FROM repositories r
            WHERE r.name > $1 AND r.deleted_at IS NULL AND r.begun_at IS NOT NULL \(readable)
            ORDER BY r.name LIMIT $2
            """, [.text(last), SQLValue(limit)] + (reader.map { [SQLValue($0)] } ?? [])
        ).texts()
    }

    /// The condition that a principal, the argument of that place, may pull from a repository `r`.
    static func isReadable(by place: String) -> String {
        """
        AND (r.visibility = 1
            OR r.namespace_id IN (SELECT namespace_id FROM members WHERE principal_id = \(place))
            OR r.namespace_id IN (SELECT namespace_id FROM principals WHERE id = \(place) AND kind = 1)
            OR EXISTS (SELECT 1 FROM permissions x WHERE x.repository_id = r.id AND x.rights <> 0
                AND (x.grantee_id = \(place) OR x.grantee_id IN
                    (SELECT team_id FROM team_members WHERE principal_id = \(place)
                        AND team_members.namespace_id = r.namespace_id))))
        """
    }

    /// Whether the repository has had content.
    package func hasBegun(_ repository: Repository) throws(StoreError) -> Bool {
        try !rows(
            "SELECT 1 FROM repositories WHERE id = $1 AND deleted_at IS NULL AND begun_at IS NOT NULL",
            [SQLValue(repository.id)]
        ).isEmpty
    }

    /// The version of the repository; nil when it was deleted.
    package func version(of repository: Repository) throws(StoreError) -> Int64? {
        try rows(
            "SELECT version FROM repositories WHERE id = $1 AND deleted_at IS NULL", [SQLValue(repository.id)]
        ).first?.integer(0)
    }

    /// Moves the repository's version on and counts what has changed. Throws `.missing` when it was deleted meanwhile.
    package func change(_ repository: Repository, _ change: UsageChange) throws(StoreError) {
        moved.insert(.repository(repository.id))
        let found = try execute(
            """
            UPDATE repositories SET version = version + 1, blobs = blobs + $2, blob_bytes = blob_bytes + $3,
                manifests = manifests + $4, manifest_bytes = manifest_bytes + $5, begun_at = COALESCE(begun_at, $6),
                pushed_at = COALESCE($6, pushed_at), tags = tags + $7, logical_bytes = \(Self.bounded("$8"))
            WHERE id = $1 AND deleted_at IS NULL
            """,
            [
                SQLValue(repository.id), SQLValue(change.blobs), .integer(change.blobBytes), SQLValue(change.manifests),
                .integer(change.manifestBytes), change.begins ? SQLValue(now) : .null, SQLValue(change.tags),
                .integer(change.logicalBytes),
            ])
        guard found > 0 else { throw StoreError(.missing, "repository \(repository.name) was deleted") }
        try count(change, in: repository.namespace)
    }

    /// Counts in a namespace what has changed in one of its repositories.
    func count(_ change: UsageChange, in namespace: NamespaceID) throws(StoreError) {
        guard change.namespaceBlobBytes != 0 || change.manifestBytes != 0 || change.logicalBytes != 0 else { return }
        try execute(
            """
            UPDATE namespaces SET blob_bytes = blob_bytes + $2, manifest_bytes = manifest_bytes + $3,
                logical_bytes = \(Self.bounded("$4")) WHERE id = $1
            """,
            [
                SQLValue(namespace), .integer(change.namespaceBlobBytes), .integer(change.manifestBytes),
                .integer(change.logicalBytes),
            ])
        var totals = Totals()
        totals.bytes = change.namespaceBlobBytes + change.manifestBytes
        try add(totals, of: namespace)
    }

    /// Logical bytes and what is added to them, within bounds: a manifest may name one blob over and over, so that sums could
    /// grow past what an integer holds.
    static func bounded(_ change: String) -> String {
        """
        CASE WHEN logical_bytes + \(change) < 0 THEN 0 WHEN logical_bytes + \(change) > \(mostLogicalBytes)
            THEN \(mostLogicalBytes) ELSE logical_bytes + \(change) END
        """
    }

    private static let mostLogicalBytes: Int64 = 1 << 56

    /// Whether `removeEmptyRepositories` might find any.
    package func hasEmptyRepositories(madeBefore oldest: Timestamp) throws(StoreError) -> Bool {
        try !rows(
            """
            SELECT 1 FROM repositories WHERE created_at < $1 AND begun_at IS NULL AND deleted_at IS NULL LIMIT 1
            """, [SQLValue(oldest)]
        ).isEmpty
    }

    /// Removes repositories made before `oldest` that never had content and have no upload; at most `limit`. Gives how many.
    package func removeEmptyRepositories(madeBefore oldest: Timestamp, limit: Int) throws(StoreError) -> Int {
        let found = try rows(
            """
            SELECT r.id, r.namespace_id, r.name FROM repositories r
            WHERE r.created_at < $1 AND r.begun_at IS NULL AND r.deleted_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM upload_sessions s WHERE s.repository_id = r.id)
            ORDER BY r.created_at LIMIT $2
            """, [SQLValue(oldest), SQLValue(limit)])
        for row in found {
            let (id, namespace): (RepositoryID, NamespaceID) = (try row.id(0), try row.id(1))
            moved.insert(.access(namespace))
            try execute("DELETE FROM repositories WHERE id = $1", [SQLValue(id)])
            try removeWords(of: row.text(2), id, .repositories)
            try addRepositories(-1, in: namespace)
            try execute(
                "UPDATE namespaces SET repositories = repositories - 1, access_version = access_version + 1 WHERE id = $1",
                [SQLValue(namespace)])
        }
        return found.count
    }
}
