import Model
import Runtime

/// A manifest with what it says of itself, without its bytes.
package struct ManifestDetails: Sendable {
    package let digest: Digest
    package let mediaType: String
    package let artifactType: String?
    package let subject: Digest?
    /// Of the manifest alone, in bytes.
    package let size: Int64
    /// Of config and layers.
    package let contentBytes: Int64
    /// A JSON object.
    package let annotations: String
    package let createdAt: Timestamp
    /// What it refers to, in its order; at most as many as were asked for.
    package let edges: [ManifestEdge]
    /// How many there are in all.
    package let edgeCount: Int64
    package let tags: [String]
}

extension SQLTransaction {
    /// What a manifest says of itself; nil when the repository has none by that reference.
    package func manifestDetails(
        _ reference: Reference, in repository: Repository, edges limit: Int
    ) throws(StoreError) -> ManifestDetails? {
        guard let known = try find(reference, in: repository) else { return nil }
        let row = try rows(
            """
            SELECT digest, media_type, artifact_type, subject, size, content_bytes, annotations, created_at, edges
            FROM manifests WHERE id = $1
            """, [SQLValue(known.id)]
        ).first
        guard let row else { return nil }
        return ManifestDetails(
            digest: try row.digest(0), mediaType: try row.text(1), artifactType: try row.optionalText(2),
            subject: try row.optionalDigest(3), size: try row.integer(4), contentBytes: try row.integer(5),
            annotations: try row.text(6), createdAt: try row.time(7), edges: try edges(of: known.id, limit: limit),
            edgeCount: try row.integer(8),
            tags: try rows(
                "SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name LIMIT 1000", [SQLValue(known.id)]
            ).texts())
    }

    private func edges(of manifest: ManifestID, limit: Int) throws(StoreError) -> [ManifestEdge] {
        var edges: [ManifestEdge] = []
        for row in try rows(
            """
            SELECT role, digest, size, os, architecture, variant FROM manifest_edges
            WHERE manifest_id = $1 ORDER BY position LIMIT $2
            """, [SQLValue(manifest), SQLValue(limit)])
        {
            guard let role = ManifestEdge.Role(rawValue: try row.integer(0)) else {
                throw StoreError(.damaged, "a manifest refers to something in an unknown way")
            }
            edges.append(
                ManifestEdge(
                    role, try row.digest(1), size: try row.integer(2), os: try row.optionalText(3),
                    architecture: try row.optionalText(4), variant: try row.optionalText(5)))
        }
        return edges
    }

    /// Blobs of a repository behind `last`, by digest, at most `limit`.
    package func blobs(
        of repository: Repository, after last: Digest?, limit: Int
    ) throws(StoreError) -> [(digest: Digest, size: Int64, linkedAt: Timestamp)] {
        var blobs: [(digest: Digest, size: Int64, linkedAt: Timestamp)] = []
        for row in try rows(
            """
            SELECT b.digest, b.size, l.linked_at FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id
            WHERE l.repository_id = $1 AND b.digest > $2 ORDER BY b.digest LIMIT $3
            """, [SQLValue(repository.id), .bytes(last?.compact ?? []), SQLValue(limit)])
        {
            blobs.append((try row.digest(0), try row.integer(1), try row.time(2)))
        }
        return blobs
    }
}
