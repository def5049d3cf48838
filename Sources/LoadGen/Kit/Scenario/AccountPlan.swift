import Harness

/// The users and repositories that set-up makes through a registry's management API, and what arrivals ask for there.
/// Everything is derived from the seed.
package struct AccountPlan: Sendable {
    /// What names are made of, so that a search finds some of them.
    static let words = [
        "api", "batch", "cache", "docs", "edge", "front", "gate", "image", "jobs", "kernel", "load", "mail", "node",
        "orders", "proxy", "queue",
    ]

    /// How many there are; none where no arrival asks the API.
    let counts: Scenario.Accounts?
    /// What all names begin with, and the name of the organization that has the repositories.
    package let organization: String

    init(scenario: Scenario, seed: UInt64) {
        counts = scenario.managesAccounts ? scenario.accounts ?? Scenario.Accounts() : nil
        organization = "load-s" + Hex.text(withUnsafeBytes(of: seed.bigEndian) { Array($0.suffix(4)) })
    }

    /// The name of a user, `0 ..< users`.
    package func user(_ place: Int) -> String { "\(organization)-\(Self.word(place))-\(place)" }

    /// The name of a repository, `0 ..< repositories`.
    package func repository(_ place: Int) -> String {
        "\(organization)/\(Self.word(place))-\(Self.word(place / Self.words.count))-\(place)"
    }

    /// Names that an arrival asks for.
    struct Drawn {
        let organization: String
        let repository: String
        let user: String
        let word: String
    }

    /// Some of those that set-up made; `nil` where it made none.
    func draw(_ random: inout SeededRandom) -> Drawn? {
        guard let counts else { return nil }
        let repository = repository(Int.random(in: 0..<counts.repositories, using: &random))
        let user = user(Int.random(in: 0..<counts.users, using: &random))
        let word = Self.words.randomElement(using: &random) ?? ""
        return Drawn(organization: organization, repository: repository, user: user, word: word)
    }

    private static func word(_ place: Int) -> String { words[place % words.count] }

    /// What set-up makes, in the order of deletion: repositories go with their organization.
    var leftovers: [[Leftover]] {
        guard let counts else { return [] }
        let name = queryEscaped(organization)
        return [[.account("organizations/\(name)?confirm=\(name)")]]
            + (0..<counts.users).map { [.account("users/" + queryEscaped(user($0)))] }
    }
}

extension Scenario {
    /// What set-up makes through the management API.
    package struct Accounts: Equatable, Codable, Sendable {
        /// Users without repositories.
        package var users = 20
        /// Repositories of one organization.
        package var repositories = 200

        /// The defaults.
        package init() {}
    }
}

extension Scenario.Accounts: Bounded {
    var isWithinBounds: Bool {
        Scenario.Limits.users.contains(users) && Scenario.Limits.repositories.contains(repositories)
    }
}
