import Access
import Model
import Runtime
import Store

/// What a manifest says of itself.
package struct ManifestView: Sendable {
    /// Something that it refers to; `size` in bytes, as it is told.
    package struct Part: Sendable {
        package let digest: Digest
        package let size: Int64
        package let os: String?
        package let architecture: String?
        package let variant: String?

        init(_ edge: ManifestEdge) {
            digest = edge.digest
            size = edge.size
            os = edge.os
            architecture = edge.architecture
            variant = edge.variant
        }
    }

    package let digest: Digest
    package let mediaType: String
    package let artifactType: String?
    package let subject: Digest?
    /// Of the manifest alone, in bytes.
    package let size: Int64
    /// Of config and layers, in bytes.
    package let contentBytes: Int64
    /// A JSON object.
    package let annotations: String
    package let pushedAt: Timestamp
    package let tags: [String]
    package let config: Part?
    package let layers: [Part]
    package let children: [Part]
    /// Whether it refers to more than is told.
    package let isCut: Bool

    init(_ details: ManifestDetails) {
        digest = details.digest
        mediaType = details.mediaType
        artifactType = details.artifactType
        subject = details.subject
        size = details.size
        contentBytes = details.contentBytes
        annotations = details.annotations
        pushedAt = details.createdAt
        tags = details.tags
        config = details.edges.first { $0.role == .config }.map(Part.init)
        layers = details.edges.filter { $0.role == .layer }.map(Part.init)
        children = details.edges.filter { $0.role == .child }.map(Part.init)
        isCut = details.edgeCount > Int64(details.edges.count)
    }
}

/// Something that refers to a manifest, with what refers to it in turn.
package struct ReferrerTree: Sendable {
    package let referrer: Referrer
    package let referrers: [ReferrerTree]
}

extension Manifests {
    /// Most layers or children that a view tells.
    private static let mostEdges = 1000
    /// How deep a tree of referrers is looked at, and how many it has at most.
    private static let depth = 4
    private static let mostReferrers = 500

    /// What a manifest says of itself. Throws `.manifestUnknown`.
    package func view(_ reference: Reference, _ grant: RepositoryGrant) async throws(RegistryError) -> ManifestView {
        try grant.demand(.pull)
        let repository = grant.target
        let found = try await store.look { (db) throws(StoreError) in
            try db.manifestDetails(reference, in: repository, edges: Self.mostEdges)
        }
        guard let found else { throw try await missing(reference, in: repository) }
        return ManifestView(found)
    }

    /// What refers to a manifest, signatures of signatures too; whether the manifest is there does not count.
    package func referrers(of digest: Digest, _ grant: RepositoryGrant) async throws(RegistryError) -> [ReferrerTree] {
        try grant.demand(.pull)
        let repository = grant.target
        return try await store.look { (db) throws(StoreError) in
            var left = Self.mostReferrers
            return try db.tree(of: digest, in: repository, depth: Self.depth, left: &left)
        }
    }

    /// Blobs of the repository, by digest. Throws `.paginationInvalid`.
    package func blobs(
        _ request: PageRequest, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> (blobs: [(digest: Digest, size: Int64, linkedAt: Timestamp)], next: String?) {
        try grant.demand(.pull)
        let (repository, limit) = (grant.target, request.count(atMost: 1000))
        let last: Digest?
        do throws(ParseError) {
            last = request.last.isEmpty ? nil : try Digest.parse(request.last)
        } catch {
            throw RegistryError(.paginationInvalid, "after is the digest of a blob", detail: ["field": "after"])
        }
        let found = try await store.look { (db) throws(StoreError) in
            try db.blobs(of: repository, after: last, limit: limit + 1)
        }
        return (Array(found.prefix(limit)), found.count > limit ? found.prefix(limit).last?.digest.description : nil)
    }
}

extension SQLTransaction {
    fileprivate func tree(
        of digest: Digest, in repository: Repository, depth: Int, left: inout Int
    ) throws(StoreError) -> [ReferrerTree] {
        guard depth > 0, left > 0 else { return [] }
        let found = try referrers(
            of: digest, in: repository, artifactType: nil, after: nil, limit: left, budget: 1 << 20
        ).found
        left -= found.count
        var trees: [ReferrerTree] = []
        for referrer in found {
            trees.append(
                ReferrerTree(
                    referrer: referrer,
                    referrers: try tree(of: referrer.digest, in: repository, depth: depth - 1, left: &left)))
        }
        return trees
    }
}
