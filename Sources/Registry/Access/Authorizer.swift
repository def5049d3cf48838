import Model

/// What the authorizer has to know of repositories; the service answers from its cache or from the store.
package protocol AccessFacts: Sendable {
    /// Of a repository that is known to be there and unchanged, at once; nil: ask `find`.
    func atOnce(_ name: RepositoryName) -> RepositoryFacts?
    /// Of a repository, nil when there is none of that name. Throws `.unavailable`, `.internalError`.
    func find(_ name: RepositoryName) async throws(RegistryError) -> RepositoryFacts?
}

/// What an authorizer has decided.
package enum Decision<Target: Sendable>: Sendable {
    case allowed(Grant<Target>)
    /// There is no such repository, and the caller may make it: then ask again.
    case absent(Grant<NewRepository>)
    /// Ask for credentials, or for better ones.
    case challenge
    case denied
    /// There is no such repository as far as this caller may know.
    case hidden

    /// The grant. Throws `.unauthorized`, `.denied`, and nil where there is nothing that the caller may know of.
    package func grant() throws(RegistryError) -> Grant<Target>? {
        switch self {
        case .allowed(let grant): return grant
        case .absent, .hidden: return nil
        case .challenge:
            throw RegistryError(.unauthorized, "log in, with credentials that may do this")
        case .denied:
            throw RegistryError(.denied, "you may not do this: ask who administers it")
        }
    }
}

/// Decides who may do what. The only one to make grants.
package struct Authorizer: Sendable {
    private let policy: Policy
    private let facts: any AccessFacts

    /// An authorizer by these rules and facts.
    package init(policy: Policy, facts: any AccessFacts) {
        self.policy = policy
        self.facts = facts
    }

    /// On the registry as a whole.
    package func authorize(_ right: Right, _ caller: Caller) -> Decision<WholeRegistry> {
        switch policy.verdict(right, .registry, caller) {
        case .allowed: .allowed(Grant(caller, right, WholeRegistry()))
        case .challenge: .challenge
        case .denied: .denied
        case .hidden: .hidden
        }
    }

    /// On a repository, if that can be said without waiting; else nil.
    package func atOnce(_ right: Right, on name: RepositoryName, _ caller: Caller) -> Decision<Repository>? {
        facts.atOnce(name).map { decide(right, $0, caller) }
    }

    /// On a repository. Throws `.unavailable`, `.internalError`.
    package func authorize(
        _ right: Right, on name: RepositoryName, _ caller: Caller
    ) async throws(RegistryError) -> Decision<Repository> {
        if let decision = atOnce(right, on: name, caller) { return decision }
        guard let found = try await facts.find(name) else { return decide(right, absent: name, caller) }
        return decide(right, found, caller)
    }

    private func decide(_ right: Right, _ facts: RepositoryFacts, _ caller: Caller) -> Decision<Repository> {
        switch policy.verdict(right, .repository(facts), caller) {
        case .allowed: .allowed(Grant(caller, right, facts.repository))
        case .challenge: .challenge
        case .denied: .denied
        case .hidden: .hidden
        }
    }

    /// Only a push can begin with a repository that is not there; for anything else the answer is that of a hidden one.
    private func decide(_ right: Right, absent name: RepositoryName, _ caller: Caller) -> Decision<Repository> {
        switch policy.verdict(right, .absent(name), caller) {
        case .allowed: right == .push ? .absent(Grant(caller, right, NewRepository(name: name))) : .hidden
        case .challenge: .challenge
        case .denied: .denied
        case .hidden: .hidden
        }
    }
}
