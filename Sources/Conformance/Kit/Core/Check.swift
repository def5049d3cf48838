/// How much a specification asks for something (RFC 2119).
package enum Level: String, Sendable, CaseIterable, Comparable {
    /// An absolute requirement: missing it is a failure.
    case must = "MUST"
    /// A recommendation: missing it is a warning.
    case should = "SHOULD"
    /// An optional feature: skipped where it is not offered, held to its rules where it is.
    case may = "MAY"

    private var rank: Int {
        switch self {
        case .must: 0
        case .should: 1
        case .may: 2
        }
    }

    /// The stricter level is the lesser.
    package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
}

/// What came out of a check.
package enum Verdict: String, Sendable, CaseIterable {
    /// The registry did what is asked.
    case pass
    /// The registry broke a requirement.
    case fail
    /// The registry missed a recommendation.
    case warn
    /// It could not ask its question: what it leans on is broken, and that is another check's failure.
    case blocked
    /// Not applicable: the registry says that it lacks an optional feature, or the run has no means to try it.
    case skip
    /// The runner or the network failed: nothing is known about the registry.
    case error
}

/// What a check needs from a run; a check whose need is not met is skipped with the reason.
package enum Need: Sendable, Hashable {
    /// Pushes are accepted.
    case push
    /// Credentials were given, whether the registry asks for any or not.
    case identity
    /// A registry that asks for credentials, and credentials that it takes.
    case credentials
    /// A second identity that may not read what the first one pushed.
    case secondIdentity
    /// `--large`.
    case large
    /// `--read-only`: the tag and digest that were given.
    case given
    /// `--nodes`: a registry with several.
    case nodes
    /// `--management`, and an API that the runner can drive.
    case management
    /// Nothing else may be running: load and timing would disturb other checks.
    case alone
}

/// One case: what is asked, by which sentence, and how it is tried.
package struct Check: Sendable {
    /// How a check is carried out.
    package enum Body: Sendable {
        /// By requests of its own.
        case probe(@Sendable (Probe) throws -> Void)
        /// By looking at every exchange of the whole run: nil when all is well with it.
        case standing(@Sendable (Exchange) -> Standing?)
        /// By the games of the run: the rule that each step of them is held to.
        case played(PlayRule)
    }

    /// What a standing check has to say of one exchange.
    package enum Standing: Sendable, Equatable {
        /// The rule applied and was kept.
        case kept
        /// The rule was broken: what was expected, what came, and what a script can test.
        case broken(expected: String, got: String, _ assertion: Assertion = .described)
    }

    /// The id that stays: area, endpoint, case.
    package let id: String
    /// How much is asked.
    package let level: Level
    /// Document and section, such as `distribution-spec: Pulling blobs`.
    package let section: String
    /// What is asked, in a sentence of ours.
    package let gist: String
    /// Whether a sentence that it tries is an absolute requirement: of an optional feature, that is what a registry
    /// which offers it can break.
    package var isBinding: Bool { statements.contains { SpecStatement.byID[$0]?.isAbsolute == true } }
    /// Whether no document demands what it asks.
    package var isOpinion: Bool { statements.contains("opinion") }
    /// Ids of the statements, of the distribution-spec and of RFCs, that it tries.
    package let statements: [String]
    /// What it needs from a run.
    package let needs: Set<Need>
    /// How it is carried out.
    package let body: Body

    /// A check by requests of its own.
    package init(
        _ id: String, _ level: Level, _ section: String, _ gist: String, _ statements: [String] = [],
        needs: Set<Need> = [.push], run: @escaping @Sendable (Probe) throws -> Void
    ) {
        (self.id, self.level, self.section, self.gist) = (id, level, section, gist)
        (self.statements, self.needs, body) = (statements, needs, .probe(run))
    }

    /// A check over every exchange of the run.
    package init(
        standing id: String, _ level: Level, _ section: String, _ gist: String, _ statements: [String] = [],
        judge: @escaping @Sendable (Exchange) -> Standing?
    ) {
        (self.id, self.level, self.section, self.gist) = (id, level, section, gist)
        (self.statements, needs, body) = (statements, [], .standing(judge))
    }

    /// A check over every game of the run.
    package init(played rule: PlayRule) {
        (id, level, section, gist) = (rule.id, rule.level, rule.section, rule.gist)
        (statements, needs, body) = (rule.statements, [.push], .played(rule))
    }
}

/// Checks that belong together: a section of the progress and of the reports.
package struct CheckGroup: Sendable {
    /// The heading.
    package let title: String
    /// Its checks, in order.
    package let checks: [Check]

    /// Names a list of checks.
    package init(_ title: String, _ checks: [Check]) {
        self.title = title
        self.checks = checks
    }
}

/// What is known of one check after the run.
package struct Outcome: Sendable {
    /// The check.
    package let check: Check
    /// The heading under which it stands.
    package let group: String
    /// What came out.
    package var verdict: Verdict
    /// Why it is not a pass: the reason of a skip or an error, the place of a failure, the check that blocks this one.
    /// Empty for a pass.
    package var reason: String
    /// What was expected, of a failure or warning.
    package let expected: String
    /// What came, of a failure or warning.
    package let got: String
    /// The number of the exchange that shows it, counted from 1.
    package let exchange: Int?
    /// All exchanges; kept for failures, warnings and errors, and while tracing.
    package let exchanges: [Exchange]
    /// A script that does it again; nil for a pass or skip.
    package var script: String?
    /// How long it took.
    package let duration: Duration
    /// The check whose failure this is, of a check that is blocked.
    package var blocker: String?
    /// The exchange that shows it in a line, with what tells it from others: which form of several it was.
    package var shown = ""
    /// How often the rounds of a race showed it; nil for what is no race.
    package var odds: Odds?
    /// What failed, as a step that other checks take as well.
    var step: Step?
    /// The checks whose question it is what failed, where the check names them itself.
    var owners: [String] = []
    /// The kind of request that got no whole answer, and how that showed.
    var silence: Silence?
    /// The kind of request that was not sent because others of its kind hung.
    var unanswered: String?
    /// What was being prepared when it failed; nil when it was the check's own question.
    var purpose: String?
}
