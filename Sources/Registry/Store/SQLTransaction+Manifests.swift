import Model
import Runtime

/// A manifest that is to be kept.
package struct NewManifest: Sendable {
    package let digest: Digest
    package let mediaType: String
    package let bytes: [UInt8]
    package let subject: Digest?
    package let artifactType: String?
    /// A JSON object as it stands in the bytes.
    package let annotations: String
    /// Of an index: its linux/amd64 image.
    package let defaultImage: Digest?
    package let edges: [ManifestEdge]

    /// What config and layers come to, as it tells their sizes; as much as can be told, at most.
    var contentBytes: Int64 {
        edges.reduce(0) { sum, edge in
            guard edge.role <= .layer else { return sum }
            let (next, overflows) = sum.addingReportingOverflow(edge.size)
            return overflows ? .max : next
        }
    }

    /// A manifest of these bytes, with what they say.
    package init(
        digest: Digest, mediaType: String, bytes: [UInt8], subject: Digest?, artifactType: String?, annotations: String,
        defaultImage: Digest?, edges: [ManifestEdge]
    ) {
        self.digest = digest
        self.mediaType = mediaType
        self.bytes = bytes
        self.subject = subject
        self.artifactType = artifactType
        self.annotations = annotations
        self.defaultImage = defaultImage
        self.edges = edges
    }
}

extension SQLTransaction {
    /// The key and digest of a manifest; nil when the repository has none by that reference.
    package func find(_ reference: Reference, in repository: Repository) throws(StoreError) -> KnownManifest? {
        let mark = "LEFT JOIN reviews v ON v.repository_id = $1 AND v.digest = m.digest AND v.is_marked = 1"
        let row =
            switch reference {
            case .tag(let tag):
                try rows(
                    """
                    SELECT m.id, m.digest, m.media_type, m.default_image, m.size, m.edges, t.moves,
                        m.logical_bytes, v.is_marked
                    FROM tags t JOIN manifests m ON m.id = t.manifest_id \(mark)
                    WHERE t.repository_id = $1 AND t.name = $2
                    """, [SQLValue(repository.id), .text(tag.description)]
                ).first
            case .digest(let digest):
                try rows(
                    """
                    SELECT m.id, m.digest, m.media_type, m.default_image, m.size, m.edges, 0,
                        m.logical_bytes, v.is_marked
                    FROM manifests m \(mark) WHERE m.repository_id = $1 AND m.digest = $2
                    """, [SQLValue(repository.id), SQLValue(digest)]
                ).first
            }
        guard let row else { return nil }
        return KnownManifest(
            id: try row.id(0), digest: try row.digest(1), mediaType: try row.text(2),
            defaultImage: try row.optionalDigest(3), size: try row.integer(4), edges: try row.integer(5),
            moves: try row.integer(6), logicalBytes: try row.integer(7), isMarked: !row.isNull(8))
    }

    /// The bytes of a manifest; nil when it is gone.
    package func bytes(of manifest: ManifestID) throws(StoreError) -> [UInt8]? {
        try rows("SELECT bytes FROM manifests WHERE id = $1", [SQLValue(manifest)]).first?.bytes(0)
    }

    /// What the repository has of these digests: whole blobs and, where `orManifests`, manifests, which count first. A statement
    /// or two for 512 of them.
    package func known(
        _ digests: [Digest], in repository: Repository, orManifests: Bool
    ) throws(StoreError) -> [Digest: Disagreement.Known] {
        var known: [Digest: Disagreement.Known] = [:]
        if orManifests {
            let found = try present(digests, in: repository) { list in
                """
                SELECT digest, size, media_type FROM manifests WHERE repository_id = $1 AND digest IN (VALUES \(list))
                """
            }
            for row in found {
                known[try row.digest(0)] = Disagreement.Known(size: try row.integer(1), mediaType: try row.text(2))
            }
        }
        let found = try present(digests.filter { known[$0] == nil }, in: repository) { list in
            """
            SELECT b.digest, b.size FROM blobs b
            JOIN repository_blobs l ON l.blob_id = b.id AND l.repository_id = $1
            WHERE b.digest IN (VALUES \(list)) AND b.damaged_at IS NULL
            """
        }
        for row in found { known[try row.digest(0)] = Disagreement.Known(size: try row.integer(1)) }
        return known
    }

    /// What those of the manifests that the repository has come to, logically; as much as one manifest may, at most.
    func logicalBytes(of digests: [Digest], in repository: Repository) throws(StoreError) -> Int64 {
        var each: [Digest: Int64] = [:]
        let found = try present(digests, in: repository) { list in
            "SELECT digest, logical_bytes FROM manifests WHERE repository_id = $1 AND digest IN (VALUES \(list))"
        }
        for row in found { each[try row.digest(0)] = try row.integer(1) }
        return each.values.reduce(0) { min($0 + $1, ManifestPush.mostLogicalBytes) }
    }

    private func present(
        _ digests: [Digest], in repository: Repository, _ sql: (String) -> String
    ) throws(StoreError) -> [SQLRow] {
        try rows(for: digests, shared: [SQLValue(repository.id)], { [SQLValue($0)] }, sql)
    }

    /// Keeps a manifest; of one that is there already the bytes, which may have been damaged, and what they say are written
    /// anew. `staged` has its edges already. `change` takes in what has to be counted.
    func keep(
        _ manifest: NewManifest, of logicalBytes: Int64, in repository: Repository, as known: ManifestID?,
        staged: ManifestID?, counting change: inout UsageChange
    ) throws(StoreError) -> ManifestID {
        let said = [
            .text(manifest.mediaType), SQLValue(manifest.subject), SQLValue(manifest.artifactType),
            SQLValue(manifest.defaultImage), .text(manifest.annotations), .bytes(manifest.bytes),
        ]
        if let known {
            try execute(
                """
                UPDATE manifests SET media_type = $2, subject = $3, artifact_type = $4, default_image = $5,
                    annotations = $6, bytes = $7 WHERE id = $1
                """, [SQLValue(known)] + said)
            return known
        }
        let id: ManifestID = staged ?? newID()
        try execute(
            """
            INSERT INTO manifests (id, media_type, subject, artifact_type, default_image, annotations, bytes,
                repository_id, digest, size, edges, created_at, content_bytes, logical_bytes)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """,
            [SQLValue(id)] + said + [
                SQLValue(repository.id), SQLValue(manifest.digest), SQLValue(manifest.bytes.count),
                SQLValue(manifest.edges.count), SQLValue(now), .integer(manifest.contentBytes),
                .integer(logicalBytes),
            ])
        if staged == nil { try add(manifest.edges, to: id, in: repository) } else { try fasten(id) }
        change.manifests += 1
        change.manifestBytes += Int64(manifest.bytes.count)
        return id
    }

    /// Removes a tag, or a manifest with all tags that point to it: of very many some are removed and the manifest stays, to be
    /// removed by another call.
    package func remove(
        _ reference: Reference, from repository: Repository, if precondition: Precondition = Precondition(),
        by principal: PrincipalID
    ) throws(StoreError) -> ManifestRemoval {
        guard let known = try find(reference, in: repository) else { return .missing }
        guard precondition.holds(for: known.digest) else { return .preconditionFailed }
        var usage = UsageChange(begins: false)
        switch reference {
        case .tag(let tag):
            try removeTag(tag, to: known.logicalBytes, from: repository, by: principal, counting: &usage)
            try review([known.digest], in: repository.id)
        case .digest:
            // Itself, too: what refers to it is looked at once it is gone.
            try review([known.digest], in: repository.id)
            guard try removeTags(to: known.id, known.logicalBytes, by: principal, counting: &usage) else {
                try change(repository, usage)
                return .begun
            }
            try execute("DELETE FROM manifests WHERE id = $1", [SQLValue(known.id)])
            try removeEdges(of: known.id, count: known.edges, since: now)
            usage.manifests = -1
            usage.manifestBytes = -known.size
        }
        try change(repository, usage)
        return .removed
    }
}

/// What a removal of a tag or manifest did.
package enum ManifestRemoval: Sendable {
    case removed
    /// Some of its tags went; it is to be removed again.
    case begun
    /// There is none.
    case missing
    case preconditionFailed
}
