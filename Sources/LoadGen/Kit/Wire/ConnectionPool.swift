import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// How connections are made.
package struct ConnectionSettings: Sendable {
    /// Each request on a connection of its own, as docker, podman and skopeo do.
    package var closesAfterEach = false
    /// The most connections of one event loop.
    package var limit = 1024
    /// The most requests of one event loop that wait for a connection.
    package var waitingLimit = 100_000
    package var connectTimeout: Duration = .seconds(10)
    /// Set for `https` targets.
    package var tls: NIOSSLContext?
    /// Addresses by endpoint, looked up before the run: no look-up is ever timed.
    package var addresses: [Endpoint: [SocketAddress]] = [:]

    /// The defaults.
    package init() {}
}

/// The idle connections to one endpoint: few enough that a search beats a hash.
final class Lane {
    let endpoint: Endpoint
    var idle: [Connection] = []

    init(_ endpoint: Endpoint) {
        self.endpoint = endpoint
    }
}

/// The connections of one event loop. Touched on it only.
final class ConnectionPool {
    let loop: any EventLoop
    let settings: ConnectionSettings
    private var slots: [Connection?] = []
    private var freeSlots: [Int] = []
    private var lanes: [Lane] = []
    private var waiting = CircularBuffer<Exchange>()
    private(set) var open = 0
    /// Connections made since the start.
    private(set) var made = 0
    /// Requests that had to wait because all connections were taken.
    private(set) var waited = 0
    /// Requests that could not even wait.
    private(set) var dropped = 0
    /// Requests sent again because their kept-alive connection had gone.
    private(set) var retried = 0
    private(set) var inFlight = 0

    var closesAfterEach: Bool { settings.closesAfterEach }

    init(loop: any EventLoop, settings: ConnectionSettings) {
        self.loop = loop
        self.settings = settings
    }

    /// Sends now, on a new connection, or when one is free; `false` when not even waiting is possible.
    func send(_ exchange: Exchange) -> Bool {
        if let connection = lane(exchange.request.endpoint).idle.popLast() {
            inFlight += 1
            connection.assign(exchange)
            connection.start()
            return true
        }
        if open < settings.limit || evictIdle() {
            inFlight += 1
            connect(exchange)
            return true
        }
        guard waiting.count < settings.waitingLimit else {
            dropped += 1
            return false
        }
        waited += 1
        waiting.append(exchange)
        return true
    }

    func sendAgain(_ exchange: Exchange) {
        retried += 1
        inFlight += 1
        connect(exchange)
    }

    /// A connection's request is done and it may take another.
    func idle(_ connection: Connection) {
        inFlight -= 1
        if let first = waiting.first, first.request.endpoint == connection.lane.endpoint {
            waiting.removeFirst()
            inFlight += 1
            connection.assign(first)
            // Not at once: the caller has yet to hear of the answer before.
            loop.execute(boundStart(connection))
            return
        }
        connection.lane.idle.append(connection)
        // What waits is for another host: it takes this one's place.
        if !waiting.isEmpty { connection.shut() }
    }

    /// A connection is gone, with or without a request on it.
    func closed(_ connection: Connection) {
        guard slots.indices.contains(connection.id), slots[connection.id] === connection else { return }
        if let index = connection.lane.idle.lastIndex(where: { $0 === connection }) {
            connection.lane.idle.remove(at: index)
        } else {
            inFlight -= 1
        }
        slots[connection.id] = nil
        freeSlots.append(connection.id)
        open -= 1
        startWaiting()
    }

    /// Fails what has passed its deadline. To be called now and then.
    func sweep(_ now: Nanoseconds) {
        for case let connection? in slots {
            if let exchange = connection.exchange, exchange.deadline <= now { connection.abandon(.timeout) }
        }
        while let first = waiting.first, first.deadline <= now {
            waiting.removeFirst()
            first.finish(.timeout)
        }
    }

    /// Gives up all that is on its way and closes everything.
    func shutDown() {
        let left = waiting
        waiting = []
        for exchange in left { exchange.finish(.cancelled) }
        for case let connection? in slots {
            if connection.exchange != nil { connection.abandon(.cancelled) } else { connection.shut() }
        }
    }

    @inline(__always)
    private func lane(_ endpoint: Endpoint) -> Lane {
        for lane in lanes where lane.endpoint == endpoint { return lane }
        let lane = Lane(endpoint)
        lanes.append(lane)
        return lane
    }

    /// Makes room for another host's connection.
    private func evictIdle() -> Bool {
        for lane in lanes {
            guard let connection = lane.idle.first else { continue }
            connection.shut()
            return true
        }
        return false
    }

    private func startWaiting() {
        while !waiting.isEmpty, open < settings.limit {
            inFlight += 1
            connect(waiting.removeFirst())
        }
    }

    private func boundStart(_ connection: Connection) -> @Sendable () -> Void {
        let bound = NIOLoopBound(connection, eventLoop: loop)
        return { bound.value.start() }
    }

    private func connect(_ exchange: Exchange) {
        let endpoint = exchange.request.endpoint
        let id = freeSlots.popLast() ?? slots.count
        let connection = Connection(pool: self, id: id, lane: lane(endpoint))
        if id == slots.count { slots.append(connection) } else { slots[id] = connection }
        connection.assign(exchange)
        open += 1
        made += 1
        let bound = NIOLoopBound(connection, eventLoop: loop)
        let bootstrap = bootstrap(for: bound, endpoint)
        let connected: EventLoopFuture<any Channel>
        if let addresses = settings.addresses[endpoint], !addresses.isEmpty {
            connected = bootstrap.connect(to: addresses[made % addresses.count])
        } else {
            // Somewhere a blob was redirected to: looked up now, away from the loop.
            connected = bootstrap.connect(host: endpoint.host, port: endpoint.port)
        }
        connected.assumeIsolated().whenComplete { result in
            switch result {
            case .success: bound.value.start()
            case .failure(let error): bound.value.abandon(Self.failure(of: error))
            }
        }
    }

    private func bootstrap(for connection: NIOLoopBound<Connection>, _ endpoint: Endpoint) -> ClientBootstrap {
        let tls = endpoint.isTLS ? settings.tls : nil
        return ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(Int64(settings.connectTimeout.nanoseconds)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(
                minimum: 4096, initial: 16_384, maximum: 262_144))
            .channelOption(.writeBufferWaterMark, value: .init(low: 65_536, high: 196_608))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        let isName = endpoint.host.contains { !"0123456789.:".contains($0) }
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: isName ? endpoint.host : nil))
                    }
                    try pipeline.addHandler(connection.value)
                }
            }
    }

    /// The kind of an error that NIO tells of.
    static func failure(of error: any Error) -> Failure {
        if let error = error as? NIOConnectionError {
            return error.connectionErrors.first.map { failure(of: $0.error) } ?? .unreachable
        }
        if let error = error as? ChannelError {
            if case .connectTimeout = error { return .connectTimeout }
            return .closedEarly
        }
        if let error = error as? IOError {
            switch error.errnoCode {
            case ECONNREFUSED: return .refused
            case EADDRNOTAVAIL, EMFILE, ENFILE: return .noLocalPort
            case ETIMEDOUT: return .connectTimeout
            case ECONNRESET, EPIPE: return .closedEarly
            default: return .unreachable
            }
        }
        return error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError ? .tls : .closedEarly
    }
}
