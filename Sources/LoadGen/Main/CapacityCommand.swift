import ArgumentParser
import LoadKit

struct CapacityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity", abstract: "Find the highest rate that keeps an objective.",
        discussion: """
            At most \(CapacitySearch.mostProbes) probes at rates that close in on the answer. A rate at which latency keeps rising \
            is too high even when the probe ends before the objective is missed.
            """)

    @OptionGroup var load: LoadOptions

    @Option(help: "What must hold, such as 'p99<200ms,errors<0.1%'.")
    var objective = "p99<200ms,errors<0.1%"

    @Option(parsing: .unconditional, help: "The first rate tried, arrivals a second.")
    var start = "50"

    @Option(parsing: .unconditional, help: "No higher rate is tried.")
    var ceiling: String?

    @Option(help: "Length of a probe.")
    var probe = "10s"

    @Option(help: "The search ends when its bounds are so close, in percent.")
    var precision = "2"

    @Option(help: ArgumentHelp(visibility: .hidden))
    var agents: String?

    @Option(help: "Write the result with the figures at the rate found.")
    var json: String?

    @Option(help: "Write the result as one self-contained page.")
    var html: String?

    func run() async throws {
        let objective = try reading("--objective") { try Objective(parsing: self.objective) }
        guard load.coolDown == nil else { throw Exit(.usage, "--cool-down: probes of a capacity search have none") }
        guard agents == nil else {
            throw Exit(.usage, "a capacity search is one generator's: use 'run --agents' at rates of your own choice")
        }
        guard load.replay == nil else {
            throw Exit(.usage, "a capacity search needs a scenario of like arrivals: it takes no --replay")
        }
        try OutputOptions.tryWriting([json, html])
        let length = try reading("--probe") { try Quantity.duration(probe) }
        guard length >= .seconds(1) else { throw Exit(.usage, "--probe must be at least 1s") }
        let top = try reading("--ceiling") { try Quantity.number(ceiling ?? "1000000", in: 0.1...Schedule.highestRate) }
        let first = try reading("--start") { try Quantity.number(start, in: 0.1...top) }
        let share = try reading("--precision") { try Quantity.number(precision, in: 0.1...50) / 100 }
        let search = try search(objective, first, share, top)
        let scenario = try load.readScenario()
        let target = try Target(parsing: load.url)
        let seed = load.seed ?? freshSeed()
        let plan = Drive.open(try Schedule(stages: [.constant(first, lasting: length)], seed: seed))
        var settings = try load.settings(plan, scenario, target, seed: seed)
        settings.warmUp = scenario.warmUp ?? .seconds(1)
        settings.coolDown = .zero
        settings.intervalWidth = .nanoseconds(Int64(max(length.nanoseconds / 50, 20_000_000)))
        let workload = try load.workload(scenario, target, settings)
        let interrupt = Interrupt()
        let stage = try await LoadStage.start(workload, load, settings, scenario, target, interrupt)
        var hunt = CapacityHunt(
            stage: stage, objective: objective, length: length, spacing: scenario.spacing ?? .poisson, seed: seed,
            isQuiet: load.quiet)
        let answer: CapacitySearch.Answer
        do {
            answer = try await hunt.search(search, interrupt)
        } catch {
            try await stage.end(interrupt)
            throw error
        }
        guard var report = hunt.best else {
            try await stage.end(interrupt)
            throw Exit(.interrupted, "interrupted before a probe ended")
        }
        if answer.rate > 0 {
            // Latency counts from the intended moment, the generator's lag is in it: the answer errs to the safe side.
            report.notes += report.doubts.map { "the target may hold more: " + $0 }
            report.doubts = []
        }
        tell(answer, objective, report.notes)
        let unwritten = write(CapacityReport(objective: objective.description, answer: answer, run: report))
        try await stage.end(interrupt)
        if let unwritten { throw unwritten }
        if interrupt.isStopped { throw Exit(.interrupted) }
        if answer.rate == 0 { throw Exit(.missed, "no rate that was tried keeps \(objective)") }
        if answer.isGeneratorBound { throw Exit(.invalid, "the generator, not the target, ended the search") }
    }

    /// A condition such as `rate>100` can only be met above it, by Poisson arrivals a little further above.
    private func search(
        _ objective: Objective, _ start: Double, _ precision: Double, _ ceiling: Double
    ) throws -> CapacitySearch {
        let floor = objective.leastRate * 1.05
        guard floor <= ceiling else {
            throw Exit(.usage, "--objective asks for a rate above the --ceiling of \(Text.significant(ceiling))/s")
        }
        return CapacitySearch(start: start, precision: precision, floor: max(floor, 0.1), ceiling: ceiling)
    }

    private func tell(_ answer: CapacitySearch.Answer, _ objective: Objective, _ notes: [String]) {
        var rows = [["probe", "rate", "outcome", "chance to meet it", "measured"]]
        for (place, probe) in answer.probes.enumerated() {
            rows.append([
                "\(place + 1)", Text.significant(probe.rate) + "/s", probe.outcome.rawValue,
                Text.significant(probe.confidence * 100) + " %", probe.summary,
            ])
        }
        for line in Summary.table(rows, lastIsText: true) { Console.say(line) }
        let bound =
            answer.failedAt.map { ", \(Text.significant($0))/s was too much" } ?? ", no rate that was tried is too much"
        for note in notes { Console.say("note: " + note) }
        Console.say("\ncapacity: \(Text.significant(answer.rate))/s keeps \(objective)\(bound)")
    }

    /// Gives what kept a file from being written.
    private func write(_ report: CapacityReport) -> Exit? {
        var extras = HTMLReport.Extras()
        extras.capacity = report.answer
        extras.objective = report.objective
        return OutputOptions.write([
            (json, { () throws(FileError) in try ReportFile.json(report) }),
            (html, { () throws(FileError) in HTMLReport.page(report.run, extras: extras) }),
        ])
    }
}

/// Carries a search's probes out.
struct CapacityHunt {
    let stage: LoadStage
    let objective: Objective
    let length: Duration
    let spacing: Schedule.Spacing
    let seed: UInt64
    let isQuiet: Bool
    /// The run at the highest rate that passed, or else the last.
    private(set) var best: RunReport?

    init(
        stage: LoadStage, objective: Objective, length: Duration, spacing: Schedule.Spacing, seed: UInt64, isQuiet: Bool
    ) {
        self.stage = stage
        self.objective = objective
        self.length = length
        self.spacing = spacing
        self.seed = seed
        self.isQuiet = isQuiet
    }

    /// Probes until the search is done or somebody interrupts.
    mutating func search(_ search: CapacitySearch, _ interrupt: Interrupt) async throws -> CapacitySearch.Answer {
        var search = search
        let judge = ProbeJudge(objective: objective, timeout: stage.generator.settings.requestTimeout)
        var bestRate = 0.0
        while case .probe(let rate) = search.step, !interrupt.isStopped {
            let schedule = try Schedule(stages: [.constant(rate, lasting: length)], spacing: spacing, seed: seed)
            let report = try await stage.probe(.open(schedule), interrupt, objective)
            if interrupt.isStopped { break }
            let result = judge.judge(report, rate: rate)
            search.take(result)
            if !isQuiet {
                Console.complain("probe \(Text.significant(rate))/s: \(result.outcome.rawValue) (\(result.summary))")
            }
            if result.outcome == .passed ? rate >= bestRate : bestRate == 0 {
                best = report
                if result.outcome == .passed { bestRate = rate }
            }
            // The queue that a missed probe left behind must not fall to the next one.
            if result.outcome != .passed {
                try await stage.generator.settle(
                    limit: stage.generator.settings.requestTimeout, stop: interrupt)
                try await Task.sleep(nanoseconds: 200_000_000)
            }
        }
        return search.answer
    }
}
