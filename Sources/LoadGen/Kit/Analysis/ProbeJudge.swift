/// Turns a probe's report into a verdict.
package struct ProbeJudge: Sendable {
    private let objective: Objective
    /// A rise of latency is carried on for so long.
    static let horizon = 120.0

    /// A judge of probes by `objective`.
    package init(objective: Objective) {
        self.objective = objective
    }

    /// Judges a report whose arrivals came at `rate`.
    package func judge(_ report: RunReport, rate: Double) -> ProbeResult {
        let verdicts = objective.judge(report)
        let isMet = verdicts.allSatisfy(\.isMet) && !report.isInterrupted
        let outcome: ProbeResult.Outcome
        if !isMet {
            outcome = report.missed > 0 && verdicts.allSatisfy({ $0.isMet }) ? .generator : .missed
        } else if isRising(report) {
            outcome = .rising
        } else if Double(report.arrivals.total) < 0.98 * Double(report.asked) || isBehind(report) {
            outcome = .generator
        } else {
            outcome = .passed
        }
        return ProbeResult(
            rate: rate, outcome: outcome, isPlain: isPlain(report, outcome, rate), throughput: throughput(report),
            confidence: confidence(report),
            summary: summary(report, verdicts), latency: verdicts.first { $0.condition.isOnLatency }?.value)
    }

    private func summary(_ report: RunReport, _ verdicts: [Objective.Verdict]) -> String {
        if report.arrivals.total == 0, report.asked > 0 {
            return "given up: none of \(report.asked) arrivals had ended"
        }
        return verdicts.map { "\($0.condition.description): \($0.text)" }.joined(separator: ", ")
    }

    /// A growing queue, a target that fell behind, or a middle of all latencies beyond the bound.
    private func isPlain(_ report: RunReport, _ outcome: ProbeResult.Outcome, _ rate: Double) -> Bool {
        if outcome == .rising || isRising(report) { return true }
        if let bound = latencyBound, Double(report.arrivals.latency.percentile(50)) > bound { return true }
        return throughput(report) < 0.9 * rate
    }

    /// So far behind its own schedule that the rate was not kept.
    private func isBehind(_ report: RunReport) -> Bool {
        guard let bound = latencyBound else { return false }
        return Double(report.lag.percentile(99)) > bound / 4
    }

    /// The tightest bound on latency, nanoseconds.
    private var latencyBound: Double? {
        objective.conditions.filter(\.isOnLatency).map(\.bound).min()
    }

    /// A queue that grows shows as latency rising steadily, long before a short probe misses its objective.
    private func isRising(_ report: RunReport) -> Bool {
        guard let bound = latencyBound else { return false }
        let medians = report.intervals.filter { !$0.latencies.isEmpty }.map { Double($0.histogram.percentile(50)) }
        let trend = Statistics.trend(medians)
        guard trend.z > 3, report.intervalSeconds > 0, let last = medians.last else { return false }
        return last + trend.slope / report.intervalSeconds * Self.horizon > bound
    }

    /// Answers a second between the first arrival and the last answer: less than the rate when a queue was left.
    private func throughput(_ report: RunReport) -> Double {
        guard report.seconds > 0 else { return 0 }
        let tail = Double(report.arrivals.latency.max) / 1e9
        return Double(report.arrivals.succeeded) / (report.seconds + tail)
    }

    /// Share of resampled runs that meet the objective's percentiles.
    private func confidence(_ report: RunReport) -> Double {
        let wanted = objective.conditions.compactMap { condition -> (Double, Double)? in
            guard condition.operation == nil, condition.isBelow, case .percentile(let percent) = condition.measure
            else {
                return nil
            }
            return (percent, condition.bound)
        }.sorted { $0.0 < $1.0 }
        let blocks = Blocks(report.intervals)
        guard !wanted.isEmpty, blocks.count >= 4 else { return objective.judge(report).allSatisfy(\.isMet) ? 1 : 0 }
        var random = SeededRandom(seed: 7)
        let draws = 400
        let met = (0..<draws).filter { _ in
            zip(blocks.resampled(wanted.map(\.0), &random), wanted).allSatisfy { $0 < $1.1 }
        }
        return Double(met.count) / Double(draws)
    }
}
