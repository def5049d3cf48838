import Model
import Runtime

/// Where an image of an index runs, and what it takes to pull it.
package struct PlatformRecord: Sendable {
    package let digest: Digest
    package let os: String
    package let architecture: String
    package let variant: String?
    /// Bytes of manifest, config and layers; nil where the repository lacks it.
    package let size: Int64?
}

/// A tag, with what it points to.
package struct TagDetails: Sendable {
    package let name: String
    package let manifest: ManifestID
    package let digest: Digest
    package let mediaType: String
    package let artifactType: String?
    /// Bytes of manifest, config and layers.
    package let size: Int64
    /// Who pointed it there; nil where that is forgotten.
    package let principal: PrincipalID?
    package let movedAt: Timestamp
    package let pulledAt: Timestamp?
}

/// One move of a tag.
package struct TagMove: Sendable {
    /// Nil where it was deleted.
    package let digest: Digest?
    /// Whether the repository still has that manifest.
    package let isThere: Bool
    package let principal: PrincipalID
    package let at: Timestamp
}

extension SQLTransaction {
    /// Tags with a part in their names, behind `last` in byte order, at most `limit`.
    package func tagDetails(
        of repository: Repository, containing part: String, after last: String, limit: Int
    ) throws(StoreError) -> [TagDetails] {
        try tagDetails(
            #"AND t.name > $2 AND ($4 = '' OR t.name LIKE $5 ESCAPE '\') ORDER BY t.name LIMIT $3"#,
            [
                SQLValue(repository.id), .text(last), SQLValue(limit), .text(part), .text("%\(part.literalPattern)%"),
            ])
    }

    /// A tag; nil when there is none of that name.
    package func tagDetails(_ tag: Tag, of repository: Repository) throws(StoreError) -> TagDetails? {
        try tagDetails("AND t.name = $2", [SQLValue(repository.id), .text(tag.description)]).first
    }

    private func tagDetails(_ rest: String, _ arguments: [SQLValue]) throws(StoreError) -> [TagDetails] {
        var found: [TagDetails] = []
        for row in try rows(
            """
            SELECT t.name, m.id, m.digest, m.media_type, m.artifact_type, m.size + m.content_bytes, h.principal_id,
                t.updated_at, t.pulled_at
            FROM tags t JOIN manifests m ON m.id = t.manifest_id
                LEFT JOIN tag_history h ON h.repository_id = t.repository_id AND h.name = t.name
                    AND h.slot = t.moves % \(Self.historyLength)
            WHERE t.repository_id = $1 \(rest)
            """, arguments)
        {
            found.append(
                TagDetails(
                    name: try row.text(0), manifest: try row.id(1), digest: try row.digest(2),
                    mediaType: try row.text(3), artifactType: try row.optionalText(4), size: try row.integer(5),
                    principal: row.isNull(6) ? nil : try row.id(6), movedAt: try row.time(7),
                    pulledAt: try row.optionalTime(8)))
        }
        return found
    }

    /// The images that these indexes name, with where they run, at most `limit` in all.
    package func platforms(
        of manifests: [ManifestID], limit: Int
    ) throws(StoreError) -> [ManifestID: [PlatformRecord]] {
        var platforms: [ManifestID: [PlatformRecord]] = [:]
        let found = try rows(for: manifests, shared: [SQLValue(limit)], { [SQLValue($0)] }) { list in
            """
            SELECT e.manifest_id, e.digest, e.os, e.architecture, e.variant, c.size + c.content_bytes
            FROM manifest_edges e
                LEFT JOIN manifests c ON c.repository_id = e.repository_id AND c.digest = e.digest
            WHERE e.manifest_id IN (VALUES \(list)) AND e.role = 2 AND e.os IS NOT NULL
            ORDER BY e.manifest_id, e.position LIMIT $1
            """
        }
        for row in found.prefix(limit) {
            let record = PlatformRecord(
                digest: try row.digest(1), os: try row.text(2), architecture: try row.optionalText(3) ?? "",
                variant: try row.optionalText(4), size: row.isNull(5) ? nil : try row.integer(5))
            platforms[try row.id(0), default: []].append(record)
        }
        return platforms
    }

    /// What is remembered of a tag's moves, newest first.
    package func history(of tag: Tag, in repository: Repository) throws(StoreError) -> [TagMove] {
        var moves: [TagMove] = []
        for row in try rows(
            """
            SELECT h.digest, h.principal_id, h.changed_at,
                (SELECT 1 FROM manifests m WHERE m.repository_id = h.repository_id AND m.digest = h.digest)
            FROM tag_history h WHERE h.repository_id = $1 AND h.name = $2 ORDER BY h.changed_at DESC, h.slot DESC
            """, [SQLValue(repository.id), .text(tag.description)])
        {
            moves.append(
                TagMove(
                    digest: try row.optionalDigest(0), isThere: !row.isNull(3), principal: try row.id(1),
                    at: try row.time(2)))
        }
        return moves
    }

    /// Points a tag to a manifest that the repository has. False when it has not.
    package func point(
        _ tag: Tag, to digest: Digest, in repository: Repository, by principal: PrincipalID
    ) throws(StoreError) -> Bool {
        guard let known = try find(.digest(digest), in: repository) else { return false }
        var usage = UsageChange(begins: true)
        let targets = try targets(of: [tag], in: repository)
        try point(
            [tag], to: known.id, digest, known.logicalBytes, in: repository, by: principal, from: targets,
            counting: &usage)
        try change(repository, usage)
        return true
    }

    /// What those of the principals are called that are accounts, also when they are no more.
    package func names(of principals: Set<PrincipalID>) throws(StoreError) -> [PrincipalID: String] {
        var names: [PrincipalID: String] = [:]
        let found = try rows(for: principals, shared: [], { [SQLValue($0)] }) { list in
            """
            SELECT p.id, CASE WHEN p.kind = 2 THEN n.name || '+' || p.name ELSE p.name END
            FROM principals p JOIN namespaces n ON n.id = p.namespace_id WHERE p.id IN (VALUES \(list))
            """
        }
        for row in found { names[try row.id(0)] = try row.text(1) }
        return names
    }
}
