import Access
import Crypto
import Logging
import Metrics
import Model
import Runtime
import Store

/// Finds out who sent a request: by password, API key or access token. What was found is remembered, tokens until they expire
/// and the rest for seconds, under a hash that nobody else can compute and the version of the principal: a change of password,
/// a key that goes or an account that is disabled is seen by the next request.
package final class Logins: Authenticator {
    struct Remembered: Weighted {
        let identity: Identity
        let version: Version
        let until: Duration
        var weight: Int { 300 }
    }

    struct Fingerprint: Hashable {
        let bytes: SIMD4<UInt64>
    }

    let store: MetadataStore
    let passwords: PasswordHasher
    let tokens: Tokens
    let audit: AuditLog
    let settings: AccountSettings
    let log: Logger
    let throttle: LoginThrottle
    /// What other nodes count, too; nil where there are none.
    let counters: SharedCounters?
    /// Logins that were tried: what is remembered is none.
    let attempts = LoginCounts()
    private let remembered = GenerationCache<Fingerprint, Remembered>(capacity: 8 << 20)
    private let key = SymmetricKey(size: .bits256)

    init(
        _ store: MetadataStore, _ passwords: PasswordHasher, _ tokens: Tokens, _ audit: AuditLog,
        _ settings: AccountSettings, _ counters: SharedCounters?, _ log: Logger
    ) {
        self.store = store
        self.passwords = passwords
        self.tokens = tokens
        self.audit = audit
        self.settings = settings
        self.counters = counters
        self.log = log
        throttle = LoginThrottle(free: settings.freeFailures, clocks: store.clocks)
    }

    package func atOnce(_ presented: @autoclosure () -> Presented) throws(RegistryError) -> Proof? {
        let presented = presented()
        guard !presented.isEmpty else { return Self.nobody }
        return recall(fingerprint(presented)).map { entry in
            Proof(entry.identity) { [self] in stands(entry) }
        }
    }

    private static let nobody = Proof(.anonymous) { true }

    package func identify(_ presented: Presented, from sender: Sender) async throws(RegistryError) -> Identity {
        let fingerprint = fingerprint(presented)
        if let entry = recall(fingerprint) { return entry.identity }
        switch try PresentedForm(presented) {
        case .nothing: return .anonymous
        case .basic(let user, let secret):
            return try await remember(fingerprint, for: settings.memory) { () throws(RegistryError) in
                try await logIn(user, secret, from: sender)
            }
        case .key(let secret):
            return try await remember(fingerprint, for: settings.memory) { () throws(RegistryError) in
                try await logIn(by: secret, as: nil, from: sender)
            }
        case .session(let secret):
            return try await remember(fingerprint, for: settings.memory) { () throws(RegistryError) in
                try await holder(ofSession: secret)
            }
        case .bearer(let text):
            let token = try tokens.verify(text)
            let left = token.expiresAt - store.clocks.wall()
            let time = if case .password = token.credential { left } else { min(left, settings.memory) }
            return try await remember(fingerprint, for: time) { () throws(RegistryError) in
                try await holder(of: token)
            }
        }
    }

    /// Who asks for a token: as `identify`, by anything but a token. One made of another would outlive it, and a login kept
    /// for it would reach as far as the key behind it, however narrow the token was.
    package func identifyForToken(
        _ presented: Presented, from sender: Sender
    ) async throws(RegistryError) -> Identity {
        switch try PresentedForm(presented) {
        case .nothing, .basic, .key: break
        case .bearer, .session:
            throw RegistryError(.credentialsInvalid, "a token is not made of a token: send a name and a password")
        }
        return try await identify(presented, from: sender)
    }

    /// How logins ended, and what is remembered of them.
    var metrics: [MetricFamily] { attempts.metrics + CacheUsage.metrics([("credentials", remembered.usage)]) }

    // MARK: memory

    private func fingerprint(_ presented: Presented) -> Fingerprint {
        var hash = HMAC<SHA256>(key: key)
        // Which of the two fields it was counts: neither has this byte.
        for field in [presented.authorization, presented.key] {
            var text = field ?? ""
            text.withUTF8 { hash.update(data: UnsafeRawBufferPointer($0)) }
            withUnsafeBytes(of: UInt8(0)) { hash.update(data: $0) }
        }
        return hash.finalize().withUnsafeBytes { Fingerprint(bytes: $0.loadUnaligned(as: SIMD4<UInt64>.self)) }
    }

    private func recall(_ fingerprint: Fingerprint) -> Remembered? {
        remembered[fingerprint].flatMap { stands($0) ? $0 : nil }
    }

    private func stands(_ entry: Remembered) -> Bool {
        entry.until > store.clocks.uptime()
            && entry.version == store.versions.atOnce(.principal(entry.identity.principal.id))
    }

    /// The version is asked for before the look-up; of whom is known only behind it, so that what has moved meanwhile is looked up
    /// again next time.
    private func remember(
        _ fingerprint: Fingerprint, for time: Duration, _ find: () async throws(RegistryError) -> Identity
    ) async throws(RegistryError) -> Identity {
        let first = try await find()
        let version = try await store.versions.version(of: .principal(first.principal.id))
        guard let time = try await left(of: first, atMost: time) else { throw Self.over }
        keep(first, fingerprint, version, time)
        return first
    }

    private func keep(_ identity: Identity, _ fingerprint: Fingerprint, _ version: Version, _ time: Duration) {
        remembered.insert(
            Remembered(identity: identity, version: version, until: store.clocks.uptime() + time), for: fingerprint)
    }

    /// For how long account and credential are what they are unless a version moves: no longer than the credential lasts. Nil
    /// where they are not what they were.
    private func left(of identity: Identity, atMost time: Duration) async throws(RegistryError) -> Duration? {
        guard let account = identity.principal.account else { return time }
        return try await store.look { (db) throws(StoreError) in
            guard let record = try db.principal(account), record.disabledAt == nil,
                try db.isGood(identity.credential, of: account)
            else { return nil }
            return try db.end(of: identity.credential).map { min(time, $0 - db.now) } ?? time
        }
    }

    // MARK: tokens

    private func holder(of token: AccessToken) async throws(RegistryError) -> Identity {
        guard let account = token.subject else { return Identity(.anonymous, scope: token.scope) }
        let kind = try await store.look { (db) throws(StoreError) -> PrincipalKind? in
            guard let record = try db.principal(account), record.disabledAt == nil else { return nil }
            return try db.isGood(token.credential, of: account) ? record.kind : nil
        }
        guard let kind else { throw Self.over }
        return Identity(
            kind == .user ? .user(account) : .robot(account), scope: token.scope, credential: token.credential)
    }

    static let over = RegistryError(.credentialsInvalid, "the credentials are not good any more: log in again")
    static let wrong = RegistryError(.credentialsInvalid, "the user name or the password is wrong")
}
