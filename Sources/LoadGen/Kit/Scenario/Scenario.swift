/// What the clients of a run do.
package struct Scenario: Equatable, Codable, Sendable {
    /// An action and how often it is drawn against the others.
    package struct Choice: Equatable, Codable, Sendable {
        /// What is done.
        package var action: Action
        /// Against the others', 0 or more.
        package var weight: Double

        /// An action with its weight.
        package init(action: Action, weight: Double) {
            self.action = action
            self.weight = weight
        }
    }

    /// The images that set-up makes and arrivals ask for, and those that arrivals push.
    package struct Images: Equatable, Codable, Sendable {
        /// Images that set-up pushes.
        package var count = 10
        /// Over which they are spread.
        package var repositories = 4
        /// Layers of an image.
        package var layers = 4
        /// Of layers.
        package var sizes = SizeDistribution.between(16_384, 4_194_304)
        /// No layer is larger, bytes.
        package var largest: Int?
        /// Share of its bytes that a compressor can remove.
        package var compressibility = 0.0
        /// Share of pushed bytes that the registry has already.
        package var dedupe = 0.0

        /// The defaults.
        package init() {}
    }

    /// Images that are there already, instead of ones that set-up pushes.
    package struct Existing: Equatable, Codable, Sendable {
        /// Name, without host.
        package var repository: String
        /// Tags or digests, at least one.
        package var references: [String]

        /// Images by their references.
        package init(repository: String, references: [String]) {
            self.repository = repository
            self.references = references
        }
    }

    /// As reports call it.
    package var name = ""
    /// What the names of repositories that are made begin with, where a registry gives no other: a user's name or an
    /// organization's.
    package var namespace: String?
    /// One line for people.
    package var about = ""
    /// What arrivals can be.
    package var choices: [Choice] = []
    /// What is made for them.
    package var images = Images()
    /// What is made through the management API; the defaults where arrivals ask it and nothing is said.
    package var accounts: Accounts?
    /// Or what is there already.
    package var existing: Existing?
    /// Zipf's exponent of the images asked for.
    package var zipf = 0.0
    /// Blobs of an arrival on their way at once.
    package var parallel = 3
    /// A connection a request, as most clients do.
    package var closesConnections = false
    /// Bodies are hashed and compared.
    package var verifies = true
    /// `GET /v2/` before each arrival, as clients do.
    package var pings = false
    /// Blobs are sent by POST and one PUT, as ctr does, rather than POST, PATCH, PUT.
    package var putsInOne = false
    /// Mean of the exponential pause between the steps of an arrival; left out of its latency.
    package var pause = Duration.zero
    /// Closed loop: between an answer and the next arrival.
    package var think = Duration.zero
    /// Where the command line names no rate.
    package var schedule: [Stage]?
    /// How arrivals lie within the rate.
    package var spacing: Schedule.Spacing?
    /// Stretches before and after the figures.
    package var warmUp: Duration?
    package var coolDown: Duration?

    /// A scenario that does nothing yet.
    package init() {}

    /// The first of the choices that lies at `share` (0 ..< 1) of the weights; `get` where there is none.
    func action(at share: Double) -> Action {
        var rest = share * choices.reduce(0) { $0 + $1.weight }
        for choice in choices {
            rest -= choice.weight
            if rest < 0 { return choice.action }
        }
        return choices.last { $0.weight > 0 }?.action ?? .client(.get)
    }

    /// Some arrival is a client that logs in.
    package var logsIn: Bool { uses { $0 == .client(.login) } }

    /// Some arrival asks the management API.
    package var managesAccounts: Bool { uses(\.managesAccounts) }

    /// Some arrival may need what `isWanted` says.
    package func uses(_ isWanted: (Action) -> Bool) -> Bool {
        choices.contains { $0.weight > 0 && isWanted($0.action) }
    }
}

/// A scenario that cannot be read. The message names file, line and key, and what would be accepted.
package struct ScenarioError: Error, Equatable, CustomStringConvertible {
    /// Where it stands, and what would do.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
