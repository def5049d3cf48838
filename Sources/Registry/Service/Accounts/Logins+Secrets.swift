import Access
import Logging
import Model
import Runtime
import Store

extension Logins {
    /// By name and password, or by name and API key. A name that is not known takes the time of one that is.
    /// Throws `.credentialsInvalid`, `.tooManyRequests`.
    package func logIn(
        _ user: String, _ secret: String, from address: String
    ) async throws(RegistryError) -> Identity {
        if OpaqueSecret.looksLikeOne(secret) {
            return try await logIn(by: PresentedForm.key(secret), as: user, from: address)
        }
        // Longer names are nobody's; they are not kept either.
        let account = user.utf8.count <= 2 * AccountName.maximumLength + 1 ? user : "?"
        return try await attempt(account, from: address) { () throws(RegistryError) in
            try await checkPassword(secret, of: user, account, from: address)
        }
    }

    private func checkPassword(
        _ secret: String, of user: String, _ account: String, from address: String
    ) async throws(RegistryError) -> Identity {
        let (record, hash) = try await store.look { (db) throws(StoreError) -> (PrincipalRecord?, String?) in
            // Robots have no passwords, and what is no name has none either: both cost what a user's does.
            guard let record = try db.user(user) else { return (nil, nil) }
            return (record, try db.password(of: record.id))
        }
        let isRight = try await passwords.verify(secret, against: hash) != .wrong
        guard isRight, let record, record.disabledAt == nil else {
            refuse(account, address, record == nil ? "unknown" : isRight ? "disabled" : "password")
            throw Self.wrong
        }
        await note { (db) throws(StoreError) in try db.noteLogin(record.id) }
        return Identity(.user(record.id), credential: .password(since: record.credentialsSince.milliseconds))
    }

    /// By an API key, which has to be the named account's where one is named. Throws `.credentialsInvalid`, `.tooManyRequests`.
    func logIn(
        by secret: OpaqueSecret, as user: String?, from address: String
    ) async throws(RegistryError) -> Identity {
        try await attempt(secret.hint, from: address) { () throws(RegistryError) in
            try await checkKey(secret, of: user, from: address)
        }
    }

    private func checkKey(
        _ secret: OpaqueSecret, of user: String?, from address: String
    ) async throws(RegistryError) -> Identity {
        let hash = secret.hash
        let found = try await store.look { (db) throws(StoreError) -> (PrincipalRecord, KeyRecord, String)? in
            guard let key = try db.key(hash: hash), let record = try db.principal(key.principal),
                record.disabledAt == nil
            else { return nil }
            return (record, key, try db.loginName(of: record))
        }
        guard let (record, key, name) = found, user == nil || user == name else {
            refuse(user ?? secret.hint, address, "key")
            throw RegistryError(.credentialsInvalid, "the API key is not good, or not this user's")
        }
        let bound: TokenScope?
        do throws(StoreError) {
            bound = try key.bound.map { (scope) throws(StoreError) in
                do throws(ParseError) { return try scope.bound } catch { throw StoreError(.damaged, error.message) }
            }
        } catch {
            throw RegistryError(error)
        }
        let now = store.clocks.wall()
        if key.lastUsedAt.map({ now - $0 >= .seconds(60) }) != false {
            await note { (db) throws(StoreError) in try db.noteUse(of: key.id) }
        }
        return Identity(
            record.kind == .user ? .user(record.id) : .robot(record.id), scope: bound, credential: .apiKey(key.id))
    }

    /// By a refresh token; the login lives on. Gives whose it is, bound by the key that it came of, if it did.
    /// Throws `.credentialsInvalid`.
    package func logIn(refreshing text: String) async throws(RegistryError) -> Identity {
        let hash = try Self.refreshHash(text)
        let found = try await store.look { (db) throws(StoreError) -> (LoginRecord, PrincipalRecord, KeyRecord?)? in
            guard let login = try db.login(hash: hash), let record = try db.principal(login.principal),
                record.disabledAt == nil
            else { return nil }
            let key = try login.key.flatMap { (id) throws(StoreError) in try db.key(id) }
            guard try db.isGood(.login(login.id), of: record.id) else { return nil }
            return (login, record, key)
        }
        guard let (login, record, key) = found else { throw Self.over }
        let now = store.clocks.wall()
        if login.expiresAt - now < settings.loginLife - .seconds(86_400) {
            let until = now + settings.loginLife
            await note { (db) throws(StoreError) in try db.extend(login.id, until: until) }
        }
        let principal: Principal = record.kind == .user ? .user(record.id) : .robot(record.id)
        var bound: TokenScope?
        if let key {
            do {
                bound = try key.bound?.bound
            } catch {
                throw RegistryError(.internalError, "the key's scope cannot be read", cause: "\(error)")
            }
        }
        return Identity(principal, scope: bound, credential: .login(login.id))
    }

    /// The hash of a refresh token. Throws `.credentialsInvalid` for a text that is none.
    static func refreshHash(_ text: String) throws(RegistryError) -> [UInt8] {
        do throws(OpaqueSecret.Fault) {
            let secret = try OpaqueSecret.parse(text)
            guard secret.kind == .refreshToken else { throw .foreign }
            return secret.hash
        } catch {
            throw RegistryError(.credentialsInvalid, "that is no refresh token: log in again")
        }
    }

    /// Keeps a login, for a client that wants to come back without a password; gives its refresh token.
    package func keep(_ identity: Identity, client: String) async throws(RegistryError) -> String? {
        guard let account = identity.principal.account else { return nil }
        var key: KeyID?
        if case .apiKey(let id) = identity.credential { key = id }
        let secret = OpaqueSecret.make(.refreshToken)
        let until = store.clocks.wall() + settings.loginLife
        let (hash, client) = (secret.hash, client.excerpt)
        return try await storing { [key] () throws(StoreError) in
            try await store.write { (db) throws(StoreError) in
                guard try db.isGood(identity.credential, of: account) else {
                    throw StoreError(.refused, "it was revoked")
                }
                _ = try db.addLogin(of: account, hash: hash, key: key, client: client, expiresAt: until)
            }
            return secret.text
        }
    }

    /// Ends the login of a refresh token, and what came of it. What is none is over already.
    package func end(refreshing text: String) async throws(RegistryError) {
        let hash: [UInt8]
        do throws(OpaqueSecret.Fault) { hash = try OpaqueSecret.parse(text).hash } catch { return }
        try await storing { () throws(StoreError) in
            try await store.write { (db) throws(StoreError) in
                if let login = try db.login(hash: hash) { try db.removeLogin(login) }
            }
        }
    }

    /// A note that is of no account to who waits: where it cannot be written, the log says so.
    private func note(_ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> Void) async {
        do throws(StoreError) {
            try await store.write(body)
        } catch {
            log.warning("the use of a credential is not noted", metadata: ["cause": "\(error.cause)"])
        }
    }

    private func refuse(_ account: String, _ address: String, _ why: String) {
        audit.refused(
            AuditEntry(
                principal: Principal.anonymous.id, credential: "", address: address, requestID: "", action: "login",
                outcome: "refused", subject: account, detail: why))
    }

    /// Lets an attempt to log in go on, or puts it off. Throws `.tooManyRequests`, and what `body` throws.
    private func attempt(
        _ account: String, from address: String, _ body: () async throws(RegistryError) -> Identity
    ) async throws(RegistryError) -> Identity {
        switch throttle.begin(account, from: address) {
        case .wait(let wait): throw Self.throttled(wait)
        case .go(let attempt):
            do throws(RegistryError) {
                let identity = try await body()
                throttle.end(attempt, .succeeded)
                return identity
            } catch {
                throttle.end(attempt, error.code == .credentialsInvalid ? .failed : .abandoned)
                throw error
            }
        }
    }

    private static func throttled(_ wait: Duration) -> RegistryError {
        var error = RegistryError(.tooManyRequests, "too many failed logins: wait before you try again")
        error.retryAfter = wait
        return error
    }
}

extension SQLTransaction {
    /// What an account logs in as.
    func loginName(of record: PrincipalRecord) throws(StoreError) -> String {
        switch record.kind {
        case .user: record.name
        case .robot: "\(try namespace(record.namespace)?.namespace.name ?? "")+\(record.name)"
        }
    }
}
