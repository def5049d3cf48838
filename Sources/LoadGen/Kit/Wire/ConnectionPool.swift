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
    /// How long one address has to answer.
    package var connectTimeout: Duration = .seconds(10)
    /// Set for `https` targets.
    package var tls: NIOSSLContext?
    /// Addresses by endpoint, in the order to try them, looked up before the run: no look-up is ever timed.
    package var addresses: [Endpoint: [SocketAddress]] = [:]

    /// The defaults.
    package init() {}
}

/// The idle connections to one endpoint: few enough that a search beats a hash.
final class Lane {
    let endpoint: Endpoint
    var idle: [Connection] = []
    /// Connections that are being made.
    var dialing = 0
    /// Requests that wait for it, while they are being counted.
    var counted = 0
    /// In the order in which they are tried; none for a host that has yet to be looked up.
    var addresses: [SocketAddress]

    init(_ endpoint: Endpoint, _ addresses: [SocketAddress]) {
        self.endpoint = endpoint
        self.addresses = addresses
    }

    /// The address that answered is the first to be tried from now on.
    func prefer(_ address: SocketAddress) {
        guard let index = addresses.firstIndex(of: address), index > 0 else { return }
        addresses.swapAt(0, index)
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
    /// Pieces of answers read so far.
    var handled = 0
    /// Connections made since the start.
    private(set) var made = 0
    /// Requests that had to wait because all connections were taken.
    private(set) var waited = 0
    /// Requests that could not even wait.
    private(set) var dropped = 0
    /// Requests sent again because their kept-alive connection had gone.
    private(set) var retried = 0
    private var dialing = 0
    private var isDialing = false
    /// Connections that were made and stood.
    private var stood = 0
    /// Connections that may be begun before the loop has read what has come.
    private var dialsLeft = dialsATurn
    private var preparation: Preparation?

    /// Connections made before anybody asks for them.
    private struct Preparation {
        let lane: Lane
        var left: Int
        let done: (Failure?) -> Void
    }

    /// Making a connection takes the loop longer than a small request: a target that stalls for a moment would be met with one for
    /// each arrival, and the answers that make connections free would wait until all are made. So many at a turn leave the loop
    /// its time where it has much to do, and are thousands a second where it has nothing else.
    private static let dialsATurn = 2
    /// What comes at once would be done before the loop looks at its sockets again; so much later is another turn.
    private static let breath = TimeAmount.nanoseconds(2_000)

    /// Connections being made at once: few at first, one more for each that stood, as many as common listen queues hold at last.
    /// One for each request that waits would keep the loop from answers, which make connections free.
    private var mostDials: Int { min(32 + stood, 1024) }

    var closesAfterEach: Bool { settings.closesAfterEach }

    init(loop: any EventLoop, settings: ConnectionSettings) {
        self.loop = loop
        self.settings = settings
    }

    /// Sends on an idle connection, or on the first that is free or made; `false` when not even waiting is possible.
    func send(_ exchange: Exchange) -> Bool {
        if let connection = lane(exchange.request.endpoint).idle.popLast() {
            connection.assign(exchange)
            connection.start(at: exchange.answer.readyAt)
            return true
        }
        guard waiting.count < settings.waitingLimit else {
            dropped += 1
            return false
        }
        if open >= settings.limit { waited += 1 }
        // The sweep looks at the front only: there goes what has less time than the others.
        if let last = waiting.last, exchange.deadline < last.deadline {
            waiting.prepend(exchange)
        } else {
            waiting.append(exchange)
        }
        dialForWaiting()
        return true
    }

    func sendAgain(_ exchange: Exchange) {
        retried += 1
        waiting.prepend(exchange)
        dialForWaiting()
    }

    /// A connection's request is done and it may take another.
    func idle(_ connection: Connection) {
        if !isOwedElsewhere(connection.lane), let next = takeWaiting(connection.lane) {
            connection.assign(next)
            // Not at once: the caller has yet to hear of the answer before.
            loop.execute(boundStart(connection))
            return
        }
        connection.lane.idle.append(connection)
        // What waits is for another host: it takes this one's place.
        if !waiting.isEmpty, open >= settings.limit { connection.shut() }
    }

    /// A connection is gone, with or without a request on it.
    func closed(_ connection: Connection) {
        guard slots.indices.contains(connection.id), slots[connection.id] === connection else { return }
        if let index = connection.lane.idle.lastIndex(where: { $0 === connection }) {
            connection.lane.idle.remove(at: index)
        }
        slots[connection.id] = nil
        freeSlots.append(connection.id)
        open -= 1
        dialForWaiting()
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

    /// Ends all that is on its way with `failure` and closes everything.
    func giveUp(_ failure: Failure) {
        let left = waiting
        waiting = []
        for exchange in left { exchange.finish(failure) }
        for case let connection? in slots {
            if connection.exchange != nil { connection.abandon(failure) } else { connection.shut() }
        }
    }

    @inline(__always)
    private func lane(_ endpoint: Endpoint) -> Lane {
        for lane in lanes where lane.endpoint == endpoint { return lane }
        let lane = Lane(endpoint, settings.addresses[endpoint] ?? [])
        lanes.append(lane)
        return lane
    }

    /// The first request that waits for this endpoint.
    private func takeWaiting(_ lane: Lane) -> Exchange? {
        if let first = waiting.first, first.request.endpoint == lane.endpoint { return waiting.removeFirst() }
        guard let index = waiting.firstIndex(where: { $0.request.endpoint == lane.endpoint }) else { return nil }
        return waiting.remove(at: index)
    }

    /// The request that has waited longest is for another host, and no connection can be made for it but in the place of
    /// one of `lane`.
    private func isOwedElsewhere(_ lane: Lane) -> Bool {
        guard lanes.count > 1, open >= settings.limit, let first = waiting.first else { return false }
        return first.request.endpoint != lane.endpoint && self.lane(first.request.endpoint).dialing == 0
    }

    /// Makes connections for what waits: never more at once than a listen queue takes, and whichever connection is
    /// free first serves first.
    private func dialForWaiting() {
        // Connections that are shut, or fail at once, call back here: the loop under way sees to what they leave.
        guard !isDialing else { return }
        isDialing = true
        defer { isDialing = false }
        while dialing < mostDials, dialsLeft > 0, let lane = laneToDial() {
            if open >= settings.limit {
                guard let idle = lanes.first(where: { !$0.idle.isEmpty })?.idle.first else { return }
                idle.shut()
                continue
            }
            dial(lane)
        }
    }

    /// Makes `count` connections to `endpoint`, or as many as the limit allows; `done` hears when all stand, or why one does not.
    func prepare(_ endpoint: Endpoint, count: Int, done: @escaping (Failure?) -> Void) {
        preparation = Preparation(lane: lane(endpoint), left: min(count, settings.limit - open), done: done)
        goOnPreparing(after: nil)
    }

    private func goOnPreparing(after failure: Failure?) {
        guard let lane = preparation?.lane else { return }
        while failure == nil, dialing < mostDials, dialsLeft > 0, let left = preparation?.left, left > 0 {
            preparation?.left = left - 1
            dial(lane)
        }
        guard let now = preparation, failure != nil || (now.left <= 0 && dialing == 0) else { return }
        preparation = nil
        now.done(failure)
    }

    /// An endpoint for which more requests wait than connections are being made; of several, that of the request which
    /// has waited longest.
    private func laneToDial() -> Lane? {
        guard dialing > 0 else { return waiting.first.map { lane($0.request.endpoint) } }
        guard lanes.count > 1 else { return dialing < waiting.count ? lanes.first : nil }
        for lane in lanes { lane.counted = 0 }
        for exchange in waiting.prefix(1024) {
            let lane = lane(exchange.request.endpoint)
            lane.counted += 1
            if lane.counted > lane.dialing { return lane }
        }
        return nil
    }

    private func boundStart(_ connection: Connection) -> @Sendable () -> Void {
        let bound = NIOLoopBound(connection, eventLoop: loop)
        return { bound.value.start() }
    }

    /// Counts one, and goes on in the next turn.
    private func countDial() {
        if dialsLeft == Self.dialsATurn {
            loop.assumeIsolated().scheduleTask(in: Self.breath) { [self] in
                dialsLeft = Self.dialsATurn
                dialForWaiting()
                goOnPreparing(after: nil)
            }
        }
        dialsLeft -= 1
    }

    private func dial(_ lane: Lane) {
        countDial()
        let connection = Connection(pool: self, id: freeSlots.popLast() ?? slots.count, lane: lane)
        if connection.id == slots.count { slots.append(connection) } else { slots[connection.id] = connection }
        open += 1
        made += 1
        dialing += 1
        lane.dialing += 1
        guard lane.addresses.isEmpty else { return connect(connection, to: lane.addresses[...]) }
        // Somewhere a blob was redirected to: looked up now, away from the loop.
        let endpoint = lane.endpoint
        NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try AddressBook.addresses(of: endpoint) }
            .assumeIsolated().whenComplete { [self] result in
                switch result {
                case .success(let addresses):
                    if lane.addresses.isEmpty { lane.addresses = addresses }
                    connect(connection, to: lane.addresses[...])
                case .failure: failed(connection, .unreachable)
                }
            }
    }

    /// Connects to the first of `addresses`, and where that fails to the next.
    ///
    /// - Parameter earlier: why the first address of all failed: that is what is told when all do.
    private func connect(
        _ connection: Connection, to addresses: ArraySlice<SocketAddress>, after earlier: Failure? = nil
    ) {
        guard let address = addresses.first, slots[connection.id] === connection else {
            return failed(connection, earlier ?? .unreachable)
        }
        let bound = NIOLoopBound(connection, eventLoop: loop)
        bootstrap(for: bound, connection.lane.endpoint).connect(to: address).assumeIsolated().whenComplete {
            [self] result in
            switch result {
            case .success:
                dialing -= 1
                stood += 1
                connection.lane.dialing -= 1
                connection.lane.prefer(address)
                idle(connection)
                goOnPreparing(after: nil)
                dialForWaiting()
            case .failure(let error):
                let failure = earlier ?? Self.failure(of: error)
                guard addresses.count > 1, slots[connection.id] === connection else {
                    return failed(connection, failure)
                }
                // A handler serves one channel: the next attempt has its own, in the same slot.
                let next = Connection(pool: self, id: connection.id, lane: connection.lane)
                slots[next.id] = next
                connect(next, to: addresses.dropFirst(), after: failure)
            }
        }
    }

    /// No address answered: the first that waits for the endpoint hears of it.
    private func failed(_ connection: Connection, _ failure: Failure) {
        dialing -= 1
        connection.lane.dialing -= 1
        // Who was shut meanwhile has left its slot, and nobody waits for it any more.
        guard slots[connection.id] === connection else { return dialForWaiting() }
        let exchange = takeWaiting(connection.lane)
        closed(connection)
        exchange?.finish(failure)
        goOnPreparing(after: failure)
    }

    private func bootstrap(for connection: NIOLoopBound<Connection>, _ endpoint: Endpoint) -> ClientBootstrap {
        let tls = endpoint.isTLS ? settings.tls : nil
        return ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(Int64(settings.connectTimeout.nanoseconds)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator,
                // Larger ones fall out of the processor's cache before they are read: with some servers half as fast.
                value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16_384, maximum: 131_072)
            )
            .channelOption(.writeBufferWaterMark, value: .init(low: 65_536, high: 196_608))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        let isName =
                            !endpoint.host.contains(":") && endpoint.host.contains { !"0123456789.".contains($0) }
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: isName ? endpoint.host : nil))
                    }
                    try pipeline.addHandler(connection.value)
                }
            }
    }

    /// The kind of an error that NIO tells of.
    static func failure(of error: any Error) -> Failure {
        if let error = error as? ChannelError {
            if case .connectTimeout = error { return .connectTimeout }
            return .closedEarly
        }
        // The answer was cut: that is no matter of certificates.
        if let error = error as? NIOSSLError, case .uncleanShutdown = error { return .closedEarly }
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
