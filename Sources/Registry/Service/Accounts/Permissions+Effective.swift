import Access
import Model
import Runtime
import Store

/// What somebody may do with a repository, and why.
package struct EffectivePermission: Sendable {
    /// A rule that gives something.
    package struct Reason: Sendable {
        /// `administrator`, `owner`, `role`, `permission` or `public`.
        package let rule: String
        /// The role, or to whom the permission was given.
        package let detail: String
        package let rights: Rights
    }

    package let grantee: String
    package let reasons: [Reason]
    /// What the rules come to.
    package var rights: Rights { reasons.reduce([]) { $0.union($1.rights) } }
}

extension Permissions {
    /// What a user, a robot or a team may do, by all rules. Throws `.accountUnknown`.
    package func effective(
        _ grantee: Grantee, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> EffectivePermission {
        try grant.demand(.administer)
        let repository = grant.target
        let reasons = try await store.look { (db) throws(StoreError) -> [EffectivePermission.Reason]? in
            guard let (id, kind) = try db.find(grantee), let record = try db.repository(repository.id) else {
                return nil
            }
            let visibility = try RepositoryFacts(record).visibility
            guard kind != .team else {
                let given = Rights(rawValue: try db.permission(of: id, on: repository) ?? 0).complete
                let own = given.isEmpty ? [] : [Self.permission(grantee, given)]
                return own + (visibility == .open ? [Self.open] : [])
            }
            return try db.reasons(PrincipalID(id), grantee, repository, visibility)
        }
        guard let reasons else { throw RegistryError(.accountUnknown, "there is no \(grantee)") }
        return EffectivePermission(grantee: grantee.description, reasons: reasons)
    }

    fileprivate static func permission(_ grantee: Grantee, _ rights: Rights) -> EffectivePermission.Reason {
        EffectivePermission.Reason(rule: "permission", detail: grantee.description, rights: rights)
    }

    fileprivate static let open = EffectivePermission.Reason(rule: "public", detail: "", rights: .pull)
}

extension SQLTransaction {
    fileprivate func reasons(
        _ principal: PrincipalID, _ grantee: Grantee, _ repository: Repository, _ visibility: Visibility
    ) throws(StoreError) -> [EffectivePermission.Reason] {
        guard let record = try standing(of: principal, in: repository.namespace, repository.id) else { return [] }
        var reasons: [EffectivePermission.Reason] = []
        for (rule, rights) in Standing(record, in: repository.namespace).reasons(visibility) {
            switch rule {
            case .administrator: reasons.append(.init(rule: "administrator", detail: "", rights: rights))
            case .owner: reasons.append(.init(rule: "owner", detail: "", rights: rights))
            case .role(let role): reasons.append(.init(rule: "role", detail: role.name, rights: rights))
            case .open: reasons.append(Permissions.open)
            case .permission:
                for (team, bits) in try permissions(reaching: principal, on: repository) {
                    let whose = team.map { "team:\(repository.name.namespace)/\($0)" } ?? grantee.description
                    reasons.append(
                        .init(rule: "permission", detail: whose, rights: Rights(rawValue: bits).complete))
                }
            }
        }
        return reasons
    }
}
