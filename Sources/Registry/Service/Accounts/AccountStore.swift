import Access
import Model
import Runtime
import Store

/// What went wrong inside a transaction that is the client's to mend: nothing of it is kept.
typealias Refusal = RegistryError

extension MetadataStore {
    /// `write` whose body may refuse: it gives a result, and what it did is undone where that is a refusal.
    func transact<T: Sendable>(
        _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> Result<T, Refusal>
    ) async throws(RegistryError) -> T {
        let refusal = Refused()
        do throws(StoreError) {
            return try await write { (db) throws(StoreError) in
                switch try body(db) {
                case .success(let value): return value
                case .failure(let error):
                    refusal.put(error)
                    throw StoreError(.refused, error.message)
                }
            }
        } catch {
            if let refused = refusal.take() { throw refused }
            throw error.code == .missing
                ? RegistryError(.accountUnknown, "it was deleted meanwhile", cause: error.cause) : RegistryError(error)
        }
    }
}

extension AuditEntry {
    /// What the caller of a grant did.
    init<Target>(
        _ grant: Grant<Target>, _ action: String, _ subject: String, in namespace: NamespaceID? = nil,
        _ repository: RepositoryID? = nil, detail: String = ""
    ) {
        self.init(grant.caller, action, subject, in: namespace, repository, detail: detail)
    }

    /// What a caller did, or tried.
    init(
        _ caller: Caller, _ action: String, _ subject: String, outcome: String = "done",
        in namespace: NamespaceID? = nil, _ repository: RepositoryID? = nil, detail: String = ""
    ) {
        self.init(
            principal: caller.principal.id, credential: caller.credential.text, address: caller.address,
            requestID: caller.requestID, action: action, outcome: outcome, namespace: namespace,
            repository: repository, subject: subject, detail: detail)
    }
}
