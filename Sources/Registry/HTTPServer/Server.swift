import CLinux
import HTTP
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Limits of connections.
package struct ServerSettings: Sendable {
    /// How long a connection may wait, and for what.
    package struct Timeouts: Sendable {
        /// For the first request's head.
        package var head: TimeAmount = .seconds(10)
        /// For the next request.
        package var idle: TimeAmount = .seconds(60)
        /// For `progress` bytes of a body.
        package var body: TimeAmount = .seconds(30)
        /// For the end of a body that was refused.
        package var linger: TimeAmount = .seconds(5)
        /// For `sendProgress` bytes of an answer to be taken.
        package var send: TimeAmount = .seconds(30)
        /// Bytes of an answer that set the clock back: a reader of single bytes does not.
        package var sendProgress = 32 << 10
        /// Bytes of a body that set the clock back: a trickle of single bytes does not.
        package var progress = 4096
        /// Most bytes of a refused body that are read before the answer is sent regardless.
        package var discard: Int64 = 64 << 20

        /// The defaults.
        package init() {}
    }

    package var timeouts = Timeouts()
    /// Most connections at once; further ones are closed.
    package var connections = 10_000
    /// Most of them from one address that is no trusted proxy; nil for half of all.
    package var connectionsPerAddress: Int?
    /// Event loops; nil for one a core.
    package var threads: Int?
    /// Bytes of bodies that may wait in memory, all uploads together.
    package var bodyBudget = 8 << 20
    /// Bytes of requests that are not whole, or wait behind another, beyond the few that every connection may have.
    package var unreadBudget = 16 << 20
    /// Bytes of large answers that may wait in sockets before they are given out in small parts.
    package var sendBudget = 16 << 20
    /// What clients are shown, with TLS; nil without.
    package var identity: ServerIdentity?
    /// Where a line for each request goes; nil for nowhere.
    package var accessLog: AccessLog?
    /// How long a request may take, beside what its client takes to send and to read, until the log has a warning that says where the time went; nil for any time.
    package var slow: TimeAmount?
    /// How long running requests may take to end after a shutdown has begun.
    package var shutdownGrace: TimeAmount = .seconds(25)

    /// The defaults.
    package init() {}
}

/// Serves an application over HTTP/1.1.
package final class Server: Sendable {
    let group: MultiThreadedEventLoopGroup
    let loops: [LoopContext]
    private let channel: any Channel
    let admission: Admission
    /// Where else it listens, for callers of this machine.
    let localDoors = Mutex<[LocalDoor]>([])
    let settings: ServerSettings
    /// The address that it listens on; with the port that was found where 0 was asked for.
    package let address: String

    /// Binds to `host` and `port` and serves from then on. Throws NIO's error when the address can't be had.
    package init(_ application: Application, host: String, port: Int, _ settings: ServerSettings) async throws {
        self.settings = settings
        let count = settings.threads ?? Self.usableCores
        group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        let proxies = application.settings.trustedProxies
        let admission = Admission(
            limit: settings.connections, limitOfOne: settings.connectionsPerAddress ?? max(1, settings.connections / 2),
            bytes: settings.unreadBudget
        ) { address in proxies.contains { $0.contains(address) } }
        let loops = group.makeIterator().map { LoopContext($0, settings, admission, count: count) }
        (self.loops, self.admission) = (loops, admission)
        do {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.recvAllocator, value: ReceiveSize())
                // One read a wake-up: what a client sends is mostly one packet, and an upload must not outrun its limit.
                .childChannelOption(.maxMessagesPerRead, value: 1)
                // What nobody reads waits in the kernel, not here.
                .childChannelOption(.writeBufferWaterMark, value: .init(low: 8 << 10, high: 16 << 10))
                // The kernel ends a connection whose peer takes nothing for a minute.
                .childChannelOption(
                    ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 18)), value: 60_000
                )
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let remote = RemoteAddress(channel.remoteAddress)
                        guard let loop = loops.first(where: { $0.loop === channel.eventLoop }), admission.enter(remote)
                        else { throw ChannelError.operationUnsupported }
                        try Self.fill(channel.pipeline.syncOperations, application, loop, remote, settings.identity)
                    }
                }
                .bind(host: host, port: port).get()
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        let bound = channel.localAddress
        address = (host.contains(":") ? "[\(host)]" : host) + ":\(bound?.port ?? port)"
        for loop in loops { loop.start() }
    }

    static func fill(
        _ pipeline: ChannelPipeline.SynchronousOperations, _ application: Application, _ loop: LoopContext,
        _ remote: RemoteAddress, _ identity: ServerIdentity?
    ) throws {
        guard let identity else { return try pipeline.addHandler(Connection(application, loop, remote)) }
        try pipeline.addHandler(PlainSpeech(application, loop, remote))
        try pipeline.addHandler(NIOSSLServerHandler(context: identity.context))
        try pipeline.addHandler(Connection(application, loop, remote, .shaking))
    }

    /// Bytes of requests that are not whole, as far as they are counted.
    package var unreadBytes: Int { admission.heldBytes }

    /// A loop a core that this process may use: more would only take turns.
    private static var usableCores: Int {
        let usable = Int(aerugo_usable_cores())
        return usable > 0 ? min(usable, System.coreCount) : System.coreCount
    }

    /// Stops accepting, lets what runs end within the grace, closes the rest.
    package func shutDown() async throws {
        try await channel.close().get()
        for door in localDoors.withLock({ $0 }) { try await door.close() }
        let grace = settings.shutdownGrace
        let drained = loops.map { loop in loop.loop.flatSubmit { loop.shutDown(within: grace) } }
        for loop in drained { try await loop.get() }
        try await group.shutdownGracefully()
    }
}
