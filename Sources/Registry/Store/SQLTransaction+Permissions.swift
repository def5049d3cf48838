import Model
import Runtime

/// To whom a permission was given.
package enum GranteeKind: Int64, Sendable {
    case user = 1
    case robot = 2
    case team = 3
}

/// A permission on a repository, with its grantee's name.
package struct PermissionRecord: Sendable {
    package let kind: GranteeKind
    /// Of a robot or a team with its organization's.
    package let name: String
    package let organization: String?
    package let rights: Int64
}

extension SQLTransaction {
    /// Gives rights on a repository, in the place of those that were given before.
    package func permit(
        _ rights: Int64, to grantee: Int64, _ kind: GranteeKind, on repository: Repository
    ) throws(StoreError) {
        try execute(
            """
            INSERT INTO permissions (repository_id, grantee_id, grantee_kind, rights, created_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (repository_id, grantee_id) DO UPDATE SET rights = excluded.rights
            """,
            [SQLValue(repository.id), .integer(grantee), .integer(kind.rawValue), .integer(rights), SQLValue(now)])
        try touchAccess(repository.namespace)
    }

    /// Takes back what was given. False when nothing was.
    package func forbid(_ grantee: Int64, on repository: Repository) throws(StoreError) -> Bool {
        let found = try execute(
            "DELETE FROM permissions WHERE repository_id = $1 AND grantee_id = $2",
            [SQLValue(repository.id), .integer(grantee)])
        if found > 0 { try touchAccess(repository.namespace) }
        return found > 0
    }

    /// All permissions on a repository.
    package func permissions(on repository: Repository) throws(StoreError) -> [PermissionRecord] {
        var records: [PermissionRecord] = []
        for row in try rows(
            """
            SELECT x.grantee_kind, COALESCE(p.name, t.name), n.name, x.rights
            FROM permissions x
                LEFT JOIN principals p ON p.id = x.grantee_id AND p.deleted_at IS NULL
                LEFT JOIN teams t ON t.id = x.grantee_id
                LEFT JOIN namespaces n ON n.id = COALESCE(p.namespace_id, t.namespace_id)
            WHERE x.repository_id = $1 AND COALESCE(p.name, t.name) IS NOT NULL
            ORDER BY x.grantee_kind, 2 LIMIT 10000
            """, [SQLValue(repository.id)])
        {
            guard let kind = GranteeKind(rawValue: try row.integer(0)) else {
                throw StoreError(.damaged, "a grantee is of an unknown kind")
            }
            records.append(
                PermissionRecord(
                    kind: kind, name: try row.text(1), organization: kind == .user ? nil : try row.optionalText(2),
                    rights: try row.integer(3)))
        }
        return records
    }

    /// What permissions a principal has on a repository: its own, and those of its teams by their names.
    package func permissions(
        reaching principal: PrincipalID, on repository: Repository
    ) throws(StoreError) -> [(team: String?, rights: Int64)] {
        var found: [(team: String?, rights: Int64)] = []
        for row in try rows(
            """
            SELECT t.name, x.rights FROM permissions x LEFT JOIN teams t ON t.id = x.grantee_id
            WHERE x.repository_id = $3 AND (x.grantee_id = $1 OR x.grantee_id IN
                (SELECT team_id FROM team_members WHERE principal_id = $1 AND namespace_id = $2))
            ORDER BY x.grantee_id
            """, [SQLValue(principal), SQLValue(repository.namespace), SQLValue(repository.id)])
        {
            found.append((try row.optionalText(0), try row.integer(1)))
        }
        return found
    }

    /// What was given to a grantee itself on a repository; nil when nothing was.
    package func permission(of grantee: Int64, on repository: Repository) throws(StoreError) -> Int64? {
        try rows(
            "SELECT rights FROM permissions WHERE repository_id = $1 AND grantee_id = $2",
            [SQLValue(repository.id), .integer(grantee)]
        ).first?.integer(0)
    }

    /// The key of an organization's team; nil when there is none.
    package func team(_ name: String, of namespace: NamespaceID) throws(StoreError) -> TeamID? {
        try rows("SELECT id FROM teams WHERE namespace_id = $1 AND name = $2", [SQLValue(namespace), .text(name)])
            .first?.id(0)
    }

    /// Names of an organization's teams.
    package func teams(of namespace: NamespaceID) throws(StoreError) -> [String] {
        try rows("SELECT name FROM teams WHERE namespace_id = $1 ORDER BY name LIMIT 10000", [SQLValue(namespace)])
            .texts()
    }

    /// Makes a team. Throws `.conflict` when the name is taken.
    package func addTeam(_ name: String, to namespace: NamespaceID) throws(StoreError) -> TeamID {
        let id: TeamID = newID()
        try execute(
            "INSERT INTO teams (id, namespace_id, name, created_at) VALUES ($1, $2, $3, $4)",
            [SQLValue(id), SQLValue(namespace), .text(name), SQLValue(now)])
        return id
    }

    /// Removes a team with what it was permitted.
    package func removeTeam(_ id: TeamID, from namespace: NamespaceID) throws(StoreError) {
        for sql in [
            "DELETE FROM team_members WHERE team_id = $1", "DELETE FROM permissions WHERE grantee_id = $1",
            "DELETE FROM teams WHERE id = $1",
        ] { try execute(sql, [SQLValue(id)]) }
        try touchAccess(namespace)
    }

    /// Names of a team's members.
    package func members(of team: TeamID) throws(StoreError) -> [String] {
        try rows(
            """
            SELECT p.name FROM team_members m JOIN principals p ON p.id = m.principal_id
            WHERE m.team_id = $1 AND p.deleted_at IS NULL ORDER BY p.name LIMIT 10000
            """, [SQLValue(team)]
        ).texts()
    }

    /// Puts a principal into a team.
    package func addMember(
        _ principal: PrincipalID, to team: TeamID, of namespace: NamespaceID
    ) throws(StoreError) {
        try execute(
            """
            INSERT INTO team_members (principal_id, namespace_id, team_id, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (principal_id, namespace_id, team_id) DO NOTHING
            """, [SQLValue(principal), SQLValue(namespace), SQLValue(team), SQLValue(now)])
        try touchAccess(namespace)
    }

    /// Takes a principal out of a team. False when it was not in it.
    package func removeMember(
        _ principal: PrincipalID, fromTeam team: TeamID, of namespace: NamespaceID
    ) throws(StoreError) -> Bool {
        let found = try execute(
            "DELETE FROM team_members WHERE principal_id = $1 AND namespace_id = $2 AND team_id = $3",
            [SQLValue(principal), SQLValue(namespace), SQLValue(team)])
        if found > 0 { try touchAccess(namespace) }
        return found > 0
    }

    /// Makes a repository public or not.
    package func setVisibility(_ visibility: Int64, of repository: Repository) throws(StoreError) {
        try execute(
            "UPDATE repositories SET visibility = $2 WHERE id = $1", [SQLValue(repository.id), .integer(visibility)])
        try touchAccess(repository.namespace)
    }
}
