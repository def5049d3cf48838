import FoundationEssentials
import LoadKit
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("Agents and who commands them")
struct AgentTests {
    private static func order(_ drive: Drive? = nil, _ scenario: Scenario? = nil) throws -> AgentOrder {
        let constant = Drive.open(try Schedule(stages: [.constant(1, lasting: .seconds(1))]))
        return AgentOrder(
            url: "http://h/", scenario: scenario, closesConnections: false, drive: drive ?? constant, warmUp: .zero,
            coolDown: .zero, requestTimeout: .seconds(1), intervalWidth: .seconds(1), think: .zero, seed: 1,
            connections: 1)
    }

    private static func scenario(_ change: (inout Scenario) -> Void = { _ in }) -> Scenario {
        var scenario = Scenario()
        scenario.choices = [.init(action: .push, weight: 1), .init(action: .pull, weight: 2)]
        scenario.images.sizes = .curve([.init(size: 300, share: 0), .init(size: 4096, share: 1)], name: "short")
        change(&scenario)
        return scenario
    }

    private func send(_ order: AgentOrder, to server: AgentServer, secret: String? = nil) async throws -> Int {
        await server.answer(
            "POST", "/run", authorization: secret, body: Array(try ReportFile.json(order).utf8)
        ).0
    }

    @Test("a run is stopped through its agent, and only then may another begin")
    func stopped() async throws {
        let server = AgentServer(secret: nil) { _, stop in
            let isSeen = try await eventually { stop.isStopped }
            return isSeen ? "{}" : "never stopped"
        }
        let order = try Self.order()
        let body = Array(try ReportFile.json(order).utf8)
        async let first = server.answer("POST", "/run", authorization: nil, body: body)
        try #require(try await eventually { !server.isFree })
        #expect(try await send(order, to: server) == 409)
        #expect(await server.answer("POST", "/stop", authorization: nil, body: []).0 == 200)
        #expect(await first == (200, "{}"))
    }

    @Test("agents want their secret, refuse nonsense and carry an order out")
    func secrets() async throws {
        let server = AgentServer(secret: "s") { _, _ in "{}" }
        #expect(await server.answer("GET", "/clock", authorization: nil, body: []).0 == 401)
        #expect(await server.answer("GET", "/clock", authorization: "Bearer x", body: []).0 == 401)
        #expect(await server.answer("GET", "/clock", authorization: "Bearer s", body: []).0 == 200)
        #expect(await server.answer("GET", "/etc/passwd", authorization: "Bearer s", body: []).0 == 404)
        #expect(await server.answer("POST", "/run", authorization: "Bearer s", body: Array("{".utf8)).0 == 400)
        var order = try Self.order()
        #expect(try await send(order, to: server, secret: "Bearer s") == 200)
        order.shares = 0
        #expect(try await send(order, to: server, secret: "Bearer s") == 400)
    }

    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let make: @Sendable (inout AgentOrder, inout Scenario) -> Void

        init(_ testDescription: String, _ make: @escaping @Sendable (inout AgentOrder, inout Scenario) -> Void) {
            self.testDescription = testDescription
            self.make = make
        }
    }

    static let faults = [
        Fault("no share") { order, _ in order.shares = 0 },
        Fault("a moment far off") { order, _ in order.beginAt = .max },
        Fault("a length of ages") { order, _ in order.warmUp = Duration.seconds(Int64.max) * 4 },
        Fault("too many clients") { order, _ in order.drive = .closed(clients: .max, lasting: .seconds(1)) },
        Fault("no reference") { $1.existing = .init(repository: "a", references: []) },
        Fault("a reference that ends its line") { $1.existing = .init(repository: "a", references: ["b\r\nX: y"]) },
        Fault("no choice") { $1.choices = [] },
        Fault("no weight") { $1.choices = [.init(action: .pull, weight: 0)] },
        Fault("a weight below nothing") { $1.choices[0].weight = -1 },
        Fault("a weight without end") { $1.choices[0].weight = .infinity },
        Fault("no number for a weight") { $1.choices[0].weight = .nan },
        Fault("a share below nothing") { $1.images.dedupe = -0.5 },
        Fault("no repository") { $1.images.repositories = 0 },
        Fault("an exponent below nothing") { $1.zipf = -1 },
        Fault("no exponent") { $1.zipf = .nan },
        Fault("no blob at once") { $1.parallel = 0 },
        Fault("too many blobs at once") { $1.parallel = 65 },
        Fault("a pause of ages") { $1.pause = Duration.seconds(Int64.max) * 4 },
        Fault("a size that nobody has") { $1.images.sizes = .fixed(.max) },
        Fault("a size above the bound") { $1.images.sizes = .fixed(68_719_476_737) },
        Fault("a range that nobody has") { $1.images.sizes = .between(1, .max) },
        Fault("a range upside down") { $1.images.sizes = .between(9, 1) },
        Fault("no curve") { $1.images.sizes = .curve([], name: "x") },
        Fault("a curve without end") { $1.images.sizes = .curve([.init(size: .infinity, share: 1)], name: "x") },
        Fault("a curve from nothing") {
            $1.images.sizes = .curve([.init(size: 0, share: 0), .init(size: 9, share: 1)], name: "x")
        },
        Fault("a curve that turns back") {
            $1.images.sizes = .curve([.init(size: 9, share: 1), .init(size: 10, share: 0)], name: "x")
        },
        Fault("a curve of large sizes") {
            $1.images.sizes = .curve([.init(size: 1, share: 0), .init(size: 1e300, share: 1)], name: "x")
        },
    ]

    @Test("what an order cannot ask for is refused", arguments: faults)
    func refused(fault: Fault) throws {
        var order = try Self.order()
        var scenario = Self.scenario()
        order.scenario = scenario
        try order.check()
        fault.make(&order, &scenario)
        order.scenario = scenario
        #expect(throws: RunError.self) { try order.check() }
    }

    @Test("no number in an order stops the agent: it is refused, or all that follows from it can be reckoned")
    func extremes() async throws {
        let stages: [Stage] = [
            .ramp(from: 1, to: 5, lasting: .seconds(9)), .burst(size: 2, every: .seconds(1), lasting: .seconds(3)),
        ]
        let orders = [
            try Self.order(.open(try Schedule(stages: stages, spacing: .poisson)), Self.scenario()),
            try Self.order(
                .closed(clients: 1, lasting: .seconds(1)),
                Self.scenario {
                    $0.images.sizes = .between(40, 400)
                    $0.images.largest = 300
                    $0.images.dedupe = 0.5
                }),
            try Self.order(
                nil,
                Self.scenario {
                    $0.choices = [.init(action: .blob, weight: 1)]
                    $0.images.sizes = .fixed(50)
                    $0.existing = .init(repository: "a", references: ["b", "c"])
                }),
        ]
        let server = AgentServer(secret: nil) { order, _ in
            try Self.reckon(order)
            return "{}"
        }
        var statuses: [Int: Int] = [:]
        for order in orders {
            let text = try ReportFile.json(order)
            for place in Self.numbers(text) {
                for extreme in Self.extremes {
                    var bytes = Array(text.utf8)
                    bytes.replaceSubrange(place, with: Array(extreme.utf8))
                    statuses[await server.answer("POST", "/run", authorization: nil, body: bytes).0, default: 0] += 1
                }
            }
        }
        #expect(Set(statuses.keys) == [200, 400])
        #expect(statuses.values.allSatisfy { $0 > 100 })
    }

    private static let extremes = [
        "0", "-1", "1", "0.5", "65536", "4611686018427387904", "9223372036854775807", "-9223372036854775808",
        "18446744073709551615", "1e-300", "1e300", "-1e300", "null",
    ]

    /// Where the numbers of a JSON text are.
    private static func numbers(_ text: String) -> [Range<Int>] {
        let bytes = Array(text.utf8)
        var found: [Range<Int>] = []
        var isInText = false
        var start: Int?
        for (place, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\"") { isInText.toggle() }
            let isPart = !isInText && (Array("+-.eE".utf8).contains(byte) || (0x30...0x39).contains(byte))
            if isPart, start == nil, byte != UInt8(ascii: "e") { start = place }
            guard !isPart, let begin = start else { continue }
            found.append(begin..<place)
            start = nil
        }
        return found
    }

    /// What an agent reckons with an order before it sends anything, and for a few arrivals.
    private static func reckon(_ order: AgentOrder) throws {
        let target = try Target(parsing: order.url)
        _ = order.drive.summary
        _ = order.drive.arrivalBound(RunSettings(drive: order.drive))
        if case .open(let schedule) = order.drive {
            for arrival in ArrivalSequence(schedule, share: order.share, of: order.shares).prefix(20) {
                #expect(arrival.offset <= schedule.length.nanoseconds)
            }
        }
        guard let scenario = order.scenario else { return }
        _ = [0, 0.3, 1].map { scenario.images.sizes.size(at: $0) }
        // Large ones are allowed, and take their time.
        let images = scenario.images
        guard images.sizes.size(at: 1) <= 65_536, images.count * images.layers * images.repositories <= 10_000 else {
            return
        }
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: order.seed)
        var random = SeededRandom(seed: order.seed)
        for index in [0, order.base, .max] {
            _ = workload.arrival(index, random: &random)
            _ = workload.leftover(index)
        }
    }

    @Test("the reason of a failure arrives as it was told, quotes, backslashes and all")
    func reasons() async throws {
        let reason = "no \"such\" C:\\thing\n<here> & there"
        let server = AgentServer(secret: nil) { _, _ in throw RunError(reason) }
        let body = Array(try ReportFile.json(try Self.order()).utf8)
        let (status, json) = await server.answer("POST", "/run", authorization: nil, body: body)
        #expect(status == 500)
        #expect(try JSONDecoder().decode([String: String].self, from: Data(json.utf8)) == ["error": reason])
        let peer = try await TestServer { ask in
            .answer(ask.path == "/clock" ? 200 : 500, [], ask.path == "/clock" ? "{\"wall\":5}" : json)
        }
        let endpoint = try Target(parsing: peer.url).endpoint
        let generator = try await Generator.start(RunSettings(drive: try Self.order().drive))
        let coordinator = try await Coordinator(endpoints: [endpoint], secret: nil, generator: generator)
        let error = await #expect(throws: RunError.self) { try await coordinator.run(try Self.order()) }
        #expect(error?.description.hasSuffix("500: " + reason) == true)
        try await generator.shutDown()
        try await peer.stop()
    }

    @Test("an agent whose clock is beyond all reckoning is refused", arguments: [UInt64(1) << 62, UInt64.max])
    func clocks(wall: UInt64) async throws {
        let peer = try await TestServer { _ in .answer(200, [], "{\"wall\":\(wall)}") }
        let endpoint = try Target(parsing: peer.url).endpoint
        let generator = try await Generator.start(RunSettings(drive: try Self.order().drive))
        await #expect(throws: RunError.self) {
            try await Coordinator(endpoints: [endpoint], secret: nil, generator: generator)
        }
        try await generator.shutDown()
        try await peer.stop()
    }

    private final class Stop: StopSignal {
        private let isSet = Atomic<Bool>(false)
        var isStopped: Bool { isSet.load(ordering: .relaxed) }
        func stop() { isSet.store(true, ordering: .relaxed) }
    }

    private struct Ask: Flow {
        let request: Request
        func run(_ session: Session) async throws(Failure) { _ = try await session.expect(request) }
    }

    /// Counts what comes; its channel reads when it is told to.
    private final class Counter: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let received = Atomic<Int>(0)
        let isEnded = Atomic<Bool>(false)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.add(unwrapInboundIn(data).readableBytes, ordering: .relaxed)
        }

        func channelInactive(context: ChannelHandlerContext) { isEnded.store(true, ordering: .relaxed) }
    }

    @Test("a long report comes whole, also where the connection ends with it and its reader is slow")
    func longReport() async throws {
        let length = 33_554_432
        let server = AgentServer(secret: nil) { _, _ in String(repeating: "x", count: length) }
        let stop = Stop()
        let port = Atomic<Int>(0)
        async let serving: Void = server.serve(host: "127.0.0.1", port: 0, stop: stop) {
            port.store($0, ordering: .relaxed)
        }
        try #require(try await eventually { port.load(ordering: .relaxed) > 0 })
        let counter = Counter()
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelInitializer { $0.pipeline.addHandler(counter) }
            .connect(host: "127.0.0.1", port: port.load(ordering: .relaxed)).get()
        let order = try ReportFile.json(try Self.order())
        let head = "POST /run HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: \(order.utf8.count)\r\n\r\n"
        try await client.writeAndFlush(ByteBuffer(string: head + order))
        client.read()
        try #require(try await eventually { counter.received.load(ordering: .relaxed) > 0 })
        try await client.setOption(.autoRead, value: true).get()
        try #require(try await eventually { counter.isEnded.load(ordering: .relaxed) })
        #expect(counter.received.load(ordering: .relaxed) > length)
        stop.stop()
        try await serving
    }

    @Test("event loops end, and their connections with them, also where what they were started for fails")
    func loopsEnd() async throws {
        struct Trouble: Error {}
        let peer = try await TestServer { _ in .answer(200, [], "") }
        let ask = Ask(request: Request(.get, "GET", try Target(parsing: peer.url).endpoint, "/"))
        await #expect(throws: Trouble.self) {
            try await Generator.with(RunSettings(drive: try Self.order().drive)) { generator in
                try await generator.perform(ask)
                #expect(peer.connected == 1)
                throw Trouble()
            }
        }
        #expect(try await eventually { peer.connected == 0 })
        try await peer.stop()
    }

    /// Serves until `body` ends.
    private func serving(_ server: AgentServer, _ body: (Endpoint) async throws -> Void) async throws {
        let stop = Stop()
        let port = Atomic<Int>(0)
        async let serving: Void = server.serve(host: "127.0.0.1", port: 0, stop: stop) {
            port.store($0, ordering: .relaxed)
        }
        try #require(try await eventually { port.load(ordering: .relaxed) > 0 })
        try await body(Endpoint(isTLS: false, host: "127.0.0.1", port: port.load(ordering: .relaxed)))
        stop.stop()
        try await serving
    }

    @Test("a run whose coordinator has gone is ended, and knows why; one that is told to stop is not abandoned")
    func abandoned() async throws {
        let ends = Mutex<[Bool]>([])
        let server = AgentServer(secret: nil) { _, stop in
            _ = try await eventually { stop.isStopped }
            ends.withLock { $0.append(stop.isAbandoned) }
            return "{}"
        }
        let order = try ReportFile.json(try Self.order())
        try await serving(server) { endpoint in
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: endpoint.host, port: endpoint.port).get()
            let head = "POST /run HTTP/1.1\r\nHost: h\r\nContent-Length: \(order.utf8.count)\r\n\r\n"
            try await client.writeAndFlush(ByteBuffer(string: head + order))
            try #require(try await eventually { !server.isFree })
            try await client.close()
            #expect(try await eventually { server.isFree })
            async let second = send(try Self.order(), to: server)
            try #require(try await eventually { !server.isFree })
            _ = await server.answer("POST", "/stop", authorization: nil, body: [])
            #expect(try await second == 200)
        }
        #expect(ends.withLock { $0 } == [true, false])
    }

    private static func part(asked: Int, seconds: Double, isInterrupted: Bool = false) -> RunReport {
        var report = RunReport()
        report.mode = "open loop"
        (report.asked, report.seconds, report.isInterrupted) = (asked, seconds, isInterrupted)
        report.arrivals.succeeded = asked
        report.arrivals.latency = SparseHistogram([.init(value: 1_000_000, count: UInt64(asked))])
        return report
    }

    @Test("when one agent is stopped the others are too, their rates add up, and the run says that it is no whole one")
    func oneEndsEarly() async throws {
        let quits = AgentServer(secret: nil) { _, _ in
            let report = Self.part(asked: 100, seconds: 5, isInterrupted: true)
            return try ReportFile.json(AgentResult(report: report, beyond: 200))
        }
        let goesOn = AgentServer(secret: nil) { _, stop in
            guard try await eventually({ stop.isStopped }) else { throw RunError("was never stopped") }
            let report = Self.part(asked: 180, seconds: 6, isInterrupted: true)
            return try ReportFile.json(AgentResult(report: report, beyond: 361))
        }
        try await serving(quits) { first in
            try await serving(goesOn) { second in
                try await Generator.with(RunSettings(drive: try Self.order().drive)) { generator in
                    let coordinator = try await Coordinator(
                        endpoints: [first, second], secret: nil, generator: generator)
                    let report = try await coordinator.run(try Self.order())
                    #expect(report.asked == 280 && abs(report.rateAsked - 50) < 1e-9)
                    #expect(report.doubts.contains { $0.contains("\(first.port) was stopped before the end") })
                    #expect(coordinator.arrivalsSoFar == 361)
                }
            }
        }
    }

    @Test("an agent that does not answer for its clock is not waited for once a stop is heard")
    func silentAgent() async throws {
        let peer = try await TestServer { _ in .silence }
        struct Stops: StopSignal {
            let server: TestServer
            var isStopped: Bool { !server.asked.isEmpty }
        }
        let endpoint = try Target(parsing: peer.url).endpoint
        try await Generator.with(RunSettings(drive: try Self.order().drive)) { generator in
            let error = await #expect(throws: RunError.self) {
                try await Coordinator(
                    endpoints: [endpoint], secret: nil, generator: generator, stop: Stops(server: peer))
            }
            #expect(error?.description.contains("cancelled") == true)
        }
        try await peer.stop()
    }
}
