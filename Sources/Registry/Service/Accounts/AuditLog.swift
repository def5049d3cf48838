import Access
import Logging
import Model
import Runtime
import Store
import Synchronization

/// An entry of the audit, as it is shown.
package struct Event: Sendable {
    package let id: String
    package let at: Timestamp
    /// A name; `system` and `anonymous` are nobody's.
    package let who: String
    package let credential: String
    package let address: String
    package let requestID: String
    package let action: String
    package let outcome: String
    package let subject: String
    package let detail: String

    init(_ record: AuditRecord) {
        let entry = record.entry
        id = record.id.description
        at = record.at
        who =
            record.principal
            ?? (entry.principal == Principal.system.id
                ? "system" : entry.principal == Principal.anonymous.id ? "anonymous" : "account \(entry.principal)")
        credential = String(entry.credential.prefix { $0 != ":" }) == "password" ? "password" : entry.credential
        address = entry.address
        requestID = entry.requestID
        action = entry.action
        outcome = entry.outcome
        subject = entry.subject
        detail = entry.detail
    }
}

/// What happened: entries of changes are written in the transactions of these; those of refusals, which change nothing, wait in
/// a queue with a bound, and what did not fit is counted.
package final class AuditLog: Sendable {
    /// Refusals that may be written at once, and how long it takes until one more may be: however many there are, they do not
    /// fill the disk.
    private static let most = 256
    private static let pace = Duration.milliseconds(250)
    /// How often the same credential from the same address is written down as a login.
    private static let interval = Duration.seconds(3600)

    /// What makes two refusals of a second one entry, with their number.
    private struct Kind: Hashable {
        let principal: PrincipalID
        let address: String
        let action: String
        let subject: String
        let detail: String
    }

    private struct Login: Hashable {
        let principal: PrincipalID
        let credential: String
        let address: String
    }

    private struct State {
        var waiting: [(entry: AuditEntry, count: Int)] = []
        var places: [Kind: Int] = [:]
        var dropped = 0
        /// When as many as can be may be written at once again.
        var full = Duration.zero
        /// When a login was written down last.
        var logins = GenerationTable<Login, Duration>(capacity: 10_000)
    }

    private let store: MetadataStore
    private let life: Duration?
    private let log: Logger
    private let state = Mutex(State())

    /// An audit whose entries go when they are older than `life`; nil for never.
    init(_ store: MetadataStore, life: Duration?, _ log: Logger) {
        self.store = store
        self.life = life
        self.log = log
    }

    /// Notes a refusal; never waits.
    func refused(_ entry: AuditEntry) {
        let kind = Kind(
            principal: entry.principal, address: entry.address, action: entry.action, subject: entry.subject,
            detail: entry.detail)
        let now = store.clocks.uptime()
        state.withLock { state in
            let full = max(now, state.full) + Self.pace
            if let place = state.places[kind] {
                state.waiting[place].count += 1
            } else if full - now <= Self.pace * Self.most {
                state.full = full
                state.places[kind] = state.waiting.count
                state.waiting.append((entry, 1))
            } else {
                state.dropped += 1
            }
        }
    }

    /// Notes that a caller may not do what it asked for.
    package func refused(_ caller: Caller, _ action: String, _ subject: String) {
        refused(AuditEntry(caller, action, subject, outcome: "refused"))
    }

    /// The entry of a login that succeeded; nil where the same was written down within the hour: clients without tokens log in
    /// with each request.
    func entry(
        ofLogin identity: Identity, as name: String, in namespace: NamespaceID, from sender: Sender
    ) -> AuditEntry? {
        let login = Login(
            principal: identity.principal.id, credential: identity.credential.text, address: sender.address)
        let now = store.clocks.uptime()
        let isNews = state.withLock { state in
            if let last = state.logins[login], now - last < Self.interval { return false }
            state.logins[login] = now
            return true
        }
        return isNews ? AuditEntry(Caller(identity, sender), "login", name, in: namespace) : nil
    }

    /// Writes what waits, each second until it is cancelled, and removes what is old now and then.
    package func run() async {
        var seconds = 0
        while !Task.isCancelled {
            await MetadataStore.sleep(.seconds(1))
            await flush()
            if seconds % 600 == 0 { await expire() }
            seconds += 1
        }
    }

    /// Writes what waits.
    package func flush() async {
        let (entries, dropped) = state.withLock { state in
            defer { (state.waiting, state.places, state.dropped) = ([], [:], 0) }
            return (state.waiting, state.dropped)
        }
        guard !entries.isEmpty || dropped > 0 else { return }
        do throws(StoreError) {
            try await store.write { (db) throws(StoreError) in
                for (entry, count) in entries { try db.audit(entry.counted(count)) }
                guard dropped > 0 else { return }
                try db.audit(
                    AuditEntry(
                        principal: Principal.system.id, credential: "", address: "", requestID: "",
                        action: "audit.dropped", outcome: "failed", subject: "\(dropped) entries"))
            }
        } catch {
            let lost = entries.reduce(dropped) { $0 + $1.count }
            log.error("refusals are not in the audit", metadata: ["entries": "\(lost)", "cause": "\(error.cause)"])
        }
    }

    /// Removes what is older than entries are to get, in parts.
    package func expire() async {
        guard let life else { return }
        let oldest = store.clocks.wall() - life
        await store.removeOld("old entries of the audit", log) { (db, limit) throws(StoreError) in
            try db.removeAudit(before: oldest, limit: limit)
        }
    }

    /// Entries, newest first; `last` of the page is the id of the one before the first.
    package func list(
        _ search: AuditSearch, _ request: PageRequest, _ grant: RegistryGrant
    ) async throws(RegistryError) -> (events: [Event], next: String?) {
        try grant.demand(.administer)
        return try await list(search, request, in: nil)
    }

    /// The entries of an organization.
    package func list(
        _ search: AuditSearch, _ request: PageRequest, _ grant: NamespaceGrant
    ) async throws(RegistryError) -> (events: [Event], next: String?) {
        try grant.demand(.manage)
        return try await list(search, request, in: grant.target.id)
    }

    private func list(
        _ search: AuditSearch, _ request: PageRequest, in namespace: NamespaceID?
    ) async throws(RegistryError) -> (events: [Event], next: String?) {
        await flush()
        let limit = request.count(atMost: 1000)
        let last = try request.lastKey(or: .max)
        var filter = AuditFilter()
        filter.namespace = namespace
        (filter.action, filter.outcome, filter.who) = (search.action, search.outcome, search.who)
        (filter.since, filter.until) = (search.since, search.until)
        let found = try await store.look { [filter] (db) throws(StoreError) in
            try db.audit(before: last, limit: limit + 1, filter).map(Event.init)
        }
        return (Array(found.prefix(limit)), found.count > limit ? found.prefix(limit).last?.id : nil)
    }
}

/// Which entries of the audit are looked for; what is nil asks for nothing.
package struct AuditSearch: Sendable {
    package var action: String?
    package var outcome: String?
    /// The name of an account.
    package var who: String?
    package var since: Timestamp?
    package var until: Timestamp?

    /// All entries.
    package init() {}
}

extension AuditEntry {
    /// The entry for so many that were alike.
    fileprivate func counted(_ count: Int) -> AuditEntry {
        guard count > 1 else { return self }
        return AuditEntry(
            principal: principal, credential: credential, address: address, requestID: requestID, action: action,
            outcome: outcome, namespace: namespace, repository: repository, subject: subject,
            detail: detail.isEmpty ? "\(count) times" : "\(detail), \(count) times")
    }
}
