import Model

/// Who asks.
package enum Principal: Hashable, Sendable {
    /// Anybody.
    case anonymous
    /// Who runs the machine: the command line on it, and the registry's own work.
    case system
    case user(PrincipalID)
    /// A service account of an organization.
    case robot(PrincipalID)

    /// The key that rows have for it.
    package var id: PrincipalID {
        switch self {
        case .anonymous: PrincipalID(0)
        case .system: PrincipalID(1)
        case .user(let id), .robot(let id): id
        }
    }

    /// The key of its row; nil for those that have none.
    package var account: PrincipalID? {
        switch self {
        case .anonymous, .system: nil
        case .user(let id), .robot(let id): id
        }
    }
}

/// What proved who somebody is. What came of a credential ends with it.
package enum Credential: Hashable, Sendable {
    /// Nothing: anybody, or the system.
    case none
    /// The password that has counted since then, in milliseconds since 1970.
    case password(since: Int64)
    case apiKey(KeyID)
    /// A login that is kept: a refresh token's.
    case login(LoginID)

    /// As tokens and the audit have it: `password:1700000000000`, `key:7`, `login:7`, or nothing.
    package var text: String {
        switch self {
        case .none: ""
        case .password(let since): "password:\(since)"
        case .apiKey(let id): "key:\(id)"
        case .login(let id): "login:\(id)"
        }
    }

    /// Reads what `text` wrote; nil for anything else.
    package init?(_ text: some StringProtocol) {
        guard !text.isEmpty else {
            self = .none
            return
        }
        let halves = text.split(separator: ":", omittingEmptySubsequences: false)
        guard halves.count == 2, let number = Int64(halves[1]) else { return nil }
        switch halves[0] {
        case "password": self = .password(since: number)
        case "key": self = .apiKey(KeyID(number))
        case "login": self = .login(LoginID(number))
        default: return nil
        }
    }
}
