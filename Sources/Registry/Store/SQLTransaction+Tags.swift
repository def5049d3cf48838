import Model
import Runtime

/// A manifest that the repository has, without its bytes.
package struct KnownManifest: Sendable {
    package let id: ManifestID
    package let digest: Digest
    package let mediaType: String
    package let defaultImage: Digest?
    package let size: Int64
    /// How many things it refers to.
    package let edges: Int64
    /// Found by a tag: how often that has moved.
    package let moves: Int64
    package let logicalBytes: Int64
    /// Nothing referred to it when that was looked at: it goes soon, unless it is renewed.
    package let isMarked: Bool
}

/// What a tag points to.
package struct TagTarget: Sendable {
    package let digest: Digest
    /// How often it has moved.
    package let moves: Int64
    package let logicalBytes: Int64
}

extension SQLTransaction {
    /// How many moves of a tag are remembered.
    static let historyLength: Int64 = 64

    /// Tags after `last` in byte order, at most `limit`.
    package func tags(of repository: Repository, after last: String, limit: Int) throws(StoreError) -> [String] {
        try rows(
            "SELECT name FROM tags WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3",
            [SQLValue(repository.id), .text(last), SQLValue(limit)]
        ).texts()
    }

    /// What those of the tags that are there point to.
    package func targets(
        of tags: [Tag], in repository: Repository
    ) throws(StoreError) -> [String: TagTarget] {
        let found = try rows(for: tags, shared: [SQLValue(repository.id)], { [.text($0.description)] }) { list in
            """
            SELECT t.name, m.digest, t.moves, m.logical_bytes FROM tags t JOIN manifests m ON m.id = t.manifest_id
            WHERE t.repository_id = $1 AND t.name IN (VALUES \(list))
            """
        }
        var targets: [String: TagTarget] = [:]
        for row in found {
            targets[try row.text(0)] = TagTarget(
                digest: try row.digest(1), moves: try row.integer(2), logicalBytes: try row.integer(3))
        }
        return targets
    }

    /// Points tags, each named once, to a manifest of so many logical bytes; `targets` is what they point to until now. `change`
    /// takes in what has to be counted. What they pointed to is put up for review.
    func point(
        _ tags: [Tag], to manifest: ManifestID, _ digest: Digest, _ logicalBytes: Int64, in repository: Repository,
        by principal: PrincipalID, from targets: [String: TagTarget], counting change: inout UsageChange
    ) throws(StoreError) {
        change.tags += tags.count { targets[$0.description] == nil }
        let moving = tags.filter { targets[$0.description]?.digest != digest }
        try review(moving.compactMap { targets[$0.description]?.digest }, in: repository.id)
        for tag in moving { change.logicalBytes += logicalBytes - (targets[tag.description]?.logicalBytes ?? 0) }
        let moves = { (tag: Tag) in targets[tag.description].map { $0.moves &+ 1 } ?? 0 }
        try execute(for: moving) { tag in
            [
                SQLValue(repository.id), .text(tag.description), SQLValue(manifest), .integer(moves(tag)),
                SQLValue(now),
            ]
        } _: { list in
            """
            INSERT INTO tags (repository_id, name, manifest_id, moves, updated_at) VALUES \(list)
            ON CONFLICT (repository_id, name)
            DO UPDATE SET manifest_id = excluded.manifest_id, moves = excluded.moves, updated_at = excluded.updated_at
            """
        }
        try execute(for: moving) { tag in
            [
                SQLValue(repository.id), .text(tag.description), .integer(moves(tag) % Self.historyLength),
                SQLValue(digest), SQLValue(principal), SQLValue(now),
            ]
        } _: { list in
            """
            INSERT INTO tag_history (repository_id, name, slot, digest, principal_id, changed_at) VALUES \(list)
            \(Self.historyUpdate)
            """
        }
    }

    /// Takes a tag away; what it pointed to, of so many logical bytes, stays.
    func removeTag(
        _ tag: Tag, to logicalBytes: Int64, from repository: Repository, by principal: PrincipalID,
        counting change: inout UsageChange
    ) throws(StoreError) {
        let condition = "repository_id = $1 AND name = $2"
        let key: [SQLValue] = [SQLValue(repository.id), .text(tag.description)]
        try noteRemoval(where: condition, key, by: principal)
        let count = try execute("DELETE FROM tags WHERE \(condition)", key)
        change.tags -= count
        change.logicalBytes -= Int64(count) * logicalBytes
    }

    /// Takes the tags of a manifest away, `setLimit` at most; false when there may be more.
    func removeTags(
        to manifest: ManifestID, _ logicalBytes: Int64, by principal: PrincipalID, counting change: inout UsageChange
    ) throws(StoreError) -> Bool {
        let some = """
            manifest_id = $1 AND name IN
                (SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name LIMIT \(Self.setLimit))
            """
        try noteRemoval(where: some, [SQLValue(manifest)], by: principal)
        let count = try execute("DELETE FROM tags WHERE \(some)", [SQLValue(manifest)])
        change.tags -= count
        change.logicalBytes -= Int64(count) * logicalBytes
        return count < Self.setLimit
    }

    private func noteRemoval(
        where condition: String, _ key: [SQLValue], by principal: PrincipalID
    ) throws(StoreError) {
        let next = key.count
        try execute(
            """
            INSERT INTO tag_history (repository_id, name, slot, digest, principal_id, changed_at)
            SELECT repository_id, name, (moves + 1) % \(Self.historyLength), NULL, $\(next + 1), $\(next + 2) FROM tags
            WHERE \(condition) \(Self.historyUpdate)
            """, key + [SQLValue(principal), SQLValue(now)])
    }

    private static let historyUpdate = """
        ON CONFLICT (repository_id, name, slot) DO UPDATE
        SET digest = excluded.digest, principal_id = excluded.principal_id, changed_at = excluded.changed_at
        """
}
