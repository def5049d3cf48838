import ArgumentParser
import LoadKit

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare two runs; exit code 1 when B is worse than A.",
        discussion: """
            Whole stretches of time are drawn again and again, since requests of one moment share their fate. \
            The risk of a false alarm is shared by all rows.
            """)

    @Argument(help: "Report of the run to compare with.")
    var a: String

    @Argument(help: "Report of the run to be judged.")
    var b: String

    @Option(help: "Risk of a false alarm, in percent.")
    var risk = "5"

    @Option(name: .customLong("least-change"), help: "Smaller changes are none, in percent.")
    var leastChange = "1"

    @Option(help: "Write the comparison.")
    var json: String?

    func run() throws {
        let (first, second) = (try ReportFile.read(a), try ReportFile.read(b))
        let comparison = Comparison(
            first, second, alarmShare: try reading("--risk") { try Quantity.number(risk, in: 0.01...50) / 100 },
            leastChange: try reading("--least-change") { try Quantity.number(leastChange, in: 0...100) / 100 })
        for caution in comparison.cautions { Console.complain("caution: " + caution) }
        var rows = [["", "A", "B", "B against A", "range", "verdict"]]
        for row in comparison.rows { rows.append(Self.cells(row)) }
        for line in Summary.table(rows) { Console.say(line) }
        let isUnknown = comparison.rows.contains { $0.verdict == .unknown }
        let verdict = comparison.isWorse ? "B is worse" : comparison.differs ? "B is better" : "no difference"
        Console.say("\n" + (isUnknown && !comparison.isWorse ? "too few seconds to tell: run longer" : verdict))
        if let json {
            do {
                try ReportFile.write(try ReportFile.json(comparison), to: json)
            } catch {
                throw Exit(.unwritable, error.description)
            }
        }
        if comparison.isWorse { throw Exit(.missed) }
        if isUnknown { throw Exit(.invalid) }
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
                row.measure, Text.milliseconds(row.a * 1000), Text.milliseconds(row.b * 1000), change(row),
                row.verdict == .unknown
                    ? "–" : "\(signed((row.ratio.low - 1) * 100)) … \(signed((row.ratio.high - 1) * 100)) %",
                row.verdict.rawValue,
            ]
        }
    }

    /// Against nothing there is none.
    private static func change(_ row: Comparison.Row) -> String {
        row.a > 0 && row.b > 0 ? signed((row.ratio.value - 1) * 100) + " %" : "–"
    }

    private static func signed(_ value: Double) -> String { (value >= 0 ? "+" : "") + Text.fixed(value, 2) }
}

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Make one self-contained page of runs and capacity searches.")

    @Argument(help: "The JSON of 'run' or 'capacity', one or several.")
    var inputs: [String]

    @Option(name: .shortAndLong, help: "The page.")
    var output: String

    func run() throws {
        var runs: [(report: RunReport, extras: HTMLReport.Extras)] = []
        for input in inputs { runs.append(try Self.read(input)) }
        do throws(FileError) {
            try ReportFile.write(HTMLReport.page(runs), to: output)
        } catch {
            throw Exit(.unwritable, error.description)
        }
    }

    private static func read(_ input: String) throws -> (RunReport, HTMLReport.Extras) {
        let bytes = try ReportFile.bytes(input)
        var extras = HTMLReport.Extras()
        guard let capacity = CapacityReport.read(bytes) else {
            return (try ReportFile.decode(RunReport.self, bytes, input), extras)
        }
        extras.capacity = capacity.answer
        extras.objective = capacity.objective
        return (capacity.run, extras)
    }
}

struct ScenariosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenarios", abstract: "List the built-in scenarios, or print one as a file to start from.")

    @Argument(help: "The scenario to print.")
    var name: String?

    func run() throws {
        guard let name else {
            for entry in BuiltIns.all {
                let about = try BuiltIns.scenario(entry.name)?.about ?? ""
                Console.say(entry.name + String(repeating: " ", count: max(1, 18 - entry.name.count)) + about)
            }
            Console.say("A recording of client traffic is sent by 'run URL --replay FILE'.")
            return
        }
        guard let entry = BuiltIns.all.first(where: { $0.name == name }) else {
            throw Exit(.usage, "there is no scenario '\(name)'")
        }
        Console.say(entry.yaml)
    }
}

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Turn measured figures into nodes, bandwidth and storage.",
        discussion: "The reports are of 'run' at a rate that the node kept, or better of 'capacity'.")

    @Option(help: "Pulls of images a day.")
    var pulls = "0"

    @Option(name: .customLong("pull-report"), help: "Report of a run of 'pull', or of 'capacity' with it.")
    var pullReport: String?

    @Option(help: "Pushes of images a day.")
    var pushes = "0"

    @Option(name: .customLong("push-report"), help: "Report of a run of 'push', or of 'capacity' with it.")
    var pushReport: String?

    @Option(help: "The busiest second against the day's mean.")
    var peak = "4"

    @Option(help: "How full a node may be at the peak, in percent of what it holds.")
    var filling = "60"

    @Option(help: "Nodes that may be lost at the peak.")
    var spares = 1

    @Option(name: .customLong("kept-days"), help: "Days that pushed content is kept. (default: 90)")
    var keptDays: String?

    @Option(help: "Copies of each byte in storage. (default: 1)")
    var copies: String?

    @Option(help: "Mean bytes of an image on the wire, where it differs from the measured one.")
    var image: String?

    func run() throws {
        var work: [SizingPlan.Work] = []
        let amounts = 0.0...1e12
        let bytes = try reading("--image") { try image.map { Double(try Quantity.bytes($0)) } }
        for (name, text, file) in [("pulls", pulls, pullReport), ("pushes", pushes, pushReport)] {
            let perDay = try reading("--\(name)") { try Quantity.number(text, in: amounts) }
            let option = name == "pulls" ? "--pull-report" : "--push-report"
            guard perDay > 0 else {
                if file != nil { throw Exit(.usage, "\(option) needs --\(name): how many a day?") }
                continue
            }
            guard let file else { throw Exit(.usage, "--\(name) needs \(option): a plan rests on a measurement") }
            work.append(try Self.work(name, perDay, file, bytes))
        }
        guard !work.isEmpty else { throw Exit(.usage, "nothing to plan: give --pulls or --pushes") }
        for (option, value) in [("--kept-days", keptDays), ("--copies", copies)] where value != nil {
            guard work.contains(where: { $0.stored > 0 }) else {
                throw Exit(.usage, "\(option) is about what is pushed: give --pushes")
            }
        }
        guard (0...1000).contains(spares) else { throw Exit(.usage, "--spares must be 0 to 1000") }
        var plan = SizingPlan(work: work)
        plan.peak = try reading("--peak") { try Quantity.number(peak, in: 1...10_000) }
        plan.filling = try reading("--filling") { try Quantity.number(filling, in: 1...100) / 100 }
        plan.spares = spares
        plan.keptDays = try reading("--kept-days") { try Quantity.number(keptDays ?? "90", in: 0...36_500) }
        plan.copies = try reading("--copies") { try Quantity.number(copies ?? "1", in: 1...10) }
        guard plan.nodes > 0 else {
            throw Exit(.usage, "there is nothing to plan with: no rate that one node keeps, or over 1e9 nodes needed")
        }
        for line in plan.lines { Console.say(line) }
    }

    private static func work(_ name: String, _ perDay: Double, _ file: String, _ bytes: Double?) throws
        -> SizingPlan.Work
    {
        let data = try ReportFile.bytes(file)
        let isPush = name == "pushes"
        let capacity = CapacityReport.read(data)
        let report = if let capacity { capacity.run } else { try ReportFile.decode(RunReport.self, data, file) }
        let sign = isPush ? "manifest.put" : "manifest.get"
        guard report.operations[sign]?.succeeded ?? 0 > 0 else {
            throw Exit(.usage, "'\(file)' is no ground to plan \(name) on: there is no \(sign) in it")
        }
        var work: SizingPlan.Work
        do throws(RunError) {
            work = try SizingPlan.Work(name, perDay: perDay, from: report, stores: isPush)
        } catch {
            throw Exit(.usage, error.description)
        }
        work.capacity = capacity?.answer.rate ?? work.capacity
        work.source +=
            capacity.map { ", capacity for \($0.objective)" } ?? ", a rate that it kept; it may hold more"
        if let bytes {
            let scale = bytes / max(isPush ? work.bytesIn : work.bytesOut, 1)
            work.bytesIn *= scale
            work.bytesOut *= scale
            work.stored *= scale
            work.capacity /= max(scale, 1)
            work.source += ", scaled to images of \(Text.bytes(bytes)) as if only bytes counted"
        }
        return work
    }
}
