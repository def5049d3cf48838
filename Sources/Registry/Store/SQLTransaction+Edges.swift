import Model
import Runtime

/// Something that a manifest refers to.
package struct ManifestEdge: Sendable {
    /// As what; the raw value is what rows have.
    package enum Role: Int64, Sendable {
        case config = 0
        case layer = 1
        case child = 2
        case subject = 3
    }

    package let role: Role
    package let digest: Digest
    /// In bytes, as the manifest tells it.
    package let size: Int64
    /// Of an index's child: where it runs; nil where nothing is told.
    package let os: String?
    package let architecture: String?
    package let variant: String?

    /// An edge.
    package init(
        _ role: Role, _ digest: Digest, size: Int64, os: String? = nil, architecture: String? = nil,
        variant: String? = nil
    ) {
        self.role = role
        self.digest = digest
        self.size = size
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }
}

extension SQLTransaction {
    func add(_ edges: [ManifestEdge], to manifest: ManifestID, in repository: Repository) throws(StoreError) {
        try execute(for: edges.enumerated().map { ($0.offset, $0.element) }) { position, edge in
            [
                SQLValue(manifest), SQLValue(position), SQLValue(repository.id), .integer(edge.role.rawValue),
                SQLValue(edge.digest), .integer(edge.size), SQLValue(edge.os), SQLValue(edge.architecture),
                SQLValue(edge.variant),
            ]
        } _: { list in
            """
            INSERT INTO manifest_edges
                (manifest_id, position, repository_id, role, digest, size, os, architecture, variant)
            VALUES \(list)
            """
        }
    }

    /// Takes away the edges of a manifest that is no more: those of a large one later, in parts, by `removeLooseEdges`.
    func removeEdges(of manifest: KnownManifest) throws(StoreError) {
        guard manifest.edges > Int64(Self.setLimit) else {
            try execute("DELETE FROM manifest_edges WHERE manifest_id = $1", [SQLValue(manifest.id)])
            return
        }
        try execute(
            "INSERT INTO loose_edges (manifest_id, added_at) VALUES ($1, $2)", [SQLValue(manifest.id), SQLValue(now)])
    }

    /// A manifest of the repository that refers to this digest as one of the roles; nil when none does.
    package func manifest(
        naming digest: Digest, as roles: ClosedRange<Int64>, in repository: Repository
    ) throws(StoreError) -> Digest? {
        try rows(
            """
            SELECT m.digest FROM manifest_edges e JOIN manifests m ON m.id = e.manifest_id
            WHERE e.repository_id = $1 AND e.digest = $2 AND e.role BETWEEN $3 AND $4 LIMIT 1
            """,
            [SQLValue(repository.id), SQLValue(digest), .integer(roles.lowerBound), .integer(roles.upperBound)]
        ).first?.digest(0)
    }
}
