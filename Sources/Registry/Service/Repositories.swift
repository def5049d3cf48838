import Access
import Model
import Runtime
import Store

/// Repositories themselves: making, finding and listing them. What the authorizer knows of them comes from here.
package struct Repositories: Sendable {
    private let store: MetadataStore
    private let facts: VersionedCache<RepositoryName, RepositoryFacts>
    private let page: Int

    init(_ store: MetadataStore, page: Int) {
        self.store = store
        self.page = page
        facts = VersionedCache(capacity: 4 << 20, versions: store.versions)
    }

    /// Makes the repository, in which nothing is yet: it is in no list before it has content. One that is there already is
    /// left as it is.
    package func make(_ grant: Grant<NewRepository>) async throws(RegistryError) {
        let name = grant.target.name
        try await storing { () throws(StoreError) in
            try await store.write { (db) throws(StoreError) in
                try db.makeRepository(name, visibility: Visibility.open.rawValue)
            }
        }
    }

    /// Names of repositories in byte order (Docker V2 `_catalog`).
    package func list(_ request: PageRequest, _ grant: RegistryGrant) async throws(RegistryError) -> Page {
        try grant.demand(.catalog)
        let limit = request.count(atMost: page)
        return Page(
            try await store.look { (db) throws(StoreError) in
                try db.repositoryNames(after: request.last, limit: limit + 1)
            }, limit)
    }

    /// Removes repositories that were made an hour ago or earlier and never got content. Gives how many.
    func removeEmpty() async throws(StoreError) -> Int {
        let oldest = store.clocks.wall() - .seconds(3600)
        let isAny = try await store.read { (db) throws(StoreError) in try db.hasEmptyRepositories(madeBefore: oldest) }
        guard isAny else { return 0 }
        return try await store.write { (db) throws(StoreError) in
            try db.removeEmptyRepositories(madeBefore: oldest, limit: 500)
        }
    }
}

extension Repositories: AccessFacts {
    package func atOnce(_ name: RepositoryName) -> RepositoryFacts? {
        facts[name, { .access($0.repository.namespace) }]
    }

    package func find(_ name: RepositoryName) async throws(RegistryError) -> RepositoryFacts? {
        guard let first = try await read(name) else { return nil }
        // The version has to be older than what is kept under it, and only now is it known whose.
        let version = try await store.versions.version(of: .access(first.repository.namespace))
        guard let found = try await read(name), found.repository.namespace == first.repository.namespace else {
            return first
        }
        facts.insert(found, for: name, at: version)
        return found
    }

    private func read(_ name: RepositoryName) async throws(RegistryError) -> RepositoryFacts? {
        let found = try await store.look { (db) throws(StoreError) in try db.repository(name) }
        guard let found else { return nil }
        guard let visibility = Visibility(rawValue: found.visibility) else {
            throw RegistryError(.internalError, "the repository's row cannot be read", cause: "\(found.visibility)")
        }
        return RepositoryFacts(found.repository, visibility: visibility)
    }
}

extension RepositoryFacts: Weighted {
    var weight: Int { 2 * repository.name.description.utf8.count + 40 }
}
