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
    /// The body has this sha256 digest.
    case bodyDigest(String)
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

    /// A failure that an exchange shows.
    package init(expected: String, got: String, exchange: Int? = nil, assertion: Assertion = .described) {
        (self.expected, self.got) = (expected, got)
        (self.exchange, self.assertion) = (exchange, assertion)
    }
}

/// What a check needs before it can ask its own question did not work: it weighs as much as the check.
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
