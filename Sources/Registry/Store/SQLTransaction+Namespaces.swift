import Model
import Runtime

/// What an organization says of itself.
package struct NamespaceProfile: Sendable {
    package var description = ""
    package var displayName = ""
    /// Addresses, or nothing.
    package var website = ""
    package var avatar = ""

    /// A profile that says this.
    package init(description: String = "", displayName: String = "", website: String = "", avatar: String = "") {
        self.description = description
        self.displayName = displayName
        self.website = website
        self.avatar = avatar
    }
}

/// A row of the table of namespaces.
package struct NamespaceRecord: Sendable {
    package let namespace: Namespace
    package let profile: NamespaceProfile
    package let repositories: Int64
    package let blobBytes: Int64
    package let manifestBytes: Int64
    /// Of what tags point to, each for itself.
    package let logicalBytes: Int64
    package let createdAt: Timestamp
    package let accessVersion: Int64

    static let columns = """
        n.id, n.name, n.kind, n.description, n.repositories, n.blob_bytes, n.manifest_bytes, n.created_at, \
        n.access_version, n.display_name, n.website, n.avatar, n.logical_bytes
        """

    init(_ row: SQLRow) throws(StoreError) {
        guard let kind = Namespace.Kind(rawValue: try row.integer(2)) else {
            throw StoreError(.damaged, "a namespace is of an unknown kind")
        }
        namespace = Namespace(id: try row.id(0), name: try row.text(1), kind: kind)
        profile = NamespaceProfile(
            description: try row.text(3), displayName: try row.text(9), website: try row.text(10),
            avatar: try row.text(11))
        repositories = try row.integer(4)
        blobBytes = try row.integer(5)
        manifestBytes = try row.integer(6)
        createdAt = try row.time(7)
        accessVersion = try row.integer(8)
        logicalBytes = try row.integer(12)
    }
}

extension SQLTransaction {
    /// The namespace of a name; nil when there is none.
    package func namespace(_ name: String) throws(StoreError) -> NamespaceRecord? {
        try namespaces("n.name = $1", [.text(name)]).first
    }

    /// The namespace of a key; nil when there is none, or no more.
    package func namespace(_ id: NamespaceID) throws(StoreError) -> NamespaceRecord? {
        try namespaces("n.id = $1", [SQLValue(id)]).first
    }

    private func namespaces(
        _ condition: String, _ arguments: [SQLValue], _ rest: String = ""
    ) throws(StoreError) -> [NamespaceRecord] {
        let found = try rows(
            "SELECT \(NamespaceRecord.columns) FROM namespaces n WHERE \(condition) AND n.deleted_at IS NULL \(rest)",
            arguments)
        var records: [NamespaceRecord] = []
        for row in found { records.append(try NamespaceRecord(row)) }
        return records
    }

    /// Makes a namespace. Throws `.conflict` when the name is taken.
    package func addNamespace(
        _ name: String, _ kind: Namespace.Kind
    ) throws(StoreError) -> NamespaceID {
        let id: NamespaceID = newID()
        try execute(
            """
            INSERT INTO namespaces
                (id, name, access_version, repositories, blob_bytes, manifest_bytes, created_at, kind)
            VALUES ($1, $2, 0, 0, 0, 0, $3, $4)
            """, [SQLValue(id), .text(name), SQLValue(now), .integer(kind.rawValue)])
        try add(kind, 1)
        return id
    }

    /// Sets what an organization says of itself.
    package func setProfile(_ profile: NamespaceProfile, of id: NamespaceID) throws(StoreError) {
        try execute(
            "UPDATE namespaces SET description = $2, display_name = $3, website = $4, avatar = $5 WHERE id = $1",
            [
                SQLValue(id), .text(profile.description), .text(profile.displayName), .text(profile.website),
                .text(profile.avatar),
            ])
    }

    /// Gives a namespace that `--open` made to a user or an organization.
    package func setKind(_ kind: Namespace.Kind, of id: NamespaceID) throws(StoreError) {
        if let old = try namespace(id) { try add(old.namespace.kind, -1) }
        try add(kind, 1)
        try execute("UPDATE namespaces SET kind = $2 WHERE id = $1", [SQLValue(id), .integer(kind.rawValue)])
        try touchAccess(id)
    }

    /// Organizations in the order of their names, from behind `last`; only those that `member` belongs to, or all.
    package func organizations(
        after last: String, limit: Int, of member: PrincipalID?
    ) throws(StoreError) -> [NamespaceRecord] {
        let mine = member == nil ? "" : "AND n.id IN (SELECT namespace_id FROM members WHERE principal_id = $3)"
        return try namespaces(
            "n.kind = 2 AND n.name > $1 \(mine)",
            [.text(last), SQLValue(limit)] + (member.map { [SQLValue($0)] } ?? []), "ORDER BY n.name LIMIT $2")
    }

    /// Removes a namespace that has no repositories, be it some that can be restored still, with its robots, teams and members. False, and nothing is done, when it
    /// has some, unless they are to go too: those are purged, and cannot be restored.
    package func removeNamespace(_ id: NamespaceID, withRepositories: Bool = false) throws(StoreError) -> Bool {
        if withRepositories {
            let gone = try rows(
                "UPDATE repositories SET deleted_at = 0, version = version + 1 WHERE namespace_id = $1 RETURNING id",
                [SQLValue(id)])
            for row in gone { moved.insert(.repository(try row.id(0))) }
        }
        let isUsed = try rows(
            "SELECT 1 FROM repositories WHERE namespace_id = $1 LIMIT 1", [SQLValue(id)])
        guard isUsed.isEmpty || withRepositories else { return false }
        for row in try rows(
            "SELECT id FROM principals WHERE kind = 2 AND namespace_id = $1 AND deleted_at IS NULL", [SQLValue(id)])
        {
            try removePrincipal(row.id(0))
        }
        for sql in [
            "DELETE FROM team_members WHERE team_id IN (SELECT id FROM teams WHERE namespace_id = $1)",
            "DELETE FROM permissions WHERE grantee_id IN (SELECT id FROM teams WHERE namespace_id = $1)",
            "DELETE FROM invitations WHERE namespace_id = $1", "DELETE FROM teams WHERE namespace_id = $1",
            "DELETE FROM members WHERE namespace_id = $1",
        ] { try execute(sql, [SQLValue(id)]) }
        if let gone = try namespace(id) {
            var change = Totals()
            change.repositories = -gone.repositories
            change.bytes = -gone.blobBytes - gone.manifestBytes
            try add(change)
            try add(gone.namespace.kind, -1)
        }
        try execute("UPDATE namespaces SET deleted_at = $2 WHERE id = $1", [SQLValue(id), SQLValue(now)])
        try touchAccess(id)
        return true
    }

    /// Moves a namespace's access version on: what was remembered of rights in it is looked at again.
    package func touchAccess(_ id: NamespaceID) throws(StoreError) {
        moved.insert(.access(id))
        try execute("UPDATE namespaces SET access_version = access_version + 1 WHERE id = $1", [SQLValue(id)])
    }
}
