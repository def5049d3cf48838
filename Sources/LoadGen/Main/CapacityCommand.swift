import ArgumentParser
import LoadKit

struct CapacityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity", abstract: "Find the highest rate that keeps an objective.",
        discussion: """
            Probes close in on the rate, at most \(CapacitySearch.mostProbes); the answer with its interval is drawn from all of them that \
            come near. Each has arrivals of its own seed, enough for the percentile that is asked about, and time enough for a queue \
            to grow: ten minutes for 'p99<200ms' are usual, five for 'p99<20ms'. A rate at which latency keeps rising is too high \
            even when the probe ends before the objective is missed.

            Exit codes: 0 a rate was found, 1 none keeps the objective, 4 the generator was at its limit before the target.
            """)

    @OptionGroup var load: LoadOptions

    @Option(help: "What must hold, such as 'p99<200ms,errors<0.1%'.")
    var objective = "p99<200ms,errors<0.1%"

    @Option(parsing: .unconditional, help: "The first rate tried, arrivals a second.")
    var start = "50"

    @Option(parsing: .unconditional, help: "No higher rate is tried.")
    var ceiling: String?

    @Option(help: "The least length of a probe; it is longer where the objective needs more arrivals or more time.")
    var probe = "10s"

    @Option(help: "The search ends when the ends of the interval are so close to the answer, in percent.")
    var precision = "5"

    @Option(help: "Write the result with the figures at the rate found.")
    var json: String?

    @Option(help: "Write the result as one self-contained page.")
    var html: String?

    func run() async throws {
        let objective = try reading("--objective") { try Objective(parsing: self.objective) }
        guard load.coolDown == nil else { throw Exit(.usage, "--cool-down: probes of a capacity search have none") }
        guard load.replay == nil else {
            throw Exit(.usage, "a capacity search needs a scenario of like arrivals: it takes no --replay")
        }
        try OutputOptions.tryWriting([json, html])
        let length = try reading("--probe") { try Quantity.duration(probe) }
        guard length >= .seconds(1) else { throw Exit(.usage, "--probe must be at least 1s") }
        let top = try reading("--ceiling") { try Quantity.number(ceiling ?? "1000000", in: 0.1...Schedule.highestRate) }
        let first = try reading("--start") { try Quantity.number(start, in: 0.1...top) }
        try refuseTooFew(objective, first)
        let share = try reading("--precision") { try Quantity.number(precision, in: 0.1...50) / 100 }
        let search = try search(objective, first, share, top)
        let scenario = try load.readScenario()
        let target = try Target(parsing: load.url)
        let seed = load.seed ?? freshSeed()
        let plan = LoadProfile.open(try Schedule(stages: [.constant(first, lasting: length)], seed: seed))
        var settings = try load.settings(plan, scenario, target, seed: seed)
        settings.coolDown = .zero
        let workload = try load.workload(scenario, target, settings)
        let interrupt = Interrupt()
        let stage = try await LoadStage.start(workload, load, settings, scenario, target, interrupt)
        var hunt = CapacityHunt(
            stage: stage, objective: objective, length: length, warmUp: scenario.warmUp,
            spacing: scenario.spacing ?? .poisson, seed: seed, isQuiet: load.quiet)
        let answer: CapacitySearch.Answer
        do {
            answer = try await hunt.search(search, interrupt)
        } catch {
            try await stage.end(interrupt)
            throw error
        }
        guard var report = hunt.nearest(to: answer) else {
            try await stage.end(interrupt)
            throw Exit(.interrupted, "interrupted before a probe ended")
        }
        if answer.rate > 0 {
            // Latency counts from the intended moment, the generator's lag is in it: the answer errs to the safe side.
            report.notes += report.doubts.map { "the target may hold more: " + $0 }
            report.doubts = []
        }
        hunt.tell(answer, report.notes)
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
        let floor = max(objective.leastRate * 1.05, ProbeJudge(objective: objective).leastRate)
        guard floor <= ceiling else {
            throw Exit(.usage, "--objective asks for a rate above the --ceiling of \(Text.significant(ceiling))/s")
        }
        return CapacitySearch(start: start, precision: precision, floor: max(floor, 0.1), ceiling: ceiling)
    }

    /// A probe with fewer arrivals than its percentile needs would tell nothing.
    private func refuseTooFew(_ objective: Objective, _ start: Double) throws {
        let judge = ProbeJudge(objective: objective)
        guard start < judge.leastRate else { return }
        throw Exit(
            .usage,
            "--start: \(objective) needs \(Text.plain(judge.leastArrivals.rounded())) arrivals a probe, and none is longer than "
                + "\(Text.plain(ProbeJudge.longest.inSeconds)) s: begin with \(Text.significant(judge.leastRate))/s or more, or ask for a lower percentile"
        )
    }

    /// Gives what kept a file from being written.
    private func write(_ report: CapacityReport) -> Exit? {
        OutputOptions.write([
            (json, { () throws(FileError) in try ReportFile.json(report) }),
            (html, { () throws(FileError) in HTMLReport.page([HTMLReport.Entry(report)]) }),
        ])
    }
}

/// Carries a search's probes out.
struct CapacityHunt {
    let stage: LoadStage
    let objective: Objective
    /// The least that a probe lasts, and its warm-up where the scenario names one.
    let length: Duration
    let warmUp: Duration?
    let spacing: Schedule.Spacing
    let seed: UInt64
    let isQuiet: Bool
    /// In the order of the probes.
    private(set) var reports: [RunReport] = []

    init(
        stage: LoadStage, objective: Objective, length: Duration, warmUp: Duration?, spacing: Schedule.Spacing,
        seed: UInt64,
        isQuiet: Bool
    ) {
        self.stage = stage
        self.objective = objective
        self.length = length
        self.warmUp = warmUp
        self.spacing = spacing
        self.seed = seed
        self.isQuiet = isQuiet
    }

    /// Probes until the search is done or somebody interrupts.
    mutating func search(_ search: CapacitySearch, _ interrupt: Interrupt) async throws -> CapacitySearch.Answer {
        var search = search
        let judge = ProbeJudge(objective: objective, timeout: stage.generator.settings.requestTimeout)
        while case .probe(let rate) = search.step, !interrupt.isStopped {
            let isFine = search.isFine
            let length = judge.length(at: rate, wanted: length, isFine: isFine)
            // Each its own arrivals: what all of them told with one sequence would be that sequence.
            let own = SeededRandom.mix(seed &+ UInt64(reports.count + 1) &* 0x9E37_79B9_7F4A_7C15)
            let schedule = try Schedule(stages: [.constant(rate, lasting: length)], spacing: spacing, seed: own)
            let warmUp = warmUp ?? max(.seconds(1), .nanoseconds(Int64(length.nanoseconds / 5)))
            let report = try await stage.probe(
                .open(schedule), warmUp: warmUp, width: .nanoseconds(Int64(length.nanoseconds / 50)), interrupt,
                objective)
            if interrupt.isStopped { break }
            let result = judge.judge(report, wanted: rate, isFine: isFine)
            search.take(result)
            reports.append(report)
            if !isQuiet {
                Console.complain(
                    "probe \(Text.significant(result.rate))/s for \(Text.significant(length.inSeconds)) s: "
                        + "\(result.outcome.rawValue) (\(result.summary))")
            }
            // The queue that a missed probe left behind must not fall to the next one.
            if result.outcome != .passed {
                try await stage.generator.settle(limit: stage.generator.settings.requestTimeout, stop: interrupt)
            }
        }
        return search.answer
    }

    /// The run that passed nearest to the answer, or else the last; `nil` when there was none.
    func nearest(to answer: CapacitySearch.Answer) -> RunReport? {
        let passed = zip(answer.probes, reports).filter { $0.0.outcome == .passed }
        return passed.min { abs($0.0.rate - answer.rate) < abs($1.0.rate - answer.rate) }?.1 ?? reports.last
    }

    /// All probes, and the answer.
    func tell(_ answer: CapacitySearch.Answer, _ notes: [String]) {
        var rows = [["probe", "rate", "arrivals", "outcome", "measured"]]
        for (place, probe) in answer.probes.enumerated() {
            rows.append([
                "\(place + 1)", Text.significant(probe.rate) + "/s", "\(probe.arrivals)", probe.outcome.rawValue,
                probe.summary,
            ])
        }
        for line in Summary.table(rows, lastIsText: true) { Console.say(line) }
        for note in notes { Console.say("note: " + note) }
        if !answer.isSettled {
            Console.say(
                "note: the interval is wider than was asked for: the target is moody, or the search was cut short")
        }
        Console.say("\ncapacity: \(answer.text) for \(objective)")
    }
}
