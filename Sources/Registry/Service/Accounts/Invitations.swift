import Access
import Logging
import Model
import Runtime
import Store

/// An invitation, as it is shown.
package struct Invitation: Sendable {
    package let id: InvitationID
    package let organization: String
    package let user: String
    package let role: Role
    package let inviter: String
    package let createdAt: Timestamp
    package let expiresAt: Timestamp

    init(_ record: InvitationRecord) throws(StoreError) {
        guard let role = Role(rawValue: record.role) else {
            throw StoreError(.damaged, "an invitation is to a role \(record.role)")
        }
        id = record.id
        organization = record.organization
        user = record.userName
        self.role = role
        inviter = record.inviterName ?? "system"
        createdAt = record.createdAt
        expiresAt = record.expiresAt
    }
}

/// Asking users into organizations: they become members by accepting. An invitation is worth what its maker may give: with the
/// right it was made by it ends too, as it does when its time is over.
package struct Invitations: Sendable {
    /// Most invitations to one organization that wait for an answer.
    private static let most = 1000

    let store: MetadataStore
    /// How long one waits for an answer.
    let life: Duration
    let log: Logger

    /// Invites a user. An invitation that waits already is replaced. Throws `.accountUnknown`, `.nameTaken` for a member,
    /// `.denied` where an owner alone may, `.inUse` for too many.
    package func add(
        _ name: AccountName, as role: Role, mayOwn: Bool, _ grant: NamespaceGrant, keeping: Keeping<Invitation>? = nil
    ) async throws(RegistryError) -> Invitation {
        try grant.demand(.manage)
        let (namespace, life) = (grant.target, life)
        return try await store.transact(keeping: keeping) { (db) throws(StoreError) -> Result<Invitation, Refusal> in
            try db.hold(grant)
            guard let user = try db.user(name.description) else { return .failure(.unknownUser(name.description)) }
            guard try db.role(of: user.id, in: namespace.id) == nil else {
                return .failure(.memberAlready(name.description, namespace.name))
            }
            let known = try db.invitation(of: user.id, to: namespace.id)
            guard mayOwn || (role != .owner && known?.role != Role.owner.rawValue) else {
                return .failure(.ownersAlone)
            }
            guard try db.countInvitations(to: namespace.id) < Self.most else {
                return .failure(
                    RegistryError(.inUse, "\(Self.most) invitations wait for an answer: withdraw some of them"))
            }
            let id = try db.invite(
                user.id, to: namespace.id, as: role.rawValue, by: grant.caller.principal.id, until: db.now + life)
            try db.audit(
                AuditEntry(grant, "invitation.create", name.description, in: namespace.id, detail: role.name))
            guard let made = try db.invitation(id) else { throw StoreError(.missing, "invitation \(id) is gone") }
            return .success(try Invitation(made))
        }
    }

    /// Invitations to an organization that wait for an answer.
    package func list(
        _ request: PageRequest, _ grant: NamespaceGrant
    ) async throws(RegistryError) -> (invitations: [Invitation], next: String?) {
        try grant.demand(.manage)
        let namespace = grant.target.id
        return try await page(request) { (db, last, limit) throws(StoreError) in
            try db.invitations(to: namespace, after: last, limit: limit)
        }
    }

    /// Takes an invitation back. Throws `.accountUnknown`, `.denied`.
    package func withdraw(_ id: InvitationID, mayOwn: Bool, _ grant: NamespaceGrant) async throws(RegistryError) {
        try grant.demand(.manage)
        let namespace = grant.target
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard let found = try db.invitation(id), found.namespace == namespace.id else {
                return .failure(.noInvitation)
            }
            guard mayOwn || found.role != Role.owner.rawValue else { return .failure(.ownersAlone) }
            try db.removeInvitation(id)
            try db.audit(AuditEntry(grant, "invitation.withdraw", found.userName, in: namespace.id))
            return .success(())
        }
    }

    /// The caller's own invitations.
    package func own(
        _ request: PageRequest, _ grant: RegistryGrant
    ) async throws(RegistryError) -> (invitations: [Invitation], next: String?) {
        try grant.demand(.account)
        guard case .user(let user) = grant.caller.principal else { return ([], nil) }
        return try await page(request) { (db, last, limit) throws(StoreError) in
            try db.invitations(of: user, after: last, limit: limit)
        }
    }

    /// Makes the caller a member. Throws `.accountUnknown` where the invitation does not stand any more.
    package func accept(_ id: InvitationID, _ grant: RegistryGrant) async throws(RegistryError) {
        try await answer(id, "invitation.accept", grant) { (db, invitation) throws(StoreError) in
            guard let role = Role(rawValue: invitation.role),
                try db.mayGive(role, invitation.inviter, in: invitation.namespace)
            else { return .noInvitation }
            guard try db.role(of: invitation.user, in: invitation.namespace) == nil else {
                return .memberAlready(invitation.userName, invitation.organization)
            }
            try db.setRole(role.rawValue, of: invitation.user, in: invitation.namespace)
            return nil
        }
    }

    /// Ends an invitation of the caller's. Throws `.accountUnknown`.
    package func decline(_ id: InvitationID, _ grant: RegistryGrant) async throws(RegistryError) {
        try await answer(id, "invitation.decline", grant) { (_, _) throws(StoreError) in nil }
    }

    private func answer(
        _ id: InvitationID, _ action: String, _ grant: RegistryGrant,
        _ body: @Sendable @escaping (SQLTransaction, InvitationRecord) throws(StoreError) -> Refusal?
    ) async throws(RegistryError) {
        try grant.demand(.account)
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard case .user(let user) = grant.caller.principal, let found = try db.invitation(id), found.user == user
            else { return .failure(.noInvitation) }
            if let refusal = try body(db, found) { return .failure(refusal) }
            try db.removeInvitation(id)
            try db.audit(
                AuditEntry(
                    grant, action, found.userName, in: found.namespace, detail: Role(rawValue: found.role)?.name ?? ""))
            return .success(())
        }
    }

    /// Those of a page that stand.
    private func page(
        _ request: PageRequest,
        _ find:
            @Sendable @escaping (SQLTransaction, _ last: Int64, _ limit: Int) throws(StoreError) -> [InvitationRecord]
    ) async throws(RegistryError) -> (invitations: [Invitation], next: String?) {
        let limit = request.count(atMost: 1000)
        let last = try request.lastKey(or: 0)
        return try await store.look { (db) throws(StoreError) in
            let found = try find(db, last, limit + 1)
            var shown: [Invitation] = []
            for record in found.prefix(limit) {
                let invitation = try Invitation(record)
                if try db.mayGive(invitation.role, record.inviter, in: record.namespace) { shown.append(invitation) }
            }
            return (shown, found.count > limit ? found.prefix(limit).last?.id.description : nil)
        }
    }

    /// Removes invitations that have expired, each hour until it is cancelled.
    package func run() async {
        await MetadataStore.hourly { await expire() }
    }

    /// Removes invitations that have expired, in parts.
    package func expire() async {
        await store.removeOld("expired invitations", log) { (db, limit) throws(StoreError) in
            try db.removeExpiredInvitations(limit: limit)
        }
    }
}

extension SQLTransaction {
    /// Whether somebody may give a role in an organization now.
    fileprivate func mayGive(
        _ role: Role, _ giver: PrincipalID, in namespace: NamespaceID
    ) throws(StoreError) -> Bool {
        guard giver != Principal.system.id else { return true }
        guard let record = try standing(of: giver, in: namespace, RepositoryID(0)) else { return false }
        return Standing(record, in: namespace).duties.includes(role == .owner ? .own : .manage)
    }
}

extension RegistryError {
    fileprivate static let noInvitation = RegistryError(
        .accountUnknown, "there is no such invitation, or it does not stand any more")

    fileprivate static func memberAlready(_ user: String, _ organization: String) -> RegistryError {
        RegistryError(.nameTaken, "\(user) is a member of \(organization) already")
    }
}
