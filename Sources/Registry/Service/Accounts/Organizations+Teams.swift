import Access
import Model
import Runtime
import Store

extension Organizations {
    /// Names of an organization's teams.
    package func teams(_ grant: NamespaceGrant) async throws(RegistryError) -> [String] {
        try grant.demand(.view)
        let id = grant.target.id
        return try await store.look { (db) throws(StoreError) in try db.teams(of: id) }
    }

    /// Makes a team. Throws `.nameTaken`.
    package func addTeam(
        _ name: AccountName, _ grant: NamespaceGrant, keeping: Keeping<Void>? = nil
    ) async throws(RegistryError) {
        try grant.demand(.manage)
        let namespace = grant.target
        try await store.transact(keeping: keeping) { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard try db.team(name.description, of: namespace.id) == nil else {
                return .failure(RegistryError(.nameTaken, "\(namespace.name) has a team '\(name)' already"))
            }
            _ = try db.addTeam(name.description, to: namespace.id)
            try db.audit(AuditEntry(grant, "team.create", "\(namespace.name)/\(name)", in: namespace.id))
            return .success(())
        }
    }

    /// Removes a team with what it was permitted. Throws `.accountUnknown`.
    package func removeTeam(_ name: AccountName, _ grant: NamespaceGrant) async throws(RegistryError) {
        try await change(name, "team.delete", name.description, grant) { (db, team) throws(StoreError) in
            try db.removeTeam(team, from: grant.target.id)
            return nil
        }
    }

    /// Names of a team's members. Throws `.accountUnknown`.
    package func members(ofTeam name: AccountName, _ grant: NamespaceGrant) async throws(RegistryError) -> [String] {
        try grant.demand(.view)
        let namespace = grant.target
        let found = try await store.look { (db) throws(StoreError) in
            try db.team(name.description, of: namespace.id).map { (team) throws(StoreError) in try db.members(of: team)
            }
        }
        guard let found else { throw .unknownTeam(name, namespace.name) }
        return found
    }

    /// Puts a member of the organization into a team. Throws `.accountUnknown`.
    package func addMember(
        _ user: AccountName, toTeam name: AccountName, _ grant: NamespaceGrant
    ) async throws(RegistryError) {
        let namespace = grant.target
        try await change(name, "team.add", "\(name) \(user)", grant) { (db, team) throws(StoreError) in
            guard let member = try db.user(user.description), try db.role(of: member.id, in: namespace.id) != nil else {
                return RegistryError(.accountUnknown, "\(user) is no member of \(namespace.name): make them one first")
            }
            try db.addMember(member.id, to: team, of: namespace.id)
            return nil
        }
    }

    /// Takes somebody out of a team. Throws `.accountUnknown`.
    package func removeMember(
        _ user: AccountName, fromTeam name: AccountName, _ grant: NamespaceGrant
    ) async throws(RegistryError) {
        let namespace = grant.target
        try await change(name, "team.remove", "\(name) \(user)", grant) { (db, team) throws(StoreError) in
            guard let member = try db.user(user.description),
                try db.removeMember(member.id, fromTeam: team, of: namespace.id)
            else { return RegistryError(.accountUnknown, "\(user) is not in the team \(name)") }
            return nil
        }
    }

    private func change(
        _ name: AccountName, _ action: String, _ subject: String, _ grant: NamespaceGrant,
        _ body: @Sendable @escaping (SQLTransaction, TeamID) throws(StoreError) -> RegistryError?
    ) async throws(RegistryError) {
        try grant.demand(.manage)
        let namespace = grant.target
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard let team = try db.team(name.description, of: namespace.id) else {
                return .failure(.unknownTeam(name, namespace.name))
            }
            if let refusal = try body(db, team) { return .failure(refusal) }
            try db.audit(AuditEntry(grant, action, "\(namespace.name)/\(subject)", in: namespace.id))
            return .success(())
        }
    }
}

extension RegistryError {
    static func unknownTeam(_ name: AccountName, _ organization: String) -> RegistryError {
        RegistryError(.accountUnknown, "\(organization) has no team '\(name)'")
    }
}
