import ArgumentParser
import LoadKit

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two runs, or several rounds of two; exit code 1 when B is worse than A.",
        discussion: """
            Two reports: whole stretches of time are drawn again and again, since requests of one moment share their fate. The risk \
            of a false alarm is shared by all rows. It needs \(Comparison.leastBlocks) seconds or more, and ten arrivals beyond a \
            percentile: of what lacks them nothing is told, exit code 4.

            More reports, A B A B … of runs that were made in turn: the ratios B / A of each scenario's rounds, next to those of \
            --baseline. B is worse when even its best round is more than twice (p50; three times: p95) the baseline's median, or when \
            any of its arrivals failed.
            """)

    @Argument(help: "The reports: A B, or A B A B … of several rounds.")
    var reports: [String]

    @Option(help: "Ratios to compare several rounds with.")
    var baseline: String?

    @Flag(help: "Write the ratios of several rounds to --baseline instead of comparing with it.")
    var record = false

    @Option(help: "Write the table of several rounds as Markdown.")
    var markdown: String?

    @Option(help: "Risk of a false alarm, in percent.")
    var risk = "5"

    @Option(name: .customLong("least-change"), help: "Smaller changes are none, in percent.")
    var leastChange = "1"

    @Option(help: "Write the comparison.")
    var json: String?

    func run() throws {
        guard reports.count >= 2, reports.count % 2 == 0 else {
            throw Exit(.usage, "reports are compared in pairs, A B or A B A B …: there are \(reports.count)")
        }
        if reports.count > 2 { return try compareRounds() }
        guard baseline == nil, !record, markdown == nil else {
            throw Exit(.usage, "--baseline, --record and --markdown are for several rounds")
        }
        let (first, second) = (try ReportFile.read(reports[0]), try ReportFile.read(reports[1]))
        let comparison = Comparison(
            first, second, alarmShare: try reading("--risk") { try Quantity.number(risk, in: 0.01...50) / 100 },
            leastChange: try reading("--least-change") { try Quantity.number(leastChange, in: 0...100) / 100 })
        for caution in comparison.cautions { Console.complain("caution: " + caution) }
        var rows = [["", "A", "B", "B against A", "range", "verdict"]]
        for row in comparison.rows { rows.append(Self.cells(row)) }
        for line in Summary.table(rows) { Console.say(line) }
        let isUnknown = comparison.rows.contains { $0.verdict == .unknown }
        let verdict = comparison.isWorse ? "B is worse" : comparison.differs ? "B is better" : "no difference"
        Console.say(
            "\n" + (isUnknown && !comparison.isWorse ? "too few seconds or arrivals to tell: run longer" : verdict))
        try write([(json, { () throws(FileError) in try ReportFile.json(comparison) })])
        if comparison.isWorse { throw Exit(.missed) }
        if isUnknown { throw Exit(.invalid) }
    }

    private func compareRounds() throws {
        guard !record || baseline != nil else { throw Exit(.usage, "--record needs --baseline: where to?") }
        var pairs: [(a: RunReport, b: RunReport)] = []
        for place in stride(from: 0, to: reports.count, by: 2) {
            pairs.append((try ReportFile.read(reports[place]), try ReportFile.read(reports[place + 1])))
            guard let pair = pairs.last, pair.a.scenario == pair.b.scenario else {
                throw Exit(
                    .usage, "'\(reports[place])' and '\(reports[place + 1])' are no pair: their scenarios differ")
            }
        }
        let known =
            try record
            ? nil
            : baseline.map { file in
                try ReportFile.decode(Rounds.Baseline.self, try ReportFile.bytes(file), file)
            }
        let rounds = Rounds(pairs, baseline: known)
        for line in Summary.table(rounds.table) { Console.say(line) }
        for (scenario, kinds) in rounds.failures.sorted(by: { $0.key < $1.key }) {
            let list = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            Console.complain("\(scenario): arrivals of B failed: " + list.joined(separator: ", "))
        }
        let new = Rounds.Baseline(
            date: CivilTime.day(MonotonicClock.wall() / 1_000_000_000), machine: Program.machine,
            ratios: Dictionary(rounds.rows.map { ($0.key, $0.ratio) }) { $1 })
        try write([
            (record ? baseline : nil, { () throws(FileError) in try ReportFile.json(new) }),
            (markdown, { () throws(FileError) in rounds.markdown }),
            (json, { () throws(FileError) in try ReportFile.json(rounds.rows) }),
        ])
        if record ? !rounds.failures.isEmpty : !rounds.isFine { throw Exit(.missed) }
    }

    private func write(_ files: [(path: String?, text: () throws(FileError) -> String)]) throws {
        if let unwritten = OutputOptions.write(files) { throw unwritten }
    }

    private static func cells(_ row: Comparison.Row) -> [String] {
        switch row.measure {
        case "errors":
            return [
                row.measure, Text.significant(row.a * 100) + " %", Text.significant(row.b * 100) + " %",
                signed(row.ratio.value * 100) + " pt",
                "\(signed(row.ratio.low * 100)) … \(signed(row.ratio.high * 100)) pt",
                row.verdict.rawValue,
            ]
        case "rate":
            return [
                row.measure, Text.significant(row.a) + "/s", Text.significant(row.b) + "/s", change(row), "",
                row.verdict.rawValue,
            ]
        default:
            return [
                row.measure, time(row.a), time(row.b), change(row),
                row.verdict == .unknown
                    ? "–" : "\(signed((row.ratio.low - 1) * 100)) … \(signed((row.ratio.high - 1) * 100)) %",
                row.verdict.rawValue,
            ]
        }
    }

    /// Seconds; 0 where there was nothing to measure.
    private static func time(_ seconds: Double) -> String { seconds > 0 ? Text.milliseconds(seconds * 1000) : "–" }

    /// Against nothing there is none.
    private static func change(_ row: Comparison.Row) -> String {
        row.a > 0 && row.b > 0 ? signed((row.ratio.value - 1) * 100) + " %" : "–"
    }

    private static func signed(_ value: Double) -> String { (value >= 0 ? "+" : "") + Text.fixed(value, 2) }
}
