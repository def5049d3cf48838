import Glibc

/// Two runs side by side: ratios B / A with the range that chance allows.
package struct Comparison: Codable, Sendable {
    /// What is compared.
    package struct Row: Codable, Sendable {
        /// `p50`, `p95`, `p99`, `rate` or `errors`.
        package let measure: String
        /// In seconds, arrivals a second, or a share.
        package let a: Double
        package let b: Double
        /// B / A; for errors the difference B - A.
        package let ratio: Estimate
        /// What can be said of it.
        package let verdict: Verdict
    }

    /// What can be said about a row.
    package enum Verdict: String, Codable, Sendable {
        case same = "no difference"
        case better, worse
        /// Too few seconds to tell anything.
        case unknown
    }

    /// One a measure.
    package let rows: [Row]
    /// The share of comparisons of a run with itself that may raise an alarm, over all rows together.
    package let alarmShare: Double
    /// Why the comparison should be taken with care.
    package let cautions: [String]

    /// Some row is worse.
    package var isWorse: Bool { rows.contains { $0.verdict == .worse } }

    /// Some row differs.
    package var differs: Bool { rows.contains { $0.verdict == .worse || $0.verdict == .better } }

    private static let percents = [50.0, 95, 99]

    /// - Parameters:
    ///   - alarmShare: risk of a false alarm over all rows.
    ///   - seed: of the draws; the same reports and seed give the same answer.
    ///   - leastChange: differences smaller than this share are none, however sure they are.
    package init(
        _ a: RunReport, _ b: RunReport, alarmShare: Double = 0.05, leastChange: Double = 0.01, seed: UInt64 = 1
    ) {
        self.alarmShare = alarmShare
        cautions = Self.cautions(a, b)
        // Four tests share the risk; errors have an exact test of their own.
        let single = alarmShare / Double(Self.percents.count + 1)
        rows =
            Self.latencyRows(a, b, risk: single, leastChange: leastChange, seed: seed)
            + [Self.errorRow(a, b, risk: single), Self.rateRow(a, b)]
    }

    private static func cautions(_ a: RunReport, _ b: RunReport) -> [String] {
        var cautions: [String] = []
        for (name, report) in [("A", a), ("B", b)] where !report.isValid {
            cautions.append("\(name) is invalid: " + report.doubts.joined(separator: "; "))
        }
        if a.scenario != b.scenario { cautions.append("the scenarios differ: \(a.scenario) and \(b.scenario)") }
        if a.mode != b.mode { cautions.append("one run is open loop, the other closed loop") }
        if abs(a.rateAsked / max(b.rateAsked, 1e-9) - 1) > 0.02, a.mode == "open loop" {
            cautions.append("the rates asked for differ by more than 2 %")
        }
        return cautions
    }

    /// Seconds without which nothing is told.
    package static let leastBlocks = 5
    /// Arrivals beyond a percentile, in each run, without which nothing is told of it.
    package static let leastBeyond = 10.0

    private static func latencyRows(
        _ a: RunReport, _ b: RunReport, risk: Double, leastChange: Double, seed: UInt64
    ) -> [Row] {
        let (first, second) = (Blocks(a.intervals), Blocks(b.intervals))
        let (valuesA, valuesB) = (first.percentiles(percents), second.percentiles(percents))
        let halves = halfWidths(a.intervals, b.intervals, risk: risk, seed: seed)
        return percents.indices.map { place in
            let middle = log(max(valuesB[place], 1)) - log(max(valuesA[place], 1))
            let beyond = Double(min(first.total, second.total)) * (1 - percents[place] / 100)
            let isEnough = min(first.count, second.count) >= leastBlocks && beyond >= leastBeyond - 1e-6
            let half = isEnough ? halves[place] : 0
            let ratio = Estimate(value: exp(middle), low: exp(middle - half), high: exp(middle + half))
            let verdict: Verdict
            if !isEnough || valuesA[place] == 0 || valuesB[place] == 0 {
                verdict = .unknown
            } else if abs(ratio.value - 1) < leastChange || abs(middle) <= half {
                verdict = .same
            } else {
                verdict = middle > 0 ? .worse : .better
            }
            return Row(
                measure: "p" + Text.fixed(percents[place], 0), a: valuesA[place] / 1e9, b: valuesB[place] / 1e9,
                ratio: ratio, verdict: verdict)
        }
    }

    /// How far a logarithm of B / A may be from none by chance: Student's t over the spread of blocks of time, with the degrees of
    /// freedom that so few blocks leave (Welch). Neighbouring seconds share the machine's moods, so that longer blocks are tried
    /// too, as long as there are enough of them: the widest counts.
    private static func halfWidths(_ a: [Interval], _ b: [Interval], risk: Double, seed: UInt64) -> [Double] {
        var random = SeededRandom(seed: seed, purpose: 0xC0)
        var widest = percents.map { _ in 0.0 }
        for width in [1, 2, 4, 8] {
            let (first, second) = (Blocks(a, width: width), Blocks(b, width: width))
            let least = min(first.count, second.count)
            guard width == 1 ? least > 1 : least >= 8 else { break }
            let variances = (
                first.variances(percents, draws: 300, &random), second.variances(percents, draws: 300, &random)
            )
            for place in percents.indices {
                let (ours, theirs) = (variances.0[place], variances.1[place])
                let sum = ours + theirs
                let parts = ours * ours / Double(first.count - 1) + theirs * theirs / Double(second.count - 1)
                let freedom = parts > 0 ? sum * sum / parts : 1
                let half = Statistics.studentQuantile(1 - risk / 2, freedom) * sum.squareRoot()
                widest[place] = max(widest[place], half)
            }
        }
        return widest
    }

    /// Two shares of failures: the difference with its interval (Newcombe's, from Wilson's).
    private static func errorRow(_ a: RunReport, _ b: RunReport, risk: Double) -> Row {
        let z = Statistics.normalQuantile(1 - risk / 2)
        let (first, second) = (wilson(a.arrivals, z), wilson(b.arrivals, z))
        let difference = second.value - first.value
        let down =
            ((second.value - second.low) * (second.value - second.low)
            + (first.high - first.value) * (first.high - first.value)).squareRoot()
        let up =
            ((second.high - second.value) * (second.high - second.value)
            + (first.value - first.low) * (first.value - first.low)).squareRoot()
        let estimate = Estimate(value: difference, low: difference - down, high: difference + up)
        let verdict: Verdict =
            a.arrivals.total == 0 || b.arrivals.total == 0
            ? .unknown : estimate.low > 0 ? .worse : estimate.high < 0 ? .better : .same
        return Row(measure: "errors", a: first.value, b: second.value, ratio: estimate, verdict: verdict)
    }

    /// In an open loop the rate is given: told, not judged, unless one run got clearly less of it.
    private static func rateRow(_ a: RunReport, _ b: RunReport) -> Row {
        let ratio = a.rateGot > 0 ? b.rateGot / a.rateGot : 0
        let error = (1 / Double(max(a.arrivals.succeeded, 1)) + 1 / Double(max(b.arrivals.succeeded, 1))).squareRoot()
        let isOpen = a.mode == "open loop" && b.mode == "open loop"
        let share =
            isOpen ? (b.rateGot / max(b.rateAsked, 1e-9)) / max(a.rateGot / max(a.rateAsked, 1e-9), 1e-9) : ratio
        let verdict: Verdict =
            a.rateGot == 0 || b.rateGot == 0
            ? .unknown : share < 0.95 - 3 * error ? .worse : share > 1.05 + 3 * error ? .better : .same
        return Row(
            measure: "rate", a: a.rateGot, b: b.rateGot,
            ratio: Estimate(value: ratio, low: ratio * (1 - 2 * error), high: ratio * (1 + 2 * error)), verdict: verdict
        )
    }

    private static func wilson(_ figures: FiguresReport, _ z: Double) -> Estimate {
        let total = Double(max(figures.total, 1))
        let share = figures.errorShare
        let scale = 1 + z * z / total
        let middle = (share + z * z / (2 * total)) / scale
        let half = z * (share * (1 - share) / total + z * z / (4 * total * total)).squareRoot() / scale
        return Estimate(value: share, low: max(0, middle - half), high: min(1, middle + half))
    }
}
