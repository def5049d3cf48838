/// Turns a probe's report into a verdict.
package struct ProbeJudge: Sendable {
    private let objective: Objective
    private let timeout: Double
    /// A rise of latency is carried on for so long.
    static let horizon = 120.0

    /// A judge of probes by `objective`.
    ///
    /// - Parameter timeout: of a request: what latency must not grow to where the objective has no word on latency.
    package init(objective: Objective, timeout: Duration = .seconds(30)) {
        self.objective = objective
        self.timeout = Double(timeout.nanoseconds)
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

    /// A queue that grew beyond doubt, a target that fell behind, or a middle of all latencies beyond the bound.
    private func isPlain(_ report: RunReport, _ outcome: ProbeResult.Outcome, _ rate: Double) -> Bool {
        if isRising(report, steadily: true) { return true }
        let middle = Double(report.arrivals.latency.percentile(50))
        if bounds(report, now: middle).contains(where: { $0.value > $0.bound }) { return true }
        return throughput(report) < 0.9 * rate
    }

    /// So far behind its own schedule that the rate was not kept.
    private func isBehind(_ report: RunReport) -> Bool {
        guard let bound = latencyBound else { return false }
        return Double(report.lag.percentile(99)) > bound / 4
    }

    /// The tightest bound on latency, nanoseconds.
    private var latencyBound: Double? {
        objective.conditions.filter(\.isBoundOnLatency).map(\.bound).min()
    }

    /// Bounds that latency must keep, each with what stands against it now: of whole arrivals, or of an operation.
    private func bounds(_ report: RunReport, now: Double) -> [(value: Double, bound: Double)] {
        let found = objective.conditions.filter(\.isBoundOnLatency).map { condition in
            let own = condition.operation.map { Double(report.operations[$0]?.latency.percentile(50) ?? 0) }
            return (own ?? now, condition.bound)
        }
        return found.isEmpty ? [(now, timeout)] : found
    }

    /// A queue that grows shows as latency rising, long before a short probe misses its objective. A stall near the end
    /// looks alike; only what rises `steadily` cannot be one.
    private func isRising(_ report: RunReport, steadily: Bool = false) -> Bool {
        let medians = report.intervals.filter { !$0.latencies.isEmpty }.map { Double($0.histogram.percentile(50)) }
        let trend = Statistics.trend(medians)
        guard trend.z > 3, !steadily || trend.tau > 0.7, report.intervalSeconds > 0 else { return false }
        let now = Statistics.quantile(medians.suffix(max(3, medians.count / 4)).sorted(), 0.5)
        let growth = trend.slope / report.intervalSeconds * Self.horizon
        return bounds(report, now: now).contains { $0.value + growth > $0.bound }
    }

    /// Answers a second between the first answer and the last: less than the rate when a queue was left. What the first
    /// one waited for was the queue of the warm-up.
    private func throughput(_ report: RunReport) -> Double {
        let latencies = report.arrivals.latency
        let span = report.seconds + Double(latencies.max - latencies.min) / 1e9
        return span > 0 ? Double(report.arrivals.succeeded) / span : 0
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
