import ArgumentParser
import LoadKit

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Make one self-contained page of runs and capacity searches.")

    @Argument(help: "The JSON of 'run' or 'capacity', one or several.")
    var inputs: [String]

    @Option(name: .shortAndLong, help: "The page.")
    var output: String

    func run() throws {
        var entries: [HTMLReport.Entry] = []
        for input in inputs { entries.append(try Self.read(input)) }
        do throws(FileError) {
            try ReportFile.write(HTMLReport.page(entries), to: output)
        } catch {
            throw Exit(.unwritable, error.description)
        }
    }

    private static func read(_ input: String) throws -> HTMLReport.Entry {
        let bytes = try ReportFile.bytes(input)
        if let capacity = CapacityReport.read(bytes) { return HTMLReport.Entry(capacity) }
        return HTMLReport.Entry(try ReportFile.decode(RunReport.self, bytes, input))
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
