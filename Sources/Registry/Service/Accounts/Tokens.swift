import Access
import Logging
import Metrics
import Model
import Runtime
import Store
import Synchronization

/// Access tokens: the keys that sign them, which are rows, and the two halves of their use.
package final class Tokens: Sendable {
    private struct State {
        var keys: [SigningKey] = []
        var issuer: TokenIssuer?
        var verifier: TokenVerifier
    }

    private static let purpose = "access"
    /// Between two looks at the keys.
    private static let pause = Duration.seconds(3600)
    /// How long a key that follows another is in the store before it signs: by then every node has read it, also one whose looks
    /// have failed a few times.
    private static let lead = Duration.seconds(6 * 3600)
    private let store: MetadataStore
    private let settings: AccountSettings
    private let realm: TokenRealm
    private let log: Logger
    private let state: Mutex<State>
    private let issued = Counter()

    init(_ store: MetadataStore, _ settings: AccountSettings, _ log: Logger) {
        self.store = store
        self.settings = settings
        self.log = log
        realm = TokenRealm(issuer: settings.issuer, service: settings.service)
        state = Mutex(State(verifier: TokenVerifier(realm, [])))
    }

    /// What challenges call `service`.
    package var service: String { realm.service }
    /// How long a token lives.
    package var life: Duration { settings.tokenLife }

    /// How long a key is believed once the next one is in the store.
    private var overlap: Duration { Self.lead + Self.pause + settings.tokenLife + TokenVerifier.leeway * 2 }

    /// Takes the keys from the store; makes one where there is none, or the newest is old: that one signs later, once all nodes
    /// know it. To be called once before anything else, and now and then.
    package func renew() async throws(RegistryError) {
        let (life, overlap) = (settings.signingKeyLife, overlap)
        try await storing { () throws(StoreError) in
            let known = try await store.read { (db) throws(StoreError) in
                (try db.signingKeys(Self.purpose), db.now)
            }
            guard !known.0.contains(where: { $0.retiresAt == nil && $0.createdAt + life > known.1 }) else { return }
            try await store.write { (db) throws(StoreError) in
                let keys = try db.signingKeys(Self.purpose)
                guard !keys.contains(where: { $0.retiresAt == nil && $0.createdAt + life > db.now }) else { return }
                let key = SigningKey.make(createdAt: db.now)
                try db.addSigningKey(key.id, key.secret, Self.purpose, retiringOthersAt: db.now + overlap)
            }
        }
        try await load()
    }

    /// Makes a new signing key now, which signs once it has been there for a while, as other nodes have to know it; tokens of the
    /// one before are believed until they have expired.
    package func rotate() async throws(RegistryError) {
        let overlap = overlap
        try await storing { () throws(StoreError) in
            try await store.write { (db) throws(StoreError) in
                let key = SigningKey.make(createdAt: db.now)
                try db.addSigningKey(key.id, key.secret, Self.purpose, retiringOthersAt: db.now + overlap)
            }
        }
        try await load()
    }

    /// Looks once an hour whether it is time for a new key. Runs until it is cancelled.
    package func run() async {
        while !Task.isCancelled {
            await MetadataStore.sleep(Self.pause)
            do throws(RegistryError) {
                try await renew()
            } catch {
                log.error("signing keys cannot be renewed", metadata: ["cause": "\(error.cause ?? error.message)"])
            }
        }
    }

    private func load() async throws(RegistryError) {
        let records = try await store.look { (db) throws(StoreError) in try db.signingKeys(Self.purpose) }
        var keys: [SigningKey] = []
        for record in records {
            let key = SigningKey(secret: record.secret, createdAt: record.createdAt, retiresAt: record.retiresAt)
            guard let key, key.id == record.kid else {
                throw RegistryError(.internalError, "a signing key cannot be read", cause: "signing key \(record.kid)")
            }
            keys.append(key)
        }
        let now = store.clocks.wall()
        // Newest first. Where all are new, the oldest is the one that most nodes know.
        let current = keys.first { $0.createdAt + Self.lead <= now } ?? keys.last
        state.withLock { [keys, realm] state in
            state.keys = keys
            state.issuer = current.map { TokenIssuer(realm, $0) }
            state.verifier = TokenVerifier(realm, keys)
        }
    }

    /// A token for somebody, of this scope. Throws `.badRequest` for a scope too large for a header.
    package func issue(_ identity: Identity, _ scope: TokenScope) throws(RegistryError) -> String {
        guard let issuer = state.withLock({ $0.issuer }) else {
            throw RegistryError(.unavailable, "no token can be made yet: try again", cause: "no signing key is loaded")
        }
        let token = try issuer.issue(
            AccessToken(
                subject: identity.principal.account, credential: identity.credential, scope: scope,
                id: store.ids.token(), issuedAt: store.clocks.wall(), lifetime: settings.tokenLife))
        issued.add()
        return token
    }

    /// What a token says, if it is one of ours and good now. Throws `.credentialsInvalid`; why is for the log.
    func verify(_ text: String) throws(RegistryError) -> AccessToken {
        let verifier = state.withLock { $0.verifier }
        do throws(TokenFault) {
            return try verifier.verify(text, now: store.clocks.wall())
        } catch {
            throw RegistryError(
                .credentialsInvalid, "the token is not good, or no longer: get another one", cause: "\(error)")
        }
    }

    /// How many tokens were made.
    var metrics: [MetricFamily] {
        [MetricFamily("aerugo_tokens_issued_total", .counter, "Access tokens that were made.", issued.value)]
    }

    /// The public keys, for others who want to verify (RFC 7517).
    package var keySet: String { publicKeySet(state.withLock { $0.keys }, now: store.clocks.wall()) }
}
