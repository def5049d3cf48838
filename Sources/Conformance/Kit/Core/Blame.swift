/// Decides whose failure a failure is, when all checks have run: what a check leans on is not its question.
struct Blame {
    /// What came of each check at first, by id.
    let outcomes: [String: Outcome]
    /// Where each check stands in the catalog: the first of several that show the same is the one that tells it.
    let places: [String: Int]

    /// Whether other checks may have to do with an outcome: it is to be decided after they have run.
    static func isOpen(_ outcome: Outcome) -> Bool {
        guard [.fail, .warn].contains(outcome.verdict) || outcome.unanswered != nil else { return false }
        return outcome.purpose != nil || outcome.unanswered != nil || outcome.silence != nil
            || !owners(of: outcome).isEmpty
    }

    /// The checks whose question it is what failed, but for the check itself and those that come behind it.
    static func owners(of outcome: Outcome) -> [String] {
        let owners = outcome.owners.isEmpty ? outcome.step?.owners ?? [] : outcome.owners
        return Array(owners.prefix { $0 != outcome.check.id })
    }

    /// The outcome, blocked where the failure is another check's.
    func decided(_ outcome: Outcome) -> Outcome {
        guard Blame.isOpen(outcome) else { return outcome }
        if let culprit = culprit(of: outcome, depth: 0) { return blocked(outcome, by: culprit) }
        var outcome = outcome
        if outcome.unanswered != nil { return outcome }
        let passed = Blame.owners(of: outcome).filter { outcomes[$0]?.verdict == .pass }
        if let purpose = outcome.purpose {
            outcome.reason =
                "while preparing \(purpose)"
                + (passed.isEmpty ? "" : ", although \(passed.joined(separator: ", ")) passed")
        }
        return outcome
    }

    private func culprit(of outcome: Outcome, depth: Int) -> String? {
        guard depth < 8 else { return nil }
        let isNamed = !outcome.owners.isEmpty
        for id in Blame.owners(of: outcome) {
            guard let other = outcomes[id], [.fail, .warn].contains(other.verdict),
                isNamed || other.step.map({ outcome.step?.includes($0) == true }) == true
            else { continue }
            return culprit(of: other, depth: depth + 1) ?? id
        }
        // Whose question it is is nobody's victim.
        if outcome.step?.owners.contains(outcome.check.id) == true { return nil }
        let place = places[outcome.check.id] ?? .max
        let others = outcomes.values.filter { $0.silence != nil && $0.check.id != outcome.check.id }
        let first: Outcome?
        if let kind = outcome.unanswered {
            first = hanging(others, like: kind)
        } else {
            first = earliest(others.filter { $0.silence == outcome.silence && (places[$0.check.id] ?? .max) < place })
        }
        return first.map { culprit(of: $0, depth: depth + 1) ?? $0.check.id }
    }

    private func earliest(_ outcomes: [Outcome]) -> Outcome? {
        outcomes.min { (places[$0.check.id] ?? .max) < (places[$1.check.id] ?? .max) }
    }

    /// What hung and is most like a kind of request that was not sent: the same, of its method and endpoint, of one of
    /// them, or any.
    private func hanging(_ others: [Outcome], like kind: String) -> Outcome? {
        let (method, endpoint) = HangBook.parts(kind)
        let hangs = others.filter { $0.silence?.isHang == true }
        func first(_ fits: (String) -> Bool) -> Outcome? {
            earliest(hangs.filter { $0.silence.map { fits($0.kind) } ?? false })
        }
        return first { $0 == kind } ?? first { HangBook.parts($0) == (method, endpoint) }
            ?? first { HangBook.parts($0).0 == method || HangBook.parts($0).1 == endpoint } ?? earliest(hangs)
    }

    private func blocked(_ outcome: Outcome, by culprit: String) -> Outcome {
        var outcome = outcome
        (outcome.verdict, outcome.blocker) = (.blocked, culprit)
        outcome.reason = "blocked by \(culprit)" + (outcome.purpose.map { ", while preparing \($0)" } ?? "")
        outcome.script = nil
        return outcome
    }
}
