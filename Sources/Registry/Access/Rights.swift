/// Rights on a repository, as a set that fits a column.
package struct Rights: OptionSet, Hashable, Sendable {
    package let rawValue: Int64

    /// The set of these bits.
    package init(rawValue: Int64) { self.rawValue = rawValue }

    package static let pull = Rights(rawValue: 1)
    package static let push = Rights(rawValue: 2)
    package static let delete = Rights(rawValue: 4)
    /// To decide who may do what, and whether it is public.
    package static let administer = Rights(rawValue: 8)
    package static let all: Rights = [.pull, .push, .delete, .administer]

    /// With what each of them is of no use without: who may push or delete may pull, who administers may do all.
    package var complete: Rights {
        if contains(.administer) { return .all }
        return isEmpty ? self : union(.pull)
    }

    /// Whether one right is among them; those that are not a repository's never are.
    package func includes(_ right: Right) -> Bool {
        switch right {
        case .pull: contains(.pull)
        case .push: contains(.push)
        case .delete: contains(.delete)
        case .administer: contains(.administer)
        case .catalog, .base, .account, .create, .view, .manage, .own: false
        }
    }

    /// Their names, in the order of the API.
    package static let names: [(name: String, rights: Rights)] = [
        ("pull", .pull), ("push", .push), ("delete", .delete), ("admin", .administer),
    ]
}
