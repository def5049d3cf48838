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
        case .damaged:
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
