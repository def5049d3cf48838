/// What a run says of one requirement.
package enum Outcome: String, Codable, Sendable {
    case met
    case missed
    /// The generator's own share in the figures may be what decides it.
    case unknown = "cannot tell"

    /// For a line of its own in a terminal.
    package var word: String {
        switch self {
        case .met: "met"
        case .missed: "MISSED"
        case .unknown: "CANNOT TELL"
        }
    }
}

/// How one condition came out.
package struct Verdict: Equatable, Sendable {
    /// The condition judged.
    package let condition: Objective.Condition
    /// What was measured, in the unit of the bound; `nil` when there was nothing to measure.
    package let value: Double?
    /// What can be said of it.
    package let outcome: Outcome
    /// Why nothing can, where nothing can.
    package let reason: String?

    /// It holds.
    package var isMet: Bool { outcome == .met }

    /// The value for people.
    package var text: String {
        guard let value else { return "nothing measured" }
        switch condition.measure {
        case .percentile, .mean, .max: return value.isFinite ? Text.milliseconds(value / 1e6) : "never"
        case .errors: return Text.significant(value * 100) + " %"
        case .rate: return Text.significant(value) + "/s"
        }
    }
}

/// A verdict as a report holds it.
package struct VerdictReport: Codable, Equatable, Sendable {
    /// The condition as it was written.
    package let condition: String
    /// What can be said of it.
    package let verdict: Outcome
    /// For people.
    package let measured: String
    /// Why nothing can be said, where nothing can.
    package let reason: String?

    /// As it is written.
    package init(_ verdict: Verdict) {
        condition = verdict.condition.description
        self.verdict = verdict.outcome
        measured = verdict.text
        reason = verdict.reason
    }
}

extension Objective {
    /// Judges each condition against a report.
    ///
    /// What the generator itself did is in the figures: its lag is part of every latency, and what it could not send counts as
    /// failed. So a condition is judged twice, with all of that and with none of it: one that holds even with it is met, one that
    /// does not hold even without it is missed, and of the others the run cannot tell.
    package func judge(_ report: RunReport) -> [Verdict] {
        conditions.map { $0.judge(report) }
    }
}

/// A figure with the generator's share in it and without.
private struct Span {
    /// With all of it: the most that a latency or a share of failures can have been.
    let most: Double
    /// Without any.
    let least: Double
}

extension Objective.Condition {
    package func judge(_ report: RunReport) -> Verdict {
        let figures = report.figures(of: operation)
        guard let value = value(figures, report), let span = span(figures, report) else {
            // Nothing to hold against it. Where nothing was sent, nothing can be said; where all failed, it is missed.
            let isUnsent = figures.total == figures.failedHere
            return Verdict(
                condition: self, value: nil, outcome: isUnsent ? .unknown : .missed,
                reason: isUnsent ? "nothing was measured" : nil)
        }
        let holds = [holds(span.most), holds(span.least)]
        var outcome = holds[0] == holds[1] ? (holds[0] ? Outcome.met : .missed) : .unknown
        if report.isPartial { outcome = .unknown }
        return Verdict(
            condition: self, value: value, outcome: outcome,
            reason: outcome == .unknown ? reason(figures, report, span) : nil)
    }

    private func holds(_ value: Double) -> Bool {
        if value == bound { return isInclusive }
        return (value < bound) == isBelow
    }

    /// What is told.
    private func value(_ figures: FiguresReport, _ report: RunReport) -> Double? {
        switch measure {
        case .percentile(let percent):
            return figures.latency.count > 0 ? Double(figures.latency.percentile(percent)) : nil
        case .mean: return figures.latency.count > 0 ? figures.latency.mean : nil
        case .max: return figures.latency.count > 0 ? Double(figures.latency.max) : nil
        case .errors: return figures.total > 0 ? figures.errorShare : nil
        case .rate: return report.seconds > 0 ? Double(figures.succeeded) / report.seconds : nil
        }
    }

    private func span(_ figures: FiguresReport, _ report: RunReport) -> Span? {
        let own = figures.failedHere
        switch measure {
        case .percentile(let percent):
            return times(figures, report) { times, unsent, isMost in
                times.percentile(percent, unmeasured: unsent, isLongest: isMost)
            }
        case .mean:
            return times(figures, report) { times, unsent, isMost in
                guard unsent > 0 else { return times.mean }
                let count = Double(times.count)
                return isMost ? .infinity : times.mean * count / (count + Double(unsent))
            }
        case .max:
            return times(figures, report) { times, unsent, isMost in
                isMost && unsent > 0 ? .infinity : Double(times.max)
            }
        case .errors:
            guard figures.total > 0 else { return nil }
            let total = Double(figures.total)
            return Span(most: Double(figures.failed) / total, least: Double(figures.failed - own) / total)
        case .rate:
            guard report.seconds > 0 else { return nil }
            return Span(
                most: Double(figures.succeeded + own) / report.seconds,
                least: Double(figures.succeeded) / report.seconds)
        }
    }

    /// With the lag and the waits in them, and without; what was read late is not to be had without.
    private func times(
        _ figures: FiguresReport, _ report: RunReport, _ measure: (SparseHistogram, Int, Bool) -> Double
    ) -> Span? {
        guard figures.latency.count > 0 else { return nil }
        let unsent = figures.failedHere
        let isBlurred = report.isOpen && Validity.busy(report) != nil || Validity.waits(report)
        return Span(
            most: measure(figures.latency, unsent, true), least: isBlurred ? 0 : measure(figures.service, unsent, false)
        )
    }

    private func reason(_ figures: FiguresReport, _ report: RunReport, _ span: Span) -> String {
        if report.isPartial { return "the figures are of a part of the run only" }
        let own = figures.failedHere
        switch measure {
        case .errors, .rate: return "\(own) were never sent"
        case .percentile, .mean, .max:
            if own > 0 { return "\(own) were never sent" }
            if report.isOpen, let busy = Validity.busy(report) { return "an event loop was busy \(busy)" }
            if Validity.waits(report) { return "requests waited for a free connection: raise --max-connections" }
            return "without the generator's own lag it is \(Text.milliseconds(span.least / 1e6))"
        }
    }
}

extension SparseHistogram {
    /// The percentile of these values and `unmeasured` others, which were all longer than these, or all none at all.
    func percentile(_ percent: Double, unmeasured: Int, isLongest: Bool) -> Double {
        guard unmeasured > 0 else { return Double(percentile(percent)) }
        let (own, all) = (Double(count), Double(count) + Double(unmeasured))
        let rank = Swift.max(1, (all * percent / 100 - 1e-9).rounded(.up)) - (isLongest ? 0 : Double(unmeasured))
        if rank > own { return .infinity }
        return rank < 1 ? 0 : Double(percentile(rank / own * 100))
    }
}
