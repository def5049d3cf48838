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
    /// The caller is allowed, its token is not: one with a wider scope is.
    case narrow
    /// The caller may not do this, whether the target is there or not.
    case denied
    /// The caller may not even know that the target is there.
    case hidden
}

/// The rules: a pure function of who asks for what and of what is known. No I/O, no clock.
///
/// | who | pull | push, delete, administer |
/// |---|---|---|
/// | allowed, by a token whose scope has it or without a token | allowed | allowed |
/// | allowed, by a token whose scope lacks it | narrow | narrow |
/// | without credentials, or with an anonymous token | challenge, there or not | challenge, there or not |
/// | with credentials, not allowed | hidden: as if it were not there | denied, there or not |
package struct Policy: Sendable {
    /// What is asked about.
    package enum Target: Sendable, Hashable {
        case registry
        case repository(RepositoryFacts)
        /// A repository that is not there: whether the caller may make it.
        case absent(RepositoryName)
        /// A user's or an organization's.
        case namespace
    }

    private let rule: @Sendable (Right, Target, Principal, Standing) -> Verdict
    /// Whether anybody has to be known for it.
    package let needsStanding: Bool

    /// A policy of one rule over principals, whatever is known of them.
    package init(_ rule: @escaping @Sendable (Right, Target, Principal) -> Verdict) {
        self.rule = { right, target, principal, _ in rule(right, target, principal) }
        needsStanding = false
    }

    private init(standing rule: @escaping @Sendable (Right, Target, Principal, Standing) -> Verdict) {
        self.rule = rule
        needsStanding = true
    }

    /// One tenant, no authentication: everyone may do everything. What `aerugo serve --open` runs.
    package static let open = Policy { _, _, _ in .allowed }

    /// Accounts, roles and permissions.
    package static let accounts = Policy(standing: { right, target, principal, standing in
        switch principal {
        case .system: return .allowed
        case .anonymous: return anonymous(right, target)
        case .user, .robot: break
        }
        switch target {
        case .registry: return registry(right, standing)
        case .repository(let facts):
            return standing.rights(facts.visibility).includes(right) ? .allowed : refused(right)
        case .absent:
            if right == .push { return standing.duties.contains(.create) ? .allowed : refused(right) }
            // Who could do it to any repository of the namespace is told that this one is not there.
            return standing.rights(.hidden).includes(right) ? .hidden : refused(right)
        case .namespace: return standing.duties.includes(right) ? .allowed : refused(right)
        }
    })

    private static func anonymous(_ right: Right, _ target: Target) -> Verdict {
        if case .repository(let facts) = target, facts.visibility == .open, right == .pull { return .allowed }
        return .challenge
    }

    private static func registry(_ right: Right, _ standing: Standing) -> Verdict {
        guard standing.isActive else { return .challenge }
        switch right {
        case .base, .catalog, .account: return .allowed
        default: return standing.isAdministrator ? .allowed : .denied
        }
    }

    private static func refused(_ right: Right) -> Verdict { right == .pull || right == .view ? .hidden : .denied }

    /// The verdict on a caller: the rule's, and never more than the scope of the token.
    package func verdict(_ right: Right, _ target: Target, _ caller: Caller, _ standing: Standing) -> Verdict {
        // Any token that is good lets one say hello.
        if caller.scope != nil, target == .registry, right == .base, caller.principal == .anonymous { return .allowed }
        let verdict = rule(right, target, caller.principal, standing)
        guard verdict == .allowed, let scope = caller.scope else { return verdict }
        let name: RepositoryName? =
            switch target {
            case .registry, .namespace: nil
            case .repository(let facts): facts.repository.name
            case .absent(let name): name
            }
        if scope.includes(right, on: name) { return .allowed }
        return caller.principal == .anonymous ? .challenge : .narrow
    }
}
