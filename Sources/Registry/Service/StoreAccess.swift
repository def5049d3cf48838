import Access
import Model
import Runtime
import Store

extension RegistryError {
    /// What a store's failure means to the client; the cause goes to the log.
    init(_ error: StoreError) {
        switch error.code {
        case .full:
            self.init(
                .storageFull, "the registry has no room left: free space or ask its operator", cause: error.cause)
        case .conflict, .overloaded:
            self.init(.unavailable, "the registry is busy: try again", cause: error.cause)
        case .missing, .unavailable:
            self.init(
                .unavailable, "the registry's storage cannot be reached: try again, or ask its operator",
                cause: error.cause)
        case .refused:
            self.init(.denied, "you may not do this any more: ask who administers it", cause: error.cause)
        case .damaged, .unusable:
            self.init(.internalError, "the registry's storage is damaged: ask its operator", cause: error.cause)
        }
    }

    /// There is no such repository, or it was deleted meanwhile.
    static func unknown(_ repository: RepositoryName) -> RegistryError {
        RegistryError(
            .nameUnknown, "there is no repository \(repository): check the name, or push to it first",
            detail: ["name": repository.description])
    }
}

/// Runs `body` and turns a store's error into the registry's.
func storing<T>(_ body: () async throws(StoreError) -> T) async throws(RegistryError) -> T {
    do throws(StoreError) {
        return try await body()
    } catch {
        throw RegistryError(error)
    }
}

extension MetadataStore {
    /// `read`, with the registry's errors.
    func look<T: Sendable>(
        _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(RegistryError) -> T {
        try await storing { () throws(StoreError) in try await read(body) }
    }

    /// `write`, with the registry's errors; `.nameUnknown` where the repository was deleted meanwhile.
    func change<T: Sendable>(
        _ repository: Repository, _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(RegistryError) -> T {
        do throws(StoreError) {
            return try await write(body)
        } catch {
            throw error.code == .missing ? .unknown(repository.name) : RegistryError(error)
        }
    }

    /// The same by a grant, if it still stands where the change is made: else `.denied`.
    func change<T: Sendable>(
        _ grant: RepositoryGrant, _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(RegistryError) -> T {
        try await change(grant.target) { (db) throws(StoreError) in
            try db.hold(grant)
            return try body(db)
        }
    }

    /// `erase`, with the registry's errors, as `change` by a grant has them.
    func remove<T: Sendable>(
        by grant: RepositoryGrant, _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(RegistryError) -> T {
        try await remove(from: grant.target) { (db) throws(StoreError) in
            try db.hold(grant)
            return try body(db)
        }
    }

    /// `erase`, with the registry's errors, as `change` has them.
    func remove<T: Sendable>(
        from repository: Repository, _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(RegistryError) -> T {
        do throws(StoreError) {
            return try await erase(body)
        } catch {
            throw error.code == .missing ? .unknown(repository.name) : RegistryError(error)
        }
    }
}
