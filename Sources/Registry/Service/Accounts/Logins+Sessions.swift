import Access
import Model
import Runtime
import Store

/// A login at the management API, as it is answered: its secrets are shown once.
package struct LoginSession: Sendable {
    /// Sent as `Authorization: Bearer`.
    package let accessToken: String
    /// How long that is good.
    package let life: Duration
    /// Gets another one, and is then over itself.
    package let refreshToken: String
    package let user: User
}

/// Logins at the management API: a session for an hour, a refresh token that gets the next one, a row that ends both.
extension Logins {
    /// By a name or an e-mail address, and a password. Throws `.credentialsInvalid`, `.tooManyRequests`, `.denied`.
    package func begin(
        _ user: String, _ password: String, client: String, from sender: Sender
    ) async throws(RegistryError) -> LoginSession {
        // Failures count for the account, whichever way it was named.
        let name = try await store.look { (db) throws(StoreError) in
            user.contains("@") ? try db.user(email: user)?.name : nil
        }
        let identity = try await logIn(name ?? user, password, from: sender)
        guard case .user(let id) = identity.principal else {
            throw RegistryError(.denied, "a robot sends its API key with each request: it does not log in")
        }
        let secrets = Secrets(self)
        return try await store.transact { (db) throws(StoreError) -> Result<LoginSession, Refusal> in
            guard let record = try db.principal(id), record.disabledAt == nil,
                try db.isGood(identity.credential, of: id)
            else { return .failure(Self.over) }
            let login = try db.addLogin(
                of: id, hash: secrets.refresh.hash, key: nil, client: client.excerpt, expiresAt: secrets.until)
            try secrets.keep(login, db)
            return .success(secrets.session(User(record)))
        }
    }

    /// By a refresh token, which is over then. Throws `.credentialsInvalid`.
    package func renew(_ text: String) async throws(RegistryError) -> LoginSession {
        let hash = try Self.refreshHash(text)
        let secrets = Secrets(self)
        return try await store.transact { (db) throws(StoreError) -> Result<LoginSession, Refusal> in
            guard let login = try db.login(hash: hash), login.key == nil,
                let record = try db.principal(login.principal),
                record.kind == .user, record.disabledAt == nil
            else { return .failure(Self.over) }
            try secrets.keep(login.id, db)
            try db.touchPrincipal(record.id)
            return .success(secrets.session(User(record)))
        }
    }

    /// Who uses a session. Throws `.credentialsInvalid`.
    func holder(ofSession secret: OpaqueSecret) async throws(RegistryError) -> Identity {
        let hash = secret.hash
        let found = try await store.look { (db) throws(StoreError) -> (LoginRecord, PrincipalRecord)? in
            guard let login = try db.login(sessionHash: hash), let record = try db.principal(login.principal),
                record.disabledAt == nil
            else { return nil }
            return (login, record)
        }
        guard let (login, record) = found else { throw Self.over }
        return Identity(.user(record.id), credential: .login(login.id))
    }

    /// What a login is given at its beginning, and each time that it is renewed.
    private struct Secrets: Sendable {
        let refresh = OpaqueSecret.make(.refreshToken)
        let session = OpaqueSecret.make(.session)
        let until: Timestamp
        let sessionUntil: Timestamp
        let life: Duration

        init(_ logins: Logins) {
            let now = logins.store.clocks.wall()
            life = logins.settings.tokenLife
            until = now + logins.settings.loginLife
            sessionUntil = now + life
        }

        func keep(_ login: LoginID, _ db: SQLTransaction) throws(StoreError) {
            try db.renew(
                login, hash: refresh.hash, until: until, sessionHash: session.hash, sessionUntil: sessionUntil)
        }

        func session(_ user: User) -> LoginSession {
            LoginSession(accessToken: session.text, life: life, refreshToken: refresh.text, user: user)
        }
    }
}
