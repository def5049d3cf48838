import Access
import Logging
import Model
import Runtime
import Store

/// Repositories themselves: making, finding and listing them. What the authorizer knows of them comes from here.
package struct Repositories: Sendable {
    let store: MetadataStore
    private let facts: VersionedCache<RepositoryName, RepositoryFacts>
    /// How what is known of repositories by name stands.
    var usage: CacheUsage { facts.usage }
    private let standings: StandingCache
    private let page: Int
    /// Of a repository that a push makes.
    let visibility: Visibility

    init(_ store: MetadataStore, page: Int, visibility: Visibility) {
        self.store = store
        self.page = page
        self.visibility = visibility
        facts = VersionedCache(capacity: 4 << 20, versions: store.versions)
        standings = StandingCache(capacity: 4 << 20, versions: store.versions)
    }

    /// Makes the repository, in which nothing is yet: it is in no list before it has content. One that is there already is
    /// left as it is. Throws `.denied` where the caller's right to it is gone.
    package func make(_ grant: Grant<NewRepository>) async throws(RegistryError) {
        let (name, visibility) = (grant.target.name, visibility.rawValue)
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            if let refusal = try db.refusal(ofName: name) { return .failure(refusal) }
            try db.makeRepository(name, visibility: visibility)
            return .success(())
        }
    }

    /// Names of repositories in byte order (Docker V2 `_catalog`): of those that the caller may pull from, all or of one
    /// namespace.
    package func list(
        _ request: PageRequest, _ grant: RegistryGrant
    ) async throws(RegistryError) -> Page {
        try grant.demand(.catalog)
        let limit = request.count(atMost: page)
        let reader = grant.fence == nil ? nil : grant.caller.principal.account
        return Page(
            try await store.look { (db) throws(StoreError) in
                let isAdministrator = try reader.map { (id) throws(StoreError) in try db.principal(id)?.isAdministrator
                }
                return try db.repositoryNames(
                    after: request.last, limit: limit + 1,
                    readableBy: isAdministrator == true ? nil : reader)
            }, limit)
    }

    /// Keeps the words of repositories and users that are older than words are, beside all else: until it is done, searches do
    /// not find them all. Tries again until it is done or cancelled.
    package func keepWords(_ log: Logger) async {
        while !Task.isCancelled {
            do throws(StoreError) {
                guard try await store.read({ (db) throws(StoreError) in try db.lacksWords() }) else { return }
                log.notice("older names are made ready for search: until then searches do not find them all")
                while try await store.write({ (db) throws(StoreError) in try db.addMissingWords() }) {
                    guard !Task.isCancelled else { return }
                }
                return log.notice("older names are ready for search")
            } catch {
                log.error("older names cannot be made ready for search yet", metadata: ["cause": "\(error.cause)"])
                await MetadataStore.sleep(.seconds(60))
            }
        }
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

extension Repositories: AccessSource {
    package func atOnce(_ name: RepositoryName, _ principal: Principal) -> AccessFacts? {
        guard let found = facts[name, { .access($0.repository.namespace) }] else {
            // Where versions have to be asked for, of what is not there as of what is.
            _ = store.versions.atOnce(.access(NamespaceID(0)))
            return nil
        }
        guard let account = principal.account else { return AccessFacts(found, Standing(), nil) }
        return standings[account, found.repository].map { AccessFacts(found, $0.standing, $0.fence) }
    }

    /// Reads twice, whether there is anything or not: versions have to be older than what is kept under them, and of whose
    /// they are to be asked is known only behind the first read.
    package func find(_ name: RepositoryName, _ principal: Principal) async throws(RegistryError) -> AccessFacts {
        let first = try await read(name, principal)
        let namespace = first.repository?.repository.namespace ?? NamespaceID(0)
        let account = principal.account ?? PrincipalID(0)
        let (access, own) = try await store.versions.pair(.access(namespace), .principal(account))
        let found = try await read(name, principal)
        guard let repository = found.repository, repository.repository.namespace == namespace else { return found }
        facts.insert(repository, for: name, at: access)
        if principal.account != nil {
            standings.insert(
                StandingCache.Entry(access: access, own: own, standing: found.standing, fence: found.fence),
                for: account, repository.repository)
        }
        return found
    }

    private func read(_ name: RepositoryName, _ principal: Principal) async throws(RegistryError) -> AccessFacts {
        try await store.look { (db) throws(StoreError) in
            let found = try db.repository(name)
            let repository = try found.map { (record) throws(StoreError) in try RepositoryFacts(record) }
            guard let account = principal.account else { return AccessFacts(repository, Standing(), nil) }
            // Also where the repository has told it: what is not there takes the same time.
            let namespace = try db.namespace(name.namespace)?.namespace.id ?? NamespaceID(0)
            return try db.facts(repository, of: account, in: namespace)
        }
    }

    package func find(_ namespace: Namespace, _ principal: Principal) async throws(RegistryError) -> AccessFacts {
        guard let account = principal.account else { return AccessFacts(nil, Standing(), nil) }
        return try await store.look { (db) throws(StoreError) in try db.facts(nil, of: account, in: namespace.id) }
    }

    package func find(_ principal: Principal) async throws(RegistryError) -> AccessFacts {
        guard let account = principal.account else { return AccessFacts(nil, Standing(), nil) }
        return try await store.look { (db) throws(StoreError) in
            // The fence needs a namespace: an account's own, or its organization's, is there as long as it is.
            let home = try db.principal(account)?.namespace ?? NamespaceID(0)
            return try db.facts(nil, of: account, in: home)
        }
    }
}

extension SQLTransaction {
    fileprivate func facts(
        _ repository: RepositoryFacts?, of account: PrincipalID, in namespace: NamespaceID
    ) throws(StoreError) -> AccessFacts {
        let record = try standing(of: account, in: namespace, repository?.repository.id ?? RepositoryID(0))
        guard let record else { return AccessFacts(repository, Standing(isActive: false), nil) }
        return AccessFacts(
            repository, Standing(record, in: namespace),
            AccessFence(account, record.principalVersion, namespace, record.accessVersion))
    }
}

extension RepositoryFacts: Weighted {
    package var weight: Int { 2 * repository.name.description.utf8.count + 40 }
}
