/// The name of a user, an organization, a team or a robot. Users' and organizations' names are one set: each is a namespace,
/// the first component of its repositories' names.
package struct AccountName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Most bytes of one.
    package static let maximumLength = 64
    /// What stands for something else in a path, in a name that is shown, or in another registry's habits.
    package static let reserved: Set<String> = [
        "anonymous", "api", "auth", "healthz", "me", "metrics", "openapi", "readyz", "robot", "self", "system", "team",
        "user", "v1", "v2",
    ]

    private let text: String

    /// Reads a name: what may be a component of a repository's name, of 1 to 64 bytes, and is not reserved.
    /// Throws `ParseError(.accountName)`.
    package static func parse(_ text: String) throws(ParseError) -> AccountName {
        guard (1...maximumLength).contains(text.utf8.count) else {
            throw ParseError(.accountName, "a name has 1 to \(maximumLength) characters")
        }
        guard !text.utf8.contains(UInt8(ascii: "/")), RepositoryName.isName(text.utf8) else {
            throw ParseError(
                .accountName,
                "'\(text.excerpt)' cannot be a name: use lower-case letters and digits, separated by '.', '_' or dashes"
            )
        }
        guard !reserved.contains(text) else { throw ParseError(.accountName, "the name '\(text)' is reserved") }
        return AccountName(text: text)
    }

    private init(text: String) { self.text = text }

    package static func < (a: AccountName, b: AccountName) -> Bool {
        a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }

    package var description: String { text }
}

/// The name that an account logs in with: a user's own, or `organization+robot`.
package enum LoginName: Hashable, Sendable, CustomStringConvertible {
    case user(AccountName)
    case robot(AccountName, of: AccountName)

    /// Reads a name. Throws `ParseError(.accountName)`.
    package static func parse(_ text: String) throws(ParseError) -> LoginName {
        let halves = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard halves.count == 2 else { return .user(try AccountName.parse(text)) }
        return .robot(try AccountName.parse(halves[1]), of: try AccountName.parse(halves[0]))
    }

    package var description: String {
        switch self {
        case .user(let name): name.description
        case .robot(let name, let organization): "\(organization)+\(name)"
        }
    }
}
