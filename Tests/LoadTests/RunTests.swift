import LoadKit
import NIOCore
import Testing

@Suite("Runs against a server")
struct RunTests {
    /// A short run of one GET; counts are asserted, times never.
    private func run(
        _ url: String, _ profile: LoadProfile, _ change: (inout RunSettings) -> Void = { _ in }
    ) async throws -> RunReport {
        let target = try Target(parsing: url)
        var settings = RunSettings(profile: profile)
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        change(&settings)
        let generator = try await Generator.start(settings)
        let request = Request(
            .get, "GET", target.endpoint, target.path, closes: settings.connections.closesAfterEach)
        let report = try await generator.run(SingleRequest(request))
        try await generator.shutDown()
        return report
    }

    private func constant(_ rate: Double, _ length: Duration = .seconds(1)) throws -> LoadProfile {
        .open(try Schedule(stages: [.constant(rate, lasting: length)]))
    }

    @Test("every arrival asked for is sent once and counted once", arguments: [1, 3])
    func counts(threads: Int) async throws {
        let server = try await TestServer { _ in .answer(200, [], "hello") }
        let report = try await run(server.url + "/x?y", constant(300)) {
            $0.threads = threads
            $0.warmUp = .milliseconds(200)
            $0.coolDown = .milliseconds(100)
        }
        #expect(report.asked == 300 && report.arrivals.succeeded == 300 && report.arrivals.failed == 0)
        #expect(report.operations["get"]?.succeeded == 300)
        #expect(report.operations["get"]?.bytesIn == 1500)
        #expect(report.arrivals.latency.count == 300 && report.lag.count == 300)
        #expect(report.intervals.reduce(0) { $0 + $1.asked } == 300)
        // Warm-up and cool-down are sent too, and left out.
        #expect(server.asked.count == 390)
        #expect(server.asked.allSatisfy { $0.path == "/x?y" && !$0.closes })
        try await server.stop()
    }

    @Test("generators that share a schedule send it together exactly once")
    func shares() async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        var total = RunReport()
        for share in 0..<3 {
            total.add(
                try await run(server.url, constant(100)) {
                    $0.share = share
                    $0.shares = 3
                })
        }
        #expect(total.asked == 100 && total.arrivals.succeeded == 100)
        #expect(total.seconds == 1)
        #expect(server.asked.count == 100)
        try await server.stop()
    }

    @Test("'close' uses a connection a request, keep-alive does not", arguments: [true, false])
    func connections(closes: Bool) async throws {
        let server = try await TestServer { _ in .answer(200, [], "x") }
        let report = try await run(server.url, constant(50)) {
            $0.connections.closesAfterEach = closes
            // More at once are made when a busy machine has arrivals pile up.
            $0.connections.limit = 1
        }
        #expect(report.arrivals.succeeded == 50)
        #expect(server.asked.allSatisfy { $0.closes == closes })
        #expect(report.generator.connectionsMade == (closes ? 50 : 1))
        try await server.stop()
    }

    @Test("statuses, hang-ups and silence are failures of their kinds")
    func failures() async throws {
        let server = try await TestServer { ask in
            switch ask.path {
            case "/500": .answer(500, [], "no")
            case "/cut": .hangUp
            default: .silence
            }
        }
        let failed = try await run(server.url + "/500", constant(20))
        #expect(failed.arrivals.failures == ["status-500": 20] && failed.arrivals.latency.count == 0)
        let cut = try await run(server.url + "/cut", constant(20))
        #expect(cut.arrivals.failures == ["closed-early": 20])
        let silent = try await run(server.url + "/silent", constant(5)) { $0.requestTimeout = .milliseconds(200) }
        #expect(silent.arrivals.failures == ["timeout": 5])
        // A timeout stays in the latencies: leaving it out would flatter the server.
        #expect(silent.arrivals.latency.count == 5)
        try await server.stop()
    }

    @Test("a refusing target fails every arrival and stops nothing")
    func refused() async throws {
        let nobody = try RefusingPort()
        let report = try await run("http://127.0.0.1:\(nobody.port)", constant(50))
        nobody.release()
        #expect(report.arrivals.failures == ["connection-refused": 50])
    }

    @Test("where an address does not answer, the next of the name is tried", arguments: ["127.0.0.2", "::1"])
    func addresses(first: String) async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        let (endpoint, port) = (try Target(parsing: server.url).endpoint, server.port)
        let addresses = try [first, "127.0.0.1"].map { try SocketAddress(ipAddress: $0, port: port) }
        let report = try await run(server.url, constant(20)) {
            $0.connections.addresses[endpoint] = addresses
            $0.connections.closesAfterEach = true
        }
        #expect(report.arrivals.succeeded == 20, "\(report.arrivals.failures)")
        try await server.stop()
    }

    @Test("where no address of a name answers, an arrival fails once")
    func noAddress() async throws {
        let nobody = try RefusingPort()
        let url = "http://127.0.0.1:\(nobody.port)"
        let endpoint = try Target(parsing: url).endpoint
        let addresses = try ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map {
            try SocketAddress(ipAddress: $0, port: nobody.port)
        }
        let report = try await run(url, constant(20)) { $0.connections.addresses[endpoint] = addresses }
        nobody.release()
        #expect(report.arrivals.failures == ["connection-refused": 20])
    }

    @Test("names are looked up to all of their addresses, IPv4 and IPv6")
    func names() throws {
        for (host, ip) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("localhost", "127.0.0.1")] {
            let found = try AddressBook.addresses(of: Endpoint(isTLS: false, host: host, port: 81))
            #expect(found.contains { $0.ipAddress == ip && $0.port == 81 }, "\(host): \(found)")
            #expect(host == "localhost" || found.count == 1)
        }
        // No name has a part of more than 63 characters: nobody need be asked.
        let nobody = Endpoint(isTLS: false, host: String(repeating: "a", count: 99), port: 81)
        #expect(throws: RunError.self) { try AddressBook.addresses(of: nobody) }
    }

    @Test("too few connections make the run invalid, and what waits is sent all the same")
    func waits() async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        let report = try await run(
            server.url, .open(try Schedule(stages: [.burst(size: 40, every: .seconds(1), lasting: .seconds(1))]))
        ) {
            $0.connections.limit = 2
        }
        #expect(report.arrivals.succeeded == 40)
        #expect(report.generator.connectionsMade == 2)
        #expect(report.doubts.contains { $0.contains("waited for a free connection") })
        try await server.stop()
    }

    @Test("arrivals that not even wait are told as not sent")
    func missed() async throws {
        let server = try await TestServer { _ in .silence }
        let report = try await run(server.url, constant(50)) {
            $0.connections.limit = 1
            $0.connections.waitingLimit = 4
            $0.requestTimeout = .milliseconds(1500)
        }
        #expect(report.arrivals.failures["no-connection"] ?? 0 > 0)
        #expect(report.arrivals.failures["no-local-port"] == nil)
        #expect(report.doubts.contains { $0.contains("no room to wait") })
        try await server.stop()
    }

    @Test("a closed loop keeps as many requests under way as it has clients")
    func closedLoop() async throws {
        let server = try await TestServer { _ in .answer(200, [], "x") }
        let report = try await run(server.url, .closed(clients: 3, lasting: .seconds(2))) {
            $0.think = .milliseconds(10)
        }
        #expect(report.arrivals.succeeded == server.asked.count)
        #expect(report.arrivals.succeeded > 3)
        #expect(report.generator.connectionsMade == 3)
        #expect(report.mode == "closed loop")
        try await server.stop()
    }

    @Test("an early end reports what there is")
    func interrupted() async throws {
        struct Stops: StopSignal {
            let server: TestServer
            var isStopped: Bool { server.asked.count >= 10 }
        }
        let server = try await TestServer { _ in .answer(200, [], "x") }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(profile: try constant(100, .seconds(60)))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        let generator = try await Generator.start(settings)
        let report = try await generator.run(
            SingleRequest(Request(.get, "GET", target.endpoint, "/")), stop: Stops(server: server))
        #expect(report.isInterrupted)
        #expect(report.asked < 6000 && (1...report.asked).contains(report.arrivals.total))
        try await generator.shutDown()
        try await server.stop()
    }

    private struct Stopped: StopSignal { let isStopped = true }

    @Test("a stop is seen before a start that is far off")
    func stoppedBeforeStart() async throws {
        let server = try await TestServer { _ in .answer(200, [], "x") }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(profile: try constant(100))
        let start = MonotonicClock.wall() + 1_200_000_000_000
        settings.beginAt = start
        let report = try await Generator.with(settings) {
            try await $0.run(SingleRequest(Request(.get, "GET", target.endpoint, "/")), stop: Stopped())
        }
        #expect(MonotonicClock.wall() < start)
        #expect(report.isInterrupted && report.asked == 0 && server.asked.isEmpty)
        try await server.stop()
    }

    @Test("a stop is seen while the server's page of figures does not come, nor even a connection for it")
    func stoppedWhileSampling() async throws {
        let server = try await TestServer { _ in .silence }
        let target = try Target(parsing: server.url)
        let bursts = Stage.burst(size: 9, every: .seconds(1), lasting: .seconds(1200))
        var settings = RunSettings(profile: .open(try Schedule(stages: [bursts])))
        settings.requestTimeout = .seconds(1200)
        settings.connections.limit = 1
        settings.metricsPage = Request(.get, "GET", target.endpoint, "/metrics", keeping: .bytes(limit: 1000))
        let began = MonotonicClock.now()
        let report = try await Generator.with(settings) {
            try await $0.run(SingleRequest(Request(.get, "GET", target.endpoint, "/")), stop: Stopped())
        }
        #expect(MonotonicClock.now() < began + bursts.length.nanoseconds)
        #expect(report.isInterrupted)
        try await server.stop()
    }

    @Test("progress has figures also where intervals are longer than a second")
    func progress() async throws {
        let server = try await TestServer { _ in .answer(200, [], "x") }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(profile: try constant(20, .seconds(600)))
        settings.intervalWidth = .seconds(2)
        var told: [Progress] = []
        let generator = try await Generator.start(settings)
        _ = try await generator.run(SingleRequest(Request(.get, "GET", target.endpoint, "/"))) {
            told.append($0)
            return $0.last.asked == 0
        }
        try await generator.shutDown()
        #expect(told.contains { $0.last.asked > 0 })
        #expect(told.allSatisfy { $0.lastLength == 2 })
        try await server.stop()
    }

    @Test("an arrival still under way long after the end counts as timed out, and nothing goes on behind its back")
    func unfinished() async throws {
        struct Endless: Workload, Flow {
            let request: Request
            func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork { .flow(self) }
            func run(_ session: Session) async throws(Failure) {
                while true { _ = try await session.expect(request) }
            }
        }
        let server = try await TestServer { _ in .late(.milliseconds(20), .answer(200, [], "")) }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(profile: try constant(2))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        settings.requestTimeout = .seconds(3)
        let generator = try await Generator.start(settings)
        let report = try await generator.run(Endless(request: Request(.get, "GET", target.endpoint, "/")))
        #expect(report.arrivals.failures == ["timeout": 2])
        #expect(report.arrivals.latency.count == 2 && report.arrivals.latency.max >= 1_000_000_000)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("intervals cover all of the time, also where nothing was asked for")
    func intervals() async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        let profile = LoadProfile.open(
            try Schedule(stages: [.burst(size: 3, every: .seconds(60), lasting: .milliseconds(400))]))
        let report = try await run(server.url, profile) { $0.intervalWidth = .milliseconds(100) }
        #expect(report.intervals.map(\.asked) == [3, 0, 0, 0])
        try await server.stop()
    }

    @Test("set-up ends when it is told to")
    func stoppedSetUp() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { registry.reply($0) }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(profile: try constant(1))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        let generator = try await Generator.start(settings)
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let scenario = try #require(try BuiltIns.scenario("pull"))
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: 5)
        await #expect(throws: Failure.cancelled) {
            _ = try await workload.setUp(generator, stop: Stopped())
        }
        #expect(registry.manifestCount == 0)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("a stop is heard while the target does not answer the login")
    func stoppedLogin() async throws {
        struct Stops: StopSignal {
            let server: TestServer
            var isStopped: Bool { !server.asked.isEmpty }
        }
        let server = try await TestServer { _ in .silence }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(profile: try constant(1))
        settings.requestTimeout = .seconds(1200)
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let began = MonotonicClock.now()
        let generator = try await Generator.start(settings)
        await #expect(throws: Failure.cancelled) {
            try await client.logIn(generator, stop: Stops(server: server))
        }
        try await generator.shutDown()
        #expect(MonotonicClock.now() < began + settings.requestTimeout.nanoseconds)
        try await server.stop()
    }

    @Test("a pause that a client makes by its own choice is no timeout, however long")
    func pauses() async throws {
        struct Pauses: Workload, Flow {
            let request: Request
            let length = Duration.seconds(3)
            func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork { .flow(self) }
            func run(_ session: Session) async throws(Failure) {
                _ = try await session.expect(request)
                await session.pause(length)
                _ = try await session.expect(request)
            }
        }
        let server = try await TestServer { _ in .answer(200, [], "") }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(profile: try constant(2))
        settings.requestTimeout = .milliseconds(500)
        let report = try await Generator.with(settings) {
            try await $0.run(Pauses(request: Request(.get, "GET", target.endpoint, "/")))
        }
        #expect(report.arrivals.succeeded == 2, "\(report.arrivals.failures)")
        #expect(report.arrivals.latency.max < 3_000_000_000)
        var scenario = try #require(try BuiltIns.scenario("pull"))
        scenario.pause = .seconds(7)
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: 1)
        #expect(workload.length >= .seconds(70))
        try await server.stop()
    }

    @Test("a head without end is told as too long")
    func longHead() async throws {
        let field = ("X", String(repeating: "x", count: 70_000))
        let server = try await TestServer { _ in .answer(200, [field], "") }
        let report = try await run(server.url, constant(5))
        #expect(report.arrivals.failures == ["answer-too-long": 5])
        try await server.stop()
    }
}
