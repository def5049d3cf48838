import Access
import Model
import Runtime
import Store

/// What somebody who is not known yet may do: ask for a new password, and register. Both answer alike whoever there is.
extension Users {
    private static let registrationLife = Duration.seconds(86_400)

    /// Has a code sent to the user of this name or address, if there is one who has an address. Nothing is looked up here: what
    /// is not known takes what is known takes. Throws `.denied` where no mail is sent.
    package func requestReset(of user: String) async throws(RegistryError) {
        guard letters.areSent else {
            throw RegistryError(.denied, "this registry sends no mail: ask an administrator for a new password")
        }
        try await storing { () throws(StoreError) in
            try await store.write { (db) throws(StoreError) in try db.post(.passwordReset, user) }
        }
    }

    /// Sets the password of whom a code was sent to: once. All that came of the old one ends. Throws `.credentialsInvalid`,
    /// `.fieldInvalid`.
    package func reset(by text: String, to password: String, from sender: Sender) async throws(RegistryError) {
        let code = try Self.code(text, .passwordReset)
        let name = try await store.look { (db) throws(StoreError) in try db.userToReset(by: code)?.name }
        guard let name else { throw .codeOver }
        let hash = try await hash(password, for: name)
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            guard let user = try db.userToReset(by: code), user.disabledAt == nil else { return .failure(.codeOver) }
            // Ends its codes too, this one with them.
            try db.setPassword(hash, of: user.id)
            let caller = Caller(Identity(.user(user.id)), sender)
            try db.audit(AuditEntry(caller, "user.password", user.name, detail: "by mail"))
            return .success(())
        }
    }

    /// What came of a registration.
    package enum Registered: Sendable {
        case made(User)
        /// A code was sent, by which the address is confirmed.
        case waits
    }

    /// Makes a user who asks for it, where the operator lets anybody. Where mail is sent the address is confirmed first, and
    /// whether another user has it is told to the address alone. Throws `.denied`, `.nameTaken`, `.fieldInvalid`.
    package func register(
        _ name: AccountName, email: EmailAddress?, password: String, from sender: Sender
    ) async throws(RegistryError) -> Registered {
        guard registersAnybody else {
            throw RegistryError(.denied, "this registry takes no registrations: ask an administrator for an account")
        }
        let mustConfirm = letters.areSent
        guard !mustConfirm || email != nil else {
            throw RegistryError(
                .fieldInvalid, "an e-mail address is needed: a code is sent to it", detail: ["field": "email"])
        }
        let hash = try await hash(password, for: name.description)
        return try await store.transact { (db) throws(StoreError) -> Result<Registered, Refusal> in
            guard mustConfirm, let email else {
                return try db.register(name, email?.description, hash, sender).map { .made($0) }
            }
            guard try db.namespace(name.description) == nil else { return .failure(.taken(name)) }
            let id = try db.addRegistration(
                name.description, email: email.description, password: hash, until: db.now + Self.registrationLife)
            try db.post(.registration, id.description)
            return .success(.waits)
        }
    }

    /// Makes the user whose address a code confirms. Throws `.credentialsInvalid`, `.nameTaken`.
    package func confirm(_ text: String, from sender: Sender) async throws(RegistryError) -> User {
        let code = try Self.code(text, .registration)
        guard registersAnybody else { throw .codeOver }
        return try await store.transact { (db) throws(StoreError) -> Result<User, Refusal> in
            guard let waiting = try db.registration(code: code) else { return .failure(.codeOver) }
            let name: AccountName
            do throws(ParseError) {
                name = try AccountName.parse(waiting.name)
            } catch {
                throw StoreError(.damaged, "a registration's name is none: \(error.message)")
            }
            try db.removeRegistration(waiting.id)
            return try db.register(name, waiting.email, waiting.password, sender)
        }
    }

    static func code(_ text: String, _ kind: OpaqueSecret.Kind) throws(RegistryError) -> [UInt8] {
        do throws(OpaqueSecret.Fault) {
            let secret = try OpaqueSecret.parse(text)
            guard secret.kind == kind else { throw .foreign }
            return secret.hash
        } catch {
            throw .codeOver
        }
    }
}

extension SQLTransaction {
    /// Makes a user who has asked for it: the audit says so in its own name.
    fileprivate func register(
        _ name: AccountName, _ email: String?, _ password: String, _ sender: Sender
    ) throws(StoreError) -> Result<User, Refusal> {
        switch try addUser(name, email: email, password: password, isAdministrator: false, byAdministrator: false) {
        case .failure(let error): return .failure(error)
        case .success(let id):
            try audit(AuditEntry(Caller(Identity(.user(id)), sender), "user.register", name.description))
            return try shown(id)
        }
    }
}

extension RegistryError {
    static let codeOver = RegistryError(
        .credentialsInvalid, "the code is not good, or not any more: ask for another one")

    static func taken(_ name: AccountName) -> RegistryError {
        RegistryError(.nameTaken, "the name '\(name)' is taken: choose another one")
    }
}
