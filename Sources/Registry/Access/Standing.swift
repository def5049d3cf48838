import Model

/// What is known of a principal where it wants to do something: all that the rules look at, besides the target.
package struct Standing: Sendable, Hashable {
    /// Neither disabled nor deleted.
    package var isActive: Bool
    /// An administrator of the whole registry.
    package var isAdministrator: Bool
    /// Whether the namespace is the principal's own.
    package var isAtHome: Bool
    /// In the organization whose namespace it is.
    package var role: Role?
    /// What permissions on the repository, given to it or to its teams, come to.
    package var permitted: Rights

    /// A standing; by default an account's that has nothing here.
    package init(
        isActive: Bool = true, isAdministrator: Bool = false, isAtHome: Bool = false, role: Role? = nil,
        permitted: Rights = []
    ) {
        self.isActive = isActive
        self.isAdministrator = isAdministrator
        self.isAtHome = isAtHome
        self.role = role
        self.permitted = permitted
    }

    /// What it may do in a repository of that visibility.
    package func rights(_ visibility: Visibility) -> Rights {
        let open: Rights = visibility == .open ? .pull : []
        guard isActive else { return [] }
        if isAdministrator || isAtHome { return .all }
        return open.union(role?.rights ?? []).union(permitted.complete)
    }

    /// What each rule gives in a repository of that visibility; together they are `rights`. Permissions are told as one:
    /// whose they are is in their rows.
    package func reasons(_ visibility: Visibility) -> [(rule: Rule, rights: Rights)] {
        guard isActive else { return [] }
        var reasons: [(Rule, Rights)] = []
        if isAdministrator { reasons.append((.administrator, .all)) }
        if isAtHome { reasons.append((.owner, .all)) }
        if let role { reasons.append((.role(role), role.rights)) }
        if !permitted.isEmpty { reasons.append((.permission, permitted.complete)) }
        if visibility == .open { reasons.append((.open, .pull)) }
        return reasons
    }

    /// A rule by which somebody may do something in a repository.
    package enum Rule: Sendable, Hashable {
        case administrator
        /// Of the namespace.
        case owner
        case role(Role)
        case permission
        /// It is public.
        case open
    }

    /// What it may do with the namespace.
    package var duties: Duties {
        guard isActive else { return [] }
        return isAdministrator || isAtHome ? .all : role?.duties ?? []
    }
}

/// The counters of the rows that a decision was made by: while they stand so, it holds.
package struct AccessFence: Sendable, Hashable {
    package let principal: PrincipalID
    package let principalVersion: Int64
    package let namespace: NamespaceID
    package let accessVersion: Int64

    /// A fence at these versions.
    package init(_ principal: PrincipalID, _ principalVersion: Int64, _ namespace: NamespaceID, _ accessVersion: Int64)
    {
        self.principal = principal
        self.principalVersion = principalVersion
        self.namespace = namespace
        self.accessVersion = accessVersion
    }
}
