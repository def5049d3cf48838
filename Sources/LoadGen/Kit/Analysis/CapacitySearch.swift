import Glibc

/// What one probe at a rate told.
package struct ProbeResult: Codable, Sendable {
    /// Why a probe failed or cannot be trusted.
    package enum Outcome: String, Codable, Sendable {
        case passed
        /// The objective was missed.
        case missed
        /// The objective was met, but latency kept rising: it would not have been for long.
        case rising
        /// The generator could not keep the rate.
        case generator = "generator at its limit"
    }

    /// Arrivals a second.
    package let rate: Double
    /// How it came out.
    package let outcome: Outcome
    /// A failure that chance does not explain: a queue grew, or the target fell behind.
    package let isPlain: Bool
    /// Answers a second that came while it lasted.
    package let throughput: Double
    /// Chance that the objective is met at this rate, from resampled seconds, 0 ... 1.
    package let confidence: Double
    /// The conditions with their values.
    package let summary: String
    /// What was measured of the first condition on whole arrivals' latency, nanoseconds.
    package let latency: Double?

    /// What a probe at `rate` told.
    package init(
        rate: Double, outcome: Outcome, isPlain: Bool, throughput: Double, confidence: Double, summary: String,
        latency: Double? = nil
    ) {
        self.rate = rate
        self.outcome = outcome
        self.isPlain = isPlain
        self.throughput = throughput
        self.confidence = confidence
        self.summary = summary
        self.latency = latency
    }
}

/// Finds the highest rate that keeps an objective. A pure state machine: rates come out, results go in.
package struct CapacitySearch: Sendable {
    /// Where the search stands.
    package enum Step: Equatable, Sendable {
        case probe(rate: Double)
        case done
    }

    /// The answer.
    package struct Answer: Codable, Sendable {
        /// The highest rate that passed, 0 when none did.
        package let rate: Double
        /// The lowest rate above it that failed; `nil` when none did.
        package let failedAt: Double?
        /// In the order in which they were made.
        package let probes: [ProbeResult]
        /// The search ended because the generator, not the target, could do no more.
        package let isGeneratorBound: Bool
    }

    /// The most probes.
    package static let mostProbes = 12
    private let precision: Double
    private let floor: Double
    private let ceiling: Double
    private(set) var probes: [ProbeResult] = []
    private var next: Double
    /// The rate that is being tried for a second time.
    private var retrying: Double?

    /// So far above a bound that chance may have set, a second look is taken.
    private static let secondLook = 1.04
    /// The least chance to meet the objective with which a single pass is believed.
    private static let sure = 0.9

    /// - Parameters:
    ///   - start: the first rate.
    ///   - precision: the search ends when the bounds are this close, as a share.
    ///   - floor: no lower rate is tried.
    ///   - ceiling: no higher rate is tried.
    package init(
        start: Double, precision: Double = 0.02, floor: Double = 0.1, ceiling: Double = Schedule.highestRate
    ) {
        next = min(max(start, floor), ceiling)
        self.precision = precision
        self.floor = floor
        self.ceiling = ceiling
    }

    /// What to do now.
    package var step: Step {
        if probes.count >= Self.mostProbes || isSettled { return .done }
        return .probe(rate: next)
    }

    /// What was found last at each rate: of two probes at the same one the second counts.
    private var latest: [ProbeResult] {
        probes.indices.filter { place in !probes[(place + 1)...].contains { $0.rate == probes[place].rate } }
            .map { probes[$0] }
    }

    /// The highest rate that passed.
    private var low: Double? { latest.filter { $0.outcome == .passed }.map(\.rate).max() }

    /// The lowest rate above it that failed: what failed below a rate that passes did so by chance.
    private var high: Double? {
        let low = low ?? 0
        return latest.filter { $0.outcome != .passed && $0.rate > low }.map(\.rate).min()
    }

    private var isClosed: Bool {
        if let low, let high { return high / low <= 1 + precision }
        if let low { return low >= ceiling }
        return (high ?? .infinity) <= max(floor, 0.2)
    }

    private var isSettled: Bool { isClosed && doubtful == nil && retrying == nil }

    /// Where to look once more when the bounds have met at a rate that failed by little: a stall of the machine may have
    /// set it, and a bound that is set wrongly makes all that follows too low. `nil` when the bound is sure.
    private var doubtful: Double? {
        guard let high, low != nil, isClosed, latest.first(where: { $0.rate == high })?.isPlain == false else {
            return nil
        }
        let rate = min(high * Self.secondLook, ceiling)
        return probes.contains { $0.rate > high && $0.rate <= rate } ? nil : rate
    }

    /// Takes the result of the probe asked for last.
    package mutating func take(_ result: ProbeResult) {
        probes.append(result)
        let isSure = result.outcome == .passed ? result.confidence >= Self.sure : result.isPlain
        if !isSure, retrying != result.rate, probes.count + 2 < Self.mostProbes {
            // Luck, or something else on the machine, may have had a hand in it.
            retrying = result.rate
            next = result.rate
            return
        }
        retrying = nil
        next = doubtful ?? max(min(proposal(after: result), ceiling), floor)
    }

    private func proposal(after result: ProbeResult) -> Double {
        switch (low, high) {
        case (let low?, let high?): return between(low, high, result)
        case (let low?, nil): return low * (probes.count < 4 ? 4 : 2)
        case (nil, let high?):
            // What an overloaded target still does is close to what it can do.
            let guess = result.throughput * 0.9
            return guess > high * 0.05 && guess < high * 0.95 ? guess : high / 4
        case (nil, nil): return next
        }
    }

    private func between(_ low: Double, _ high: Double, _ result: ProbeResult) -> Double {
        let middle = (low * high).squareRoot()
        guard result.outcome != .passed, high / low > 1.15 else { return middle }
        // Of a missed rate the throughput tells more than the middle does: go close below it, then close above.
        let guess = result.throughput * 0.98
        return guess > low * 1.03 && guess < high * 0.97 ? guess : middle
    }

    /// The answer so far.
    package var answer: Answer {
        Answer(
            rate: low ?? 0, failedAt: high, probes: probes,
            isGeneratorBound: high.map { bound in
                probes.contains { $0.rate == bound && $0.outcome == .generator }
            } ?? false)
    }
}
