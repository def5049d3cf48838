import Access
import Model
import Runtime
import Store

/// To whom a permission is given: `user:name`, `team:organization/name`, `robot:organization+name`.
package enum Grantee: Hashable, Sendable, CustomStringConvertible {
    case user(AccountName)
    case team(AccountName, of: AccountName)
    case robot(AccountName, of: AccountName)

    /// Reads a grantee. Throws `ParseError(.accountName)`.
    package static func parse(_ text: String) throws(ParseError) -> Grantee {
        let halves = text.split(separator: ":", maxSplits: 1).map(String.init)
        let names = halves.dropFirst().joined().split(whereSeparator: { "/+".contains($0) }).map(String.init)
        switch (halves.first, names.count, halves.last?.contains("+")) {
        case ("user", 1, false): return .user(try .parse(names[0]))
        case ("team", 2, false): return .team(try .parse(names[1]), of: try .parse(names[0]))
        case ("robot", 2, true): return .robot(try .parse(names[1]), of: try .parse(names[0]))
        default:
            throw ParseError(
                .accountName,
                "'\(text.excerpt)' names nobody: say user:NAME, team:ORGANIZATION/TEAM or robot:ORGANIZATION+ROBOT")
        }
    }

    package var description: String {
        switch self {
        case .user(let name): "user:\(name)"
        case .team(let name, let organization): "team:\(organization)/\(name)"
        case .robot(let name, let organization): "robot:\(organization)+\(name)"
        }
    }
}

/// What was given to whom.
package struct Permission: Sendable {
    package let grantee: String
    package let rights: Rights
}

/// Permissions on repositories, and who may see these.
package struct Permissions: Sendable {
    let store: MetadataStore

    /// All permissions on a repository.
    package func list(_ grant: RepositoryGrant) async throws(RegistryError) -> [Permission] {
        try grant.demand(.administer)
        let repository = grant.target
        return try await store.look { (db) throws(StoreError) in
            try db.permissions(on: repository).map { record in
                let grantee =
                    switch record.kind {
                    case .user: "user:\(record.name)"
                    case .team: "team:\(record.organization ?? "")/\(record.name)"
                    case .robot: "robot:\(record.organization ?? "")+\(record.name)"
                    }
                return Permission(grantee: grantee, rights: Rights(rawValue: record.rights))
            }
        }
    }

    /// Gives rights, in the place of those that were given before. Throws `.accountUnknown`.
    package func set(_ rights: Rights, for grantee: Grantee, _ grant: RepositoryGrant) async throws(RegistryError) {
        let names = Rights.names.filter { rights.contains($0.rights) }.map(\.name).joined(separator: ",")
        try await change(grant, "permission.set", grantee, detail: names) { (db, id, kind) throws(StoreError) in
            try db.permit(rights.rawValue, to: id, kind, on: grant.target)
            return nil
        }
    }

    /// Takes back what was given. Throws `.accountUnknown`.
    package func remove(_ grantee: Grantee, _ grant: RepositoryGrant) async throws(RegistryError) {
        try await change(grant, "permission.remove", grantee) { (db, id, _) throws(StoreError) in
            try db.forbid(id, on: grant.target)
                ? nil : RegistryError(.accountUnknown, "\(grantee) has no permission on \(grant.target.name)")
        }
    }

    private func change(
        _ grant: RepositoryGrant, _ action: String, _ grantee: Grantee, detail: String = "",
        _ body: @Sendable @escaping (SQLTransaction, Int64, GranteeKind) throws(StoreError) -> RegistryError?
    ) async throws(RegistryError) {
        try grant.demand(.administer)
        let repository = grant.target
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard let (id, kind) = try db.find(grantee) else {
                return .failure(RegistryError(.accountUnknown, "there is no \(grantee)"))
            }
            if let refusal = try body(db, id, kind) { return .failure(refusal) }
            try db.audit(
                AuditEntry(
                    grant, action, "\(repository.name) \(grantee)", in: repository.namespace, repository.id,
                    detail: detail))
            return .success(())
        }
    }
}

extension SQLTransaction {
    func find(_ grantee: Grantee) throws(StoreError) -> (id: Int64, kind: GranteeKind)? {
        switch grantee {
        case .user(let name): return try user(name.description).map { ($0.id.value, .user) }
        case .team(let name, let organization):
            guard let namespace = try namespace(organization.description)?.namespace.id else { return nil }
            return try team(name.description, of: namespace).map { ($0.value, .team) }
        case .robot(let name, let organization):
            guard let namespace = try namespace(organization.description)?.namespace.id else { return nil }
            return try robot(name.description, of: namespace).map { ($0.id.value, .robot) }
        }
    }
}
