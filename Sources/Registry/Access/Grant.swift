import Model

/// What a principal may be allowed on a repository or on the registry.
package enum Permission: Sendable, Hashable {
    case pull, push, delete, catalog, base
}

/// Who asks.
package enum Principal: Hashable, Sendable {
    /// Anybody, on a registry that was opened with `--open`.
    case anonymous

    /// A name for sessions and logs, unique among principals.
    package var id: String {
        switch self {
        case .anonymous: "anonymous"
        }
    }
}

/// The proof that a principal may do something. Only an `Authorizer` makes one, so that a service that takes a grant
/// cannot be called by who forgot to ask.
package struct Grant: Sendable {
    package let principal: Principal
    package let permission: Permission
    /// The repository that it is for; nil for what concerns the whole registry.
    package let repository: RepositoryName?

    init(principal: Principal, permission: Permission, repository: RepositoryName?) {
        self.principal = principal
        self.permission = permission
        self.repository = repository
    }
}

/// Decides who may do what.
package struct Authorizer: Sendable {
    private init() {}

    /// One tenant, no authentication: everyone may do everything. What `aerugo serve --open` runs.
    package static let open = Authorizer()

    /// A grant for this permission. Throws `RegistryError` `.unauthorized` or `.denied`.
    package func authorize(
        _ permission: Permission, on repository: RepositoryName?
    ) throws(RegistryError) -> Grant {
        Grant(principal: .anonymous, permission: permission, repository: repository)
    }
}
