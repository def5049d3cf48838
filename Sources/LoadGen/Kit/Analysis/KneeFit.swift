import Glibc

/// How much of a probe broke one condition.
package struct Evidence: Codable, Equatable, Sendable {
    /// Arrivals, or requests, beyond the bound.
    package let bad: Double
    /// All of them; 0 where the probe says nothing about the condition.
    package let total: Double
    /// The share that the condition allows, 0 ... 1.
    package let allowed: Double
    /// How many come together: what a queue does to one arrival it does to its neighbours too. At least 1.
    package let clump: Double

    /// - Parameters:
    ///   - bad: not more than `total`.
    ///   - clump: variance of the count against that of as many independent arrivals.
    package init(bad: Double, total: Double, allowed: Double, clump: Double = 1) {
        self.bad = bad
        self.total = total
        self.allowed = allowed
        self.clump = clump
    }

    /// It is more than the condition allows.
    var isBroken: Bool { bad > allowed * total }
}

/// At which rate the share of what breaks a condition passes the share that it allows: the estimate of a dose that half of
/// all survive, with a curve that is straight in logit of share against logarithm of rate. Near its limit a queue's is.
///
/// The counts are not independent, so that the likelihood is a quasi-likelihood: its scale is what probes at like rates
/// differ by, or what clumps within them tell, whichever is more.
struct KneeFit {
    /// One probe.
    struct Point {
        let rate: Double
        let evidence: Evidence
    }

    /// Steepness of the curve: logits for a factor e of the rate. Ten clients more of a thousand, or a cliff.
    private static let slopes = [6.0, 9, 13, 20, 30, 45, 67, 100, 150, 225, 340, 500]
    /// A share beyond so many times the allowed one says no more than that it is beyond: an overloaded target's share depends
    /// on the probe's length.
    private static let saturation = 12.0

    /// Where probes are made depends on what earlier ones told, and what is rare comes in heaps: by so much an interval that
    /// knows of neither is too narrow (measured on simulated queues, see `CapacityTests`).
    private static let caution = 2.0
    /// No interval is narrower, as a share to each side: a probe ends, and the queue that it would have come to does not show.
    private static let least = 0.02

    private let points: [Point]
    private let allowed: Double

    /// `nil` where there are not at least two points, or the condition allows nothing that a share could be.
    init?(_ points: [Point]) {
        let usable = points.filter { $0.evidence.total > 0 }
        guard usable.count >= 2, let allowed = usable.first?.evidence.allowed, allowed > 0, allowed < 1 else {
            return nil
        }
        self.points = usable
        self.allowed = allowed
    }

    private var cap: Double { min(allowed * Self.saturation, (1 + allowed) / 2) }

    /// The rate with its interval, and the steepness there.
    func estimate() -> (rate: Estimate, slope: Double)? {
        let rates = points.map(\.rate)
        guard let least = rates.min(), let greatest = rates.max() else { return nil }
        let ends = log(least / 1.5)...log(greatest * 1.5)
        var best = profile(stride(from: ends.lowerBound, through: ends.upperBound, by: 0.01).map { $0 })
        guard let rough = best.min(by: { $0.deviance < $1.deviance }) else { return nil }
        let fine = stride(from: max(rough.place - 0.02, ends.lowerBound), through: rough.place + 0.02, by: 0.0005)
        best += profile(fine.map { $0 })
        guard let top = best.min(by: { $0.deviance < $1.deviance }) else { return nil }
        let freedom = max(points.count - 2, 1)
        let tail = Self.caution * Statistics.studentQuantile(0.975, Double(freedom))
        let limit = top.deviance + scale(top, freedom) * tail * tail
        let inside = best.filter { $0.deviance <= limit }.map(\.place)
        let value = exp(top.place)
        let low = min(exp(inside.min() ?? top.place), value * (1 - Self.least))
        let high = max(exp(inside.max() ?? top.place), value * (1 + Self.least))
        return (Estimate(value: value, low: low, high: high), top.slope)
    }

    private struct Candidate {
        let place: Double
        let slope: Double
        let deviance: Double
    }

    /// The best steepness for each place of the knee (logarithm of a rate).
    private func profile(_ places: [Double]) -> [Candidate] {
        places.map { place in
            var best = Candidate(place: place, slope: 0, deviance: .infinity)
            for slope in Self.slopes {
                let sum = deviance(place, slope)
                if sum < best.deviance { best = Candidate(place: place, slope: slope, deviance: sum) }
            }
            return best
        }
    }

    private func share(_ rate: Double, _ place: Double, _ slope: Double) -> Double {
        let logit = log(allowed / (1 - allowed)) + slope * (log(rate) - place)
        return min(max(1 / (1 + exp(-logit)), 1e-12), 1 - 1e-12)
    }

    private func deviance(_ place: Double, _ slope: Double) -> Double {
        points.reduce(0) { sum, point in
            let seen = point.evidence.bad / point.evidence.total
            let expected = share(point.rate, place, slope)
            guard seen > cap else { return sum + point.evidence.total * Self.distance(seen, expected) }
            // Both beyond: no contradiction. Else as much as it is from the edge, with all that was seen.
            guard expected < cap else { return sum }
            return sum + point.evidence.total * (Self.distance(seen, expected) - Self.distance(seen, cap))
        }
    }

    /// Twice the logarithm of the likelihood ratio, for one arrival.
    private static func distance(_ seen: Double, _ expected: Double) -> Double {
        var part = 0.0
        if seen > 0 { part += seen * log(seen / expected) }
        if seen < 1 { part += (1 - seen) * log((1 - seen) / (1 - expected)) }
        return 2 * part
    }

    /// Of the quasi-likelihood.
    private func scale(_ top: Candidate, _ freedom: Int) -> Double {
        var pearson = 0.0
        var (clumps, weight) = (0.0, 0.0)
        for point in points {
            let (total, bad) = (point.evidence.total, point.evidence.bad)
            if bad > 0, bad <= cap * total {
                clumps += point.evidence.clump * bad
                weight += bad
            }
            let expected = share(point.rate, top.place, top.slope)
            let seen = min(bad / total, cap)
            if seen >= cap, expected >= cap { continue }
            pearson += total * (seen - expected) * (seen - expected) / (expected * (1 - expected))
        }
        return max(1, pearson / Double(freedom), weight > 0 ? clumps / weight : 1)
    }
}
