import Access
import Model
import Runtime
import Store

/// A user, as it is shown.
package struct User: Sendable {
    package let id: PrincipalID
    package let name: String
    package let email: String?
    package let isAdministrator: Bool
    package let isDisabled: Bool
    package let createdAt: Timestamp
    package let lastLoginAt: Timestamp?

    init(_ record: PrincipalRecord) {
        id = record.id
        name = record.name
        email = record.email
        isAdministrator = record.isAdministrator
        isDisabled = record.disabledAt != nil
        createdAt = record.createdAt
        lastLoginAt = record.lastLoginAt
    }
}

/// A change to a user; what is nil stays.
package struct UserChange: Sendable {
    package var email: EmailAddress??
    package var isAdministrator: Bool?
    package var isDisabled: Bool?

    /// No change.
    package init() {}
}

/// Users: making, finding, changing and removing them, by administrators; and their passwords, by themselves too.
package struct Users: Sendable {
    let store: MetadataStore
    let passwords: PasswordHasher
    let rules: PasswordRules
    let letters: Letters
    /// Whether anybody may become a user by asking.
    let registersAnybody: Bool

    /// Makes a user, and the namespace of its name. `password` nil: one is made, which is in the answer and nowhere else.
    /// Throws `.nameTaken`, `.fieldInvalid`.
    package func add(
        _ name: AccountName, email: EmailAddress?, password: String?, isAdministrator: Bool, _ grant: RegistryGrant,
        keeping: Keeping<(user: User, password: String?)>? = nil
    ) async throws(RegistryError) -> (user: User, password: String?) {
        try grant.demand(.administer)
        let secret = password ?? Password.generate()
        let hash = try await hash(secret, for: name.description)
        let shown = password == nil ? secret : nil
        let user = try await store.transact(keeping: keeping?.with { ($0, shown) }) {
            (db) throws(StoreError) -> Result<User, Refusal> in
            try db.hold(grant)
            switch try db.addUser(
                name, email: email?.description, password: hash, isAdministrator: isAdministrator)
            {
            case .failure(let error): return .failure(error)
            case .success(let id):
                try db.audit(AuditEntry(grant, "user.create", name.description))
                return try db.shown(id)
            }
        }
        return (user, shown)
    }

    /// Users in the order of their names; `word`: only those with a word in their names that begins so.
    package func list(
        word: String, _ request: PageRequest, _ grant: RegistryGrant
    ) async throws(RegistryError) -> (users: [User], next: String?) {
        try grant.demand(.administer)
        let limit = request.count(atMost: 1000)
        let found = try await store.look { (db) throws(StoreError) in
            try db.users(after: request.last, limit: limit + 1, word: word).map(User.init)
        }
        return (Array(found.prefix(limit)), found.count > limit ? found.prefix(limit).last?.name : nil)
    }

    /// A user. Throws `.accountUnknown`.
    package func get(_ name: AccountName, _ grant: RegistryGrant) async throws(RegistryError) -> User {
        try grant.demand(.administer)
        let found = try await store.look { (db) throws(StoreError) in try db.user(name.description).map(User.init) }
        guard let found else { throw .unknownUser(name.description) }
        return found
    }

    /// Changes a user. Throws `.accountUnknown`, and `.inUse` where nobody would be left to administer the registry.
    package func change(
        _ name: AccountName, _ change: UserChange, if expectation: Expectation = .anything, _ grant: RegistryGrant
    ) async throws(RegistryError) -> User {
        try grant.demand(.administer)
        return try await store.transact { (db) throws(StoreError) -> Result<User, Refusal> in
            try db.hold(grant)
            guard let user = try db.user(name.description) else { return .failure(.unknownUser(name.description)) }
            if let refusal = expectation.refusal(User(user).tag) { return .failure(refusal) }
            if let email = change.email {
                if let email, let other = try db.user(email: email.description), other.id != user.id {
                    return .failure(.addressTaken)
                }
                try db.setEmail(email?.description, of: user.id)
            }
            if let isDisabled = change.isDisabled { try db.setDisabled(isDisabled, user.id) }
            if let isAdministrator = change.isAdministrator { try db.setAdministrator(isAdministrator, user.id) }
            guard try db.countAdministrators() > 0 else { return .failure(.lastAdministrator) }
            try db.audit(AuditEntry(grant, "user.change", name.description, detail: change.text))
            return try db.shown(user.id)
        }
    }

    /// Removes a user whose namespace is empty. Throws `.accountUnknown`, `.inUse`.
    package func remove(_ name: AccountName, _ grant: RegistryGrant) async throws(RegistryError) {
        try grant.demand(.administer)
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard let user = try db.user(name.description) else { return .failure(.unknownUser(name.description)) }
            if let organization = try db.ownedAlone(by: user.id) {
                return .failure(
                    RegistryError(.lastOwner, "\(name) is the last owner of \(organization): make another one first"))
            }
            guard try db.removeNamespace(user.namespace) else {
                return .failure(
                    RegistryError(.inUse, "\(name) still has repositories: delete them first, or disable the user"))
            }
            try db.removePrincipal(user.id)
            guard try db.countAdministrators() > 0 else { return .failure(.lastAdministrator) }
            try db.audit(AuditEntry(grant, "user.delete", name.description))
            return .success(())
        }
    }

    /// Sets another's password; nil: one is made and given back. Ends all that came of the old one.
    package func setPassword(
        _ password: String?, of name: AccountName, _ grant: RegistryGrant
    ) async throws(RegistryError) -> String? {
        try grant.demand(.administer)
        let secret = password ?? Password.generate()
        let hash = try await hash(secret, for: name.description)
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard let user = try db.user(name.description) else { return .failure(.unknownUser(name.description)) }
            try db.setPassword(hash, of: user.id)
            try db.audit(AuditEntry(grant, "user.password", name.description))
            return .success(())
        }
        return password == nil ? secret : nil
    }

    /// Changes one's own password, for which the current one has to be said. Throws `.credentialsInvalid`.
    package func changePassword(
        from current: String, to password: String, _ grant: RegistryGrant
    ) async throws(RegistryError) {
        try grant.demand(.account)
        let id = try user(grant)
        let (name, old) = try await store.look { (db) throws(StoreError) in
            (try db.principal(id)?.name, try db.password(of: id))
        }
        guard try await passwords.verify(current, against: old) != .wrong, let name else {
            throw RegistryError(.fieldInvalid, "the current password is another one", detail: ["field": "current"])
        }
        let hash = try await hash(password, for: name)
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            try db.setPassword(hash, of: id)
            try db.audit(AuditEntry(grant, "user.password", name))
            return .success(())
        }
    }

    /// The caller's own account; nil for the system.
    package func me(_ grant: RegistryGrant) async throws(RegistryError) -> User? {
        try grant.demand(.account)
        guard let id = grant.caller.principal.account else { return nil }
        return try await store.look { (db) throws(StoreError) in try db.principal(id).map(User.init) }
    }

    /// The hash of a password that may be chosen. Throws `.fieldInvalid`.
    func hash(_ text: String, for name: String) async throws(RegistryError) -> String {
        let password: Password
        do throws(ParseError) {
            password = try rules.choose(text, for: name)
        } catch {
            throw RegistryError(.fieldInvalid, error.message, detail: ["field": "password"])
        }
        return try await passwords.hash(password)
    }

    func user(_ grant: RegistryGrant) throws(RegistryError) -> PrincipalID {
        guard case .user(let id) = grant.caller.principal else {
            throw RegistryError(.denied, "only a user has a password")
        }
        return id
    }

    /// Makes the first administrator of a store that has none, by the system. Nil when there is one.
    package func addFirstAdministrator(
        _ name: AccountName, password: String?
    ) async throws(RegistryError) -> (name: AccountName, password: String)? {
        let isThere = try await store.look { (db) throws(StoreError) in try db.countAdministrators() > 0 }
        guard !isThere else { return nil }
        let secret = password ?? Password.generate()
        let hash = try await hash(secret, for: name.description)
        return try await store.transact {
            (db) throws(StoreError) -> Result<(name: AccountName, password: String)?, Refusal> in
            guard try db.countAdministrators() == 0 else { return .success(nil) }
            let made = try db.addUser(name, email: nil, password: hash, isAdministrator: true)
            if case .failure(let error) = made { return .failure(error) }
            let system = Caller(Identity(.system), requestID: "", address: "")
            try db.audit(AuditEntry(system, "user.create", name.description, detail: "the first administrator"))
            return .success((name, secret))
        }
    }
}

extension SQLTransaction {
    /// Makes a user with its namespace; one that `--open` made becomes the user's.
    func addUser(
        _ name: AccountName, email: String?, password: String, isAdministrator: Bool, byAdministrator: Bool = true
    ) throws(StoreError) -> Result<PrincipalID, Refusal> {
        let namespace: NamespaceID
        switch try claim(name, .user, byAdministrator: byAdministrator) {
        case .success(let id): namespace = id
        case .failure(let error): return .failure(error)
        }
        do throws(StoreError) {
            return .success(
                try addPrincipal(
                    .user, name.description, in: namespace, isAdministrator: isAdministrator, email: email,
                    password: password))
        } catch {
            guard error.code == .conflict, email != nil else { throw error }
            return .failure(.addressTaken)
        }
    }

    /// The namespace of a name for who is to have it; one that `--open` made, with all that is in it, is given by
    /// administrators alone. Refuses with `.nameTaken`.
    func claim(
        _ name: AccountName, _ kind: Namespace.Kind, byAdministrator: Bool
    ) throws(StoreError) -> Result<NamespaceID, Refusal> {
        guard let known = try namespace(name.description)?.namespace else {
            return .success(try addNamespace(name.description, kind))
        }
        guard known.kind == .open, byAdministrator else {
            return .failure(.taken(name))
        }
        try setKind(kind, of: known.id)
        return .success(known.id)
    }

    func shown(_ id: PrincipalID) throws(StoreError) -> Result<User, Refusal> {
        guard let record = try principal(id) else { throw StoreError(.missing, "principal \(id) is gone") }
        return .success(User(record))
    }
}

extension RegistryError {
    static func unknownUser(_ name: String) -> RegistryError {
        RegistryError(.accountUnknown, "there is no user '\(name)'", detail: ["name": name])
    }

    static let addressTaken = RegistryError(
        .nameTaken, "another user has that e-mail address", detail: ["field": "email"])

    static let lastAdministrator = RegistryError(
        .inUse, "nobody would be left to administer the registry: make another administrator first")
}

extension UserChange {
    /// What it changes, for the audit.
    fileprivate var text: String {
        var parts: [String] = []
        if email != nil { parts.append("email") }
        if let isAdministrator { parts.append("admin=\(isAdministrator)") }
        if let isDisabled { parts.append("disabled=\(isDisabled)") }
        return parts.joined(separator: " ")
    }
}
