import ArgumentParser
import ConformanceKit
import Foundation

/// `run URL [ID-GLOB …]`: tries a registry.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Try a registry, all of it or the checks whose ids fit the patterns.")

    @OptionGroup var targeting: TargetOptions
    @OptionGroup var outputs: OutputOptions
    @Argument(help: "Id patterns such as 'push.*'; all checks when there are none.") var patterns: [String] = []
    @Option(help: "The laxest level to try: must, should or may.") var level = LevelOption.may
    @Option(help: "How many checks run at once.") var jobs = 4
    @Option(help: "Everything random comes from it; new for each run unless given.") var seed: String?
    @Option(help: "How many changes the model plays, each with its questions, in games of the seed.") var steps: Int?
    @Option(name: .customLong("for"), help: "Play for so long instead, such as 30s, 10m or 2h.") var playTime: PlayTime?
    @Flag(help: "Leave what was made.") var keep = false
    @Flag(help: "Try nothing: remove what earlier runs left below --prefix (of one run with --seed).") var cleanup =
        false
    @Flag(help: "Also the checks that move gigabytes.") var large = false
    @Flag(name: .customLong("list"), help: "Only list what would run.") var listOnly = false

    mutating func run() throws {
        if cleanup { return try removeRemains() }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs is between 1 and 64") }
        var plan = RunPlan(
            target: try targeting.target(),
            groups: CheckCatalog.groups + (targeting.management ? ManagementCatalog.groups : []),
            seed: seed ?? RunSeed.fresh())
        guard RunSeed.isValid(plan.seed) else { throw ValidationError("--seed is made of a-z and 0-9, 16 at most") }
        (plan.patterns, plan.level, plan.jobs) = (patterns, level.level, jobs)
        if let steps {
            guard (1...1_000_000).contains(steps) else { throw ValidationError("--steps is between 1 and 1000000") }
            plan.play.steps = steps
        }
        plan.play.duration = playTime?.duration
        // The share of a usual run is the same games whatever the seed: the same registry gets the same verdicts.
        if steps != nil || playTime != nil { plan.play.seed = plan.seed }
        (plan.keep, plan.large, plan.trace) = (keep, large, outputs.trace)
        if plan.selection.isEmpty {
            Console.write("no check fits \(patterns.joined(separator: " "))\n", toError: true)
            Console.exit(Status.nothingSelected)
        }
        if listOnly { return ListCommand.write(plan.selection) }
        let known = try outputs.probe()
        if plan.width < plan.jobs {
            Console.write("--repository: one check at a time, all of them share it\n", toError: true)
        }
        let report = ConsoleReport(selection: plan.selection, isTerminal: Console.isTerminal)
        Console.write("\(plan.target.base.origin), \(plan.selection.count) checks, seed \(plan.seed)\n")
        let runner = Runner(plan, observer: report)
        Interrupts.handle { runner.context.interrupt() }
        let result = try Console.exitingOnProblems { try runner.run() }
        report.summary(result)
        if let refusal = result.facts.credentialsRefusal { Console.write("unusable: \(refusal)\n", toError: true) }
        try outputs.write(result, plan)
        Console.exit(outputs.status(result, against: known))
    }
}

extension RunCommand {
    /// `--cleanup`: exit 0 when nothing stays.
    private func removeRemains() throws {
        if let seed, !RunSeed.isValid(seed) { throw ValidationError("--seed is made of a-z and 0-9, 16 at most") }
        let context = RunContext(target: try targeting.target(), seed: "cleanup", keep: true, standing: [])
        Interrupts.handle { context.interrupt() }
        let outcome = try Console.exitingOnProblems { () throws -> Remains.Outcome in
            do {
                return try Remains(context, seed: seed).remove()
            } catch let failure as TransportFailure {
                throw TargetProblem.unreachable("\(context.target.base.origin): \(failure.detail)")
            } catch let failure as RunnerFailure {
                throw TargetProblem.unusable(failure.description)
            }
        }
        Console.write(
            "\(outcome.repositories) repositories, \(outcome.deleted) things deleted, \(outcome.left) could not be\n")
        if outcome.untold > 0 {
            Console.write(
                "\(outcome.untold) more tell no tags: what has none is in no list, and stays if there is any\n")
        }
        if outcome.left > 0 { Console.exit(Status.failures) }
    }
}

/// `--for`: a number of seconds, minutes or hours.
struct PlayTime: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        let units = ["s": 1, "m": 60, "h": 3_600]
        guard let unit = argument.last.flatMap({ units[String($0)] }), let count = Int(argument.dropLast()),
            (1...1_000_000).contains(count)
        else { return nil }
        duration = .seconds(count * unit)
    }
}

/// `--level`.
enum LevelOption: String, ExpressibleByArgument, CaseIterable {
    case must
    case should
    case may

    var level: Level {
        switch self {
        case .must: .must
        case .should: .should
        case .may: .may
        }
    }
}

/// The word that everything random of a run comes from.
enum RunSeed {
    static func fresh() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return "r" + String((0..<7).compactMap { _ in letters.randomElement() })
    }

    static func isValid(_ seed: String) -> Bool {
        (1...16).contains(seed.count) && seed.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
    }
}

/// Lets an interrupt end the run in good order: checks stop, clean-up goes on; a second one ends at once.
enum Interrupts {
    /// To be called before other threads are started: they must not take the signals.
    static func handle(_ action: @escaping @Sendable () -> Void) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in [SIGINT, SIGTERM] { sigaddset(&mask, number) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        Thread.detachNewThread { [mask] in
            var (mask, number, count) = (mask, Int32(0), 0)
            while sigwait(&mask, &number) == 0 {
                count += 1
                if count > 1 { Console.exit(130) }
                Console.write("\ninterrupted: cleaning up\n", toError: true)
                action()
            }
        }
    }
}
