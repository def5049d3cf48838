import Harness
import LoadKit

/// A generator aimed at a target: logged in, set up, and cleaned up after.
struct LoadStage {
    let generator: Generator
    private let workload: any Workload
    private let target: Target
    private let scenario: Scenario
    private let isQuiet: Bool
    private let keeps: Bool

    private init(
        _ generator: Generator, _ workload: any Workload, _ target: Target, _ scenario: Scenario, _ load: LoadOptions
    ) {
        self.generator = generator
        self.workload = workload
        self.target = target
        self.scenario = scenario
        isQuiet = load.quiet
        keeps = load.keep
    }

    /// Starts event loops, logs in and pushes what arrivals need. Throws an ``Exit`` when the target refuses or the user
    /// wants no more; what was pushed until then is deleted.
    static func start(
        _ workload: any Workload, _ load: LoadOptions, _ settings: RunSettings, _ scenario: Scenario, _ target: Target,
        _ interrupt: Interrupt
    ) async throws -> LoadStage {
        let generator = try await Generator.start(settings)
        let stage = LoadStage(generator, workload, target, scenario, load)
        if let pushing = workload as? any PushingWorkload { try await stage.logIn(pushing, interrupt) }
        if scenario.logsIn, try await !generator.wasAskedToLogIn() {
            try await generator.shutDown()
            throw Exit(.usage, "\(target.endpoint) asks nobody who they are: there is no login to measure")
        }
        try await stage.tryMetrics(load, interrupt)
        try await stage.connect(load)
        if let registry = workload as? RegistryWorkload { try await stage.setUp(registry, interrupt) }
        return stage
    }

    private func logIn(_ pushing: any PushingWorkload, _ interrupt: Interrupt) async throws {
        do throws(Failure) {
            try await pushing.client.logIn(generator, managing: pushing.managesAccounts, stop: interrupt)
        } catch {
            if interrupt.isStopped { throw Exit(.interrupted, "interrupted while logging in") }
            let what =
                switch error {
                case .loginRefused, .loginWanted, .foreignHost, .status(401): "lets nobody in"
                default: "does not answer as a registry"
                }
            let place = pushing.managesAccounts ? "GET /v2/ and /api/v1/system/info" : "GET /v2/"
            throw Exit(.unreachable, "\(target.endpoint) \(what) (\(place)): \(Failure.explained(error.name))")
        }
    }

    /// A curve that stays empty would be found out too late.
    private func tryMetrics(_ load: LoadOptions, _ interrupt: Interrupt) async throws {
        guard let page = load.metrics, await !generator.readsMetrics() else { return }
        if interrupt.isStopped { throw Exit(.interrupted) }
        throw Exit(
            .usage,
            "--metrics: \(page) of \(target.endpoint) does not tell process_cpu_seconds_total and "
                + "process_resident_memory_bytes within a second: name the page that does, or leave it out")
    }

    /// What ``LoadOptions/connections`` asks for.
    private func connect(_ load: LoadOptions) async throws {
        guard let count = load.connections else { return }
        do throws(Failure) {
            try await generator.connect(to: target.endpoint, count: count)
        } catch {
            try await generator.shutDown()
            throw Exit(
                .unreachable,
                "\(count) connections to \(target.endpoint) cannot be made: \(Failure.explained(error.name))")
        }
    }

    private func setUp(_ registry: RegistryWorkload, _ interrupt: Interrupt) async throws {
        do throws(Failure) {
            let done = try await registry.setUp(generator, stop: interrupt)
            var parts: [String] = []
            if done.users > 0 { parts += ["\(done.users) users", "\(done.repositories) repositories"] }
            if done.images > 0 { parts += ["\(done.images) images", Text.bytes(Double(done.bytes))] }
            guard !parts.isEmpty, !isQuiet else { return }
            Console.complain("set-up: \(parts.joined(separator: ", ")) in \(Text.significant(done.seconds)) s")
        } catch {
            let wasInterrupted = interrupt.isStopped
            try await end(interrupt)
            if wasInterrupted { throw Exit(.interrupted, "interrupted in set-up") }
            throw Exit(.unreachable, "set-up failed: \(Failure.explained(error.name))")
        }
    }

    /// One run, with progress on standard error: redrawn on a terminal, a line a second elsewhere.
    func perform(_ profile: LoadProfile, _ interrupt: Interrupt) async throws -> RunReport {
        let isTerminal = Console.isTerminal
        let isQuiet = isQuiet
        var report = try await generator.run(workload, profile: profile, stop: interrupt) { progress in
            guard !isQuiet else { return true }
            let line = Summary.progress(progress)
            if isTerminal { Console.redraw(line) } else { Console.complain(line) }
            return true
        }
        if isTerminal, !isQuiet { Console.complain("") }
        report.target = target.description
        report.scenario = scenario.name
        return report
    }

    /// A run that ends as soon as its objective is plainly out of reach.
    func probe(
        _ profile: LoadProfile, warmUp: Duration, width: Duration, _ interrupt: Interrupt, _ objective: Objective
    ) async throws -> RunReport {
        let bound = objective.conditions.compactMap { condition -> Double? in
            guard condition.isBelow, condition.operation == nil, case .percentile = condition.measure else {
                return nil
            }
            return condition.bound
        }.min()
        var report = try await generator.run(
            workload, profile: profile, warmUp: warmUp, intervalWidth: width, stop: interrupt
        ) { progress in
            guard let bound, progress.at > max(2, progress.lastLength) else { return true }
            let median = Double(progress.last.histogram.percentile(50))
            let rate = Double(progress.last.asked) / progress.lastLength
            return median < bound * 4 && Double(progress.active) < rate * bound / 1e9 * 4 + 200
        }
        report.target = target.description
        report.scenario = scenario.name
        return report
    }

    /// Deletes what was pushed, tells what it could not, and ends the threads. An interruption ends it early, but not one
    /// that ended the run before.
    ///
    /// - Parameter arrivals: one more than the highest that may have pushed, where others than this generator sent them.
    func end(_ interrupt: Interrupt, arrivals: UInt64? = nil) async throws {
        let hasLeft = try await generator.hasLeftSomething()
        if let pushing = workload as? any PushingWorkload, !keeps, hasLeft || arrivals != nil {
            let own = try await generator.arrivalsSoFar()
            let stop: any StopSignal = interrupt.isStopped ? NeverStops() : interrupt
            let failures = await CleanUp(pushing, generator).perform(arrivals: arrivals ?? own, stop: stop)
            if !failures.isEmpty {
                let kinds = failures.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                Console.complain(
                    "aerugo-load: clean-up did not get all of \(pushing.prefix)/* deleted: "
                        + kinds.joined(separator: ", "))
            }
        }
        try await generator.shutDown()
    }
}

extension LoadOptions {
    /// What arrivals do: send a recording, play a scenario, or get the URL. Takes its time for large content, whose
    /// digests are worked out here: before anybody listens for Ctrl-C, so that it ends the program.
    func workload(_ scenario: Scenario, _ target: Target, _ settings: RunSettings) throws -> any Workload {
        let usesPath =
            replay == nil && (self.scenario == nil || scenario.choices.contains { $0.action == .client(.get) })
        guard usesPath || target.path == "/" else {
            throw Exit(
                .usage, "a registry's API stands at the root of its host: leave '\(target.path)' out of the URL")
        }
        guard !scenario.logsIn || access.tokenFile == nil else {
            throw Exit(.usage, "--token-file: who logs in needs a password to get tokens with: --user")
        }
        if let replay { return try replayed(replay, scenario, target, settings) }
        if self.scenario != nil { tellPreparing(scenario.existing == nil ? scenario.images.largestLayer : 0) }
        return try access.workload(
            self.scenario == nil ? nil : scenario, target, closes: scenario.closesConnections, seed: settings.seed)
    }

    private func tellPreparing(_ largest: Int) {
        guard largest > 1 << 30, !quiet else { return }
        Console.complain("preparing layers of up to \(Text.bytes(Double(largest))): their bytes are hashed once")
    }

    private func replayed(
        _ file: String, _ scenario: Scenario, _ target: Target, _ settings: RunSettings
    ) throws -> ReplayWorkload {
        let text = String(decoding: try ReportFile.bytes(file), as: UTF8.self)
        let plan = ReplayPlan(try Recording(text: text, file: file, complaint: \.complaint))
        let speed = try reading("--pace") { try Quantity.number(pace ?? "1", in: 0.001...1e6) }
        guard !plan.isEmpty else { throw Exit(.usage, "\(file): none of the recording can be sent") }
        for (reason, count) in plan.left.sorted(by: { $0.key < $1.key }) where !quiet {
            Console.complain("replay: \(count) exchanges are not sent: \(reason)")
        }
        tellPreparing(plan.sizes.max() ?? 0)
        return ReplayWorkload(
            plan: plan, client: try access.client(target, closes: scenario.closesConnections),
            namespace: scenario.namespace, seed: settings.seed, pace: speed)
    }
}
