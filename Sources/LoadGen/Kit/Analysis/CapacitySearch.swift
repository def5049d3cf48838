import Glibc

/// What one probe told.
package struct ProbeResult: Codable, Sendable {
    /// How a probe came out.
    package enum Outcome: String, Codable, Sendable {
        case passed
        /// The objective was missed.
        case missed
        /// The objective was met, but latency kept rising: it would not have been for long.
        case rising
        /// The generator could not keep the rate, or its own lag may be what was missed.
        case generator = "generator at its limit"
    }

    /// Arrivals a second that were asked for by the schedule as it was drawn: what is judged, and told.
    package let rate: Double
    /// Arrivals a second that the search wanted; chance makes the other of it.
    package let wanted: Double
    /// Arrivals in it.
    package let arrivals: Int
    /// It was long enough to be drawn on for the answer, not only to find its neighbourhood.
    package let isFine: Bool
    /// How it came out.
    package let outcome: Outcome
    /// For each condition what was seen of it, then whether latency kept steady.
    package let evidence: [Evidence]
    /// Answers a second that came while it lasted.
    package let throughput: Double
    /// The conditions with their values.
    package let summary: String
    /// What was measured of the first condition on whole arrivals' latency, nanoseconds.
    package let latency: Double?
    /// CPU-seconds a second of the target while it lasted; `nil` where they were not read.
    package let targetCPU: Double?

    /// What a probe told.
    package init(
        rate: Double, wanted: Double? = nil, arrivals: Int = 0, isFine: Bool = true, outcome: Outcome,
        evidence: [Evidence] = [],
        throughput: Double, summary: String = "", latency: Double? = nil, targetCPU: Double? = nil
    ) {
        self.rate = rate
        self.wanted = wanted ?? rate
        self.arrivals = arrivals
        self.isFine = isFine
        self.outcome = outcome
        self.evidence = evidence
        self.throughput = throughput
        self.summary = summary
        self.latency = latency
        self.targetCPU = targetCPU
    }
}

/// Finds the highest rate that keeps an objective. A pure state machine: rates come out, results go in.
///
/// First the rate is quadrupled until a probe fails. Then probes are made close to where all that were made so far put the
/// limit (``KneeFit``), a little above and a little below, until the interval of it is narrow enough: a queue near its limit
/// is so moody that no single probe could tell.
package struct CapacitySearch: Sendable {
    /// Where the search stands.
    package enum Step: Equatable, Sendable {
        case probe(rate: Double)
        case done
    }

    /// The answer.
    package struct Answer: Codable, Sendable {
        /// The highest rate that keeps the objective, as the probes together tell; 0 when none does. Where no rate that was tried
        /// was too much, the highest of these.
        package let rate: Double
        /// The interval that holds the true one in nine of ten searches (of simulated queues); `high` is absent where no rate was
        /// too much.
        package let low: Double
        package let high: Double?
        /// In the order in which they were made.
        package let probes: [ProbeResult]
        /// The search ended because the generator, not the target, could do no more.
        package let isGeneratorBound: Bool
        /// The interval is as narrow as it was asked to be.
        package let isSettled: Bool
    }

    /// The most probes.
    package static let mostProbes = 32
    /// Probes near the limit without which no interval is believed.
    private static let leastNear = 4
    /// And so many of them must have passed, and so many failed.
    private static let leastOfEach = 3
    /// So far from the limit, as a factor, probes still tell of it.
    private static let near = 1.3

    private let precision: Double
    private let floor: Double
    private let ceiling: Double
    private(set) var probes: [ProbeResult] = []
    private var next: Double

    /// - Parameters:
    ///   - start: the first rate.
    ///   - precision: the search ends when both ends of the interval are so close to the answer, as a share.
    ///   - floor: no lower rate is tried.
    ///   - ceiling: no higher rate is tried.
    package init(
        start: Double, precision: Double = 0.03, floor: Double = 0.1, ceiling: Double = Schedule.highestRate
    ) {
        next = min(max(start, floor), ceiling)
        self.precision = precision
        self.floor = floor
        self.ceiling = ceiling
    }

    /// What to do now.
    package var step: Step {
        probes.count >= Self.mostProbes || isSettled ? .done : .probe(rate: next)
    }

    /// The next probe is one of those whose counts make the answer, not of those that look for its neighbourhood.
    package var isFine: Bool {
        guard let fail = failed.map(\.rate).min() else { return false }
        return passed.contains { $0.rate < fail && $0.rate * Self.near > fail } || passed.contains { $0.rate >= fail }
    }

    private var passed: [ProbeResult] { probes.filter { $0.outcome == .passed } }
    private var failed: [ProbeResult] { probes.filter { $0.outcome != .passed } }

    /// Takes the result of the probe asked for last.
    package mutating func take(_ result: ProbeResult) {
        probes.append(result)
        next = min(max(proposal(after: result), floor), ceiling)
    }

    private func proposal(after result: ProbeResult) -> Double {
        guard let fail = failed.map(\.rate).min() else {
            return result.rate * (probes.count < 4 ? 4 : 2)
        }
        guard let pass = passed.map(\.rate).filter({ $0 < fail * Self.near }).max() else {
            // What an overloaded target still does is close to what it can do.
            let guess = result.throughput * 0.9
            return guess > fail * 0.05 && guess < fail * 0.95 ? guess : fail / 4
        }
        if fail / pass > Self.near {
            let guess = result.throughput * 0.97
            return result.outcome != .passed && guess > pass * 1.05 && guess < fail * 0.95
                ? guess : (pass * fail).squareRoot()
        }
        guard let knee = knee else { return (pass * fail).squareRoot() }
        return aim(knee)
    }

    /// A little above or below the limit, where probes tell most: on the side of which less was seen, and the further the more
    /// often the other came out there.
    private func aim(_ knee: Knee) -> Double {
        let fine = knee.probes.filter(\.isFine)
        let passes = fine.count { $0.outcome == .passed }
        let excess = passes * 2 - fine.count
        let step = min(max(0.9 / knee.slope, precision / 4) * Double(max(1, abs(excess))), 0.06)
        return knee.rate.value * (excess > 0 ? 1 + step : 1 - step)
    }

    private struct Knee {
        let rate: Estimate
        let slope: Double
        /// Of the probes that it is drawn from.
        let probes: [ProbeResult]
    }

    /// Where the probes near the limit put it: of all conditions the one that gives way first.
    private var knee: Knee? {
        guard let fail = failed.map(\.rate).min() else { return nil }
        let conditions = probes.map(\.evidence.count).max() ?? 0
        var found: Knee?
        for place in 0..<conditions
        where probes.contains(where: { $0.evidence.indices.contains(place) && $0.evidence[place].isBroken }) {
            guard let knee = knee(of: place, around: fail) else { continue }
            if knee.rate.value < found?.rate.value ?? .infinity { found = knee }
        }
        return found
    }

    /// Fits the fine probes, while there are few of them all that lie near.
    private func knee(of condition: Int, around first: Double) -> Knee? {
        let fine = probes.filter(\.isFine)
        var close =
            fine.count >= Self.leastNear
            ? fine : probes.filter { $0.rate < first * Self.near && $0.rate > first / Self.near }
        // Both sides of the limit have to be in sight.
        if close.allSatisfy({ $0.outcome == .passed }), let above = failed.min(by: { $0.rate < $1.rate }) {
            close.append(above)
        }
        if !close.contains(where: { $0.outcome == .passed }), let below = passed.max(by: { $0.rate < $1.rate }) {
            close.append(below)
        }
        let points = close.filter { $0.evidence.indices.contains(condition) }
            .map { KneeFit.Point(rate: $0.rate, evidence: $0.evidence[condition]) }
        guard let (rate, slope) = KneeFit(points)?.estimate() else { return nil }
        return Knee(rate: rate, slope: slope, probes: close)
    }

    private var isSettled: Bool {
        guard !failed.isEmpty else { return (passed.map(\.rate).max() ?? 0) >= ceiling * 0.999 }
        if passed.isEmpty { return (failed.map(\.wanted).min() ?? 0) <= max(floor, 0.2) }
        guard let knee else { return false }
        let fine = knee.probes.filter(\.isFine)
        let passes = fine.count { $0.outcome == .passed }
        guard passes >= Self.leastOfEach, fine.count - passes >= Self.leastOfEach else { return false }
        return knee.rate.high <= knee.rate.value * (1 + precision) && knee.rate.low >= knee.rate.value * (1 - precision)
    }

    /// The answer so far.
    package var answer: Answer {
        let highest = passed.map(\.rate).max() ?? 0
        let bound = failed.map(\.rate).min()
        guard bound != nil, highest > 0, let knee else {
            return Answer(
                rate: highest, low: highest, high: bound, probes: probes,
                isGeneratorBound: bound.map(isGeneratorBound) ?? false, isSettled: isSettled)
        }
        return Answer(
            rate: knee.rate.value, low: knee.rate.low, high: knee.rate.high, probes: probes,
            isGeneratorBound: isGeneratorBound(at: knee.rate.value), isSettled: isSettled)
    }

    /// Whether the generator was what most probes near the rate failed by: one that a moment spoiled, far below, ends no search.
    private func isGeneratorBound(at rate: Double) -> Bool {
        let close = failed.filter { $0.rate * Self.near > rate && $0.rate < rate * Self.near }
        return 2 * close.count { $0.outcome == .generator } > close.count
    }
}
