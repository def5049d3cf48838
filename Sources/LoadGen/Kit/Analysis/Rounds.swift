/// Several rounds of runs in turn, one server's next to another's: what holds on machines on which no time does.
///
/// Absolute times of a shared machine say little, the ratio of two in the same minute says more, and what disturbs one round
/// seldom disturbs all: a server that got slower shows in its best round too.
package struct Rounds: Sendable {
    /// One measure of one scenario.
    package struct Row: Codable, Equatable, Sendable {
        /// `SCENARIO.MEASURE`
        package let key: String
        /// Medians over the rounds, milliseconds.
        package let a: Double
        package let b: Double
        /// Median of B / A, and the least of all rounds.
        package let ratio: Double
        package let best: Double
        /// The median that was recorded once, if it was.
        package let baseline: Double?
        /// Even the best round is beyond what is allowed of the baseline.
        package let isSlower: Bool
    }

    /// Ratios that were recorded once.
    package struct Baseline: Codable, Sendable {
        /// When, and on what.
        package var date: String
        package var machine: String
        /// By ``Row/key``.
        package var ratios: [String: Double]

        /// As recorded.
        package init(date: String, machine: String, ratios: [String: Double]) {
            self.date = date
            self.machine = machine
            self.ratios = ratios
        }
    }

    /// In the order of the scenarios.
    package let rows: [Row]
    /// Arrivals of B that failed, by scenario.
    package let failures: [String: [String: Int]]

    /// Percentiles, each with how many times its baseline is too much.
    private static let measures = [(percent: 50.0, tolerance: 2.0), (95, 3)]
    /// A ratio below this is never too much: it lies far below what anybody sees.
    private static let harmless = 0.1

    /// Nothing got slower, and nothing failed.
    package var isFine: Bool { !rows.contains(where: \.isSlower) && failures.isEmpty }

    /// - Parameter pairs: of one round each; those of a scenario belong together.
    package init(_ pairs: [(a: RunReport, b: RunReport)], baseline: Baseline?) {
        var scenarios: [String] = []
        for pair in pairs where !scenarios.contains(pair.b.scenario) { scenarios.append(pair.b.scenario) }
        var (rows, failures) = ([Row](), [String: [String: Int]]())
        for scenario in scenarios {
            let rounds = pairs.filter { $0.b.scenario == scenario }
            for measure in Self.measures { rows.append(Self.row(scenario, rounds, measure, baseline)) }
            for round in rounds where round.b.arrivals.failed > 0 {
                failures[scenario, default: [:]].merge(round.b.arrivals.failures, uniquingKeysWith: +)
            }
        }
        self.rows = rows
        self.failures = failures
    }

    private static func row(
        _ scenario: String, _ rounds: [(a: RunReport, b: RunReport)], _ measure: (percent: Double, tolerance: Double),
        _ baseline: Baseline?
    ) -> Row {
        func time(_ report: RunReport) -> Double { Double(report.arrivals.latency.percentile(measure.percent)) / 1e6 }
        func median(_ values: [Double]) -> Double { Statistics.quantile(values.sorted(), 0.5) }
        let ratios = rounds.map { time($0.b) / max(time($0.a), 1e-3) }
        let key = "\(scenario).p\(Text.percent(measure.percent))"
        let (best, before) = (ratios.min() ?? 0, baseline?.ratios[key])
        return Row(
            key: key, a: median(rounds.map { time($0.a) }), b: median(rounds.map { time($0.b) }), ratio: median(ratios),
            best: best, baseline: before,
            isSlower: before.map { best > measure.tolerance * $0 && best > harmless } ?? false)
    }

    /// The rows for people, with their head.
    package var table: [[String]] {
        [["", "A", "B", "B / A", "best round", "baseline", "verdict"]]
            + rows.map { row in
                [
                    row.key, Text.milliseconds(row.a), Text.milliseconds(row.b), Text.fixed(row.ratio, 3),
                    Text.fixed(row.best, 3), row.baseline.map { Text.fixed($0, 3) } ?? "–",
                    row.isSlower ? "SLOWER" : row.baseline == nil ? "no baseline" : "fine",
                ]
            }
    }

    /// The same as a table of Markdown.
    package var markdown: String {
        table.enumerated().map { place, cells in
            let line = "| " + cells.joined(separator: " | ") + " |\n"
            return place == 0 ? line + "|" + String(repeating: " --- |", count: cells.count) + "\n" : line
        }.joined()
    }
}
