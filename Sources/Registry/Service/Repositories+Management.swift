import Access
import Model
import Runtime
import Store

/// A repository, as it is shown.
package struct RepositoryInfo: Sendable {
    package let name: RepositoryName
    package let visibility: Visibility
    package let description: String
    package let tags: Int64
    package let manifests: Int64
    package let blobs: Int64
    /// Of its manifests, and of its blobs, each once.
    package let bytes: Int64
    /// Of what its tags point to, each tag for itself.
    package let logicalBytes: Int64
    /// Of manifests, some seconds late.
    package let pulls: Int64
    package let createdAt: Timestamp
    package let pushedAt: Timestamp?
    package let pulledAt: Timestamp?
    package let deletedAt: Timestamp?

    init(_ details: RepositoryDetails) {
        name = details.repository.name
        visibility = Visibility(rawValue: details.visibility) ?? .hidden
        description = details.description
        tags = details.tags
        manifests = details.manifests
        blobs = details.blobs
        bytes = details.bytes
        logicalBytes = details.logicalBytes
        pulls = details.pulls
        createdAt = details.createdAt
        pushedAt = details.pushedAt
        pulledAt = details.pulledAt
        deletedAt = details.deletedAt
    }
}

/// Which repositories are looked for.
package struct RepositorySearch: Sendable {
    /// The beginning of their names, or of a word in them; in either case of its letters.
    package var word = ""
    /// The name of their namespace.
    package var namespace: String?
    package var visibility: Visibility?

    /// All of them.
    package init() {}
}

/// A change to a repository; what is nil stays.
package struct RepositoryChange: Sendable {
    package var visibility: Visibility?
    package var description: String?

    /// No change.
    package init() {}
}

extension Repositories {
    /// Repositories in byte order of their names, of those that the caller may pull from.
    package func search(
        _ search: RepositorySearch, _ request: PageRequest, _ grant: RegistryGrant
    ) async throws(RegistryError) -> (repositories: [RepositoryInfo], next: String?) {
        try grant.demand(.catalog)
        let limit = request.count(atMost: 1000)
        let account = grant.fence == nil ? nil : grant.caller.principal.account
        let found = try await store.look { (db) throws(StoreError) -> [RepositoryInfo] in
            var filter = RepositoryFilter()
            filter.word = search.word
            filter.visibility = search.visibility?.rawValue
            if let name = search.namespace {
                guard let namespace = try db.namespace(name) else { return [] }
                filter.namespace = namespace.namespace.id
            }
            if let account, try db.principal(account)?.isAdministrator != true { filter.reader = account }
            return try db.repositories(filter, after: request.last, limit: limit + 1).map(RepositoryInfo.init)
        }
        return (Array(found.prefix(limit)), found.count > limit ? found.prefix(limit).last?.name.description : nil)
    }

    /// Makes a repository before anything is pushed to it. Throws `.nameTaken`, `.denied`.
    package func create(
        visibility: Visibility?, description: String, _ grant: Grant<NewRepository>,
        keeping: Keeping<RepositoryInfo>? = nil
    ) async throws(RegistryError) -> RepositoryInfo {
        let name = grant.target.name
        let visibility = visibility ?? self.visibility
        return try await store.transact(keeping: keeping) {
            (db) throws(StoreError) -> Result<RepositoryInfo, Refusal> in
            try db.hold(grant)
            guard try db.repository(name) == nil else { return .failure(.taken(name)) }
            if let refusal = try db.refusal(ofName: name) { return .failure(refusal) }
            try db.makeRepository(name, visibility: visibility.rawValue)
            guard let made = try db.repository(name)?.repository else {
                throw StoreError(.missing, "repository \(name) is gone")
            }
            try db.begin(made.id, description: description)
            try db.audit(
                AuditEntry(
                    grant, "repository.create", name.description, in: made.namespace, made.id,
                    detail: visibility.text))
            return try db.shown(made)
        }
    }

    /// A repository.
    package func get(_ grant: RepositoryGrant) async throws(RegistryError) -> RepositoryInfo {
        let repository = grant.target
        let found = try await store.look { (db) throws(StoreError) in
            try db.details(of: repository.id).map(RepositoryInfo.init)
        }
        guard let found else { throw .unknown(repository.name) }
        return found
    }

    /// Changes a repository.
    package func change(
        _ change: RepositoryChange, if expectation: Expectation = .anything, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> RepositoryInfo {
        try grant.demand(.administer)
        let repository = grant.target
        return try await store.transact { (db) throws(StoreError) -> Result<RepositoryInfo, Refusal> in
            try db.hold(grant)
            if let details = try db.details(of: repository.id),
                let refusal = expectation.refusal(RepositoryInfo(details).tag)
            {
                return .failure(refusal)
            }
            var said: [String] = []
            if let visibility = change.visibility {
                try db.setVisibility(visibility.rawValue, of: repository)
                said.append(visibility.text)
            }
            if let description = change.description {
                try db.setDescription(description, of: repository)
                said.append("description")
            }
            try db.audit(
                AuditEntry(
                    grant, "repository.change", repository.name.description, in: repository.namespace, repository.id,
                    detail: said.joined(separator: " ")))
            return try db.shown(repository)
        }
    }

    /// Takes a repository out of sight: it can be restored for a time, then it goes with all that it has.
    package func remove(_ grant: RepositoryGrant) async throws(RegistryError) {
        try grant.demand(.administer)
        let repository = grant.target
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            try db.retire(repository)
            try db.audit(
                AuditEntry(
                    grant, "repository.delete", repository.name.description, in: repository.namespace, repository.id))
            return .success(())
        }
    }

    /// Repositories of a namespace that were deleted and can be restored.
    package func deleted(
        _ request: PageRequest, _ grant: NamespaceGrant
    ) async throws(RegistryError) -> (repositories: [RepositoryInfo], next: String?) {
        try grant.demand(.manage)
        let limit = request.count(atMost: 1000)
        var filter = RepositoryFilter()
        filter.namespace = grant.target.id
        filter.areDeleted = true
        let found = try await store.look { [filter] (db) throws(StoreError) in
            try db.repositories(filter, after: request.last, limit: limit + 1).map(RepositoryInfo.init)
        }
        return (Array(found.prefix(limit)), found.count > limit ? found.prefix(limit).last?.name.description : nil)
    }

    /// Brings a repository of the namespace back. Throws `.nameUnknown`.
    package func restore(
        _ name: RepositoryName, _ grant: NamespaceGrant
    ) async throws(RegistryError) -> RepositoryInfo {
        try grant.demand(.manage)
        let namespace = grant.target
        return try await store.transact { (db) throws(StoreError) -> Result<RepositoryInfo, Refusal> in
            try db.hold(grant)
            guard let repository = try db.deletedRepository(name)?.repository, repository.namespace == namespace.id
            else { return .failure(.unknown(name)) }
            try db.restore(repository)
            try db.audit(
                AuditEntry(grant, "repository.restore", name.description, in: namespace.id, repository.id))
            return try db.shown(repository)
        }
    }

    /// The namespace that a repository's name begins with, for the authorizer; one that stands for nothing when there is none.
    package func namespace(of name: RepositoryName) async throws(RegistryError) -> Namespace {
        let text = name.namespace
        let found = try await store.look { (db) throws(StoreError) in try db.namespace(text)?.namespace }
        return found ?? Namespace(id: NamespaceID(0), name: text, kind: .open)
    }

    /// Removes what was deleted longer ago than it can be restored, in transactions so small that nobody waits for one.
    func purge(deletedFor time: Duration) async throws(StoreError) {
        while true {
            let oldest = store.clocks.wall() - time
            let found = try await store.read { (db) throws(StoreError) in
                try db.repository(deletedBefore: oldest)?.repository
            }
            guard let repository = found else { return }
            while try await store.erase({ (db) throws(StoreError) in
                // Restored meanwhile?
                guard try db.repository(deletedBefore: oldest)?.repository == repository else { return false }
                return try db.purge(repository)
            }) {}
        }
    }
}

extension SQLTransaction {
    /// Why a repository cannot have this name, where another one that was deleted still has it.
    func refusal(ofName name: RepositoryName) throws(StoreError) -> Refusal? {
        guard let deletedAt = try deletedRepository(name)?.deletedAt else { return nil }
        return RegistryError(
            .denied,
            "\(name) was deleted at \(deletedAt.rfc3339) and can still be restored: restore it, or take another name",
            detail: ["name": name.description])
    }

    fileprivate func shown(_ repository: Repository) throws(StoreError) -> Result<RepositoryInfo, Refusal> {
        guard let details = try details(of: repository.id) else {
            throw StoreError(.missing, "repository \(repository.name) is gone")
        }
        return .success(RepositoryInfo(details))
    }
}

extension RegistryError {
    fileprivate static func taken(_ name: RepositoryName) -> RegistryError {
        RegistryError(.nameTaken, "there is a repository \(name) already", detail: ["name": name.description])
    }
}

extension Visibility {
    /// As the API has it.
    package var text: String { self == .open ? "public" : "private" }
}
