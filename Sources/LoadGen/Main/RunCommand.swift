import ArgumentParser
import LoadKit

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Send load and report what came of it.")

    @OptionGroup var load: LoadOptions

    @Option(help: "Arrivals a second (open loop).")
    var rate: String?

    @Option(help: "How long the figures are taken.")
    var duration: String?

    @Option(help: "Rate at the start of a ramp that ends at --rate.")
    var from: String?

    @Option(help: "So many arrivals at once, each --every.")
    var burst: Int?

    @Option(help: "Time between bursts.")
    var every = "1s"

    @Option(help: "Closed loop instead: so many clients, each waiting for its answer. Hides a server's pauses.")
    var concurrency: Int?

    @OptionGroup var agents: AgentOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let objectives = try output.objectives()
        let scenario = try load.readScenario()
        let target = try Target(parsing: load.url)
        let seed = load.seed ?? freshSeed()
        let drive = try self.drive(scenario, seed: seed)
        let settings = try load.settings(drive, scenario, target, seed: seed)
        let interrupt = Interrupt()
        let stage = try await LoadStage.start(load, settings, scenario, target)
        var report: RunReport
        if let names = agents.agents {
            report = try await agents.perform(names, drive, load, settings, scenario)
            // Arrivals of warm-up and cool-down have numbers too: clean-up looks a little further than was asked.
            report = try await stage.end(report, arrivals: drive.arrivalBound(settings, asked: report.asked))
        } else {
            report = try await stage.perform(drive, interrupt)
            report = try await stage.end(report)
        }
        for line in Summary.lines(report) { Console.say(line) }
        let verdicts = objectives.flatMap { $0.judge(report) }
        for verdict in verdicts {
            Console.say("\(verdict.isMet ? "met" : "MISSED"): \(verdict.condition) (\(verdict.text))")
        }
        try output.write(report, verdicts)
        if report.isInterrupted { throw Exit(.interrupted) }
        if report.arrivals.succeeded == 0, let failure = report.arrivals.failures.keys.first {
            throw Exit(.unreachable, "nothing succeeded: \(failure)")
        }
        if !report.isValid { throw Exit(.invalid, "the run is invalid: " + report.doubts.joined(separator: "; ")) }
        if verdicts.contains(where: { !$0.isMet }) { throw Exit(.missed) }
    }

    /// Command line over scenario over 10 a second for 10 s.
    private func drive(_ scenario: Scenario, seed: UInt64) throws -> Drive {
        let length = try duration.map { try Quantity.duration($0) }
        guard length ?? .seconds(1) > .zero else { throw Exit(.usage, "--duration must be longer than nothing") }
        if let concurrency {
            guard rate == nil, burst == nil else {
                throw Exit(.usage, "--concurrency is closed loop: it takes no rate")
            }
            guard (1...100_000).contains(concurrency) else { throw Exit(.usage, "--concurrency must be 1 to 100000") }
            return .closed(clients: concurrency, lasting: length ?? .seconds(10))
        }
        var stages = scenario.schedule ?? [.constant(10, lasting: .seconds(10))]
        if let rate {
            let rate = try Quantity.number(rate, in: 0...Schedule.highestRate)
            let start = try from.map { try Quantity.number($0, in: 0...Schedule.highestRate) } ?? rate
            stages = [.ramp(from: start, to: rate, lasting: length ?? .seconds(10))]
        } else if let burst {
            stages = [.burst(size: burst, every: try Quantity.duration(every), lasting: length ?? .seconds(10))]
        } else if let length {
            stages = stages.count == 1 ? stages.map { $0.lasting(length) } : stages
        }
        return .open(try Schedule(stages: stages, spacing: scenario.spacing ?? .constant, seed: seed))
    }
}
