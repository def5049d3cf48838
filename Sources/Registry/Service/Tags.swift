import Access
import Model
import Runtime
import Store

/// The tags of a repository.
package struct Tags: Sendable {
    let store: MetadataStore
    /// Most entries of one page.
    let page: Int

    /// Tags in byte order (end-8). Throws `.nameUnknown`.
    package func list(_ request: PageRequest, _ grant: RepositoryGrant) async throws(RegistryError) -> Page {
        try grant.demand(.pull)
        let (repository, limit) = (grant.target, request.count(atMost: page))
        let found = try await store.look { (db) throws(StoreError) -> [String]? in
            guard try db.hasBegun(repository) else { return nil }
            return try db.tags(of: repository, after: request.last, limit: limit + 1)
        }
        guard let found else { throw .unknown(repository.name) }
        return Page(found, limit)
    }
}
