import Model
import Runtime

/// What is told of an event.
package struct AuditEntry: Sendable {
    package let principal: PrincipalID
    package let credential: String
    package let address: String
    package let requestID: String
    /// Such as `user.create` or `login`.
    package let action: String
    /// `done`, `refused`, `failed`.
    package let outcome: String
    package let namespace: NamespaceID?
    package let repository: RepositoryID?
    /// What it was done to, by name.
    package let subject: String
    package let detail: String

    /// An entry of what happened.
    package init(
        principal: PrincipalID, credential: String, address: String, requestID: String, action: String,
        outcome: String = "done", namespace: NamespaceID? = nil, repository: RepositoryID? = nil, subject: String,
        detail: String = ""
    ) {
        self.principal = principal
        self.credential = credential
        self.address = address
        self.requestID = requestID
        self.action = action
        self.outcome = outcome
        self.namespace = namespace
        self.repository = repository
        self.subject = subject
        self.detail = detail
    }
}

/// A row of the audit.
package struct AuditRecord: Sendable {
    package let id: EventID
    package let at: Timestamp
    /// The principal's name; nil for nobody, the system, or one that is not kept.
    package let principal: String?
    package let entry: AuditEntry
}

/// Which entries are asked for; what is nil asks for nothing.
package struct AuditFilter: Sendable {
    package var namespace: NamespaceID?
    package var action: String?
    package var outcome: String?
    /// The name of an account.
    package var who: String?
    package var since: Timestamp?
    package var until: Timestamp?

    /// All entries.
    package init() {}
}

extension SQLTransaction {
    /// Writes down what happened; commits with what it is about.
    package func audit(_ entry: AuditEntry) throws(StoreError) {
        let id: EventID = newID()
        try execute(
            """
            INSERT INTO audit (id, at, principal_id, address, request_id, action, namespace_id, repository_id, subject,
                detail, outcome, credential)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """,
            [
                SQLValue(id), SQLValue(now), SQLValue(entry.principal), .text(entry.address), .text(entry.requestID),
                .text(entry.action), entry.namespace.map { SQLValue($0) } ?? .null,
                entry.repository.map { SQLValue($0) } ?? .null, .text(entry.subject), .text(entry.detail),
                .text(entry.outcome), .text(entry.credential),
            ])
    }

    /// Removes entries from before `moment`, at most `limit`. Gives how many.
    package func removeAudit(before moment: Timestamp, limit: Int) throws(StoreError) -> Int {
        // Ids are made of the time: the oldest rows come first.
        try execute(
            """
            DELETE FROM audit WHERE id IN (
                SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT $2) oldest WHERE at < $1)
            """, [SQLValue(moment), SQLValue(limit)])
    }

    /// Entries, newest first, from before `last`.
    package func audit(
        before last: Int64, limit: Int, _ filter: AuditFilter = AuditFilter()
    ) throws(StoreError) -> [AuditRecord] {
        var arguments: [SQLValue] = [.integer(last), SQLValue(limit)]
        var conditions = ""
        func add(_ condition: String, _ value: SQLValue?) {
            guard let value else { return }
            arguments.append(value)
            conditions += " AND " + condition.replacing("?", with: "$\(arguments.count)")
        }
        add("a.namespace_id = ?", filter.namespace.map { SQLValue($0) })
        add("a.action = ?", filter.action.map { .text($0) })
        add("a.outcome = ?", filter.outcome.map { .text($0) })
        add("a.principal_id IN (SELECT id FROM principals WHERE name = ?)", filter.who.map { .text($0) })
        add("a.at >= ?", filter.since.map { SQLValue($0) })
        add("a.at < ?", filter.until.map { SQLValue($0) })
        var records: [AuditRecord] = []
        for row in try rows(
            """
            SELECT a.id, a.at, p.name, a.principal_id, a.credential, a.address, a.request_id, a.action, a.outcome,
                a.subject, a.detail
            FROM audit a LEFT JOIN principals p ON p.id = a.principal_id
            WHERE a.id < $1 \(conditions) ORDER BY a.id DESC LIMIT $2
            """, arguments)
        {
            records.append(
                AuditRecord(
                    id: try row.id(0), at: try row.time(1), principal: try row.optionalText(2),
                    entry: AuditEntry(
                        principal: try row.id(3), credential: try row.text(4), address: try row.text(5),
                        requestID: try row.text(6), action: try row.text(7), outcome: try row.text(8),
                        subject: try row.text(9), detail: try row.text(10))))
        }
        return records
    }
}
