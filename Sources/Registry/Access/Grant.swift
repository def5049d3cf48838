import Model

/// What a principal may be allowed on a repository or on the registry.
package enum Right: Sendable, Hashable, CaseIterable {
    case pull, push, delete, administer
    /// To see the list of repositories.
    case catalog
    /// To use the API at all.
    case base
    /// To make repositories in a namespace, to see it, to change who belongs to it, to own it.
    case create, view, manage, own
    /// To use one's own account: its password, its keys. No token and no key of a narrow scope reaches that.
    case account
}

/// The registry as a whole.
package struct WholeRegistry: Sendable {}

/// A repository that is not there yet.
package struct NewRepository: Sendable {
    package let name: RepositoryName
}

/// The proof that a caller may do something, and to what. Only an `Authorizer` makes one; a use case takes it and nothing
/// else that says who asks or where, so that it cannot be called by who forgot to ask.
package struct Grant<Target: Sendable>: Sendable {
    package let caller: Caller
    package let right: Right
    package let target: Target
    /// What the decision rests on: a change is asked again, in its own transaction, whether that still stands.
    package let fence: AccessFence?

    init(_ caller: Caller, _ right: Right, _ target: Target, _ fence: AccessFence?) {
        self.caller = caller
        self.right = right
        self.target = target
        self.fence = fence
    }

    /// Throws unless the grant is for this right: a handler and its use case that disagree are a fault of ours.
    package func demand(_ wanted: Right) throws(RegistryError) {
        guard right == wanted else {
            throw RegistryError(.internalError, "the request was not authorized", cause: "\(right), not \(wanted)")
        }
    }
}

package typealias RegistryGrant = Grant<WholeRegistry>
package typealias RepositoryGrant = Grant<Repository>
package typealias NamespaceGrant = Grant<Namespace>
