import Model

/// Who asks.
package enum Principal: Hashable, Sendable {
    /// Anybody.
    case anonymous

    /// The key that rows have for it.
    package var id: PrincipalID {
        switch self {
        case .anonymous: PrincipalID(0)
        }
    }
}

/// What a token allows at most, whatever its principal may.
package struct TokenScope: Hashable, Sendable {
    /// Rights by repository.
    package let repositories: [RepositoryName: Set<Right>]
    /// Rights on the registry as a whole.
    package let registry: Set<Right>

    /// A scope of exactly these rights.
    package init(repositories: [RepositoryName: Set<Right>] = [:], registry: Set<Right> = []) {
        self.repositories = repositories
        self.registry = registry
    }

    func includes(_ right: Right, on repository: RepositoryName?) -> Bool {
        guard let repository else { return registry.contains(right) }
        return repositories[repository]?.contains(right) == true
    }
}

/// Who sent a request, and how it came: what a grant, a session and an entry of the audit say of it.
package struct Caller: Sendable {
    package let principal: Principal
    /// The upper bound of the token that was sent; nil where it has none.
    package let scope: TokenScope?
    package let requestID: String
    /// Address of the client, without port.
    package let address: String

    /// A caller; made by HTTP from what an `Authenticator` said of the credentials.
    package init(_ identity: Identity, requestID: String, address: String) {
        principal = identity.principal
        scope = identity.scope
        self.requestID = requestID
        self.address = address
    }
}

/// What credentials prove.
package struct Identity: Sendable {
    package let principal: Principal
    package let scope: TokenScope?

    /// An identity; `scope` nil for no bound.
    package init(_ principal: Principal, scope: TokenScope? = nil) {
        self.principal = principal
        self.scope = scope
    }
}

/// Finds out who sent a request.
package protocol Authenticator: Sendable {
    /// Who sent these credentials, the value of `Authorization`, where that is known without waiting; nil: ask `identify`.
    /// Throws `.unauthorized` for credentials that are known to be wrong.
    func atOnce(_ credentials: @autoclosure () -> String?) throws(RegistryError) -> Identity?
    /// Who sent these credentials. Throws `.unauthorized`.
    func identify(_ credentials: String?) async throws(RegistryError) -> Identity
}

/// Everybody is anonymous, whatever they send. What `aerugo serve --open` runs.
package struct OpenAuthenticator: Authenticator {
    /// The open registry's.
    package init() {}

    package func atOnce(_ credentials: @autoclosure () -> String?) -> Identity? { Identity(.anonymous) }
    package func identify(_ credentials: String?) async -> Identity { Identity(.anonymous) }
}
