import FoundationEssentials
import Model

extension MetadataStore {
    /// A manifest by tag or digest, with bytes that are verified against its digest; nil when there is none.
    /// Throws `.damaged` when the bytes are not those that were pushed.
    package func manifest(
        _ reference: Reference, in repository: RepositoryName
    ) async throws(StoreError) -> StoredManifest? {
        let source =
            switch reference {
            case .tag:
                """
                FROM repositories r JOIN tags t ON t.repository_id = r.id
                JOIN manifests m ON m.repository_id = r.id AND m.digest = t.digest
                WHERE r.name = $1 AND t.name = $2
                """
            case .digest:
                "FROM repositories r JOIN manifests m ON m.repository_id = r.id WHERE r.name = $1 AND m.digest = $2"
            }
        let found = try await database.read { (db) throws(StoreError) in
            try db.rows(
                "SELECT m.digest, m.media_type, m.bytes " + source,
                [.text(repository.description), .text(reference.description)]
            ).first
        }
        guard let found else { return nil }
        let digest = try Digest.stored(found.text(0))
        let bytes = try found.bytes(2)
        guard ContentHash.digest(digest.algorithm, of: bytes) == digest else {
            throw StoreError(.damaged, "manifest \(digest) of \(repository) has other bytes in the database")
        }
        return StoredManifest(digest: digest, mediaType: try found.text(1), bytes: bytes)
    }

    /// Keeps a manifest and points tags to it, all or nothing. `requiring` is what the repository must have first:
    /// blobs, or for an index manifests or blobs.
    package func push(
        _ stored: StoredManifest, _ manifest: Manifest, tags: [Tag], in repository: RepositoryName,
        requiring required: [Digest], if precondition: TagPrecondition
    ) async throws(StoreError) -> ManifestPush {
        let annotations = try Self.json(manifest.annotations)
        return try await database.write { (db) throws(StoreError) in
            let known = try db.repositoryID(repository)
            for tag in tags {
                guard precondition.holds(for: try db.target(of: tag, in: known)) else { return .preconditionFailed }
            }
            if tags.isEmpty {
                let current = try db.hasManifest(stored.digest, in: known) ? stored.digest.description : nil
                guard precondition.holds(for: current) else { return .preconditionFailed }
            }
            var missing: [Digest] = []
            for digest in required where try !db.has(digest, in: known, asManifest: manifest.kind == .index) {
                missing.append(digest)
            }
            guard missing.isEmpty else { return .missing(missing) }
            let id = try db.makeRepository(repository)
            try db.execute(
                """
                INSERT INTO manifests
                    (repository_id, digest, media_type, size, subject, artifact_type, annotations, created_at, bytes)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (repository_id, digest)
                DO UPDATE SET media_type = excluded.media_type, artifact_type = excluded.artifact_type,
                    size = excluded.size, subject = excluded.subject, annotations = excluded.annotations,
                    bytes = excluded.bytes
                """,
                [
                    .text(id), .text(stored.digest.description), .text(stored.mediaType),
                    .integer(Int64(stored.bytes.count)), SQLValue(manifest.subject?.description),
                    SQLValue(manifest.artifactType), .text(annotations), .integer(Self.now()), .bytes(stored.bytes),
                ])
            for tag in tags {
                try db.execute(
                    """
                    INSERT INTO tags (repository_id, name, digest, updated_at) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (repository_id, name)
                    DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at
                    """,
                    [.text(id), .text(tag.description), .text(stored.digest.description), .integer(Self.now())])
            }
            return .stored
        }
    }

    /// Removes a tag, or a manifest with all tags that point to it.
    package func remove(
        _ reference: Reference, from repository: RepositoryName, if precondition: TagPrecondition = TagPrecondition()
    ) async throws(StoreError) -> ManifestRemoval {
        try await database.write { (db) throws(StoreError) in
            guard let id = try db.repositoryID(repository) else { return .missing }
            let key: [SQLValue] = [.text(id), .text(reference.description)]
            switch reference {
            case .tag(let tag):
                guard let current = try db.target(of: tag, in: id) else { return .missing }
                guard precondition.holds(for: current) else { return .preconditionFailed }
                try db.execute("DELETE FROM tags WHERE repository_id = $1 AND name = $2", key)
            case .digest(let digest):
                guard try db.hasManifest(digest, in: id) else { return .missing }
                guard precondition.holds(for: digest.description) else { return .preconditionFailed }
                try db.execute("DELETE FROM tags WHERE repository_id = $1 AND digest = $2", key)
                try db.execute("DELETE FROM manifests WHERE repository_id = $1 AND digest = $2", key)
            }
            return .removed
        }
    }

    /// Manifests whose subject is `subject`, by digest after `last`, of one artifact type, if given; and whether there are
    /// more. At most `limit`, and one or as many as have `budget` bytes in all: what they say of themselves is in memory.
    package func referrers(
        of subject: Digest, in repository: RepositoryName, artifactType: String?, after last: String, limit: Int,
        budget: Int64
    ) async throws(StoreError) -> (found: [Referrer], hasMore: Bool) {
        try await database.read { (db) throws(StoreError) in
            guard let id = try db.repositoryID(repository) else { return ([], false) }
            func rows(_ columns: String, limit: Int) throws(StoreError) -> [SQLRow] {
                try db.rows(
                    """
                    SELECT digest, size, \(columns) FROM manifests
                    WHERE repository_id = $1 AND subject = $2 AND digest > $3
                    \(artifactType == nil ? "" : "AND artifact_type = $5") ORDER BY digest LIMIT $4
                    """,
                    [.text(id), .text(subject.description), .text(last), .integer(Int64(limit))]
                        + (artifactType.map { [.text($0)] } ?? []))
            }
            let sizes = try rows("1", limit: limit + 1).map { (row) throws(StoreError) in try row.integer(1) }
            var (count, sum) = (0, Int64(0))
            while count < min(limit, sizes.count), count == 0 || sum + sizes[count] <= budget {
                sum += sizes[count]
                count += 1
            }
            var referrers: [Referrer] = []
            for row in try rows("media_type, artifact_type, annotations", limit: count) {
                referrers.append(
                    Referrer(
                        digest: try Digest.stored(row.text(0)), mediaType: try row.text(2), size: try row.integer(1),
                        artifactType: try row.optionalText(3), annotations: try row.text(4)))
            }
            return (referrers, count < sizes.count)
        }
    }

    private static func json(_ annotations: [String: String]) throws(StoreError) -> String {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(annotations), as: UTF8.self)
        } catch {
            throw StoreError(.unavailable, "annotations cannot be written as JSON: \(error)")
        }
    }
}

extension SQLTransaction {
    fileprivate func target(of tag: Tag, in repositoryID: String?) throws(StoreError) -> String? {
        guard let repositoryID else { return nil }
        return try rows(
            "SELECT digest FROM tags WHERE repository_id = $1 AND name = $2",
            [.text(repositoryID), .text(tag.description)]
        ).first?.text(0)
    }

    fileprivate func hasManifest(_ digest: Digest, in repositoryID: String?) throws(StoreError) -> Bool {
        guard let repositoryID else { return false }
        return try !rows(
            "SELECT 1 FROM manifests WHERE repository_id = $1 AND digest = $2",
            [.text(repositoryID), .text(digest.description)]
        ).isEmpty
    }

    fileprivate func has(_ digest: Digest, in repositoryID: String?, asManifest: Bool) throws(StoreError) -> Bool {
        if asManifest, try hasManifest(digest, in: repositoryID) { return true }
        guard let repositoryID else { return false }
        return try !rows(
            """
            SELECT 1 FROM repository_blobs l JOIN blobs b ON b.digest = l.digest
            WHERE l.repository_id = $1 AND l.digest = $2 AND b.damaged_at IS NULL
            """, [.text(repositoryID), .text(digest.description)]
        ).isEmpty
    }
}

extension SQLValue {
    /// Text, or NULL for nil.
    init(_ text: String?) { self = text.map { .text($0) } ?? .null }
}

extension Digest {
    /// A digest from the database. Throws `.damaged` when it is none.
    static func stored(_ text: String) throws(StoreError) -> Digest {
        do {
            return try Digest.parse(text)
        } catch {
            throw StoreError(.damaged, "'\(text.excerpt)' stands where a digest should")
        }
    }
}
