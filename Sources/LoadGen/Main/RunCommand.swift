import ArgumentParser
import LoadKit

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Send load and report what came of it.",
        discussion: """
            Without --rate, --burst or --concurrency the scenario's own schedule is kept, or else 10 a second for 10 s.

            A condition is [OPERATION:]MEASURE<BOUND, with <, <=, > or >=. Measures: p50, p99.9 and the like, mean, max (times \
            such as 200ms), errors (0.1%), rate (990/s). Operations: those of the report, such as blob.get; without one, whole \
            arrivals are meant.

              aerugo-load run http://127.0.0.1:5000 --scenario pull --rate 100 --duration 1m --require 'p99<200ms'
              aerugo-load run http://127.0.0.1:5000/v2/ --rate 500 --html page.html
            """)

    @OptionGroup var load: LoadOptions

    @Option(parsing: .unconditional, help: "Arrivals a second (open loop). (default: 10)")
    var rate: String?

    @Option(help: "How long the figures are taken. (default: 10s)")
    var duration: String?

    @Option(parsing: .unconditional, help: "Rate at the start of a ramp that ends at --rate.")
    var from: String?

    @Option(parsing: .unconditional, help: "So many arrivals at once, each --every.")
    var burst: Int?

    @Option(help: "Time between bursts. (default: 1s)")
    var every: String?

    @Option(help: "Closed loop instead: so many clients, each waiting for its answer. Hides a server's pauses.")
    var concurrency: Int?

    @OptionGroup var agents: AgentOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let objectives = try output.objectives()
        try refuseContradictions()
        let scenario = try load.readScenario()
        let target = try Target(parsing: load.url)
        let seed = load.seed ?? freshSeed()
        let profile = try self.profile(scenario, seed: seed)
        let settings = try load.settings(profile, scenario, target, seed: seed)
        let workload = try load.workload(scenario, target, settings)
        let interrupt = Interrupt()
        let crew = try await agents.connect(profile, settings, interrupt)
        let stage = try await LoadStage.start(workload, load, settings, scenario, target, interrupt)
        var report: RunReport
        do {
            report =
                if let crew {
                    try await crew.perform(profile, load, settings, scenario, interrupt)
                } else {
                    try await stage.perform(profile, interrupt)
                }
        } catch {
            try await stage.end(interrupt, arrivals: crew?.arrivals(profile, settings))
            throw error
        }
        report.verdicts = objectives.flatMap { $0.judge(report) }.map(VerdictReport.init)
        for line in Summary.lines(report) { Console.say(line) }
        // Before clean-up, which may take its time and be cut short.
        let unwritten = output.write(report)
        try await stage.end(interrupt, arrivals: crew?.arrivals(profile, settings))
        if let unwritten { throw unwritten }
        if interrupt.isStopped { throw Exit(.interrupted) }
        try Self.end(report)
    }

    /// Throws what the run ends with, if it is not 0.
    private static func end(_ report: RunReport) throws {
        if report.arrivals.succeeded == 0, let failure = report.arrivals.failures.max(by: { $0.value < $1.value })?.key,
            !Failure.own.contains(failure)
        {
            throw Exit(.unreachable, "nothing succeeded: \(Failure.explained(failure))")
        }
        if report.isTargetGone {
            throw Exit(
                .unreachable,
                "the target went away: the last \(report.lostInARow) arrivals did not reach it, or had no answer")
        }
        if report.verdicts.contains(where: { $0.verdict == .missed }) { throw Exit(.missed) }
        let open = report.verdicts.filter { $0.verdict == .unknown }
        if let first = open.first {
            let rest = open.count > 1 ? ", and of \(open.count - 1) more" : ""
            throw Exit(
                .invalid, "the run cannot tell of \(first.condition)\(rest): \(first.reason ?? "nothing was measured")")
        }
        if report.verdicts.isEmpty, !report.isValid {
            throw Exit(.invalid, "the figures may be the generator's own: " + report.doubts.joined(separator: "; "))
        }
    }

    /// What would be passed over in silence is refused.
    private func refuseContradictions() throws {
        let given = [
            ("--rate", rate), ("--from", from), ("--every", every), ("--burst", burst.map { "\($0)" }),
            ("--spacing", load.spacing),
        ]
        func refuse(_ option: String, with names: [String]) throws {
            guard let other = given.first(where: { $0.1 != nil && names.contains($0.0) }) else { return }
            throw Exit(.usage, "\(option) and \(other.0) do not go together")
        }
        if concurrency != nil {
            guard rate == nil else { throw Exit(.usage, "--concurrency is a closed loop: it takes no rate") }
            try refuse("--concurrency", with: ["--from", "--burst", "--every", "--spacing"])
        }
        if burst != nil { try refuse("--burst", with: ["--rate", "--from", "--spacing"]) }
        if every != nil, burst == nil { throw Exit(.usage, "--every is for --burst") }
        if from != nil, rate == nil { throw Exit(.usage, "--from needs the --rate that the ramp ends at") }
        guard agents.agents != nil else { return }
        if load.replay != nil { throw Exit(.usage, "agents send no replays: --replay and --agents do not go together") }
        if load.isRealTime { throw Exit(.usage, "--realtime is the agents' own affair: start them with it") }
        if load.serverPID != nil || load.metrics != nil {
            throw Exit(
                .usage, "with --agents the server's CPU and memory are not read: leave out --server-pid and --metrics")
        }
    }

    /// Command line over scenario over 10 a second for 10 s.
    private func profile(_ scenario: Scenario, seed: UInt64) throws -> LoadProfile {
        let length = try duration.map { text in try reading("--duration") { try Quantity.duration(text) } }
        guard length ?? .seconds(1) > .zero else { throw Exit(.usage, "--duration must be longer than nothing") }
        if let concurrency {
            guard (1...100_000).contains(concurrency) else { throw Exit(.usage, "--concurrency must be 1 to 100000") }
            return .closed(clients: concurrency, lasting: length ?? .seconds(10))
        }
        var stages = scenario.schedule ?? [.constant(10, lasting: .seconds(10))]
        if let rate {
            let rate = try reading("--rate") { try Quantity.number(rate, in: 0...Schedule.highestRate) }
            let start = try reading("--from") {
                try from.map { try Quantity.number($0, in: 0...Schedule.highestRate) } ?? rate
            }
            stages = [.ramp(from: start, to: rate, lasting: length ?? .seconds(10))]
        } else if let burst {
            let every = try reading("--every") { try Quantity.duration(self.every ?? "1s") }
            stages = [.burst(size: burst, every: every, lasting: length ?? .seconds(10))]
        } else if let length {
            guard stages.count == 1 else {
                throw Exit(
                    .usage,
                    "--duration does not fit the \(stages.count) stages of the scenario's schedule: give --rate too, "
                        + "or change the stages")
            }
            stages = stages.map { $0.lasting(length) }
        }
        return .open(try Schedule(stages: stages, spacing: scenario.spacing ?? .constant, seed: seed))
    }
}
