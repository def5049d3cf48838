import ArgumentParser
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

    @OptionGroup var access: AccessOptions

    func run() async throws {
        guard (1...256).contains(threads) else { throw Exit(.usage, "--threads must be 1 to 256") }
        let (host, port) = try Self.address(listen)
        let secret = try secretFile.map { try AccessOptions.firstLine($0) }
        guard secret != nil || ["127.0.0.1", "localhost", "::1"].contains(host) else {
            throw Exit(.usage, "an agent off loopback needs --agent-secret-file")
        }
        let (allowed, access, threads) = (Set(only), access, threads)
        let server = AgentServer(secret: secret) { order, stop in
            let target = try Target(parsing: order.url)
            guard allowed.isEmpty || allowed.contains(target.endpoint.authority) else {
                throw RunError("this agent may not load \(target.endpoint.authority)")
            }
            return try await Self.perform(order, target, access, threads, stop)
        }
        try await server.serve(host: host, port: port, stop: Interrupt()) { port in
            Console.say("agent listening on \(host):\(port)")
        }
    }

    private static func perform(
        _ order: AgentOrder, _ target: Target, _ access: AccessOptions, _ threads: Int,
        _ stop: any StopSignal
    ) async throws -> String {
        var settings = RunSettings(drive: order.drive)
        settings.threads = threads
        settings.seed = order.seed
        settings.warmUp = order.warmUp
        settings.coolDown = order.coolDown
        settings.requestTimeout = order.requestTimeout
        settings.intervalWidth = order.intervalWidth
        settings.think = order.think
        settings.share = order.share
        settings.shares = order.shares
        settings.base = order.base
        settings.beginAt = order.beginAt
        settings.connections.limit = max(1, min(order.connections, Descriptors.raise() - 64) / threads)
        settings.connections.closesAfterEach = order.closesConnections
        try access.secure(&settings.connections)
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        var report = try await Generator.with(settings) { generator in
            try await generator.run(try await workload(order, target, access, generator), stop: stop)
        }
        report.target = target.description
        return try ReportFile.json(report)
    }

    private static func workload(
        _ order: AgentOrder, _ target: Target, _ access: AccessOptions, _ generator: Generator
    ) async throws -> any Workload {
        guard let scenario = order.scenario else {
            return SingleRequest(
                Request(
                    .get, "GET", target.endpoint, target.path, fields: try access.credentials().fields,
                    closes: order.closesConnections))
        }
        let client = RegistryClient(
            endpoint: target.endpoint, credentials: try access.credentials(), tokenHosts: Set(access.tokenHosts),
            closes: scenario.closesConnections)
        do {
            try await client.logIn(generator)
        } catch {
            throw RunError("\(target.endpoint) does not answer as a registry: \(Failure.explained(error.name))")
        }
        return RegistryWorkload(scenario: scenario, client: client, target: target, seed: order.seed)
    }

    /// `HOST:PORT`, an IPv6 host in brackets.
    static func address(_ text: String) throws -> (String, Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { throw Exit(.usage, "'\(text)' is not HOST:PORT") }
        let host = text[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
        guard !host.isEmpty else { throw Exit(.usage, "'\(text)' is not HOST:PORT") }
        return (String(host), port)
    }
}
