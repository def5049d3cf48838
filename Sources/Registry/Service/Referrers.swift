import Access
import Model
import Runtime
import Store

/// Which manifests refer to another one.
package struct Referrers: Sendable {
    /// A client takes a page as it takes an index: 4 MiB is what all of them must be able to.
    private static let largest = 4 << 20

    let store: MetadataStore
    /// Most entries of one page.
    let page: Int

    /// Manifests that refer to `subject` (end-12), by digest, with whether there are more. Never fails for an unknown subject.
    package func list(
        of subject: Digest, artifactType: String?, _ request: PageRequest, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> (referrers: [Referrer], hasMore: Bool) {
        try grant.demand(.pull)
        let (repository, limit) = (grant.target, min(request.count(atMost: page), 1000))
        let last: Digest?
        do throws(ParseError) {
            last = request.last.isEmpty ? nil : try Digest.parse(request.last)
        } catch {
            throw RegistryError(.paginationInvalid, "last is no digest of a list: follow the Link of the page before")
        }
        let (found, hasMore) = try await store.look { (db) throws(StoreError) in
            try db.referrers(
                of: subject, in: repository, artifactType: artifactType, after: last, limit: limit,
                budget: Int64(Self.largest))
        }
        var size = 0
        let page = found.prefix { referrer in
            let own = referrer.annotations.utf8.count + (referrer.artifactType?.utf8.count ?? 0) + 500
            size += own
            return size <= Self.largest || size == own
        }
        return (Array(page), limit > 0 && (hasMore || page.count < found.count))
    }
}
