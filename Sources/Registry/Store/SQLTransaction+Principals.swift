import Model
import Runtime

/// What kind of row of `principals` it is.
package enum PrincipalKind: Int64, Sendable {
    case user = 1
    case robot = 2
}

/// A row of the table of principals, without its password.
package struct PrincipalRecord: Sendable {
    package let id: PrincipalID
    package let kind: PrincipalKind
    package let name: String
    /// A user's own, or that of a robot's organization.
    package let namespace: NamespaceID
    package let version: Int64
    package let isAdministrator: Bool
    package let email: String?
    /// What came of a password before this does not count.
    package let credentialsSince: Timestamp
    package let createdAt: Timestamp
    package let lastLoginAt: Timestamp?
    package let disabledAt: Timestamp?

    static let columns = """
        p.id, p.kind, p.name, p.namespace_id, p.version, p.administrator, p.email, p.credentials_since, p.created_at, \
        p.last_login_at, p.disabled_at
        """

    init(_ row: SQLRow) throws(StoreError) {
        guard let kind = PrincipalKind(rawValue: try row.integer(1)) else {
            throw StoreError(.damaged, "a principal is of an unknown kind")
        }
        id = try row.id(0)
        self.kind = kind
        name = try row.text(2)
        namespace = try row.id(3)
        version = try row.integer(4)
        isAdministrator = try row.integer(5) != 0
        email = try row.optionalText(6)
        credentialsSince = try row.time(7)
        createdAt = try row.time(8)
        lastLoginAt = try row.optionalTime(9)
        disabledAt = try row.optionalTime(10)
    }
}

extension SQLTransaction {
    /// The principal of a key; nil when there is none, or no more.
    package func principal(_ id: PrincipalID) throws(StoreError) -> PrincipalRecord? {
        try principals("p.id = $1", [SQLValue(id)]).first
    }

    /// The user of an e-mail address, whatever the case of its letters; nil when there is none.
    package func user(email: String) throws(StoreError) -> PrincipalRecord? {
        try principals("p.kind = 1 AND p.email_key = $1", [.text(EmailAddress.key(email))]).first
    }

    /// The user of a name.
    package func user(_ name: String) throws(StoreError) -> PrincipalRecord? {
        try principals(
            "p.kind = 1 AND p.name = $1 AND p.namespace_id = (SELECT id FROM namespaces WHERE name = $1 AND deleted_at IS NULL)",
            [.text(name)]
        ).first
    }

    /// The robot of a name in an organization.
    package func robot(_ name: String, of namespace: NamespaceID) throws(StoreError) -> PrincipalRecord? {
        try principals("p.kind = 2 AND p.name = $1 AND p.namespace_id = $2", [.text(name), SQLValue(namespace)]).first
    }

    private func principals(
        _ condition: String, _ arguments: [SQLValue], _ rest: String = ""
    ) throws(StoreError) -> [PrincipalRecord] {
        let found = try rows(
            "SELECT \(PrincipalRecord.columns) FROM principals p WHERE \(condition) AND p.deleted_at IS NULL \(rest)",
            arguments)
        var records: [PrincipalRecord] = []
        for row in found { records.append(try PrincipalRecord(row)) }
        return records
    }

    /// Users in the order of their names, from behind `last`; of those whose name has a word that begins with `word`, or of all
    /// where that is empty.
    package func users(after last: String, limit: Int, word: String = "") throws(StoreError) -> [PrincipalRecord] {
        var arguments: [SQLValue] = [.text(last), SQLValue(limit)]
        guard !word.isEmpty else {
            return try principals("p.kind = 1 AND p.name > $1", arguments, "ORDER BY p.name LIMIT $2")
        }
        let condition = NameWords.condition(word) { value in
            arguments.append(value)
            return "$\(arguments.count)"
        }
        let found = try rows(
            """
            SELECT \(PrincipalRecord.columns) FROM user_words w JOIN principals p ON p.id = w.principal_id
            WHERE w.name > $1 AND \(condition) AND p.deleted_at IS NULL ORDER BY w.name LIMIT $2
            """, arguments)
        var records: [PrincipalRecord] = []
        for row in found { records.append(try PrincipalRecord(row)) }
        return records
    }

    /// Robots of an organization, in the order of their names.
    package func robots(of namespace: NamespaceID) throws(StoreError) -> [PrincipalRecord] {
        try principals("p.kind = 2 AND p.namespace_id = $1", [SQLValue(namespace)], "ORDER BY p.name LIMIT 10000")
    }

    /// Makes a principal. Throws `.conflict` when the name is taken.
    package func addPrincipal(
        _ kind: PrincipalKind, _ name: String, in namespace: NamespaceID, isAdministrator: Bool = false,
        email: String? = nil, password: String? = nil
    ) throws(StoreError) -> PrincipalID {
        let id: PrincipalID = newID()
        try execute(
            """
            INSERT INTO principals
                (id, kind, name, namespace_id, version, administrator, email, password, credentials_since, created_at,
                    email_key, has_words)
            VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $8, $9, 1)
            """,
            [
                SQLValue(id), .integer(kind.rawValue), .text(name), SQLValue(namespace),
                .integer(isAdministrator ? 1 : 0), SQLValue(email), SQLValue(password), SQLValue(now),
                SQLValue(email.map(EmailAddress.key)),
            ])
        if kind == .user { try addWords(of: name, id, .users) }
        return id
    }

    /// The hash of a principal's password; nil where it has none.
    package func password(of id: PrincipalID) throws(StoreError) -> String? {
        try rows("SELECT password FROM principals WHERE id = $1 AND deleted_at IS NULL", [SQLValue(id)])
            .first?.optionalText(0)
    }

    /// Sets a password's hash; what came of the one before counts no more, and its logins go.
    package func setPassword(_ hash: String, of id: PrincipalID) throws(StoreError) {
        try change(id, "password = $2, credentials_since = $3", [.text(hash), SQLValue(now)])
        try removeLogins(of: id)
        try removeResets(of: id)
        try endAddressChanges(of: id)
    }

    /// What was sent by mail to set a password counts no more.
    private func removeResets(of id: PrincipalID) throws(StoreError) {
        try execute("DELETE FROM password_resets WHERE principal_id = $1", [SQLValue(id)])
    }

    /// Disables an account, or enables it again.
    package func setDisabled(_ isDisabled: Bool, _ id: PrincipalID) throws(StoreError) {
        try change(id, "disabled_at = $2", [isDisabled ? SQLValue(now) : .null])
    }

    /// Makes an account an administrator of the registry, or no longer one.
    package func setAdministrator(_ isAdministrator: Bool, _ id: PrincipalID) throws(StoreError) {
        try change(id, "administrator = $2", [.integer(isAdministrator ? 1 : 0)])
    }

    /// Sets where mail for an account goes. Throws `.conflict` where another account has the address.
    package func setEmail(_ email: String?, of id: PrincipalID) throws(StoreError) {
        try change(id, "email = $2, email_key = $3", [SQLValue(email), SQLValue(email.map(EmailAddress.key))])
        try removeResets(of: id)
        try endAddressChanges(of: id)
    }

    /// Removes an account with all that it could do anything by; its row stays, for the audit's sake.
    package func removePrincipal(_ id: PrincipalID) throws(StoreError) {
        if let user = try principal(id), user.kind == .user { try removeWords(of: user.name, id, .users) }
        for row in try rows("SELECT namespace_id FROM members WHERE principal_id = $1", [SQLValue(id)]) {
            try touchAccess(row.id(0))
        }
        for sql in [
            "DELETE FROM members WHERE principal_id = $1", "DELETE FROM team_members WHERE principal_id = $1",
            "DELETE FROM permissions WHERE grantee_id = $1", "DELETE FROM api_keys WHERE principal_id = $1",
            "DELETE FROM logins WHERE principal_id = $1", "DELETE FROM password_resets WHERE principal_id = $1",
            "DELETE FROM kept_answers WHERE principal_id = $1", "DELETE FROM address_changes WHERE principal_id = $1",
            "DELETE FROM invitations WHERE principal_id = $1 OR inviter_id = $1",
        ] { try execute(sql, [SQLValue(id)]) }
        try change(id, "deleted_at = $2, password = NULL, email = NULL, email_key = NULL", [SQLValue(now)])
    }

    /// Notes that an account has logged in; written once a minute at most.
    package func noteLogin(_ id: PrincipalID) throws(StoreError) {
        let minuteAgo = now - .seconds(60)
        try execute(
            "UPDATE principals SET last_login_at = $2 WHERE id = $1 AND (last_login_at IS NULL OR last_login_at < $3)",
            [SQLValue(id), SQLValue(now), SQLValue(minuteAgo)])
    }

    /// How many administrators of the registry could log in.
    package func countAdministrators() throws(StoreError) -> Int64 {
        try rows(
            """
            SELECT COUNT(*) FROM principals
            WHERE administrator = 1 AND kind = 1 AND disabled_at IS NULL AND deleted_at IS NULL
            """, []
        ).first?.integer(0) ?? 0
    }

    /// Moves a principal's version on: what was remembered of its credentials and rights is looked at again.
    package func touchPrincipal(_ id: PrincipalID) throws(StoreError) { try change(id, "version = version", []) }

    private func change(_ id: PrincipalID, _ assignments: String, _ values: [SQLValue]) throws(StoreError) {
        moved.insert(.principal(id))
        let sets = assignments == "version = version" ? "" : ", " + assignments
        let found = try execute(
            "UPDATE principals SET version = version + 1\(sets) WHERE id = $1 AND deleted_at IS NULL",
            [SQLValue(id)] + values)
        guard found > 0 else { throw StoreError(.missing, "principal \(id) was deleted") }
    }
}

extension String {
    /// As a pattern of LIKE that stands for itself, with `\` before what would stand for more.
    package var literalPattern: String {
        replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
    }
}

extension SQLRow {
    /// The column as a time. Throws `.damaged` when it is none.
    package func time(_ column: Int) throws(StoreError) -> Timestamp {
        Timestamp(milliseconds: try integer(column))
    }

    /// The column as a time, nil for NULL.
    package func optionalTime(_ column: Int) throws(StoreError) -> Timestamp? {
        isNull(column) ? nil : try time(column)
    }
}
