import Model
import Runtime

/// What a decision about a principal in a namespace and a repository is made by.
package struct StandingRecord: Sendable {
    package let principalVersion: Int64
    package let isActive: Bool
    package let isAdministrator: Bool
    /// A user's own namespace, or that of a robot's organization.
    package let home: NamespaceID
    package let kind: PrincipalKind
    package let accessVersion: Int64
    package let role: Int64?
    /// What the permissions come to, as bits.
    package let permitted: Int64
}

extension SQLTransaction {
    /// A principal's standing; nil when there is no such principal any more. Of a namespace or a repository that are not
    /// there it takes what it takes of others.
    package func standing(
        of principal: PrincipalID, in namespace: NamespaceID, _ repository: RepositoryID
    ) throws(StoreError) -> StandingRecord? {
        let found = try rows(
            """
            SELECT p.version, p.disabled_at, p.administrator, p.namespace_id, p.kind,
                COALESCE((SELECT access_version FROM namespaces WHERE id = $2), 0),
                (SELECT role FROM members WHERE namespace_id = $2 AND principal_id = $1)
            FROM principals p WHERE p.id = $1 AND p.deleted_at IS NULL
            """, [SQLValue(principal), SQLValue(namespace)]
        ).first
        var permitted: Int64 = 0
        for row in try rows(
            """
            SELECT rights FROM permissions WHERE repository_id = $3 AND grantee_id = $1
            UNION ALL
            SELECT p.rights FROM team_members t JOIN permissions p ON p.repository_id = $3 AND p.grantee_id = t.team_id
            WHERE t.principal_id = $1 AND t.namespace_id = $2
            """, [SQLValue(principal), SQLValue(namespace), SQLValue(repository)])
        { permitted |= try row.integer(0) }
        guard let found, let kind = PrincipalKind(rawValue: try found.integer(4)) else { return nil }
        return StandingRecord(
            principalVersion: try found.integer(0), isActive: found.isNull(1),
            isAdministrator: try found.integer(2) != 0, home: try found.id(3), kind: kind,
            accessVersion: try found.integer(5), role: found.isNull(6) ? nil : try found.integer(6),
            permitted: permitted)
    }

    /// Whether the counters of a decision are what they were.
    package func stands(
        _ principal: PrincipalID, at principalVersion: Int64, _ namespace: NamespaceID, at accessVersion: Int64
    ) throws(StoreError) -> Bool {
        try !rows(
            """
            SELECT 1 FROM principals p, namespaces n
            WHERE p.id = $1 AND p.version = $2 AND p.deleted_at IS NULL AND n.id = $3 AND n.access_version = $4
            """,
            [SQLValue(principal), .integer(principalVersion), SQLValue(namespace), .integer(accessVersion)]
        ).isEmpty
    }

    /// Sets what a principal is in an organization.
    package func setRole(_ role: Int64, of principal: PrincipalID, in namespace: NamespaceID) throws(StoreError) {
        try execute(
            """
            INSERT INTO members (namespace_id, principal_id, role, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (namespace_id, principal_id) DO UPDATE SET role = excluded.role
            """, [SQLValue(namespace), SQLValue(principal), .integer(role), SQLValue(now)])
        try touchAccess(namespace)
    }

    /// Takes a principal out of an organization and of its teams, with the permissions that were its own there. False when
    /// it was not in it.
    package func removeMember(_ principal: PrincipalID, from namespace: NamespaceID) throws(StoreError) -> Bool {
        let keys = [SQLValue(namespace), SQLValue(principal)]
        let found = try execute("DELETE FROM members WHERE namespace_id = $1 AND principal_id = $2", keys)
        guard found > 0 else { return false }
        try execute("DELETE FROM team_members WHERE namespace_id = $1 AND principal_id = $2", keys)
        try execute(
            """
            DELETE FROM permissions WHERE grantee_id = $2
                AND repository_id IN (SELECT id FROM repositories WHERE namespace_id = $1)
            """, keys)
        try touchAccess(namespace)
        return true
    }

    /// What a principal is in an organization; nil when it is not in it.
    package func role(of principal: PrincipalID, in namespace: NamespaceID) throws(StoreError) -> Int64? {
        try rows(
            "SELECT role FROM members WHERE namespace_id = $1 AND principal_id = $2",
            [SQLValue(namespace), SQLValue(principal)]
        ).first?.integer(0)
    }

    /// Names, roles and kinds of those in an organization.
    package func members(
        of namespace: NamespaceID
    ) throws(StoreError) -> [(name: String, role: Int64, kind: PrincipalKind)] {
        var members: [(name: String, role: Int64, kind: PrincipalKind)] = []
        for row in try rows(
            """
            SELECT p.name, m.role, p.kind FROM members m JOIN principals p ON p.id = m.principal_id
            WHERE m.namespace_id = $1 AND p.deleted_at IS NULL ORDER BY p.kind, p.name LIMIT 10000
            """, [SQLValue(namespace)])
        {
            members.append((try row.text(0), try row.integer(1), PrincipalKind(rawValue: try row.integer(2)) ?? .user))
        }
        return members
    }

    /// How many in an organization have a role and could log in.
    package func count(role: Int64, in namespace: NamespaceID) throws(StoreError) -> Int64 {
        try rows(
            """
            SELECT COUNT(*) FROM members m JOIN principals p ON p.id = m.principal_id
            WHERE m.namespace_id = $1 AND m.role = $2 AND p.deleted_at IS NULL
            """, [SQLValue(namespace), .integer(role)]
        ).first?.integer(0) ?? 0
    }

    /// An organization that has this principal as its only owner; nil when there is none.
    package func ownedAlone(by principal: PrincipalID) throws(StoreError) -> String? {
        try rows(
            """
            SELECT n.name FROM members m JOIN namespaces n ON n.id = m.namespace_id
            WHERE m.principal_id = $1 AND m.role = 5 AND n.deleted_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM members o
                    WHERE o.namespace_id = m.namespace_id AND o.role = 5 AND o.principal_id <> $1)
            LIMIT 1
            """, [SQLValue(principal)]
        ).first?.text(0)
    }
}
