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
    private let identity: Identity
    package let requestID: String
    /// Address of the client, without port.
    package let address: String

    /// A caller; made from what an `Authenticator` said of the credentials.
    package init(_ identity: Identity, _ sender: Sender) {
        self.init(identity, requestID: sender.requestID, address: sender.address)
    }

    /// A caller; made by HTTP from what an `Authenticator` said of the credentials.
    package init(_ identity: Identity, requestID: String, address: String) {
        self.identity = identity
        self.requestID = requestID
        self.address = address
    }

    package var principal: Principal { identity.principal }
    /// The upper bound of the token that was sent; nil where it has none.
    package var scope: TokenScope? { identity.scope }
    package var credential: Credential { identity.credential }
}
