import Model

/// Who may see a repository.
package enum Visibility: Int64, Sendable {
    /// Members alone.
    case hidden = 0
    /// Everybody may pull.
    case open = 1
}

/// What is known of a repository to decide who may do what to it.
package struct RepositoryFacts: Sendable, Hashable {
    package let repository: Repository
    package let visibility: Visibility

    /// Facts of a repository.
    package init(_ repository: Repository, visibility: Visibility) {
        self.repository = repository
        self.visibility = visibility
    }
}

/// What a rule says.
package enum Verdict: Sendable, Hashable, CaseIterable {
    case allowed
    /// The caller may be allowed once it has said who it is.
    case challenge
    /// The caller may know that the target is there, but not do this.
    case denied
    /// The caller may not even know that the target is there.
    case hidden
}

/// The rules: a pure function of who asks for what and of what is known. No I/O, no clock.
package struct Policy: Sendable {
    /// What is asked about.
    package enum Target: Sendable, Hashable {
        case registry
        case repository(RepositoryFacts)
        /// A repository that is not there: whether the caller may make it.
        case absent(RepositoryName)
    }

    private let rule: @Sendable (Right, Target, Principal) -> Verdict

    /// A policy of one rule.
    package init(_ rule: @escaping @Sendable (Right, Target, Principal) -> Verdict) { self.rule = rule }

    /// One tenant, no authentication: everyone may do everything. What `aerugo serve --open` runs.
    package static let open = Policy { _, _, _ in .allowed }

    /// The verdict on a caller: the rule's, and never more than the scope of the token.
    func verdict(_ right: Right, _ target: Target, _ caller: Caller) -> Verdict {
        let verdict = rule(right, target, caller.principal)
        guard verdict == .allowed, let scope = caller.scope else { return verdict }
        let name: RepositoryName? =
            switch target {
            case .registry: nil
            case .repository(let facts): facts.repository.name
            case .absent(let name): name
            }
        return scope.includes(right, on: name) ? .allowed : .challenge
    }
}
