import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Ends an agent's run from another thread.
package final class AgentStop: StopSignal {
    private let isSet = Atomic<Bool>(false)
    private let isLeft = Atomic<Bool>(false)

    /// Somebody wants the run to end.
    package var isStopped: Bool { isSet.load(ordering: .relaxed) }

    /// Whoever ordered the run has gone: nobody takes its report, and nobody else cleans up.
    package var isAbandoned: Bool { isLeft.load(ordering: .relaxed) }

    func stop() {
        isSet.store(true, ordering: .relaxed)
    }

    func abandon() {
        isLeft.store(true, ordering: .relaxed)
        stop()
    }
}

/// The HTTP side of an agent: `GET /clock`, `POST /run` and `POST /stop`, one run at a time.
package final class AgentServer: Sendable {
    /// Carries an order out, until its end or until it is stopped, and gives the JSON of an ``AgentResult``.
    package typealias Work = @Sendable (AgentOrder, AgentStop) async throws -> String

    private let secret: String?
    private let work: Work
    /// Of the run under way.
    private let running = Mutex<AgentStop?>(nil)
    private let group: MultiThreadedEventLoopGroup

    /// - Parameter secret: what `Authorization: Bearer` must say; `nil` lets everybody in.
    package init(secret: String?, work: @escaping Work) {
        self.secret = secret
        self.work = work
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    }

    /// Listens until told to stop; `ready` hears the port. Throws when the address cannot be taken.
    package func serve(
        host: String, port: Int, stop: any StopSignal, ready: @Sendable (Int) -> Void
    ) async throws {
        let channel: any Channel
        do {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                // A coordinator whose machine is gone says nothing: after half a minute its run is ended.
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: 15)
                .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 5)
                .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 3)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AgentHandler(server: self))
                    }
                }
                .bind(host: host, port: port).get()
        } catch {
            throw RunError("cannot listen on \(host):\(port): \(error)")
        }
        ready(channel.localAddress?.port ?? port)
        try await stop.stopped()
        // The coordinator is owed what there is.
        stopRun()
        let until = MonotonicClock.now() + 5_000_000_000
        while !isFree, MonotonicClock.now() < until {
            try await Task.sleep(nanoseconds: 50_000_000)
        }
        try await channel.close()
        try await group.shutdownGracefully()
    }

    /// Answers one request: status and JSON. Never throws.
    ///
    /// - Parameter stop: ends the run that the request orders, if it does.
    package func answer(
        _ method: String, _ path: String, authorization: String?, body: [UInt8], stop: AgentStop = AgentStop()
    ) async -> (Int, String) {
        if let secret, !Self.equal(authorization ?? "", "Bearer " + secret) {
            return Self.refusal(401, "the agent wants its secret: --agent-secret-file")
        }
        switch (method, path) {
        case ("GET", "/clock"): return (200, "{\"wall\":\(MonotonicClock.wall())}")
        case ("POST", "/run"): return await run(body, stop)
        case ("POST", "/stop"):
            stopRun()
            return (200, "{}")
        default: return Self.refusal(404, "an agent knows GET /clock, POST /run and POST /stop")
        }
    }

    private func run(_ body: [UInt8], _ stop: AgentStop) async -> (Int, String) {
        let order: AgentOrder
        do {
            order = try ReportFile.decode(AgentOrder.self, body, "order")
            try order.check()
        } catch let error as RunError {
            return Self.refusal(400, error.description)
        } catch {
            return Self.refusal(400, "the order is not understood")
        }
        let mayRun = running.withLock { running in
            guard running == nil else { return false }
            running = stop
            return true
        }
        guard mayRun else { return Self.refusal(409, "the agent is busy with another run") }
        defer { running.withLock { $0 = nil } }
        do {
            return (200, try await work(order, stop))
        } catch {
            return Self.refusal(500, "\(error)")
        }
    }

    private static func refusal(_ status: Int, _ reason: String) -> (Int, String) {
        do throws(FileError) {
            return (status, try ReportFile.json(AgentRefusal(error: reason)))
        } catch {
            // A text can always be written; the status says enough.
            return (status, "{}")
        }
    }

    /// No run is under way.
    package var isFree: Bool { running.withLock { $0 == nil } }

    private func stopRun() {
        running.withLock { $0 }?.stop()
    }

    /// In a time that does not tell where the first difference is.
    static func equal(_ a: String, _ b: String) -> Bool {
        let (first, second) = (Array(a.utf8), Array(b.utf8))
        guard first.count == second.count else { return false }
        return zip(first, second).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// Gathers a request and writes its answer; whoever asks again before it came is cut off. Touched on its event loop only.
private final class AgentHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: AgentServer
    private var reader = AgentRequestReader()
    /// Of the request that is being answered.
    private var stop: AgentStop?

    init(server: AgentServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Coordinators ask one thing at a time.
        guard stop == nil else { return context.close(promise: nil) }
        do throws(AgentRequestReader.Refusal) {
            guard let request = try reader.read(unwrapInboundIn(data).readableBytesView) else { return }
            answer(request, context)
        } catch {
            context.close(promise: nil)
        }
    }

    private func answer(_ request: AgentRequest, _ context: ChannelHandlerContext) {
        let promise = context.eventLoop.makePromise(of: (Int, String).self)
        let (server, stop) = (server, AgentStop())
        self.stop = stop
        promise.completeWithTask {
            await server.answer(
                request.method, request.path, authorization: request.authorization, body: request.body, stop: stop)
        }
        promise.futureResult.assumeIsolated().whenSuccess { [self] answer in
            write(answer, keepsAlive: request.keepsAlive, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop?.abandon()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func write(_ answer: (Int, String), keepsAlive: Bool, _ context: ChannelHandlerContext) {
        stop = nil
        let (status, body) = answer
        let head =
            "HTTP/1.1 \(status) \(status == 200 ? "OK" : "Refused")\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head + body))).assumeIsolated()
        // Closing at once would cut off what the socket has not taken yet.
        if !keepsAlive { written.whenComplete { _ in context.close(promise: nil) } }
    }
}
