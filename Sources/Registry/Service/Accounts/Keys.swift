import Access
import Model
import Runtime
import Store

/// An API key, as it is shown: never its secret.
package struct Key: Sendable {
    package let id: KeyID
    package let name: String
    package let hint: String
    package let scope: KeyScope?
    package let createdAt: Timestamp
    package let expiresAt: Timestamp?
    package let lastUsedAt: Timestamp?

    init(_ record: KeyRecord) throws(StoreError) {
        id = record.id
        name = record.name
        hint = record.hint
        scope = try record.bound
        createdAt = record.createdAt
        expiresAt = record.expiresAt
        lastUsedAt = record.lastUsedAt
    }
}

/// What a key is to be.
package struct NewKey: Sendable {
    package let name: String
    package let scope: KeyScope?
    package let expiresAt: Timestamp?

    /// A key of this name. Throws `.fieldInvalid` for a name of none or over 100 bytes.
    package init(name: String, scope: KeyScope?, expiresAt: Timestamp?) throws(RegistryError) {
        guard (1...100).contains(name.utf8.count) else {
            throw RegistryError(.fieldInvalid, "a key's name has 1 to 100 bytes", detail: ["field": "name"])
        }
        self.name = name
        self.scope = scope
        self.expiresAt = expiresAt
    }
}

/// API keys of users and robots.
package struct Keys: Sendable {
    /// The most keys of one account.
    private static let most = 100
    let store: MetadataStore

    /// Whose keys are meant, and by what right.
    package enum Owner: Sendable {
        /// The caller's own.
        case caller(RegistryGrant)
        /// A user's, by an administrator.
        case user(AccountName, RegistryGrant)
        /// A robot's, by who manages its organization.
        case robot(AccountName, NamespaceGrant)

        fileprivate var caller: Caller {
            switch self {
            case .caller(let grant), .user(_, let grant): grant.caller
            case .robot(_, let grant): grant.caller
            }
        }

        fileprivate func demand() throws(RegistryError) {
            switch self {
            case .caller(let grant): try grant.demand(.account)
            case .user(_, let grant): try grant.demand(.administer)
            case .robot(_, let grant): try grant.demand(.manage)
            }
        }

        /// The account, if the grant still stands.
        fileprivate func find(_ db: SQLTransaction) throws(StoreError) -> Result<PrincipalRecord, Refusal> {
            switch self {
            case .caller(let grant):
                try db.hold(grant)
                let found = try grant.caller.principal.account.flatMap { (id) throws(StoreError) in try db.principal(id)
                }
                return found.map { .success($0) }
                    ?? .failure(RegistryError(.denied, "the system has no keys: name a user"))
            case .user(let name, let grant):
                try db.hold(grant)
                return try db.user(name.description).map { .success($0) } ?? .failure(.unknownUser(name.description))
            case .robot(let name, let grant):
                try db.hold(grant)
                return try db.robot(name.description, of: grant.target.id).map { .success($0) }
                    ?? .failure(.unknownRobot(name, grant.target.name))
            }
        }
    }

    /// Makes a key; its secret is in the answer and nowhere else. Throws `.fieldInvalid`, `.inUse` for too many.
    package func add(
        _ new: NewKey, _ owner: Owner, keeping: Keeping<(key: Key, secret: String)>? = nil
    ) async throws(RegistryError) -> (key: Key, secret: String) {
        try owner.demand()
        let secret = OpaqueSecret.make(.apiKey)
        let maker = owner.caller
        let key = try await store.transact(keeping: keeping?.with { ($0, secret.text) }) {
            (db) throws(StoreError) -> Result<Key, Refusal> in
            let account: PrincipalRecord
            switch try owner.find(db) {
            case .success(let found): account = found
            case .failure(let error): return .failure(error)
            }
            if let expiry = new.expiresAt, expiry <= db.now {
                return .failure(
                    RegistryError(.fieldInvalid, "the key would have expired already", detail: ["field": "expires_at"]))
            }
            guard try db.keys(of: account.id).count < Self.most else {
                return .failure(RegistryError(.inUse, "there are \(Self.most) keys already: remove some"))
            }
            let id = try db.addKey(
                of: account.id, new.name, hint: secret.hint, hash: secret.hash, scope: new.scope?.text,
                expiresAt: new.expiresAt, by: maker.principal.id)
            try db.note("key.create", of: account, new.name, id, by: maker)
            guard let record = try db.key(id) else { throw StoreError(.missing, "key \(id) is gone") }
            return .success(try Key(record))
        }
        return (key, secret.text)
    }

    /// An account's keys.
    package func list(_ owner: Owner) async throws(RegistryError) -> [Key] {
        try owner.demand()
        return try await store.transact { (db) throws(StoreError) -> Result<[Key], Refusal> in
            switch try owner.find(db) {
            case .failure(let error): return .failure(error)
            case .success(let account):
                return .success(try db.keys(of: account.id).map { (record) throws(StoreError) in try Key(record) })
            }
        }
    }

    /// Removes a key, and ends all that came of it. Throws `.accountUnknown`.
    package func remove(_ id: KeyID, _ owner: Owner) async throws(RegistryError) {
        try await change(id, "key.delete", owner) { (db, key) throws(StoreError) in _ = try db.removeKey(key) }
    }

    /// Gives a key a new secret, and lets the one it has live on for `overlap`. Throws `.accountUnknown`.
    package func rotate(
        _ id: KeyID, keepingOlderFor overlap: Duration, _ owner: Owner
    ) async throws(RegistryError) -> String {
        let secret = OpaqueSecret.make(.apiKey)
        try await change(id, "key.rotate", owner) { (db, key) throws(StoreError) in
            try db.rotate(key, hash: secret.hash, hint: secret.hint, keepingOlderUntil: db.now + overlap)
        }
        return secret.text
    }

    private func change(
        _ id: KeyID, _ action: String, _ owner: Owner,
        _ body: @Sendable @escaping (SQLTransaction, KeyRecord) throws(StoreError) -> Void
    ) async throws(RegistryError) {
        try owner.demand()
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            let account: PrincipalRecord
            switch try owner.find(db) {
            case .success(let found): account = found
            case .failure(let error): return .failure(error)
            }
            // A key of somebody else is none here.
            guard let key = try db.key(id), key.principal == account.id else {
                return .failure(RegistryError(.accountUnknown, "there is no such key"))
            }
            try body(db, key)
            try db.note(action, of: account, key.name, id, by: owner.caller)
            return .success(())
        }
    }
}

extension SQLTransaction {
    /// Notes what was done with a key. A robot's is its organization's matter, and named as it logs in.
    fileprivate func note(
        _ action: String, of account: PrincipalRecord, _ key: String, _ id: KeyID, by caller: Caller
    ) throws(StoreError) {
        let organization = account.kind == .robot ? try namespace(account.namespace)?.namespace : nil
        let login = organization.map { "\($0.name)+\(account.name)" } ?? account.name
        try audit(AuditEntry(caller, action, "\(login) \(key)", in: organization?.id, detail: "key:\(id)"))
    }
}

extension KeyRecord {
    /// What it reaches at most. Throws `.damaged`.
    var bound: KeyScope? {
        get throws(StoreError) {
            guard let scope else { return nil }
            do throws(ParseError) {
                return try KeyScope.parse(text: scope)
            } catch {
                throw StoreError(.damaged, "key \(id): \(error.message)")
            }
        }
    }
}
