import Model
import Runtime

/// Something that a manifest refers to.
package struct ManifestEdge: Sendable {
    /// As what; the raw value is what rows have.
    package enum Role: Int64, Sendable, Comparable {
        case config = 0
        case layer = 1
        case child = 2
        case subject = 3

        package static func < (a: Role, b: Role) -> Bool { a.rawValue < b.rawValue }
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

extension ClosedRange<ManifestEdge.Role> {
    /// The roles of blobs.
    package static var blobs: Self { .config ... .layer }
}

extension SQLTransaction {
    /// How long edges may be without their manifest before they are taken for left over.
    private static let patience = Duration.seconds(3600)

    /// Adds some of the edges of a manifest that is to come; those from `first` on. The first call makes them known as loose,
    /// so that they go if the manifest never comes.
    package func addLoose(
        _ edges: some Collection<ManifestEdge>, from first: Int, to manifest: ManifestID, in repository: Repository
    ) throws(StoreError) {
        if first == 0 { try loosen(manifest) }
        try add(edges, from: first, to: manifest, in: repository)
    }

    /// Makes loose edges those of a manifest that has come. Throws `.overloaded` when that took so long that they may be
    /// gone.
    func fasten(_ manifest: ManifestID) throws(StoreError) {
        let found = try execute(
            "DELETE FROM loose_edges WHERE manifest_id = $1 AND added_at > $2",
            [SQLValue(manifest), SQLValue(now - Self.patience)])
        guard found > 0 else { throw StoreError(.overloaded, "the push of a large manifest took over an hour") }
    }

    /// Removes some edges of a manifest that is no more or never came, and puts up for review what they name, up to half of
    /// `setLimit`; false when there are none.
    package func removeLooseEdges() throws(StoreError) -> Bool {
        let found = try rows(
            "SELECT manifest_id FROM loose_edges WHERE added_at <= $1 ORDER BY manifest_id LIMIT 1",
            [SQLValue(now - Self.patience)]
        ).first
        guard let found else { return false }
        let manifest: ManifestID = try found.id(0)
        let part = try rows(
            "SELECT position, repository_id, digest FROM manifest_edges WHERE manifest_id = $1 ORDER BY position LIMIT $2",
            [SQLValue(manifest), SQLValue(Self.setLimit / 2)])
        guard let last = part.last else {
            try execute("DELETE FROM loose_edges WHERE manifest_id = $1", [SQLValue(manifest)])
            return true
        }
        try review(try part.map { (row) throws(StoreError) in try row.digest(2) }, in: try last.id(1))
        try execute(
            "DELETE FROM manifest_edges WHERE manifest_id = $1 AND position <= $2",
            [SQLValue(manifest), .integer(try last.integer(0))])
        return true
    }

    /// Whether `removeLooseEdges` would find any.
    package func hasLooseEdges() throws(StoreError) -> Bool {
        try !rows(
            "SELECT 1 FROM loose_edges WHERE added_at <= $1 LIMIT 1", [SQLValue(now - Self.patience)]
        ).isEmpty
    }

    private func loosen(_ manifest: ManifestID) throws(StoreError) {
        try execute(
            "INSERT INTO loose_edges (manifest_id, added_at) VALUES ($1, $2)", [SQLValue(manifest), SQLValue(now)])
    }

    func add(
        _ edges: some Collection<ManifestEdge>, from first: Int = 0, to manifest: ManifestID, in repository: Repository
    ) throws(StoreError) {
        try execute(for: edges.enumerated().map { (first + $0.offset, $0.element) }) { position, edge in
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

    /// Takes away the edges of a manifest that is no more, and puts up for review what they named, as unneeded from `since` on;
    /// nil where its repository goes as a whole. Those of a large one go later, in parts, by `removeLooseEdges`.
    func removeEdges(of manifest: ManifestID, count: Int64, since: Timestamp?) throws(StoreError) {
        guard count > Int64(Self.setLimit) else {
            if let since { try reviewEdges(of: manifest, since: since) }
            try execute("DELETE FROM manifest_edges WHERE manifest_id = $1", [SQLValue(manifest)])
            return
        }
        try loosen(manifest)
    }

    /// A manifest of the repository that refers to this digest as one of the roles; nil when none does.
    package func manifest(
        naming digest: Digest, as roles: ClosedRange<ManifestEdge.Role>, in repository: Repository
    ) throws(StoreError) -> Digest? {
        try rows(
            """
            SELECT m.digest FROM manifest_edges e JOIN manifests m ON m.id = e.manifest_id
            WHERE e.repository_id = $1 AND e.digest = $2 AND e.role BETWEEN $3 AND $4 LIMIT 1
            """,
            [
                SQLValue(repository.id), SQLValue(digest), .integer(roles.lowerBound.rawValue),
                .integer(roles.upperBound.rawValue),
            ]
        ).first?.digest(0)
    }
}
