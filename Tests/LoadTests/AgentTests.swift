import FoundationEssentials
import LoadKit
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("Agents and who commands them")
struct AgentTests {
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
        let order = try AgentOrder.sample()
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
        var order = try AgentOrder.sample()
        #expect(try await send(order, to: server, secret: "Bearer s") == 200)
        order.shares = 0
        #expect(try await send(order, to: server, secret: "Bearer s") == 400)
    }

    @Test("a request is read from pieces of any size, and the next one after it", arguments: [1, 7, 10_000])
    func pieces(size: Int) throws {
        let text = "POST /run HTTP/1.1\r\nAuthorization: Bearer s\r\nContent-Length: 3\r\n\r\nabc"
        var reader = AgentRequestReader()
        for _ in 0..<2 {
            var found: [AgentRequest] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                if let request = try reader.read(bytes[start..<min(start + size, bytes.count)]) {
                    found.append(request)
                }
            }
            #expect(found.count == 1)
            #expect(found.first?.path == "/run" && found.first?.authorization == "Bearer s")
            #expect(found.first?.body == Array("abc".utf8) && found.first?.keepsAlive == true)
        }
    }

    @Test(
        "what is no request of a coordinator ends the connection",
        arguments: [
            "hello\r\n\r\n", "GET / SPDY/3\r\n\r\n", "GET http://h/ HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nX\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            String(repeating: "x", count: 20_000),
        ])
    func noRequest(text: String) {
        var reader = AgentRequestReader()
        #expect(throws: AgentRequestReader.Refusal.self) { try reader.read(text.utf8) }
    }

    @Test("the reason of a failure arrives as it was told, quotes, backslashes and all")
    func reasons() async throws {
        let reason = "no \"such\" C:\\thing\n<here> & there"
        let server = AgentServer(secret: nil) { _, _ in throw RunError(reason) }
        let body = Array(try ReportFile.json(try AgentOrder.sample()).utf8)
        let (status, json) = await server.answer("POST", "/run", authorization: nil, body: body)
        #expect(status == 500)
        #expect(try JSONDecoder().decode([String: String].self, from: Data(json.utf8)) == ["error": reason])
        let peer = try await TestServer { ask in
            .answer(ask.path == "/clock" ? 200 : 500, [], ask.path == "/clock" ? "{\"wall\":5}" : json)
        }
        let endpoint = try Target(parsing: peer.url).endpoint
        let generator = try await Generator.start(RunSettings(profile: try AgentOrder.sample().profile))
        let coordinator = try await Coordinator(endpoints: [endpoint], secret: nil, generator: generator)
        let error = await #expect(throws: RunError.self) { try await coordinator.run(try AgentOrder.sample()) }
        #expect(error?.description.hasSuffix("500: " + reason) == true)
        try await generator.shutDown()
        try await peer.stop()
    }

    @Test("an agent whose clock is beyond all reckoning is refused", arguments: [UInt64(1) << 62, UInt64.max])
    func clocks(wall: UInt64) async throws {
        let peer = try await TestServer { _ in .answer(200, [], "{\"wall\":\(wall)}") }
        let endpoint = try Target(parsing: peer.url).endpoint
        let generator = try await Generator.start(RunSettings(profile: try AgentOrder.sample().profile))
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
        let order = try ReportFile.json(try AgentOrder.sample())
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
            try await Generator.with(RunSettings(profile: try AgentOrder.sample().profile)) { generator in
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
        let order = try ReportFile.json(try AgentOrder.sample())
        try await serving(server) { endpoint in
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: endpoint.host, port: endpoint.port).get()
            let head = "POST /run HTTP/1.1\r\nHost: h\r\nContent-Length: \(order.utf8.count)\r\n\r\n"
            try await client.writeAndFlush(ByteBuffer(string: head + order))
            try #require(try await eventually { !server.isFree })
            try await client.close()
            #expect(try await eventually { server.isFree })
            async let second = send(try AgentOrder.sample(), to: server)
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
            return try ReportFile.json(AgentResult(report: report, nextIndex: 200))
        }
        let goesOn = AgentServer(secret: nil) { _, stop in
            guard try await eventually({ stop.isStopped }) else { throw RunError("was never stopped") }
            let report = Self.part(asked: 180, seconds: 6, isInterrupted: true)
            return try ReportFile.json(AgentResult(report: report, nextIndex: 361))
        }
        try await serving(quits) { first in
            try await serving(goesOn) { second in
                try await Generator.with(RunSettings(profile: try AgentOrder.sample().profile)) { generator in
                    let coordinator = try await Coordinator(
                        endpoints: [first, second], secret: nil, generator: generator)
                    let report = try await coordinator.run(try AgentOrder.sample())
                    #expect(report.asked == 280 && abs(report.rateAsked - 50) < 1e-9)
                    #expect(report.doubts.contains { $0.contains("\(first.port) was stopped before the end") })
                    #expect(coordinator.arrivalsSoFar == (361, true))
                }
            }
        }
    }

    @Test("when one agent fails in mid-run, what the others measured is reported, and not to be trusted")
    func oneFails() async throws {
        let fails = AgentServer(secret: nil) { _, _ in throw RunError("out of luck") }
        let goesOn = AgentServer(secret: nil) { _, stop in
            guard try await eventually({ stop.isStopped }) else { throw RunError("was never stopped") }
            let report = Self.part(asked: 180, seconds: 6, isInterrupted: true)
            return try ReportFile.json(AgentResult(report: report, nextIndex: 361))
        }
        try await serving(fails) { first in
            try await serving(goesOn) { second in
                try await Generator.with(RunSettings(profile: try AgentOrder.sample().profile)) { generator in
                    let both = try await Coordinator(endpoints: [first, second], secret: nil, generator: generator)
                    let report = try await both.run(try AgentOrder.sample())
                    #expect(report.asked == 180 && report.doubts.contains { $0.contains("out of luck") })
                    #expect(both.arrivalsSoFar == (361, false))
                    let one = try await Coordinator(endpoints: [first], secret: nil, generator: generator)
                    await #expect(throws: RunError.self) { try await one.run(try AgentOrder.sample()) }
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
        try await Generator.with(RunSettings(profile: try AgentOrder.sample().profile)) { generator in
            let error = await #expect(throws: RunError.self) {
                try await Coordinator(
                    endpoints: [endpoint], secret: nil, generator: generator, stop: Stops(server: peer),
                    patience: .seconds(600))
            }
            #expect(error?.description.contains("cancelled") == true)
        }
        try await peer.stop()
    }
}
