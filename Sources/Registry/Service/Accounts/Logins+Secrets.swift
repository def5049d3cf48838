import Access
import Logging
import Model
import Runtime
import Store

extension Logins {
    /// By name and password, or by name and API key. A name that is not known takes the time of one that is.
    /// Throws `.credentialsInvalid`, `.tooManyRequests`.
    package func logIn(
        _ user: String, _ secret: String, from sender: Sender
    ) async throws(RegistryError) -> Identity {
        if OpaqueSecret.looksLikeOne(secret) {
            return try await logIn(by: PresentedForm.key(secret), as: user, from: sender)
        }
        // Longer names are nobody's; they are not kept either.
        let account = user.utf8.count <= 2 * AccountName.maximumLength + 1 ? user : "?"
        return try await attempt(account, from: sender) { () throws(RegistryError) in
            try await checkPassword(secret, of: user, account, from: sender)
        }
    }

    private func checkPassword(
        _ secret: String, of user: String, _ account: String, from sender: Sender
    ) async throws(RegistryError) -> Identity {
        let (record, hash) = try await store.look { (db) throws(StoreError) -> (PrincipalRecord?, String?) in
            // Robots have no passwords, and what is no name has none either: both cost what a user's does.
            guard let record = try db.user(user) else { return (nil, nil) }
            return (record, try db.password(of: record.id))
        }
        let isRight = try await passwords.verify(secret, against: hash) != .wrong
        guard isRight, let record, record.disabledAt == nil else {
            refuse(account, sender, record == nil ? "unknown" : isRight ? "disabled" : "password")
            throw Self.wrong
        }
        let identity = Identity(.user(record.id), credential: .password(since: record.credentialsSince.milliseconds))
        let entry = audit.entry(ofLogin: identity, as: record.name, in: record.namespace, from: sender)
        await note { (db) throws(StoreError) in
            try db.noteLogin(record.id)
            if let entry { try db.audit(entry) }
        }
        return identity
    }

    /// By an API key, which has to be the named account's where one is named. Throws `.credentialsInvalid`, `.tooManyRequests`.
    func logIn(
        by secret: OpaqueSecret, as user: String?, from sender: Sender
    ) async throws(RegistryError) -> Identity {
        try await attempt(secret.hint, from: sender) { () throws(RegistryError) in
            try await checkKey(secret, of: user, from: sender)
        }
    }

    private func checkKey(
        _ secret: OpaqueSecret, of user: String?, from sender: Sender
    ) async throws(RegistryError) -> Identity {
        let hash = secret.hash
        let found = try await store.look { (db) throws(StoreError) -> (PrincipalRecord, KeyRecord, String)? in
            guard let key = try db.key(hash: hash), let record = try db.principal(key.principal),
                record.disabledAt == nil
            else { return nil }
            return (record, key, try db.loginName(of: record))
        }
        guard let (record, key, name) = found, user == nil || user == name else {
            refuse(user ?? secret.hint, sender, "key")
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
        let identity = Identity(
            record.kind == .user ? .user(record.id) : .robot(record.id), scope: bound, credential: .apiKey(key.id))
        let now = store.clocks.wall()
        let isDue = key.lastUsedAt.map { now - $0 >= .seconds(60) } != false
        let entry = audit.entry(ofLogin: identity, as: name, in: record.namespace, from: sender)
        if isDue || entry != nil {
            await note { (db) throws(StoreError) in
                if isDue { try db.noteUse(of: key.id) }
                if let entry { try db.audit(entry) }
            }
        }
        return identity
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

    /// Keeps a login, for a client that wants to come back without a password; gives its refresh token. Of an account's logins
    /// those that were not used for longest go when there are too many.
    package func keep(_ caller: Caller, client: String) async throws(RegistryError) -> String? {
        guard let account = caller.principal.account else { return nil }
        var key: KeyID?
        if case .apiKey(let id) = caller.credential { key = id }
        let secret = OpaqueSecret.make(.refreshToken)
        let until = store.clocks.wall() + settings.loginLife
        let (hash, client) = (secret.hash, client.excerpt)
        return try await storing { [key] () throws(StoreError) in
            try await store.write { (db) throws(StoreError) in
                guard try db.isGood(caller.credential, of: account), let record = try db.principal(account) else {
                    throw StoreError(.refused, "it was revoked")
                }
                _ = try db.addLogin(of: account, hash: hash, key: key, client: client, expiresAt: until)
                try db.removeLogins(of: account, beyond: Self.most)
                try db.audit(
                    AuditEntry(
                        caller, "login.keep", try db.loginName(of: record), in: record.namespace, detail: client))
            }
            return secret.text
        }
    }

    /// Most logins that are kept of one account.
    private static let most = 1000

    /// Ends the login of a refresh token, and what came of it. What is none is over already.
    package func end(refreshing text: String, from sender: Sender) async throws(RegistryError) {
        let hash: [UInt8]
        do throws(OpaqueSecret.Fault) { hash = try OpaqueSecret.parse(text).hash } catch { return }
        try await storing { () throws(StoreError) in
            try await store.write { (db) throws(StoreError) in
                guard let login = try db.login(hash: hash), let record = try db.principal(login.principal) else {
                    return
                }
                try db.removeLogin(login)
                let whose = Identity(
                    record.kind == .user ? .user(record.id) : .robot(record.id), credential: .login(login.id))
                try db.audit(
                    AuditEntry(
                        Caller(whose, sender), "logout", try db.loginName(of: record), in: record.namespace))
            }
        }
    }

    /// Removes logins that have expired, each hour until it is cancelled.
    package func run() async {
        await MetadataStore.hourly { await expire() }
    }

    /// Removes logins that have expired, in parts.
    package func expire() async {
        await store.removeOld("expired logins", log) { (db, limit) throws(StoreError) in
            try db.removeExpiredLogins(limit: limit)
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

    private func refuse(_ account: String, _ sender: Sender, _ why: String) {
        audit.refused(AuditEntry(Caller(.anonymous, sender), "login", account, outcome: "refused", detail: why))
    }

    /// Lets an attempt to log in go on, or puts it off. Throws `.tooManyRequests`, and what `body` throws.
    private func attempt(
        _ account: String, from sender: Sender, _ body: () async throws(RegistryError) -> Identity
    ) async throws(RegistryError) -> Identity {
        let subject = LoginThrottle.Subject(account, from: sender.address)
        switch throttle.begin(subject, await counters?.standing(subject) ?? .nothing) {
        case .wait(let wait):
            attempts.throttled.add()
            throw Self.throttled(wait)
        case .go(let attempt):
            do throws(RegistryError) {
                let identity = try await body()
                attempts.succeeded.add()
                await end(attempt, .succeeded)
                return identity
            } catch {
                let isWrong = error.code == .credentialsInvalid
                (isWrong ? attempts.failed : attempts.abandoned).add()
                await end(attempt, isWrong ? .failed : .abandoned)
                throw error
            }
        }
    }

    private func end(_ attempt: LoginThrottle.Attempt, _ outcome: LoginThrottle.Outcome) async {
        throttle.end(attempt, outcome)
        await counters?.note(attempt, outcome, throttle)
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
