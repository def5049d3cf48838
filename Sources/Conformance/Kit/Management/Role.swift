/// Who the run plays, beside an organization of its own (issue 12 of the design: the tenant matrix; docs/roles.md).
package enum Role: String, Sendable, CaseIterable {
    /// No credentials at all.
    case anonymous
    /// A user who is in no organization.
    case outsider
    case reader
    case developer
    case maintainer
    case admin
    case owner
    /// A robot, developer in the organization, by a key that may pull from one repository.
    case robot
    /// The admin of another organization.
    case stranger = "other-admin"
    /// Of the whole registry.
    case administrator
}

/// What an operation asks of who uses it.
package enum Demand: Sendable {
    /// Nothing: it is there for who has no session yet.
    case nothing
    /// Any account.
    case account
    /// One's own key.
    case ownKey
    /// To administer the registry.
    case registry
    /// Of an organization: to see it, to manage it, to own it.
    case view, manage, own
    /// Of a repository.
    case pull, push, delete, administer
    /// To make a repository in the organization, by name in the body.
    case make
    /// To bring back a repository of the organization.
    case restore
}

/// Where an operation is tried.
package enum Site: String, Sendable, CaseIterable {
    /// In the organization in which the roles are.
    case own
    /// In another one.
    case foreign
    /// On what is not there: an organization of no such name, a repository that nobody made in the own organization.
    case absent = "non-existing"
}

/// The runner's own rules: who may do what, and how a refusal looks (docs/roles.md). Nothing here is read from a
/// registry.
package enum Rules {
    /// What a role gives: in each repository of the organization, and with the organization.
    static func rights(_ role: Role, _ site: Site) -> Set<Demand> {
        let inside: [Role: Set<Demand>] = [
            .reader: [.view, .pull],
            .developer: [.view, .pull, .push],
            .robot: [.view, .pull, .push],
            .maintainer: [.view, .pull, .push, .delete, .make],
            .admin: [.view, .pull, .push, .delete, .make, .administer, .manage, .restore],
            .owner: [.view, .pull, .push, .delete, .make, .administer, .manage, .restore, .own],
        ]
        switch (role, site) {
        case (.administrator, _): return inside[.owner]?.union([.registry]) ?? []
        case (.stranger, .foreign): return inside[.admin] ?? []
        case (_, .foreign): return []
        default: return inside[role] ?? []
        }
    }

    /// Whether the site of a demand is a repository: what is absent is one of the own organization then.
    static func isOfRepository(_ demand: Demand) -> Bool {
        [.pull, .push, .delete, .administer, .restore].contains(demand)
    }

    /// The status that an operation of this demand is answered with; `success` where it is done.
    package static func status(_ demand: Demand, _ role: Role, _ site: Site, success: Int) -> Int {
        if demand == .nothing { return success }
        if role == .anonymous { return 401 }
        let reads = [.pull, .view].contains(demand)
        var rights = rights(role, site)
        // Nobody but an administrator of the registry is anything in an organization that is not there.
        if site == .absent, !isOfRepository(demand), role != .administrator { rights = [] }
        // To push to what is not there is to make it.
        let wanted = site == .absent && demand == .push ? Demand.make : demand
        let may = [.account, .ownKey].contains(demand) || rights.contains(wanted)
        // What asks for an account, and finds out behind that what for, is in no scope of a key.
        if role == .robot, [.account, .ownKey, .make, .restore].contains(demand) { return 401 }
        guard may else { return reads ? 404 : 403 }
        // The robot's key bounds what its owner may: to pulls from one repository.
        if role == .robot, demand != .pull { return 401 }
        if demand == .ownKey { return site == .own ? success : 404 }
        return site == .absent && ![.account, .make].contains(demand) ? 404 : success
    }
}
