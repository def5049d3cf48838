import Model

/// What a token or a key allows at most, whatever its principal may.
package struct TokenScope: Hashable, Sendable {
    /// Rights by repository.
    package let repositories: [RepositoryName: Set<Right>]
    /// Rights in every repository below a path: `a/b` stands for `a/b/…`; an empty one for all.
    package let prefixes: [String: Set<Right>]
    /// Rights on the registry as a whole.
    package let registry: Set<Right>

    /// A scope of exactly these rights.
    package init(
        repositories: [RepositoryName: Set<Right>] = [:], prefixes: [String: Set<Right>] = [:],
        registry: Set<Right> = []
    ) {
        self.repositories = repositories
        self.prefixes = prefixes
        self.registry = registry
    }

    /// Whether it has the right, on a repository or on the registry.
    package func includes(_ right: Right, on repository: RepositoryName?) -> Bool {
        guard let repository else { return registry.contains(right) }
        if repositories[repository]?.contains(right) == true { return true }
        guard !prefixes.isEmpty else { return false }
        let name = repository.description
        return prefixes.contains { prefix, rights in
            rights.contains(right) && (prefix.isEmpty || name.hasPrefix(prefix + "/"))
        }
    }
}

/// Who sent a request, and how it came: what a grant, a session and an entry of the audit say of it.
package struct Caller: Sendable {
    package let principal: Principal
    /// The upper bound of the token that was sent; nil where it has none.
    package let scope: TokenScope?
    package let credential: Credential
    package let requestID: String
    /// Address of the client, without port.
    package let address: String

    /// A caller; made by HTTP from what an `Authenticator` said of the credentials.
    package init(_ identity: Identity, requestID: String, address: String) {
        principal = identity.principal
        scope = identity.scope
        credential = identity.credential
        self.requestID = requestID
        self.address = address
    }
}

/// What credentials prove.
package struct Identity: Sendable {
    package let principal: Principal
    package let scope: TokenScope?
    package let credential: Credential

    /// An identity; `scope` nil for no bound.
    package init(_ principal: Principal, scope: TokenScope? = nil, credential: Credential = .none) {
        self.principal = principal
        self.scope = scope
        self.credential = credential
    }
}

/// The credentials of a request, as they came.
package struct Presented: Sendable, Hashable {
    /// The value of `Authorization`.
    package let authorization: String?
    /// The value of `X-API-Key`.
    package let key: String?

    /// Credentials in these fields.
    package init(authorization: String?, key: String? = nil) {
        self.authorization = authorization
        self.key = key
    }

    package var isEmpty: Bool { authorization == nil && key == nil }
}

/// Finds out who sent a request.
package protocol Authenticator: Sendable {
    /// Who sent these credentials, where that is known without waiting; nil: ask `identify`.
    /// Throws `.credentialsInvalid` for those that are known to be wrong.
    func atOnce(_ presented: @autoclosure () -> Presented) throws(RegistryError) -> Identity?
    /// Who sent these credentials, from this address. Throws `.credentialsInvalid`, `.tooManyRequests`.
    func identify(_ presented: Presented, from address: String) async throws(RegistryError) -> Identity
}

/// Everybody is one principal, whatever they send.
package struct FixedAuthenticator: Authenticator {
    private let principal: Principal

    /// What `aerugo serve --open` runs.
    package static let open = FixedAuthenticator(.anonymous)
    /// For what only who runs the machine can reach.
    package static let system = FixedAuthenticator(.system)

    private init(_ principal: Principal) { self.principal = principal }

    package func atOnce(_ presented: @autoclosure () -> Presented) -> Identity? { Identity(principal) }
    package func identify(_ presented: Presented, from address: String) async -> Identity { Identity(principal) }
}
