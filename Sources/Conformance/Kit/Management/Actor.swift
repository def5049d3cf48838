/// Somebody who asks the management API for something, as checks, reports and scripts name them.
package struct Actor: Sendable, Equatable {
    /// How somebody proves who they are.
    package enum Login: Sendable, Equatable {
        /// Not at all.
        case nobody
        /// As the administrator whom the run was given.
        case administrator
        /// By a user name and the password of all accounts that the run made.
        case password(String)
        /// By a user name and another secret.
        case secret(String, String)
        /// By a bearer token.
        case bearer(String)
    }

    /// What reports call it.
    package let name: String
    /// How it proves who it is.
    package let login: Login

    /// Somebody.
    package init(_ name: String, _ login: Login) {
        self.name = name
        self.login = login
    }

    /// Without credentials.
    package static let nobody = Actor("anonymous", .nobody)
    /// Whom the run was given.
    package static let administrator = Actor("administrator", .administrator)

    /// A user that the run made.
    package static func user(_ name: String) -> Actor { Actor(name, .password(name)) }

    /// An account by one of its API keys.
    package static func key(of account: String, _ secret: String) -> Actor {
        Actor("\(account) by a key", .secret(account, secret))
    }

    /// The value of its `Authorization` header; nil for nobody.
    func authorization(_ management: ManagementRun) -> String? {
        func basic(_ user: String, _ secret: String) -> String? {
            Identity(name: user, proof: .password(user: user, password: secret)).basic
        }
        switch login {
        case .nobody: return nil
        case .administrator: return management.administrator.basic
        case .password(let user): return basic(user, management.password)
        case .secret(let user, let secret): return basic(user, secret)
        case .bearer(let token): return "Bearer \(token)"
        }
    }
}

/// A value of a request that an earlier answer gave, or that is a secret of the run: a script takes it from where it is.
package struct Borrowed: Sendable, Hashable {
    /// The value, never written.
    let value: String
    /// The exchange that gave it; 0 for the password of the accounts that the run made.
    let exchange: Int
    /// The member of its body.
    let member: String
}
