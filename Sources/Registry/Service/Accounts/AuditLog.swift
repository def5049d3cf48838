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
    private static let capacity = 4096

    private struct State {
        var waiting: [AuditEntry] = []
        var dropped = 0
    }

    private let store: MetadataStore
    private let log: Logger
    private let state = Mutex(State())

    init(_ store: MetadataStore, _ log: Logger) {
        self.store = store
        self.log = log
    }

    /// Notes a refusal; never waits.
    func refused(_ entry: AuditEntry) {
        state.withLock { state in
            if state.waiting.count < Self.capacity { state.waiting.append(entry) } else { state.dropped += 1 }
        }
    }

    /// Writes what waits, each second until it is cancelled, and once more then.
    package func run() async {
        while !Task.isCancelled {
            await MetadataStore.sleep(.seconds(1))
            await flush()
        }
    }

    /// Writes what waits.
    package func flush() async {
        let (entries, dropped) = state.withLock { state in
            defer { state = State() }
            return (state.waiting, state.dropped)
        }
        guard !entries.isEmpty else { return }
        do throws(StoreError) {
            try await store.write { (db) throws(StoreError) in
                for entry in entries { try db.audit(entry) }
                guard dropped > 0 else { return }
                try db.audit(
                    AuditEntry(
                        principal: Principal.system.id, credential: "", address: "", requestID: "",
                        action: "audit.dropped", outcome: "failed", subject: "\(dropped) entries"))
            }
        } catch {
            log.error(
                "refusals are not in the audit",
                metadata: ["entries": "\(entries.count + dropped)", "cause": "\(error.cause)"])
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
        guard let last = request.last.isEmpty ? Int64.max : Int64(request.last) else {
            throw RegistryError(.paginationInvalid, "after is the id of an entry", detail: ["field": "after"])
        }
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
