import Model
import Runtime

/// An invitation to an organization that was not answered yet.
package struct InvitationRecord: Sendable {
    package let id: InvitationID
    package let namespace: NamespaceID
    /// The organization's name.
    package let organization: String
    package let user: PrincipalID
    package let userName: String
    package let role: Int64
    package let inviter: PrincipalID
    /// Nil for who has no account, or no more.
    package let inviterName: String?
    package let createdAt: Timestamp
    package let expiresAt: Timestamp

    fileprivate init(_ row: SQLRow) throws(StoreError) {
        id = try row.id(0)
        namespace = try row.id(1)
        organization = try row.text(2)
        user = try row.id(3)
        userName = try row.text(4)
        role = try row.integer(5)
        inviter = try row.id(6)
        inviterName = try row.optionalText(7)
        createdAt = try row.time(8)
        expiresAt = try row.time(9)
    }
}

extension SQLTransaction {
    /// Invites a user, in the place of an invitation to the same organization that is there already. Gives its id.
    package func invite(
        _ user: PrincipalID, to namespace: NamespaceID, as role: Int64, by inviter: PrincipalID, until: Timestamp
    ) throws(StoreError) -> InvitationID {
        let id: InvitationID = newID()
        try removeInvitation(of: user, to: namespace)
        try execute(
            """
            INSERT INTO invitations (id, namespace_id, principal_id, role, inviter_id, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                SQLValue(id), SQLValue(namespace), SQLValue(user), .integer(role), SQLValue(inviter), SQLValue(now),
                SQLValue(until),
            ])
        return id
    }

    /// An invitation that has not expired; nil when there is none.
    package func invitation(_ id: InvitationID) throws(StoreError) -> InvitationRecord? {
        try invitations("i.id = $1 AND i.expires_at > $2", [SQLValue(id), SQLValue(now)]).first
    }

    /// The invitation of a user to an organization, if it has not expired.
    package func invitation(
        of user: PrincipalID, to namespace: NamespaceID
    ) throws(StoreError) -> InvitationRecord? {
        try invitations(
            "i.principal_id = $1 AND i.namespace_id = $2 AND i.expires_at > $3",
            [SQLValue(user), SQLValue(namespace), SQLValue(now)]
        ).first
    }

    /// Invitations to an organization from behind `last`, oldest first.
    package func invitations(
        to namespace: NamespaceID, after last: Int64, limit: Int
    ) throws(StoreError) -> [InvitationRecord] {
        try invitations(
            "i.namespace_id = $1 AND i.id > $2 AND i.expires_at > $3 ORDER BY i.id LIMIT $4",
            [SQLValue(namespace), .integer(last), SQLValue(now), SQLValue(limit)])
    }

    /// Invitations of a user from behind `last`, oldest first.
    package func invitations(
        of user: PrincipalID, after last: Int64, limit: Int
    ) throws(StoreError) -> [InvitationRecord] {
        try invitations(
            "i.principal_id = $1 AND i.id > $2 AND i.expires_at > $3 ORDER BY i.id LIMIT $4",
            [SQLValue(user), .integer(last), SQLValue(now), SQLValue(limit)])
    }

    private func invitations(
        _ condition: String, _ arguments: [SQLValue]
    ) throws(StoreError) -> [InvitationRecord] {
        var records: [InvitationRecord] = []
        for row in try rows(
            """
            SELECT i.id, i.namespace_id, n.name, i.principal_id, u.name, i.role, i.inviter_id,
                (SELECT name FROM principals p WHERE p.id = i.inviter_id AND p.deleted_at IS NULL),
                i.created_at, i.expires_at
            FROM invitations i JOIN namespaces n ON n.id = i.namespace_id AND n.deleted_at IS NULL
            JOIN principals u ON u.id = i.principal_id AND u.deleted_at IS NULL WHERE \(condition)
            """, arguments)
        { records.append(try InvitationRecord(row)) }
        return records
    }

    /// How many invitations to an organization wait for an answer.
    package func countInvitations(to namespace: NamespaceID) throws(StoreError) -> Int64 {
        try rows(
            "SELECT COUNT(*) FROM invitations WHERE namespace_id = $1 AND expires_at > $2",
            [SQLValue(namespace), SQLValue(now)]
        ).first?.integer(0) ?? 0
    }

    /// Takes an invitation away.
    package func removeInvitation(_ id: InvitationID) throws(StoreError) {
        try execute("DELETE FROM invitations WHERE id = $1", [SQLValue(id)])
    }

    /// Takes the invitation of a user to an organization away, where there is one.
    package func removeInvitation(of user: PrincipalID, to namespace: NamespaceID) throws(StoreError) {
        try execute(
            "DELETE FROM invitations WHERE namespace_id = $1 AND principal_id = $2",
            [SQLValue(namespace), SQLValue(user)])
    }

    /// Removes invitations that have expired, at most `limit`. Gives how many.
    package func removeExpiredInvitations(limit: Int) throws(StoreError) -> Int {
        try execute(
            "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at <= $1 LIMIT $2)",
            [SQLValue(now), SQLValue(limit)])
    }
}
