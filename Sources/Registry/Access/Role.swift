/// What somebody is in an organization. The table of what each may do is `rights` and `duties`, and no other place.
package enum Role: Int64, Sendable, Hashable, CaseIterable {
    case reader = 1
    case developer = 2
    case maintainer = 3
    case admin = 4
    case owner = 5

    /// As the API has it.
    package var name: String {
        switch self {
        case .reader: "reader"
        case .developer: "developer"
        case .maintainer: "maintainer"
        case .admin: "admin"
        case .owner: "owner"
        }
    }

    /// The role of a name of the API; nil when there is none.
    package init?(name: String) {
        guard let role = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = role
    }

    /// What it may do in every repository of the organization.
    package var rights: Rights {
        switch self {
        case .reader: [.pull]
        case .developer: [.pull, .push]
        case .maintainer: [.pull, .push, .delete]
        case .admin, .owner: .all
        }
    }

    /// What it may do with the organization itself.
    package var duties: Duties {
        switch self {
        case .reader, .developer: [.view]
        case .maintainer: [.view, .create]
        case .admin: [.view, .create, .manage]
        case .owner: [.view, .create, .manage, .own]
        }
    }
}

/// What one may do with a namespace as a whole.
package struct Duties: OptionSet, Hashable, Sendable {
    package let rawValue: Int64

    /// The set of these bits.
    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// To see it, its members and its teams.
    package static let view = Duties(rawValue: 1)
    /// To make repositories, by pushing to them.
    package static let create = Duties(rawValue: 2)
    /// To change members (but owners), teams and robots.
    package static let manage = Duties(rawValue: 4)
    /// To make and unmake owners, and to delete it.
    package static let own = Duties(rawValue: 8)
    package static let all: Duties = [.view, .create, .manage, .own]

    /// Whether one right is among them; those that are not a namespace's never are.
    package func includes(_ right: Right) -> Bool {
        switch right {
        case .view: contains(.view)
        case .create: contains(.create)
        case .manage: contains(.manage)
        case .own: contains(.own)
        case .pull, .push, .delete, .administer, .catalog, .base, .account: false
        }
    }
}
