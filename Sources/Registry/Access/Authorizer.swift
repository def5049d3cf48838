import Model

/// What is known of a principal at a repository's name, all of it read at one moment.
package struct AccessFacts: Sendable {
    /// Nil when there is none of that name.
    package let repository: RepositoryFacts?
    package let standing: Standing
    /// Nil where nothing that could change was looked at.
    package let fence: AccessFence?

    /// Facts of one moment.
    package init(_ repository: RepositoryFacts?, _ standing: Standing, _ fence: AccessFence?) {
        self.repository = repository
        self.standing = standing
        self.fence = fence
    }
}

/// Who knows what the authorizer has to know; the service, from its cache or from the store.
package protocol AccessSource: Sendable {
    /// Of a repository that is known to be there and unchanged, at once; nil: ask `find`.
    func atOnce(_ name: RepositoryName, _ principal: Principal) -> AccessFacts?
    /// Of a repository or of its absence, which take the same time. Throws `.unavailable`, `.internalError`.
    func find(_ name: RepositoryName, _ principal: Principal) async throws(RegistryError) -> AccessFacts
    /// Of a namespace; its standing is empty where there is none. Throws `.unavailable`, `.internalError`.
    func find(_ namespace: Namespace, _ principal: Principal) async throws(RegistryError) -> AccessFacts
    /// Of an account, for the registry as a whole. Throws `.unavailable`, `.internalError`.
    func find(_ principal: Principal) async throws(RegistryError) -> AccessFacts
}

/// What an authorizer has decided.
package enum Decision<Target: Sendable>: Sendable {
    case allowed(Grant<Target>)
    /// There is no such repository, and the caller may make it: then ask again.
    case absent(Grant<NewRepository>)
    /// Ask for credentials.
    case challenge
    /// Ask for a token with a wider scope.
    case narrow
    case denied
    /// There is no such repository as far as this caller may know.
    case hidden

    /// The grant. Throws `.unauthorized`, `.insufficientScope`, `.denied`, and nil where there is nothing that the caller may
    /// know of.
    package func grant() throws(RegistryError) -> Grant<Target>? {
        switch self {
        case .allowed(let grant): return grant
        case .absent, .hidden: return nil
        case .challenge:
            throw RegistryError(.unauthorized, "log in, with credentials that may do this")
        case .narrow:
            throw RegistryError(.insufficientScope, "the token that was sent does not reach this: get one for it")
        case .denied:
            throw RegistryError(.denied, "you may not do this: ask who administers it")
        }
    }

    fileprivate init(_ verdict: Verdict, _ grant: @autoclosure () -> Grant<Target>) {
        switch verdict {
        case .allowed: self = .allowed(grant())
        case .challenge: self = .challenge
        case .narrow: self = .narrow
        case .denied: self = .denied
        case .hidden: self = .hidden
        }
    }
}

/// Decides who may do what. The only one to make grants.
package struct Authorizer: Sendable {
    package let policy: Policy
    private let source: any AccessSource

    /// An authorizer by these rules and facts.
    package init(policy: Policy, source: any AccessSource) {
        self.policy = policy
        self.source = source
    }

    /// On the registry as a whole, if that can be said without waiting; else nil.
    package func atOnce(_ right: Right, _ caller: Caller) -> Decision<WholeRegistry>? {
        guard !policy.needsStanding || caller.principal.account == nil else { return nil }
        return decide(right, AccessFacts(nil, Standing(), nil), caller)
    }

    /// On the registry as a whole. Throws `.unavailable`, `.internalError`.
    package func authorize(_ right: Right, _ caller: Caller) async throws(RegistryError) -> Decision<WholeRegistry> {
        if let decision = atOnce(right, caller) { return decision }
        return decide(right, try await source.find(caller.principal), caller)
    }

    private func decide(_ right: Right, _ facts: AccessFacts, _ caller: Caller) -> Decision<WholeRegistry> {
        Decision(
            policy.verdict(right, .registry, caller, facts.standing),
            Grant(caller, right, WholeRegistry(), facts.fence))
    }

    /// On a namespace. Throws `.unavailable`, `.internalError`.
    package func authorize(
        _ right: Right, in namespace: Namespace, _ caller: Caller
    ) async throws(RegistryError) -> Decision<Namespace> {
        let facts = try await source.find(namespace, caller.principal)
        return Decision(
            policy.verdict(right, .namespace, caller, facts.standing), Grant(caller, right, namespace, facts.fence))
    }

    /// On a repository, if it may be done and that can be said without waiting; else nil: a refusal takes the same time
    /// whether the repository is there or not.
    package func atOnce(_ right: Right, on name: RepositoryName, _ caller: Caller) -> Decision<Repository>? {
        guard let facts = source.atOnce(name, caller.principal), let repository = facts.repository else { return nil }
        let decision = decide(right, facts, repository, caller)
        if case .allowed = decision { return decision }
        return nil
    }

    /// On a repository. Throws `.unavailable`, `.internalError`.
    package func authorize(
        _ right: Right, on name: RepositoryName, _ caller: Caller
    ) async throws(RegistryError) -> Decision<Repository> {
        if let decision = atOnce(right, on: name, caller) { return decision }
        let facts = try await source.find(name, caller.principal)
        guard let repository = facts.repository else { return decide(right, absent: name, facts, caller) }
        return decide(right, facts, repository, caller)
    }

    private func decide(
        _ right: Right, _ facts: AccessFacts, _ repository: RepositoryFacts, _ caller: Caller
    ) -> Decision<Repository> {
        Decision(
            policy.verdict(right, .repository(repository), caller, facts.standing),
            Grant(caller, right, repository.repository, facts.fence))
    }

    /// Only a push can begin with a repository that is not there; for anything else the answer is that of a hidden one.
    private func decide(
        _ right: Right, absent name: RepositoryName, _ facts: AccessFacts, _ caller: Caller
    ) -> Decision<Repository> {
        let decision = Decision<NewRepository>(
            policy.verdict(right, .absent(name), caller, facts.standing),
            Grant(caller, right, NewRepository(name: name), facts.fence))
        switch decision {
        case .allowed(let grant): return right == .push ? .absent(grant) : .hidden
        case .challenge: return .challenge
        case .narrow: return .narrow
        case .denied: return .denied
        case .absent, .hidden: return .hidden
        }
    }

    /// What of these requests a caller may do now: what a token may say. What it may not is left out, and nothing says whether
    /// it is there. Throws `.unavailable`, `.internalError`.
    package func scope(for requests: [ScopeRequest], _ caller: Caller) async throws(RegistryError) -> TokenScope {
        var granted: [ScopeRequest] = []
        for request in requests {
            switch request {
            case .repository(let name, let wanted):
                let rights = try await rights(among: wanted, on: name, caller)
                if !rights.isEmpty { granted.append(.repository(name, rights)) }
            case .catalog:
                if case .allowed = try await authorize(.catalog, caller) { granted.append(request) }
            case .other: break
            }
        }
        return TokenScope(granted: granted)
    }

    /// The rights, of these, that a principal has on a repository now, or would have once it is made: what a token for it may
    /// say. Throws `.unavailable`, `.internalError`.
    package func rights(
        among wanted: Set<Right>, on name: RepositoryName, _ caller: Caller
    ) async throws(RegistryError) -> Set<Right> {
        // Who may pull knows that it is there: that it takes less time tells nothing.
        if let known = source.atOnce(name, caller.principal) {
            let rights = rights(among: wanted, on: name, known, caller)
            if rights.contains(.pull) { return rights }
        }
        return rights(among: wanted, on: name, try await source.find(name, caller.principal), caller)
    }

    private func rights(
        among wanted: Set<Right>, on name: RepositoryName, _ facts: AccessFacts, _ caller: Caller
    ) -> Set<Right> {
        wanted.filter { right in
            if let repository = facts.repository {
                return policy.verdict(right, .repository(repository), caller, facts.standing) == .allowed
            }
            // Who may make it may pull what they pushed.
            guard right == .push || right == .pull else { return false }
            return policy.verdict(.push, .absent(name), caller, facts.standing) == .allowed
        }
    }
}
