import LoadKit
import Testing

@Suite("Runs against a server")
struct RunTests {
    /// A short run of one GET; counts are asserted, times never.
    private func run(
        _ url: String, _ drive: Drive, _ change: (inout RunSettings) -> Void = { _ in }
    ) async throws -> RunReport {
        let target = try Target(parsing: url)
        var settings = RunSettings(drive: drive)
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        settings.requestTimeout = .seconds(5)
        change(&settings)
        let generator = try await Generator.start(settings)
        let request = Request(
            .get, "GET", target.endpoint, target.path, closes: settings.connections.closesAfterEach)
        let report = try await generator.run(SingleRequest(request))
        try await generator.shutDown()
        return report
    }

    private func constant(_ rate: Double, _ length: Duration = .seconds(1)) throws -> Drive {
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
        #expect(server.asked.count == 100)
        try await server.stop()
    }

    @Test("'close' uses a connection a request, keep-alive does not", arguments: [true, false])
    func connections(closes: Bool) async throws {
        let server = try await TestServer { _ in .answer(200, [], "x") }
        let report = try await run(server.url, constant(50)) { $0.connections.closesAfterEach = closes }
        #expect(report.arrivals.succeeded == 50)
        #expect(server.asked.allSatisfy { $0.closes == closes })
        #expect(closes ? report.generator.connectionsMade >= 50 : report.generator.connectionsMade < 50)
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
        let server = try await TestServer { _ in .hangUp }
        let url = server.url
        try await server.stop()
        let report = try await run(url, constant(50))
        #expect(report.arrivals.failures == ["connection-refused": 50])
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
        #expect(report.arrivals.failures["no-local-port"] ?? 0 > 0)
        #expect(!report.isValid)
        try await server.stop()
    }

    @Test("a closed loop keeps as many requests under way as it has clients")
    func closedLoop() async throws {
        let server = try await TestServer { _ in .answer(200, [], "x") }
        let report = try await run(server.url, .closed(clients: 3, lasting: .milliseconds(300)))
        #expect(report.arrivals.succeeded == server.asked.count)
        #expect(report.arrivals.succeeded > 3)
        #expect(report.generator.connectionsMade == 3)
        #expect(report.mode == "closed loop")
        try await server.stop()
    }

    @Test("an early end reports what there is")
    func interrupted() async throws {
        struct Stops: StopSignal { let isStopped = true }
        let server = try await TestServer { _ in .answer(200, [], "x") }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(drive: try constant(100, .seconds(60)))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        let generator = try await Generator.start(settings)
        let report = try await generator.run(
            SingleRequest(Request(.get, "GET", target.endpoint, "/")), stop: Stops())
        #expect(report.isInterrupted)
        #expect(report.seconds < 30 && report.arrivals.total == report.asked)
        try await generator.shutDown()
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
        let server = try await TestServer { _ in .answer(200, [], "") }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(drive: try constant(2))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        settings.requestTimeout = .milliseconds(200)
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
        let drive = Drive.open(
            try Schedule(stages: [.burst(size: 3, every: .seconds(60), lasting: .milliseconds(400))]))
        let report = try await run(server.url, drive) { $0.intervalWidth = .milliseconds(100) }
        #expect(report.intervals.map(\.asked) == [3, 0, 0, 0])
        try await server.stop()
    }

    @Test("set-up ends when it is told to")
    func stoppedSetUp() async throws {
        struct Stops: StopSignal { var isStopped: Bool { true } }
        let registry = MiniRegistry()
        let server = try await TestServer { registry.reply($0) }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(drive: try constant(1))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        let generator = try await Generator.start(settings)
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let scenario = try #require(try BuiltIns.scenario("pull"))
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: 5)
        await #expect(throws: Failure.cancelled) {
            _ = try await Stagehand(generator: generator, workload: workload).setUp(stop: Stops())
        }
        #expect(registry.manifestCount == 0)
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("a run is stopped through its agent, and only then may another begin")
    func stoppedAgent() async throws {
        let server = AgentServer(secret: nil) { _, stop in
            while !stop.isStopped { await Task.yield() }
            return "{}"
        }
        let order = Array(
            try ReportFile.json(
                AgentOrder(
                    url: "http://h/", scenario: nil, closesConnections: false, drive: try constant(1), warmUp: .zero,
                    coolDown: .zero, requestTimeout: .seconds(1), intervalWidth: .seconds(1), think: .zero, seed: 1,
                    connections: 1)
            ).utf8)
        async let first = server.answer("POST", "/run", authorization: nil, body: order)
        while server.isFree { await Task.yield() }
        #expect(await server.answer("POST", "/run", authorization: nil, body: order).0 == 409)
        #expect(await server.answer("POST", "/stop", authorization: nil, body: []).0 == 200)
        #expect(await first.0 == 200)
    }

    @Test("agents want their secret, refuse nonsense and carry an order out")
    func agents() async throws {
        let server = AgentServer(secret: "s") { _, _ in "{}" }
        #expect(await server.answer("GET", "/clock", authorization: nil, body: []).0 == 401)
        #expect(await server.answer("GET", "/clock", authorization: "Bearer x", body: []).0 == 401)
        #expect(await server.answer("GET", "/clock", authorization: "Bearer s", body: []).0 == 200)
        #expect(await server.answer("GET", "/etc/passwd", authorization: "Bearer s", body: []).0 == 404)
        #expect(await server.answer("POST", "/run", authorization: "Bearer s", body: Array("{".utf8)).0 == 400)
        var order = AgentOrder(
            url: "http://h/", scenario: nil, closesConnections: false, drive: try constant(1), warmUp: .zero,
            coolDown: .zero,
            requestTimeout: .seconds(1), intervalWidth: .seconds(1), think: .zero, seed: 1, connections: 1)
        func send() async throws -> Int {
            await server.answer(
                "POST", "/run", authorization: "Bearer s", body: Array(try ReportFile.json(order).utf8)
            ).0
        }
        #expect(try await send() == 200)
        order.shares = 0
        #expect(try await send() == 400)
        order.shares = 1
        order.beginAt = .max
        #expect(try await send() == 400)
    }
}
