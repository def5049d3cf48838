import ArgumentParser
import Harness
import LoadKit

struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Send a part of the load that 'run --agents' asks for.",
        discussion: """
            Whoever may speak to an agent may have it load any host, so that off loopback it wants a secret, and --only names what \
            it may be aimed at. Credentials for the target are the agent's own: they never cross the network.
            """)

    @Option(help: "HOST:PORT to listen on; port 0 takes a free one.")
    var listen = "127.0.0.1:7070"

    @Option(name: .customLong("agent-secret-file"), help: "File whose first line a coordinator must know.")
    var secretFile: String?

    @Option(help: "A HOST[:PORT] that may be loaded; without any, all.")
    var only: [String] = []

    @Option(help: "Event loops.")
    var threads = 1

    @Flag(name: .customLong("realtime"), help: "Run the event loops in real time (SCHED_RR); needs root.")
    var isRealTime = false

    @OptionGroup var access: AccessOptions

    func run() async throws {
        guard (1...256).contains(threads) else { throw Exit(.usage, "--threads must be 1 to 256") }
        let (host, port) = try Self.address(listen)
        let secret = try secretFile.map { try AccessOptions.firstLine($0) }
        guard secret != nil || ["127.0.0.1", "localhost", "::1"].contains(host) else {
            throw Exit(.usage, "an agent off loopback needs --agent-secret-file")
        }
        let allowed = try only.map { try HostRule(parsing: $0) }
        let server = AgentServer(secret: secret) { [self] order, stop in
            let target = try Target(parsing: order.url)
            guard allowed.isEmpty || allowed.contains(where: { $0.allows(target.endpoint) }) else {
                throw RunError("this agent may not load \(target.endpoint.authority)")
            }
            return try ReportFile.json(try await perform(order, target, stop))
        }
        try await server.serve(host: host, port: port, stop: Interrupt()) { port in
            Console.say("agent listening on \(host):\(port)")
        }
    }

    private func perform(_ order: AgentOrder, _ target: Target, _ stop: AgentStop) async throws -> AgentResult {
        let settings = try settings(order, target)
        let workload = try access.workload(
            order.scenario, target, closes: order.closesConnections, seed: order.seed)
        return try await Generator.with(settings) { generator in
            let pushing = workload as? any PushingWorkload
            if let pushing { try await logIn(pushing, generator, stop) }
            let wall = MonotonicClock.wall()
            guard wall < order.beginAt + Self.mostDelay else {
                throw RunError("was ready \(Text.time(wall - order.beginAt)) after the moment to begin")
            }
            var report = try await generator.run(workload, stop: stop)
            report.target = target.description
            if let pushing, stop.isAbandoned, !order.keeps {
                // Whoever would have cleaned up is gone.
                let arrivals = try await generator.arrivalsSoFar()
                _ = await CleanUp(pushing, generator).perform(arrivals: arrivals)
            }
            return AgentResult(report: report, nextIndex: try await generator.arrivalsSoFar())
        }
    }

    /// An agent that begins later than this does not keep the schedule.
    private static let mostDelay: Nanoseconds = 50_000_000

    private func settings(_ order: AgentOrder, _ target: Target) throws -> RunSettings {
        var settings = RunSettings(profile: order.profile)
        settings.threads = threads
        settings.isRealTime = isRealTime
        settings.seed = order.seed
        settings.warmUp = order.warmUp
        settings.coolDown = order.coolDown
        settings.requestTimeout = order.requestTimeout
        settings.intervalWidth = order.intervalWidth
        settings.think = order.think
        settings.share = order.share
        settings.shares = order.shares
        settings.firstIndex = order.firstIndex
        settings.beginAt = order.beginAt
        settings.connections.limit = max(1, min(order.connections, Descriptors.raise() - 64) / threads)
        settings.connections.closesAfterEach = order.closesConnections
        try access.secure(&settings.connections)
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        return settings
    }

    private func logIn(_ pushing: any PushingWorkload, _ generator: Generator, _ stop: AgentStop) async throws {
        do throws(Failure) {
            try await pushing.client.logIn(generator, managing: pushing.managesAccounts, stop: stop)
        } catch {
            throw RunError("\(pushing.client.endpoint) does not answer as a registry: \(Failure.explained(error.name))")
        }
    }

    /// `HOST:PORT`, an IPv6 host in brackets.
    static func address(_ text: String) throws -> (String, Int) {
        do throws(AddressError) {
            let (host, port) = try HostAndPort.splitListening(text[...])
            if let port { return (host, port) }
        } catch {
            throw Exit(.usage, "'\(text)' is not HOST:PORT: \(error)")
        }
        throw Exit(.usage, "'\(text)' is not HOST:PORT: the port is missing")
    }
}
