import Model
import Runtime

extension SQLTransaction {
    /// How much of a repository one transaction removes.
    private static let part = SQLValue(64)

    /// Removes a part of a repository that was deleted; false when nothing of it was left, and it is gone itself.
    package func purge(_ repository: Repository) throws(StoreError) -> Bool {
        // What has lost a part is not to be restored any more.
        try execute(
            "UPDATE repositories SET deleted_at = 0 WHERE id = $1 AND deleted_at > 0", [SQLValue(repository.id)])
        for part in [purgeTags, purgeHistory, purgeManifests, purgeBlobs, purgeSessions, purgeReviews] {
            if try part(repository) { return true }
        }
        let id = SQLValue(repository.id)
        try execute("DELETE FROM permissions WHERE repository_id = $1", [id])
        let gone = "(SELECT logical_bytes FROM repositories r WHERE r.id = $2)"
        try execute(
            """
            UPDATE namespaces SET repositories = repositories - 1, logical_bytes = \(Self.bounded("- \(gone)")) WHERE id = $1
            """, [SQLValue(repository.namespace), id])
        try execute("DELETE FROM repositories WHERE id = $1", [id])
        try removeWords(of: repository.name.description, repository.id, .repositories)
        try addRepositories(-1, in: repository.namespace)
        try touchAccess(repository.namespace)
        return false
    }

    private func purgeTags(_ repository: Repository) throws(StoreError) -> Bool {
        try execute(
            """
            DELETE FROM tags WHERE repository_id = $1
                AND name IN (SELECT name FROM tags WHERE repository_id = $1 ORDER BY name LIMIT $2)
            """, [SQLValue(repository.id), Self.part]) > 0
    }

    private func purgeHistory(_ repository: Repository) throws(StoreError) -> Bool {
        try execute(
            """
            DELETE FROM tag_history WHERE repository_id = $1
                AND name IN (SELECT name FROM tag_history WHERE repository_id = $1 ORDER BY name LIMIT $2)
            """, [SQLValue(repository.id), Self.part]) > 0
    }

    private func purgeManifests(_ repository: Repository) throws(StoreError) -> Bool {
        var usage = UsageChange(begins: false)
        let found = try rows(
            "SELECT id, edges, size FROM manifests WHERE repository_id = $1 ORDER BY id LIMIT $2",
            [SQLValue(repository.id), Self.part])
        for row in found {
            let id: ManifestID = try row.id(0)
            try execute("DELETE FROM manifests WHERE id = $1", [SQLValue(id)])
            try removeEdges(of: id, count: row.integer(1), since: nil)
            usage.manifestBytes -= try row.integer(2)
        }
        try count(usage, in: repository.namespace)
        return !found.isEmpty
    }

    private func purgeBlobs(_ repository: Repository) throws(StoreError) -> Bool {
        var usage = UsageChange(begins: false)
        let found = try rows(
            """
            SELECT b.digest FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id
            WHERE l.repository_id = $1 ORDER BY l.blob_id LIMIT $2
            """, [SQLValue(repository.id), Self.part])
        for row in found { _ = try unlink(row.digest(0), from: repository, counting: &usage) }
        try count(usage, in: repository.namespace)
        return !found.isEmpty
    }

    private func purgeSessions(_ repository: Repository) throws(StoreError) -> Bool {
        let keys = try rows(
            """
            DELETE FROM upload_sessions WHERE id IN
                (SELECT id FROM upload_sessions WHERE repository_id = $1 ORDER BY id LIMIT $2) RETURNING storage_key
            """, [SQLValue(repository.id), Self.part]
        ).texts()
        for key in keys { try retire(StorageKey(key)) }
        try addUploads(-keys.count)
        return !keys.isEmpty
    }

    private func purgeReviews(_ repository: Repository) throws(StoreError) -> Bool {
        try execute(
            """
            DELETE FROM reviews WHERE repository_id = $1
                AND digest IN (SELECT digest FROM reviews WHERE repository_id = $1 ORDER BY digest LIMIT $2)
            """, [SQLValue(repository.id), SQLValue(Self.setLimit)]) > 0
    }
}
