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
        let same = outcomes.values.filter { other in
            guard let silence = other.silence, other.check.id != outcome.check.id else { return false }
            if let kind = outcome.unanswered { return silence.isHang && silence.kind == kind }
            return silence == outcome.silence && (places[other.check.id] ?? .max) < place
        }
        let first = same.min { (places[$0.check.id] ?? .max) < (places[$1.check.id] ?? .max) }
        return first.map { culprit(of: $0, depth: depth + 1) ?? $0.check.id }
    }

    private func blocked(_ outcome: Outcome, by culprit: String) -> Outcome {
        var outcome = outcome
        (outcome.verdict, outcome.blocker) = (.blocked, culprit)
        outcome.reason = "blocked by \(culprit)" + (outcome.purpose.map { ", while preparing \($0)" } ?? "")
        outcome.script = nil
        return outcome
    }
}
