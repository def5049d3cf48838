import Access
import Model
import Runtime
import Store

/// An organization, as it is shown.
package struct Organization: Sendable {
    package let name: String
    package let description: String
    package let displayName: String
    package let website: String
    package let avatar: String
    package let repositories: Int64
    package let bytes: Int64
    package let logicalBytes: Int64
    package let createdAt: Timestamp

    init(_ record: NamespaceRecord) {
        name = record.namespace.name
        description = record.profile.description
        displayName = record.profile.displayName
        website = record.profile.website
        avatar = record.profile.avatar
        repositories = record.repositories
        bytes = record.blobBytes + record.manifestBytes
        logicalBytes = record.logicalBytes
        createdAt = record.createdAt
    }
}

/// A change to what an organization says of itself; what is nil stays.
package struct OrganizationChange: Sendable {
    package var description: String?
    package var displayName: String?
    package var website: String?
    package var avatar: String?

    /// No change.
    package init() {}

    fileprivate func applied(to profile: NamespaceProfile) -> NamespaceProfile {
        NamespaceProfile(
            description: description ?? profile.description, displayName: displayName ?? profile.displayName,
            website: website ?? profile.website, avatar: avatar ?? profile.avatar)
    }
}

/// Somebody in an organization.
package struct Member: Sendable {
    package let name: String
    package let role: Role
    package let isRobot: Bool
}

/// Organizations, who is in them, their teams and robots.
package struct Organizations: Sendable {
    let store: MetadataStore
    /// Whether every user may make organizations, or administrators alone.
    let areAnybodys: Bool

    /// The namespace of a name, for the authorizer; one that stands for nothing when there is none.
    package func namespace(_ name: AccountName) async throws(RegistryError) -> Namespace {
        let found = try await store.look { (db) throws(StoreError) in try db.namespace(name.description)?.namespace }
        guard let found, found.kind == .organization else {
            return Namespace(id: NamespaceID(0), name: name.description, kind: .open)
        }
        return found
    }

    /// Makes an organization with its maker as the owner. Throws `.nameTaken`, `.denied`.
    package func add(
        _ name: AccountName, _ change: OrganizationChange, _ grant: RegistryGrant,
        keeping: Keeping<Organization>? = nil
    ) async throws(RegistryError) -> Organization {
        try grant.demand(.account)
        let (mayAll, principal) = (areAnybodys, grant.caller.principal)
        return try await store.transact(keeping: keeping) { (db) throws(StoreError) -> Result<Organization, Refusal> in
            try db.hold(grant)
            let maker = try principal.account.flatMap { (id) throws(StoreError) in try db.principal(id) }
            if let maker, maker.kind != .user || !(mayAll || maker.isAdministrator) {
                return .failure(RegistryError(.denied, "only administrators make organizations here: ask one"))
            }
            let id: NamespaceID
            switch try db.claim(
                name, .organization, byAdministrator: maker?.isAdministrator != false)
            {
            case .success(let claimed): id = claimed
            case .failure(let error): return .failure(error)
            }
            try db.setProfile(change.applied(to: NamespaceProfile()), of: id)
            if let maker { try db.setRole(Role.owner.rawValue, of: maker.id, in: id) }
            try db.audit(AuditEntry(grant, "organization.create", name.description, in: id))
            guard let record = try db.namespace(id) else { throw StoreError(.missing, "namespace \(id) is gone") }
            return .success(Organization(record))
        }
    }

    /// Organizations in the order of their names: the caller's own; an administrator and the system see all.
    package func list(
        _ request: PageRequest, _ grant: RegistryGrant
    ) async throws(RegistryError) -> (organizations: [Organization], next: String?) {
        try grant.demand(.account)
        let limit = request.count(atMost: 1000)
        let account = grant.caller.principal.account
        let found = try await store.look { (db) throws(StoreError) in
            let seesAll = try account.map { (id) throws(StoreError) in try db.principal(id)?.isAdministrator == true }
            return try db.organizations(
                after: request.last, limit: limit + 1, of: seesAll == false ? account : nil
            ).map(Organization.init)
        }
        return (Array(found.prefix(limit)), found.count > limit ? found.prefix(limit).last?.name : nil)
    }

    /// An organization.
    package func get(_ grant: NamespaceGrant) async throws(RegistryError) -> Organization {
        try grant.demand(.view)
        let id = grant.target.id
        let found = try await store.look { (db) throws(StoreError) in try db.namespace(id).map(Organization.init) }
        guard let found else { throw .unknownOrganization(grant.target.name) }
        return found
    }

    /// Changes what an organization says of itself.
    package func change(
        _ change: OrganizationChange, if expectation: Expectation = .anything, _ grant: NamespaceGrant
    ) async throws(RegistryError) -> Organization {
        try grant.demand(.manage)
        let namespace = grant.target
        return try await store.transact { (db) throws(StoreError) -> Result<Organization, Refusal> in
            try db.hold(grant)
            guard let record = try db.namespace(namespace.id) else {
                return .failure(.unknownOrganization(namespace.name))
            }
            if let refusal = expectation.refusal(Organization(record).tag) { return .failure(refusal) }
            try db.setProfile(change.applied(to: record.profile), of: namespace.id)
            try db.audit(AuditEntry(grant, "organization.change", namespace.name, in: namespace.id))
            guard let changed = try db.namespace(namespace.id) else {
                throw StoreError(.missing, "namespace \(namespace.id) is gone")
            }
            return .success(Organization(changed))
        }
    }

    /// Removes an organization that has no repositories, or with all that it has: these cannot be restored. Throws `.inUse`.
    package func remove(withRepositories: Bool = false, _ grant: NamespaceGrant) async throws(RegistryError) {
        try grant.demand(.own)
        let namespace = grant.target
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard try db.removeNamespace(namespace.id, withRepositories: withRepositories) else {
                return .failure(
                    RegistryError(
                        .inUse,
                        "\(namespace.name) still has repositories, or some that can be restored: delete them, or say "
                            + "confirm=\(namespace.name) to lose them all"))
            }
            try db.audit(AuditEntry(grant, "organization.delete", namespace.name, in: namespace.id))
            return .success(())
        }
    }

    // MARK: members

    /// Who is in an organization.
    package func members(_ grant: NamespaceGrant) async throws(RegistryError) -> [Member] {
        try grant.demand(.view)
        let id = grant.target.id
        return try await store.look { (db) throws(StoreError) in
            try db.members(of: id).compactMap { member in
                Role(rawValue: member.role).map { Member(name: member.name, role: $0, isRobot: member.kind == .robot) }
            }
        }
    }

    /// Makes a user a member, or gives one another role. Owners are made and unmade by owners alone.
    /// Throws `.accountUnknown`, `.denied`, `.lastOwner`.
    package func setRole(
        _ role: Role, of name: AccountName, mayOwn: Bool, _ grant: NamespaceGrant
    ) async throws(RegistryError) {
        try grant.demand(.manage)
        let namespace = grant.target
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard let user = try db.user(name.description) else { return .failure(.unknownUser(name.description)) }
            let current = try db.role(of: user.id, in: namespace.id).flatMap(Role.init(rawValue:))
            guard mayOwn || (role != .owner && current != .owner) else { return .failure(.ownersAlone) }
            try db.setRole(role.rawValue, of: user.id, in: namespace.id)
            try db.removeInvitation(of: user.id, to: namespace.id)
            let owners = try db.count(role: Role.owner.rawValue, in: namespace.id)
            guard current != .owner || owners > 0 else {
                return .failure(.lastOwner(namespace.name))
            }
            try db.audit(
                AuditEntry(grant, "member.set", name.description, in: namespace.id, detail: role.name))
            return .success(())
        }
    }

    /// Takes a member out of an organization, with its place in teams. Throws `.accountUnknown`, `.denied`, `.lastOwner`.
    package func removeMember(_ name: AccountName, mayOwn: Bool, _ grant: NamespaceGrant) async throws(RegistryError) {
        try grant.demand(.manage)
        let namespace = grant.target
        try await store.transact { (db) throws(StoreError) -> Result<Void, Refusal> in
            try db.hold(grant)
            guard let user = try db.user(name.description),
                let current = try db.role(of: user.id, in: namespace.id).flatMap(Role.init(rawValue:)),
                try db.removeMember(user.id, from: namespace.id)
            else { return .failure(RegistryError(.accountUnknown, "\(name) is no member of \(namespace.name)")) }
            guard mayOwn || current != .owner else { return .failure(.ownersAlone) }
            let owners = try db.count(role: Role.owner.rawValue, in: namespace.id)
            guard current != .owner || owners > 0 else {
                return .failure(.lastOwner(namespace.name))
            }
            try db.audit(AuditEntry(grant, "member.remove", name.description, in: namespace.id))
            return .success(())
        }
    }
}

extension RegistryError {
    static func unknownOrganization(_ name: String) -> RegistryError {
        RegistryError(.accountUnknown, "there is no organization '\(name)'", detail: ["name": name])
    }

    static let ownersAlone = RegistryError(.denied, "only an owner makes or unmakes owners")

    fileprivate static func lastOwner(_ name: String) -> RegistryError {
        RegistryError(.lastOwner, "\(name) would have no owner: make another one first")
    }
}
