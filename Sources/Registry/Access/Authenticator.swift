import Model

/// What credentials prove. A class, as every request hands it on several times.
package final class Identity: Sendable {
    package let principal: Principal
    package let scope: TokenScope?
    package let credential: Credential

    /// Nobody in particular.
    package static let anonymous = Identity(.anonymous)

    /// An identity; `scope` nil for no bound.
    package init(_ principal: Principal, scope: TokenScope? = nil, credential: Credential = .none) {
        self.principal = principal
        self.scope = scope
        self.credential = credential
    }
}

/// An identity, for who keeps it: to be asked before every further use whether it still stands.
package struct Proof: Sendable {
    package let identity: Identity
    package let stands: @Sendable () -> Bool

    /// A proof that holds while `stands` says so.
    package init(_ identity: Identity, stands: @escaping @Sendable () -> Bool) {
        self.identity = identity
        self.stands = stands
    }
}

/// The credentials of a request, as they came.
package struct Presented: Sendable, Hashable {
    /// The value of `Authorization`.
    package let authorization: String?
    /// The value of `X-API-Key`.
    package let key: String?

    /// Credentials in these fields.
    package init(authorization: String?, key: String? = nil) {
        self.authorization = authorization
        self.key = key
    }

    package var isEmpty: Bool { authorization == nil && key == nil }
}

/// Where a request comes from: what the audit and the throttle say of it before anybody is known.
package struct Sender: Sendable {
    /// Address of the client, without port.
    package let address: String
    package let requestID: String

    /// The sender of a request.
    package init(address: String, requestID: String) {
        self.address = address
        self.requestID = requestID
    }
}

/// Finds out who sent a request.
package protocol Authenticator: Sendable {
    /// Who sent these credentials, where that is known without waiting; nil: ask `identify`.
    /// Throws `.credentialsInvalid` for those that are known to be wrong.
    func atOnce(_ presented: @autoclosure () -> Presented) throws(RegistryError) -> Proof?
    /// Who sent these credentials. Throws `.credentialsInvalid`, `.tooManyRequests`.
    func identify(_ presented: Presented, from sender: Sender) async throws(RegistryError) -> Identity
}

/// Everybody is one principal, whatever they send.
package struct FixedAuthenticator: Authenticator {
    private let proof: Proof

    /// What `aerugo serve --open` runs.
    package static let open = FixedAuthenticator(.anonymous)
    /// For what only who runs the machine can reach.
    package static let system = FixedAuthenticator(.system)

    private init(_ principal: Principal) { proof = Proof(Identity(principal)) { true } }

    package func atOnce(_ presented: @autoclosure () -> Presented) -> Proof? { proof }
    package func identify(_ presented: Presented, from sender: Sender) async -> Identity { proof.identity }
}
