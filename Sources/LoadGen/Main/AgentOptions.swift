import ArgumentParser
import LoadKit

/// Sends orders to agents instead of load.
struct AgentOptions: ParsableArguments {
    @Option(help: "HOST:PORT of agents that send the load together, separated by commas.")
    var agents: String?

    @Option(name: .customLong("agent-secret-file"), help: "File whose first line the agents want to see.")
    var secretFile: String?

    /// Speaks to the agents and reads their clocks; `nil` without any. Throws when one does not answer.
    func connect(_ profile: LoadProfile, _ settings: RunSettings, _ interrupt: Interrupt) async throws -> AgentCrew? {
        guard let agents else {
            guard secretFile == nil else { throw Exit(.usage, "--agent-secret-file is for --agents") }
            return nil
        }
        var endpoints: [Endpoint] = []
        for text in agents.split(separator: ",") {
            let (host, port) = try AgentCommand.address(String(text))
            endpoints.append(Endpoint(isTLS: false, host: host, port: port))
        }
        guard !endpoints.isEmpty else { throw Exit(.usage, "--agents names none") }
        guard Set(endpoints).count == endpoints.count else { throw Exit(.usage, "--agents names one twice") }
        var own = RunSettings(profile: profile)
        own.requestTimeout =
            profile.length + settings.warmUp + settings.coolDown + settings.requestTimeout + .seconds(60)
        for endpoint in endpoints {
            own.connections.addresses[endpoint] = try AddressBook.addresses(of: endpoint)
        }
        let generator = try await Generator.start(own)
        let coordinator = try await Coordinator(
            endpoints: endpoints, secret: try secretFile.map { try AccessOptions.firstLine($0) }, generator: generator,
            stop: interrupt)
        return AgentCrew(generator: generator, coordinator: coordinator)
    }
}

/// Agents that have answered.
struct AgentCrew {
    let generator: Generator
    let coordinator: Coordinator

    /// Has the agents keep `profile` together, until its end or an interruption.
    func perform(
        _ profile: LoadProfile, _ load: LoadOptions, _ settings: RunSettings, _ scenario: Scenario,
        _ interrupt: Interrupt
    ) async throws -> RunReport {
        let order = AgentOrder(
            url: load.url, scenario: load.scenario == nil ? nil : scenario,
            closesConnections: scenario.closesConnections, profile: profile, warmUp: settings.warmUp,
            coolDown: settings.coolDown, requestTimeout: settings.requestTimeout,
            intervalWidth: settings.intervalWidth, think: settings.think, seed: settings.seed,
            connections: load.maxConnections, keeps: load.keep)
        var report = try await coordinator.run(order, stop: interrupt)
        try await generator.shutDown()
        report.target = load.url
        report.scenario = scenario.name
        return report
    }

    /// How far clean-up has to look: a number that no arrival reaches where not all agents have told how far they came.
    func arrivals(_ profile: LoadProfile, _ settings: RunSettings) -> UInt64 {
        let (nextIndex, isCertain) = coordinator.arrivalsSoFar
        return isCertain ? nextIndex : max(profile.arrivalBound(settings), nextIndex + nextIndex / 10)
    }
}
