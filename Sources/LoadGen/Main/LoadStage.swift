import LoadKit

/// A generator aimed at a target: logged in, set up, and cleaned up after.
struct LoadStage {
    let generator: Generator
    let workload: any Workload
    let target: Target
    let scenario: Scenario
    private let stagehand: Stagehand?
    private let preparation: Preparation?
    private let replay: ReplayWorkload?
    private let isQuiet: Bool
    private let keeps: Bool

    /// Starts event loops, logs in and pushes what arrivals need. Throws an ``Exit`` when the target refuses or the user
    /// wants no more; what was pushed until then is deleted.
    static func start(
        _ load: LoadOptions, _ settings: RunSettings, _ scenario: Scenario, _ target: Target, _ interrupt: Interrupt
    ) async throws -> LoadStage {
        let generator = try await Generator.start(settings)
        if let file = load.replay { return try await start(load, settings, scenario, target, generator, replay: file) }
        guard load.scenario != nil else {
            let request = Request(
                .get, "GET", target.endpoint, target.path, fields: try load.access.credentials().fields,
                closes: scenario.closesConnections)
            return LoadStage(
                generator: generator, workload: SingleRequest(request), target: target, scenario: scenario,
                stagehand: nil, preparation: nil, replay: nil, isQuiet: load.quiet, keeps: true)
        }
        let client = RegistryClient(
            endpoint: target.endpoint, credentials: try load.access.credentials(),
            tokenHosts: Set(load.access.tokenHosts),
            closes: scenario.closesConnections)
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: settings.seed)
        let stagehand = Stagehand(generator: generator, workload: workload)
        do {
            try await client.logIn(generator)
        } catch {
            throw refusal(target, error)
        }
        do {
            let done = try await stagehand.setUp(stop: interrupt)
            if done.images > 0, !load.quiet {
                Console.complain(
                    "set-up: \(done.images) images, \(Text.bytes(Double(done.bytes))) in \(Text.significant(done.seconds)) s"
                )
            }
            return LoadStage(
                generator: generator, workload: workload, target: target, scenario: scenario, stagehand: stagehand,
                preparation: done, replay: nil, isQuiet: load.quiet, keeps: load.keep)
        } catch {
            if !load.keep { _ = await stagehand.cleanUp(arrivals: 0, limit: .seconds(10)) }
            if interrupt.isStopped { throw Exit(.interrupted, "interrupted in set-up") }
            throw Exit(.unreachable, "set-up failed: \(Failure.explained(error.name))")
        }
    }

    private static func start(
        _ load: LoadOptions, _ settings: RunSettings, _ scenario: Scenario, _ target: Target, _ generator: Generator,
        replay file: String
    ) async throws -> LoadStage {
        let text = String(decoding: try ReportFile.bytes(file), as: UTF8.self)
        let plan = ReplayPlan(try Recording(text: text, file: file))
        let pace = try reading("--pace") { try Quantity.number(load.pace ?? "1", in: 0.001...1e6) }
        guard !plan.isEmpty else { throw Exit(.usage, "\(file): none of the recording can be sent") }
        let client = RegistryClient(
            endpoint: target.endpoint, credentials: try load.access.credentials(),
            tokenHosts: Set(load.access.tokenHosts),
            closes: scenario.closesConnections)
        let replay = ReplayWorkload(
            plan: plan, client: client, seed: settings.seed, pace: pace)
        do {
            try await client.logIn(generator)
        } catch {
            throw refusal(target, error)
        }
        for (reason, count) in plan.left.sorted(by: { $0.key < $1.key }) where !load.quiet {
            Console.complain("replay: \(count) exchanges are not sent: \(reason)")
        }
        return LoadStage(
            generator: generator, workload: replay, target: target, scenario: scenario, stagehand: nil,
            preparation: nil,
            replay: replay, isQuiet: load.quiet, keeps: load.keep)
    }

    private static func refusal(_ target: Target, _ failure: Failure) -> Exit {
        Exit(
            .unreachable,
            "\(target.endpoint) does not answer as a registry (GET /v2/): \(Failure.explained(failure.name))")
    }

    /// One run, with progress on standard error: redrawn on a terminal, a line a second elsewhere.
    func perform(_ drive: Drive, _ interrupt: Interrupt) async throws -> RunReport {
        let isTerminal = Console.isTerminal
        let isQuiet = isQuiet
        var report = try await generator.run(workload, drive: drive, stop: interrupt) { progress in
            guard !isQuiet else { return true }
            let line = Summary.progress(progress)
            if isTerminal { Console.write("\r\u{1B}[K" + line, to: 2) } else { Console.complain(line) }
            return true
        }
        if isTerminal, !isQuiet { Console.complain("") }
        report.target = target.description
        report.scenario = scenario.name
        return report
    }

    /// A run that ends as soon as its objective is plainly out of reach.
    func probe(_ drive: Drive, _ interrupt: Interrupt, _ objective: Objective) async throws -> RunReport {
        let bound = objective.conditions.compactMap { condition -> Double? in
            guard condition.isBelow, condition.operation == nil, case .percentile = condition.measure else {
                return nil
            }
            return condition.bound
        }.min()
        var report = try await generator.run(workload, drive: drive, stop: interrupt) { progress in
            guard let bound, progress.at > max(2, progress.lastLength) else { return true }
            let median = Double(progress.last.histogram.percentile(50))
            let rate = Double(progress.last.asked) / progress.lastLength
            return median < bound * 4 && Double(progress.active) < rate * bound / 1e9 * 4 + 200
        }
        report.target = target.description
        report.scenario = scenario.name
        return report
    }

    /// Cleans up after a run that failed, and tells what it could not.
    func abandon(arrivals: UInt64? = nil) async throws {
        for note in try await end(RunReport(), arrivals: arrivals).notes { Console.complain("aerugo-load: " + note) }
    }

    /// Cleans up and ends the threads; what clean-up could not do becomes a note.
    func end(_ report: RunReport, arrivals sent: UInt64? = nil) async throws -> RunReport {
        var report = report
        if let stagehand, !keeps {
            let own = try await generator.arrivalsSoFar()
            let arrivals = sent ?? own
            let done = await stagehand.cleanUp(arrivals: arrivals, limit: .seconds(60))
            if !done.failures.isEmpty {
                let kinds = done.failures.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                report.notes.append("clean-up left content behind (\(kinds.joined(separator: ", ")))")
            }
        }
        if let replay, !keeps {
            let arrivals = try await generator.arrivalsSoFar()
            do {
                try await replay.cleanUp(generator, arrivals: arrivals, limit: .seconds(60))
            } catch {
                report.notes.append("clean-up left content behind (\(error.name))")
            }
        }
        try await generator.shutDown()
        return report
    }
}
