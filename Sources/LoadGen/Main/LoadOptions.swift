import ArgumentParser
import LoadKit

/// What to send, and how: shared by `run` and `capacity`.
struct LoadOptions: ParsableArguments {
    @Argument(help: "The registry's URL; without a scenario, any URL for a plain GET.")
    var url: String

    @Option(help: "A built-in scenario (see 'scenarios') or a YAML file. Without one, a plain GET of the URL.")
    var scenario: String?

    @Option(
        help: "Recording of client traffic (fixtures/traffic/*.jsonl): each arrival sends it with content of its own.")
    var replay: String?

    @Option(parsing: .unconditional, help: "How many times faster than recorded a replay goes. (default: 1)")
    var pace: String?

    @Option(help: "'constant' or 'poisson' arrivals.")
    var spacing: String?

    @Option(name: .customLong("warm-up"), help: "Time before the figures, at the first rate.")
    var warmUp: String?

    @Option(name: .customLong("cool-down"), help: "Time behind the figures, at the last rate.")
    var coolDown: String?

    @Option(help: "Event loops.")
    var threads = 1

    @Flag(
        name: .customLong("realtime"),
        help: "Run the event loops in real time (SCHED_RR), for shared machines; needs root.")
    var isRealTime = false

    @Option(name: .customLong("max-connections"), help: "The most connections in all.")
    var maxConnections = 4096

    @Option(help: "Connections to make before the start; without it they are made as they are needed.")
    var connections: Int?

    @Option(help: "'keep-alive', or 'close' for a connection a request as docker, podman and skopeo do.")
    var connection: String?

    @Option(help: "Deadline of a request.")
    var timeout = "30s"

    @Option(help: "Seed of content, arrivals and choices; without one a new seed is drawn and told.")
    var seed: UInt64?

    @Option(
        help: """
            What the names of repositories that are pushed begin with, for registries where one may push below a user's or an \
            organization's name alone. (default: aerugo-load)
            """)
    var namespace: String?

    @Option(
        help: "Users that set-up makes, for scenarios that ask the management API. (default: the scenario's, or 20)")
    var users: Int?

    @Option(
        help: """
            Repositories that set-up makes, for scenarios that ask the management API. (default: the scenario's, or 200)
            """)
    var repositories: Int?

    @OptionGroup var access: AccessOptions

    @Option(name: .customLong("server-pid"), help: "Process whose CPU and memory are read each second.")
    var serverPID: Int?

    @Option(help: "Path of a Prometheus page on the target that tells its CPU and memory, such as /metrics.")
    var metrics: String?

    @Flag(help: "No clean-up: leave in the registry what was pushed.")
    var keep = false

    @Flag(help: "No progress, only the result.")
    var quiet = false
}

extension LoadOptions {
    /// The scenario named, or a plain GET.
    func readScenario() throws -> Scenario {
        if scenario == "replay", replay == nil {
            throw Exit(.usage, "a replay needs its recording: --replay FILE instead of --scenario replay")
        }
        guard scenario == nil || replay == nil else {
            throw Exit(.usage, "--scenario and --replay are one or the other")
        }
        guard replay != nil || pace == nil else { throw Exit(.usage, "--pace is for --replay") }
        guard let name = scenario else {
            var plain = Scenario()
            plain.name = replay ?? "GET"
            plain.choices = [.init(action: .client(.get), weight: 1)]
            plain.verifies = false
            return try adjusted(plain)
        }
        if let known = try BuiltIns.scenario(name) { return try adjusted(known) }
        guard name.contains("/") || name.contains(".") else {
            throw Exit(
                .usage,
                "there is no scenario '\(name)'; built in: \(BuiltIns.all.map(\.name).joined(separator: ", ")); "
                    + "a file's name needs a '.' or a '/'; a recording is sent by --replay FILE")
        }
        let text = String(decoding: try ReportFile.bytes(name), as: UTF8.self)
        return try adjusted(try Scenario(yaml: text, file: name))
    }

    private func adjusted(_ scenario: Scenario) throws -> Scenario {
        var scenario = scenario
        switch connection {
        case nil: break
        case "keep-alive": scenario.closesConnections = false
        case "close": scenario.closesConnections = true
        case let other?: throw Exit(.usage, "--connection: '\(other)' is neither keep-alive nor close")
        }
        if let spacing {
            guard let known = Schedule.Spacing(rawValue: spacing) else {
                throw Exit(.usage, "--spacing: '\(spacing)' is neither constant nor poisson")
            }
            scenario.spacing = known
        }
        if let namespace {
            scenario.namespace = try reading("--namespace") { try Scenario.namespace(namespace) }
        }
        try adjustAccounts(&scenario)
        if let warmUp { scenario.warmUp = try reading("--warm-up") { try Quantity.duration(warmUp) } }
        if let coolDown { scenario.coolDown = try reading("--cool-down") { try Quantity.duration(coolDown) } }
        return scenario
    }

    private func adjustAccounts(_ scenario: inout Scenario) throws {
        let given = [("--users", users), ("--repositories", repositories)].filter { $0.1 != nil }
        guard scenario.managesAccounts else {
            guard let first = given.first else { return }
            throw Exit(.usage, "\(first.0) is for scenarios that ask the management API, such as manage")
        }
        for case (let option, let count?) in given where !(1...100_000).contains(count) {
            throw Exit(.usage, "\(option) must be 1 to 100000, not \(count)")
        }
        guard namespace == nil || scenario.uses({ $0.makesContent || $0.needsImages }) else {
            throw Exit(.usage, "--namespace: nothing is pushed, and what set-up makes has an organization of its own")
        }
        var accounts = scenario.accounts ?? Scenario.Accounts()
        accounts.users = users ?? accounts.users
        accounts.repositories = repositories ?? accounts.repositories
        scenario.accounts = accounts
    }

    /// Settings for a profile; names are looked up here.
    func settings(_ profile: LoadProfile, _ scenario: Scenario, _ target: Target, seed: UInt64) throws -> RunSettings {
        guard (1...256).contains(threads) else { throw Exit(.usage, "--threads must be 1 to 256") }
        guard (1...1_000_000).contains(maxConnections) else {
            throw Exit(.usage, "--max-connections must be 1 to 1000000")
        }
        if let connections {
            guard (1...maxConnections).contains(connections) else {
                throw Exit(.usage, "--connections must be 1 to --max-connections, \(maxConnections)")
            }
            guard !scenario.closesConnections else {
                throw Exit(.usage, "--connections: none is kept where each request has one of its own")
            }
        }
        var settings = RunSettings(profile: profile)
        settings.threads = threads
        settings.isRealTime = isRealTime
        settings.seed = seed
        settings.warmUp = scenario.warmUp ?? .zero
        settings.coolDown = scenario.coolDown ?? .zero
        settings.think = scenario.think
        settings.requestTimeout = try reading("--timeout") { try Quantity.duration(timeout) }
        guard settings.requestTimeout > .zero else { throw Exit(.usage, "--timeout must be longer than nothing") }
        settings.connections.connectTimeout = min(settings.requestTimeout, .seconds(10))
        let allowed = Descriptors.raise() - 64
        settings.connections.limit = max(1, min(maxConnections, allowed) / threads)
        settings.connections.closesAfterEach = scenario.closesConnections
        try access.secure(&settings.connections)
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        settings.serverPID = serverPID
        if let serverPID {
            guard metrics == nil else { throw Exit(.usage, "--server-pid and --metrics are one or the other") }
            guard ProcessReading.read(pid: serverPID) != nil else {
                throw Exit(.usage, "--server-pid: there is no process \(serverPID) on this machine that may be read")
            }
        }
        if let metrics {
            settings.metricsPage = Request(
                .get, "GET", target.endpoint, metrics.hasPrefix("/") ? metrics : "/" + metrics,
                keeping: .bytes(limit: 8_388_608))
        }
        return settings
    }
}

/// Reads an option's value: a complaint about it gets the option's name put before it.
func reading<Value>(_ option: String, _ read: () throws -> Value) throws -> Value {
    do {
        return try read()
    } catch let error as QuantityError {
        throw Exit(.usage, "\(option): \(error)")
    }
}

/// The seed to use when none is named.
func freshSeed() -> UInt64 {
    UInt64.random(in: 1...0xFFFF_FFFF)
}
