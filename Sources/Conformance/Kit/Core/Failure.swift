/// What a script can test to show a failure again.
package enum Assertion: Sendable, Equatable {
    /// The status is one of these.
    case status([Int])
    /// The header is there.
    case headerPresent(String)
    /// The header is there with this value.
    case header(String, String)
    /// The header is not there.
    case headerAbsent(String)
    /// The header is there and well formed.
    case headerForm(String)
    /// Not both of these headers are there.
    case notBoth(String, String)
    /// The header stands on one line.
    case headerOnce(String)
    /// The body has this sha256 digest.
    case bodyDigest(String)
    /// The body is a document of the form that it should have.
    case form
    /// The body does not hold this text.
    case bodyLacks(String)
    /// The body holds this text.
    case bodyHolds(String)
    /// The body is another than the one that was seen.
    case same
    /// Only a person can see it.
    case described
}

/// The registry did not do what a check expects. Whether that is a failure or a warning is the check's level's say.
package struct CheckFailure: Error, Sendable {
    /// What was expected.
    package let expected: String
    /// What came.
    package let got: String
    /// The exchange that shows it, counted from 1.
    package let exchange: Int?
    /// What a script can test.
    package let assertion: Assertion
    /// The checks whose question this is, in the order in which they are asked; empty where it is the check's own, or
    /// where the exchange tells.
    package let owners: [String]
    /// How often the rounds of a race showed it; nil for what is no race.
    package var odds: Odds?

    /// A failure that an exchange shows.
    package init(
        expected: String, got: String, exchange: Int? = nil, assertion: Assertion = .described, owners: [String] = []
    ) {
        (self.expected, self.got) = (expected, got)
        (self.exchange, self.assertion, self.owners) = (exchange, assertion, owners)
    }

    /// The same failure, told to be one of what these checks ask; `form` says which of several forms showed it.
    package func told(of owners: [String] = [], form: String = "") -> CheckFailure {
        var told = CheckFailure(
            expected: form.isEmpty ? expected : "\(form): \(expected)", got: got, exchange: exchange,
            assertion: assertion, owners: self.owners.isEmpty ? owners : self.owners)
        told.odds = odds
        return told
    }
}

/// What a check needs before it can ask its own question did not work: the check is blocked by the one whose question
/// that is. Where that one passed it is this check's failure, and weighs as much as the check.
package struct SetupFailure: Error, Sendable {
    /// What was being prepared.
    package let purpose: String
    /// What went wrong.
    package let failure: CheckFailure
}

/// The check does not apply, for the reason given.
package struct Skip: Error, Sendable {
    /// Why, in words for a person.
    package let reason: String

    /// Skips the check.
    package init(_ reason: String) {
        self.reason = reason
    }
}

/// The run was interrupted: checks stop at their next request.
package struct Interrupted: Error, Sendable {}

/// The runner itself, or its surroundings, failed.
package struct RunnerFailure: Error, Sendable, CustomStringConvertible {
    /// What happened.
    package let description: String

    /// Tells what happened.
    package init(_ description: String) {
        self.description = description
    }
}
