/// Turns a probe's report into a verdict, and says how long a probe must be to be one.
package struct ProbeJudge: Sendable {
    private let objective: Objective
    private let timeout: Double
    /// A rise of latency is carried on for so long.
    static let horizon = 120.0
    /// So many arrivals beyond a percentile make it one.
    private static let leastBeyond = 10.0
    /// At a rate that is too high by one in so many, a queue takes this many times the bound on latency to reach the bound.
    private static let patience = 150.0
    /// No probe is longer.
    package static let longest = Duration.seconds(600)

    /// A judge of probes by `objective`.
    ///
    /// - Parameter timeout: of a request: what latency must not grow to where the objective has no word on latency.
    package init(objective: Objective, timeout: Duration = .seconds(30)) {
        self.objective = objective
        self.timeout = Double(timeout.nanoseconds)
    }

    /// Arrivals without which a probe says nothing of the objective: ten beyond a percentile, one failure of the share allowed.
    package var leastArrivals: Double {
        objective.conditions.map { condition in
            switch condition.measure {
            case .percentile(let percent): percent < 100 ? Self.leastBeyond / (1 - percent / 100) : 100
            case .errors: condition.bound > 0 ? 1 / condition.bound : 100
            case .mean, .max, .rate: 100
            }
        }.max() ?? 100
    }

    /// The lowest rate that a probe of at most ``longest`` can tell about, arrivals a second.
    package var leastRate: Double { leastArrivals / Self.longest.inSeconds }

    /// How long a probe at `rate` must be.
    ///
    /// - Parameters:
    ///   - wanted: the least that the user wants.
    ///   - isFine: the answer is drawn from it: it is half as long again, and a queue must have the time to show that the rate is a
    ///     little too high.
    package func length(at rate: Double, wanted: Duration, isFine: Bool) -> Duration {
        let bounds = objective.conditions.filter(\.isBoundOnLatency).map(\.bound)
        let patience = isFine ? (bounds.min() ?? 0) / 1e9 * Self.patience : 0
        let seconds = max(
            wanted.inSeconds * (isFine ? 1.5 : 1), (leastArrivals / max(rate, 1e-9)).rounded(.up), patience)
        return seconds < Self.longest.inSeconds ? .nanoseconds(Int64(seconds * 1e9)) : Self.longest
    }

    /// Judges a report whose search wanted arrivals at `wanted`.
    package func judge(_ report: RunReport, wanted: Double, isFine: Bool = true) -> ProbeResult {
        let verdicts = objective.judge(report)
        let isRising = isRising(report)
        let outcome: ProbeResult.Outcome
        if report.isInterrupted {
            outcome = isBehind(report) ? .generator : .missed
        } else if verdicts.contains(where: { $0.outcome == .missed }) {
            outcome = .missed
        } else if !verdicts.allSatisfy(\.isMet) {
            outcome = .generator
        } else {
            outcome = isRising ? .rising : .passed
        }
        let evidence =
            zip(objective.conditions, verdicts).map { self.evidence($0, $1, report) }
            + [Self.evidence(isBroken: isRising || outcome == .generator)]
        let cpu = report.samples.filter { $0.at >= 0 && $0.at <= report.seconds + 1 }.map(\.cpu)
        return ProbeResult(
            rate: report.rateAsked > 0 ? report.rateAsked : wanted, wanted: wanted, arrivals: report.asked,
            isFine: isFine,
            outcome: outcome, evidence: evidence, throughput: throughput(report), summary: summary(report, verdicts),
            latency: verdicts.first { $0.condition.isOnLatency }?.value,
            targetCPU: cpu.isEmpty ? nil : cpu.reduce(0, +) / Double(cpu.count))
    }

    private static func evidence(isBroken: Bool) -> Evidence {
        Evidence(bad: isBroken ? 1 : 0, total: 1, allowed: 0.5)
    }

    private func evidence(_ condition: Objective.Condition, _ verdict: Verdict, _ report: RunReport) -> Evidence {
        let figures = report.figures(of: condition.operation)
        switch condition.measure {
        case .percentile(let percent) where condition.isBelow && percent < 100:
            let total = Double(figures.latency.count)
            // What was given up as hopeless has not seen its worst yet.
            let bad = report.isInterrupted ? total : total - figures.latency.count(below: condition.bound)
            return Evidence(
                bad: bad, total: total, allowed: 1 - percent / 100, clump: clump(report.intervals, condition.bound))
        case .errors where condition.isBelow && condition.bound > 0:
            return Evidence(bad: Double(figures.failed), total: Double(figures.total), allowed: condition.bound)
        case .percentile, .errors, .mean, .max, .rate:
            return Self.evidence(isBroken: verdict.outcome != .met)
        }
    }

    /// How much more the counts of stretches differ than those of independent arrivals would, at the length of stretch where it
    /// is most.
    private func clump(_ intervals: [Interval], _ bound: Double) -> Double {
        var counts = intervals.map { interval in
            Double(interval.histogram.count) - interval.histogram.count(below: bound)
        }
        var most = 1.0
        while counts.count >= 6 {
            let mean = counts.reduce(0, +) / Double(counts.count)
            if mean > 0 {
                let variance = counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(counts.count - 1)
                most = max(most, variance / mean)
            }
            counts = stride(from: 0, to: counts.count - 1, by: 2).map { counts[$0] + counts[$0 + 1] }
        }
        return most
    }

    private func summary(_ report: RunReport, _ verdicts: [Verdict]) -> String {
        if report.arrivals.total == report.arrivals.failedHere, report.asked > 0 {
            return "given up: none of \(report.asked) arrivals had ended"
        }
        return verdicts.map { "\($0.condition.description): \($0.text)" }.joined(separator: ", ")
    }

    /// So far behind its own schedule that the rate was not kept.
    private func isBehind(_ report: RunReport) -> Bool {
        let bound = objective.conditions.filter(\.isBoundOnLatency).map(\.bound).min() ?? timeout
        return Double(report.lag.percentile(99)) > bound / 4
    }

    /// Bounds that latency must keep, each with what stands against it now: of whole arrivals, or of an operation.
    private func bounds(_ report: RunReport, now: Double) -> [(value: Double, bound: Double)] {
        let found = objective.conditions.filter(\.isBoundOnLatency).map { condition in
            let own = condition.operation.map { Double(report.figures(of: $0).latency.percentile(50)) }
            return (own ?? now, condition.bound)
        }
        return found.isEmpty ? [(now, timeout)] : found
    }

    /// A queue that grows shows as latency rising, long before a short probe misses its objective. A queue's steps are those of
    /// a walk, so that its rise is held against the size of its steps: a stall is one large step, and chance a few small ones.
    private func isRising(_ report: RunReport) -> Bool {
        let medians = report.intervals.filter { !$0.latencies.isEmpty }.map { Double($0.histogram.percentile(50)) }
        let width = max(1, medians.count / 12)
        let levels = stride(from: 0, to: medians.count - width + 1, by: width).map { start in
            Statistics.quantile(medians[start..<(start + width)].sorted(), 0.5)
        }
        guard levels.count >= 6, report.intervalSeconds > 0, let first = levels.first, let last = levels.last else {
            return false
        }
        let steps = zip(levels, levels.dropFirst()).map { $1 - $0 }
        let mean = (last - first) / Double(steps.count)
        let variance = steps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(steps.count - 1)
        guard mean > 0, mean * Double(steps.count).squareRoot() > 3 * variance.squareRoot() else { return false }
        let growth = mean / (report.intervalSeconds * Double(width)) * Self.horizon
        return bounds(report, now: last).contains { $0.value + growth > $0.bound }
    }

    /// Answers a second between the first answer and the last: less than the rate when a queue was left. What the first
    /// one waited for was the queue of the warm-up.
    private func throughput(_ report: RunReport) -> Double {
        let latencies = report.arrivals.latency
        let spread = latencies.max > latencies.min ? Double(latencies.max - latencies.min) / 1e9 : 0
        let span = report.seconds + spread
        return span > 0 ? Double(report.arrivals.succeeded) / span : 0
    }
}

extension SparseHistogram {
    /// How many values are less than `bound`.
    func count(below bound: Double) -> Double {
        Double(buckets.prefix { Double($0.value) < bound }.reduce(0) { $0 &+ $1.count })
    }
}
