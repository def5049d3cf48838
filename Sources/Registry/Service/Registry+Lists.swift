import Access
import Model
import Store

/// A page of a list.
package struct Page: Sendable {
    package let items: [String]
    /// Where the next page begins; nil at the end.
    package let next: String?
}

/// What part of a list is asked for.
package struct PageRequest: Sendable {
    /// Most items wanted; nil for as many as there may be.
    package let limit: Int?
    /// The item before the first one wanted.
    package let last: String

    /// `limit` is zero or more.
    package init(limit: Int?, last: String) {
        self.limit = limit
        self.last = last
    }
}

extension Registry {
    /// Tags in byte order (end-8). Throws `.nameUnknown`.
    package func tags(
        of repository: RepositoryName, _ request: PageRequest, _ grant: Grant
    ) async throws(RegistryError) -> Page {
        let limit = count(request)
        let found = try await storing { () throws(StoreError) in
            try await metadata.tags(of: repository, after: request.last, limit: limit + 1)
        }
        guard let found else { throw Self.unknownRepository(repository) }
        return page(found, limit)
    }

    /// Names of repositories in byte order (Docker V2 `_catalog`).
    package func repositories(_ request: PageRequest, _ grant: Grant) async throws(RegistryError) -> Page {
        let limit = count(request)
        let found = try await storing { () throws(StoreError) in
            try await metadata.repositories(after: request.last, limit: limit + 1)
        }
        return page(found, limit)
    }

    /// Manifests that refer to `subject` (end-12), by digest, with whether there are more. Never fails for an unknown subject.
    package func referrers(
        of subject: Digest, in repository: RepositoryName, artifactType: String?, _ request: PageRequest, _ grant: Grant
    ) async throws(RegistryError) -> (referrers: [Referrer], hasMore: Bool) {
        let limit = min(count(request), 1000)
        // A client takes a page as it takes an index: 4 MiB is what all of them must be able to.
        let largest = 4 << 20
        let (found, hasMore) = try await storing { () throws(StoreError) in
            try await metadata.referrers(
                of: subject, in: repository, artifactType: artifactType, after: request.last, limit: limit,
                budget: Int64(largest))
        }
        var size = 0
        let page = found.prefix { referrer in
            let own = referrer.annotations.utf8.count + (referrer.artifactType?.utf8.count ?? 0) + 500
            size += own
            return size <= largest || size == own
        }
        return (Array(page), limit > 0 && (hasMore || page.count < found.count))
    }

    private func count(_ request: PageRequest) -> Int { min(request.limit ?? limits.page, limits.page) }

    private func page(_ found: [String], _ limit: Int) -> Page {
        let items = Array(found.prefix(limit))
        return Page(items: items, next: found.count > limit ? items.last : nil)
    }
}
