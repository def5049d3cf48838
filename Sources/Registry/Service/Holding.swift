import Access
import Model
import Runtime
import Store

extension SQLTransaction {
    /// Throws `.refused` unless a grant still stands: what it rests on has not moved, or allows the same by what it is now.
    /// Asked in the transaction of a change, so that nothing lands after a right was taken away and that was acknowledged.
    func hold(_ grant: RepositoryGrant) throws(StoreError) {
        guard let fence = grant.fence, try !stands(fence) else { return }
        guard let record = try repository(grant.target.id) else {
            throw StoreError(.missing, "repository \(grant.target.name) was deleted")
        }
        try decide(grant, .repository(try RepositoryFacts(record)), record.repository.id)
    }

    /// The same for a repository that is to be made.
    func hold(_ grant: Grant<NewRepository>) throws(StoreError) {
        guard let fence = grant.fence, try !stands(fence) else { return }
        try decide(grant, .absent(grant.target.name), RepositoryID(0))
    }

    /// The same for a namespace.
    func hold(_ grant: NamespaceGrant) throws(StoreError) {
        guard let fence = grant.fence, try !stands(fence) else { return }
        try decide(grant, .namespace, RepositoryID(0))
    }

    /// The same for the registry as a whole.
    func hold(_ grant: RegistryGrant) throws(StoreError) {
        guard let fence = grant.fence, try !stands(fence) else { return }
        try decide(grant, .registry, RepositoryID(0))
    }

    private func stands(_ fence: AccessFence) throws(StoreError) -> Bool {
        try stands(fence.principal, at: fence.principalVersion, fence.namespace, at: fence.accessVersion)
    }

    private func decide<Target>(
        _ grant: Grant<Target>, _ target: Policy.Target, _ repository: RepositoryID
    ) throws(StoreError) {
        guard let fence = grant.fence else { return }
        let record = try standing(of: fence.principal, in: fence.namespace, repository)
        let standing = record.map { Standing($0, in: fence.namespace) } ?? Standing(isActive: false)
        guard Policy.accounts.verdict(grant.right, target, grant.caller, standing) == .allowed,
            try isGood(grant.caller.credential, of: fence.principal)
        else { throw StoreError(.refused, "\(grant.right) was taken from principal \(fence.principal)") }
    }

    /// Whether a credential of a principal that was good still is.
    func isGood(_ credential: Credential, of principal: PrincipalID) throws(StoreError) -> Bool {
        switch credential {
        case .none: true
        case .password(let since): try self.principal(principal)?.credentialsSince.milliseconds == since
        case .apiKey(let id):
            if let key = try key(id) {
                key.principal == principal && key.expiresAt.map { $0 > now } != false
            } else {
                false
            }
        case .login(let id):
            // A login lives no longer than the key that it came of.
            if let login = try login(id), login.principal == principal {
                try login.key.map { (key) throws(StoreError) in try isGood(.apiKey(key), of: principal) } ?? true
            } else {
                false
            }
        }
    }
}

extension SQLTransaction {
    /// When a credential that is good, or a secret of it, ends by itself, which no version tells; nil where it does not.
    func end(of credential: Credential) throws(StoreError) -> Timestamp? {
        switch credential {
        case .none, .password: return nil
        case .apiKey(let id): return try nextEnd(ofKey: id)
        case .login(let id):
            guard let login = try login(id) else { return nil }
            let key = try login.key.flatMap { (key) throws(StoreError) in try nextEnd(ofKey: key) }
            return min(login.expiresAt, key ?? login.expiresAt)
        }
    }
}

extension Standing {
    /// What a row says of a principal in a namespace.
    init(_ record: StandingRecord, in namespace: NamespaceID) {
        self.init(
            isActive: record.isActive, isAdministrator: record.isAdministrator,
            isAtHome: record.kind == .user && record.home == namespace, role: record.role.flatMap(Role.init(rawValue:)),
            permitted: Rights(rawValue: record.permitted))
    }
}

extension RepositoryFacts {
    /// What a row says of a repository. Throws `.damaged`.
    init(_ record: RepositoryRecord) throws(StoreError) {
        guard let visibility = Visibility(rawValue: record.visibility) else {
            throw StoreError(.damaged, "a repository's visibility is \(record.visibility)")
        }
        self.init(record.repository, visibility: visibility)
    }
}
