import LoadKit
import Synchronization
import Testing

@Suite("Clients of a registry")
struct RegistryTests {
    /// Runs ten arrivals of a scenario of one action against a server, or what `profile` says.
    private func run(
        _ url: String, _ action: Scenario.Action, credentials: Credentials = .none, profile: LoadProfile? = nil,
        connections: Int = 1024, tokenHosts: [HostRule] = [], change: (inout Scenario) -> Void = { _ in }
    ) async throws -> (RunReport, CleanUp, Generator) {
        let target = try Target(parsing: url)
        var scenario = Scenario()
        scenario.choices = [.init(action: action, weight: 1)]
        scenario.images.count = 2
        scenario.images.layers = 2
        scenario.images.sizes = .fixed(300)
        var accounts = Scenario.Accounts()
        (accounts.users, accounts.repositories) = (3, 5)
        scenario.accounts = accounts
        change(&scenario)
        let ten = LoadProfile.open(try Schedule(stages: [.constant(20, lasting: .milliseconds(500))]))
        var settings = RunSettings(profile: profile ?? ten)
        settings.connections.limit = connections
        settings.think = .milliseconds(10)
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        settings.seed = 5
        let generator = try await Generator.start(settings)
        let client = RegistryClient(endpoint: target.endpoint, credentials: credentials, tokenHosts: tokenHosts)
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: 5)
        try await client.logIn(generator)
        _ = try await workload.setUp(generator)
        return (try await generator.run(workload), CleanUp(workload, generator), generator)
    }

    @Test(
        "every action does its work on a registry that keeps what it gets, and clean-up leaves it empty",
        arguments: Scenario.Action.allCases, [nil, "team/x"])
    func actions(action: Scenario.Action, namespace: String?) async throws {
        let registry = MiniRegistry(namespace: namespace)
        let server = try await TestServer { registry.guarded($0) }
        let (report, cleanUp, generator) = try await run(server.url, action, credentials: MiniRegistry.credentials) {
            $0.namespace = namespace
        }
        #expect(report.arrivals.succeeded == 10, "\(report.arrivals.failures)")
        let made = ["organizations": 1, "users": 3, "repositories": 5]
        #expect(registry.accounts == (action.managesAccounts ? made : [:]))
        #expect(await cleanUp.perform(arrivals: try await generator.arrivalsSoFar()).isEmpty)
        #expect(registry.manifestCount == 0 && registry.accounts.isEmpty)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("each client that logs in gets a token of its own, and its login and its pull are told apart")
    func logins() async throws {
        // Together they are the arrival, as exactly as three digits tell it: in one of the runs at least, as a busy machine may stand
        // still between the two; what is counted wrongly is so in each.
        var tries = 1
        while try await !isWholeOfLoginAndPull() {
            tries += 1
            try #require(tries <= 20, "login and pull are not the whole of any run")
        }
    }

    /// A run of logins, of which all else is expected; whether its arrivals took what their logins and pulls did, within one per cent.
    private func isWholeOfLoginAndPull() async throws -> Bool {
        let registry = MiniRegistry()
        let wait = 30
        let server = try await TestServer { ask in
            .late(.milliseconds(ask.path.hasPrefix("/token") ? Int64(wait) : 0), registry.guarded(ask))
        }
        let (report, _, generator) = try await run(server.url, .client(.login), credentials: MiniRegistry.credentials)
        for name in ["ping", "token", "manifest.get"] { #expect(report.operations[name]?.succeeded == 10, "\(name)") }
        #expect(report.operations["blob.get"]?.succeeded == 30)
        let (login, pull) = (report.figures(of: "login"), report.figures(of: "pull"))
        #expect(
            login.succeeded == 10 && pull.succeeded == 10
                && Set(report.parts?.keys.sorted() ?? []) == ["login", "pull"])
        #expect(login.latency.min >= UInt64(wait) * 1_000_000)
        #expect(Summary.lines(report).contains { $0.hasPrefix("login ") })
        let told = try Objective(parsing: "login:p50<1h,pull:errors<1%").judge(report).map(\.value)
        #expect(told == [Double(login.latency.percentile(50)), 0])
        try await generator.shutDown()
        try await server.stop()
        let whole = report.arrivals.latency.mean
        return abs(login.latency.mean + pull.latency.mean - whole) < whole / 100
    }

    @Test("a login that is refused is the login's failure, and one that nobody asks for is none")
    func refusedLogins() async throws {
        let registry = MiniRegistry()
        let isRefusing = Atomic<Bool>(false)
        let refusing = try await TestServer { ask in
            let isToken = ask.path.hasPrefix("/token")
            if ask.path.contains("/manifests/"), ask.method == "PUT" { isRefusing.store(true, ordering: .relaxed) }
            return isToken && ask.path.hasSuffix("%3Apull") && isRefusing.load(ordering: .relaxed)
                ? .answer(401, [], "") : registry.guarded(ask)
        }
        let (report, _, generator) = try await run(refusing.url, .client(.login), credentials: MiniRegistry.credentials)
        #expect(report.figures(of: "login").failures == ["login-refused": 10])
        #expect(report.arrivals.failures == ["login-refused": 10])
        #expect(report.parts?["pull"] == nil)
        #expect(try await generator.wasAskedToLogIn())
        try await generator.shutDown()
        try await refusing.stop()
        let open = try await TestServer { MiniRegistry().reply($0) }
        let (other, _, free) = try await run(open.url, .client(.catalog))
        #expect(other.arrivals.succeeded == 10)
        #expect(try await !free.wasAskedToLogIn())
        try await free.shutDown()
        try await open.stop()
    }

    @Test("who asks the management API begins one session, and another when that one is over")
    func sessions() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { ask in
            if ask.path == "/api/v1/audit?n=100", registry.sessions == 1 { registry.endSessions() }
            return registry.guarded(ask)
        }
        let (report, cleanUp, generator) = try await run(
            server.url, .management(.listAudit), credentials: MiniRegistry.credentials,
            profile: .closed(clients: 1, lasting: .seconds(1)))
        #expect(report.arrivals.succeeded > 2 && report.arrivals.failed == 0, "\(report.arrivals.failures)")
        #expect(report.operations["api.login"]?.succeeded == 1 && registry.sessions == 3)
        #expect(report.operations["api.audit"]?.succeeded == report.arrivals.succeeded + 1)
        #expect(await cleanUp.perform(arrivals: 0).isEmpty)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("a pull asks for the manifest, then for config and layers")
    func pull() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { registry.reply($0) }
        let (report, _, generator) = try await run(server.url, .client(.pull)) { $0.pings = true }
        #expect(report.operations["ping"]?.succeeded == 10)
        #expect(report.operations["manifest.get"]?.succeeded == 10)
        #expect(report.operations["blob.get"]?.succeeded == 30)
        #expect(report.operations["upload.patch"] == nil)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("a body that is not what its digest says is a failure")
    func corrupt() async throws {
        let registry = MiniRegistry()
        registry.isCorrupt.store(true, ordering: .relaxed)
        let server = try await TestServer { registry.reply($0) }
        let (report, _, generator) = try await run(server.url, .client(.blob))
        #expect(report.arrivals.failures == ["digest-mismatch": 10])
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("a bearer challenge is met once a scope, and the token's cost is counted apart")
    func bearer() async throws {
        let registry = MiniRegistry(repositories: 1)
        let server = try await TestServer { ask in
            if ask.path.hasPrefix("/token") {
                guard ask.authorization == "Basic dTpw" else { return .answer(401, [], "") }
                return .answer(200, [], "{\"token\":\"T\",\"expires_in\":300}")
            }
            guard ask.authorization == "Bearer T" else {
                return .answer(401, [("WWW-Authenticate", "Bearer realm=\"/token\",service=\"s\"")], "{}")
            }
            return registry.reply(ask)
        }
        // One client: two that begin at once would each fetch a token.
        let (report, _, generator) = try await run(
            server.url, .client(.manifest), credentials: .basic(user: "u", password: "p"),
            profile: .closed(clients: 1, lasting: .seconds(2))
        ) { $0.images.repositories = 1 }
        #expect(report.arrivals.succeeded > 1 && report.arrivals.failed == 0)
        #expect(report.operations["token"]?.succeeded == 1)
        let tokens = server.asked.map(\.path).filter { $0.hasPrefix("/token") }
        #expect(tokens.contains { $0.contains("service=s") && $0.contains("scope=repository%3Aaerugo-load") })
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("one connection serves the target and a token server elsewhere in turn")
    func oneConnection() async throws {
        let tokens = try await TestServer { _ in .answer(200, [], "{\"token\":\"T\"}") }
        let realm = tokens.url + "/token"
        let registry = MiniRegistry()
        let server = try await TestServer { ask in
            ask.authorization == "Bearer T"
                ? registry.reply(ask) : .answer(401, [("WWW-Authenticate", "Bearer realm=\"\(realm)\"")], "{}")
        }
        let (report, _, generator) = try await run(
            server.url, .client(.list), credentials: .none, profile: .closed(clients: 2, lasting: .seconds(2)),
            connections: 1,
            tokenHosts: [try HostRule(parsing: "127.0.0.1:\(tokens.port)")])
        #expect(report.arrivals.succeeded > 1 && report.arrivals.failed == 0, "\(report.arrivals.failures)")
        #expect(!tokens.asked.isEmpty)
        try await generator.shutDown()
        try await server.stop()
        try await tokens.stop()
    }

    @Test("credentials never go to a token server elsewhere")
    func foreignRealm() async throws {
        let other = try await TestServer { _ in .answer(200, [], "{\"token\":\"T\"}") }
        let realm = other.url + "/token"
        let server = try await TestServer { _ in
            .answer(401, [("WWW-Authenticate", "Bearer realm=\"\(realm)\"")], "")
        }
        await #expect(throws: Failure.foreignHost) {
            _ = try await run(server.url, .client(.manifest), credentials: .basic(user: "u", password: "p"))
        }
        #expect(other.asked.isEmpty)
        try await server.stop()
        try await other.stop()
    }

    @Test("a blob's redirect to another host is followed without credentials and counted apart")
    func redirects() async throws {
        let registry = MiniRegistry()
        let storage = try await TestServer { registry.reply($0) }
        let place = storage.url
        let server = try await TestServer { ask in
            ask.method == "GET" && ask.path.contains("/blobs/sha256")
                ? .answer(307, [("Location", place + ask.path)], "") : registry.reply(ask)
        }
        let (report, _, generator) = try await run(server.url, .client(.blob), credentials: .token("secret"))
        #expect(report.arrivals.succeeded == 10)
        #expect(report.operations["blob.redirected"]?.succeeded == 10)
        #expect(storage.asked.count == 10 && storage.asked.allSatisfy { $0.authorization == nil })
        #expect(server.asked.contains { $0.authorization == "Bearer secret" })
        try await generator.shutDown()
        try await server.stop()
        try await storage.stop()
    }

    @Test("a manifest's redirect is a failure, and nobody else is asked")
    func manifestRedirect() async throws {
        let other = try await TestServer { _ in .answer(200, [], "") }
        let place = other.url
        let registry = MiniRegistry()
        let server = try await TestServer { ask in
            ask.method == "GET" && ask.path.contains("/manifests/")
                ? .answer(302, [("Location", place + "/")], "") : registry.reply(ask)
        }
        let (report, _, generator) = try await run(server.url, .client(.manifest))
        #expect(report.arrivals.failures == ["status-302": 10])
        #expect(other.asked.isEmpty)
        try await generator.shutDown()
        try await server.stop()
        try await other.stop()
    }

    @Test("images that are there already are pulled by what their manifests say")
    func existing() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { registry.reply($0) }
        let (_, _, first) = try await run(server.url, .client(.manifest))
        let repository = try #require(registry.repositories.first)
        let (report, _, generator) = try await run(server.url, .client(.pull)) {
            $0.existing = .init(repository: repository, references: ["i0"])
        }
        #expect(report.arrivals.succeeded == 10 && report.operations["blob.get"]?.succeeded == 30)
        try await first.shutDown()
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("uploads that did not become blobs are cancelled by clean-up, each where it stood", arguments: [true, false])
    func openUploads(inOne: Bool) async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { ask in
            ask.method == (inOne ? "PUT" : "PATCH") ? .answer(500, [], "") : registry.reply(ask)
        }
        let (report, cleanUp, generator) = try await run(server.url, .client(.push)) { $0.putsInOne = inOne }
        #expect(report.arrivals.failures == ["status-500": 10])
        let begun = server.asked.filter { $0.method == "POST" }.count
        _ = await cleanUp.perform(arrivals: 0)
        let cancelled = server.asked.filter { $0.method == "DELETE" && $0.path.contains("/blobs/uploads/u") }
        #expect(cancelled.count == begun && Set(cancelled.map(\.path)).count == begun)
        _ = await cleanUp.perform(arrivals: 0)
        #expect(server.asked.filter { $0.path.contains("/uploads/u") && $0.method == "DELETE" }.count == begun)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("clean-up ends soon where nothing can be deleted, and tells why", arguments: [405, 500])
    func hopeless(status: Int) async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { ask in
            ask.method == "DELETE" ? .answer(status, [], "") : registry.reply(ask)
        }
        let (_, cleanUp, generator) = try await run(server.url, .client(.push))
        let failures = await cleanUp.perform(arrivals: 50_000)
        #expect(Set(failures.keys) == ["status-\(status)"])
        #expect(server.asked.filter { $0.method == "DELETE" }.count < 60)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("clean-up ends when it is told to, and says so")
    func stoppedCleanUp() async throws {
        struct Stops: StopSignal {
            let server: TestServer
            var isStopped: Bool { server.asked.contains { $0.method == "DELETE" } }
        }
        let registry = MiniRegistry()
        let server = try await TestServer { ask in ask.method == "DELETE" ? .silence : registry.reply(ask) }
        let (_, cleanUp, generator) = try await run(server.url, .client(.push))
        let failures = await cleanUp.perform(arrivals: 10, stop: Stops(server: server))
        #expect(Set(failures.keys) == ["cancelled"])
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("where connections are few, a host that blobs are redirected to has its turn beside a busy target")
    func fairness() async throws {
        let registry = MiniRegistry()
        let storage = try await TestServer { registry.reply($0) }
        let place = storage.url
        let server = try await TestServer { ask in
            ask.method == "GET"
                ? .late(
                    .milliseconds(20),
                    ask.path.contains("/blobs/sha256")
                        ? .answer(307, [("Location", place + ask.path)], "") : registry.reply(ask))
                : registry.reply(ask)
        }
        let profile = LoadProfile.open(try Schedule(stages: [.constant(300, lasting: .seconds(3))]))
        let (report, _, generator) = try await run(server.url, .client(.blob), profile: profile, connections: 1) {
            $0.choices.append(.init(action: .client(.manifest), weight: 4))
        }
        // All of the redirected ones lie behind requests for the target that never end.
        #expect(report.operations["blob.redirected"]?.succeeded ?? 0 > 0)
        let last = try #require(server.asked.lastIndex { $0.path.contains("/manifests/") })
        #expect(!storage.asked.isEmpty && last > 0)
        try await generator.shutDown()
        try await server.stop()
        try await storage.stop()
    }

    @Test("of several challenges the one is met that can be")
    func severalChallenges() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { ask in
            guard ask.authorization == "Basic dTpw" else {
                return .answer(
                    401, [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "Basic realm=\"r\"")], "{}")
            }
            return registry.reply(ask)
        }
        let (report, _, generator) = try await run(
            server.url, .client(.manifest), credentials: .basic(user: "u", password: "p"))
        #expect(report.arrivals.succeeded == 10, "\(report.arrivals.failures)")
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("an interrupted set-up waits for what is under way, and leaves no upload")
    func interruptedSetUp() async throws {
        struct Stops: StopSignal {
            let server: TestServer
            var isStopped: Bool { server.asked.contains { $0.method == "PATCH" } }
        }
        let registry = MiniRegistry()
        let server = try await TestServer { .late(.milliseconds($0.method == "GET" ? 0 : 100), registry.reply($0)) }
        let target = try Target(parsing: server.url)
        var scenario = Scenario()
        scenario.choices = [.init(action: .client(.pull), weight: 1)]
        (scenario.images.count, scenario.images.layers, scenario.images.sizes) = (2, 2, .fixed(300))
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: 5)
        let ten = LoadProfile.open(try Schedule(stages: [.constant(10, lasting: .seconds(1))]))
        let generator = try await Generator.start(RunSettings(profile: ten))
        await #expect(throws: Failure.cancelled) {
            try await workload.setUp(generator, stop: Stops(server: server))
        }
        #expect(await CleanUp(workload, generator).perform(arrivals: 0).isEmpty)
        let asked = server.asked
        let begun = asked.filter { $0.method == "POST" }.count
        let ended = asked.filter { ["PUT", "DELETE"].contains($0.method) && $0.path.contains("/blobs/uploads/u") }.count
        #expect(begun > 0 && begun == ended)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("a deletion that fails is tried once more")
    func secondTry() async throws {
        let registry = MiniRegistry()
        let count = Atomic<Int>(0)
        let server = try await TestServer { ask in
            ask.method == "DELETE" && count.add(1, ordering: .relaxed).newValue % 2 == 1
                ? .answer(500, [], "") : registry.reply(ask)
        }
        // One after the other: else two first tries may follow each other.
        let (_, cleanUp, generator) = try await run(
            server.url, .client(.push),
            profile: .open(try Schedule(stages: [.constant(2, lasting: .milliseconds(500))])))
        #expect(await cleanUp.perform(arrivals: 1).isEmpty)
        #expect(registry.manifestCount == 0)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("a blob's redirect to the registry itself keeps the credentials")
    func ownRedirect() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { ask in
            guard ask.authorization == "Bearer secret" else { return .answer(401, [], "") }
            guard ask.method == "GET", ask.path.contains("/blobs/sha256"), !ask.path.hasSuffix("?again") else {
                return registry.reply(ask)
            }
            return .answer(307, [("Location", ask.path + "?again")], "")
        }
        let (report, _, generator) = try await run(server.url, .client(.blob), credentials: .token("secret"))
        #expect(report.arrivals.succeeded == 10, "\(report.arrivals.failures)")
        try await generator.shutDown()
        try await server.stop()
    }
}
