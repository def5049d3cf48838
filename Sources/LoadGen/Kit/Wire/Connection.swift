import Glibc
import NIOCore

/// One connection: sends a request, reads its answer, goes back to its pool. Touched on its event loop only.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of a seeded body that are made at a time.
    static let chunk = 131_072

    let pool: ConnectionPool
    /// Place in the pool's table.
    let id: Int
    let lane: Lane
    private(set) var exchange: Exchange?
    private var context: ChannelHandlerContext?
    // On one loop, and nothing that it is handed to comes back to it: asking at each access would cost a hundredth of a core.
    @exclusivity(unchecked) private var parser = ResponseParser()
    private var pump: BodyPump?
    private var way = Way.untried
    private var served = 0
    private var isClosing = false

    /// How what is to be sent gets to the socket.
    private enum Way {
        case untried
        /// Straight: a third of what a small request costs in this process is the way through the channel.
        case socket(NIOBSDSocket.Handle)
        /// Through the channel: under TLS, and as soon as it has had something to send itself, so that the order stays.
        case channel
    }

    init(pool: ConnectionPool, id: Int, lane: Lane) {
        self.pool = pool
        self.id = id
        self.lane = lane
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// Keeps the exchange until the connection stands.
    func assign(_ exchange: Exchange) {
        self.exchange = exchange
    }

    /// Sends the assigned request, at `moment`.
    func start(at moment: Nanoseconds = MonotonicClock.now()) {
        guard let exchange else { return }
        guard let context, !isClosing else { return end(.closedEarly) }
        parser.expectAnswer(hasNoBody: exchange.request.isHEAD, keepsHeaders: exchange.request.keepsHeaders)
        exchange.answer.sentAt = moment
        switch exchange.request.body {
        case .none:
            write(exchange.request.head, context)
        case .bytes(let bytes):
            way = .channel
            context.write(wrapOutboundOut(exchange.request.head), promise: nil)
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        case .content(let content, let range, let isChunked):
            way = .channel
            context.writeAndFlush(wrapOutboundOut(exchange.request.head), promise: nil)
            pump = BodyPump(content: content, range: range, isChunked: isChunked)
            sendBody(context)
        }
    }

    /// Writes a request that is no more than its head. What the system does not take at once goes through the channel, which tells
    /// of errors, too.
    private func write(_ head: ByteBuffer, _ context: ChannelHandlerContext) {
        if case .untried = way { way = socket(context) }
        var rest = head
        // A channel that is not active has closed its descriptor, which may be another's by now.
        if case .socket(let descriptor) = way, context.channel.isActive {
            let count = head.withUnsafeReadableBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count < head.readableBytes else { return }
            rest.moveReaderIndex(forwardBy: max(count, 0))
            way = .channel
        }
        context.writeAndFlush(wrapOutboundOut(rest), promise: nil)
    }

    private func socket(_ context: ChannelHandlerContext) -> Way {
        guard !lane.endpoint.isTLS else { return .channel }
        do {
            let handle = try context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { $0 }
            return handle.map(Way.socket) ?? .channel
        } catch {
            // It is closed already: the channel will say so.
            return .channel
        }
    }

    /// Gives the request up: the connection cannot be used again.
    func abandon(_ failure: Failure) {
        end(failure)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pool.handled &+= 1
        let buffer = unwrapInboundIn(data)
        guard let exchange else {
            // Nobody asked: a server that speaks out of turn cannot be trusted with the next request.
            return close()
        }
        let now = MonotonicClock.now()
        if exchange.answer.firstByteAt == 0 { exchange.answer.firstByteAt = now }
        do throws(WireError) {
            let isComplete = try buffer.withUnsafeReadableBytes { (bytes) throws(WireError) in
                try parser.read(bytes, into: exchange)
            }
            if isComplete || exchange.answer.failure != nil { end(nil, at: now) }
        } catch {
            end(error == .headTooLong ? .tooLong : .malformed)
        }
    }

    /// Nobody behind this handler wants to know.
    func channelReadComplete(context: ChannelHandlerContext) {}

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        sendBody(context)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        guard let exchange else { return pool.closed(self) }
        if parser.endsWithConnection { return end(nil) }
        if served > 0, exchange.mayRetry, exchange.answer.firstByteAt == 0 {
            // A kept-alive connection that the server had just closed: clients send again on a fresh one.
            exchange.mayRetry = false
            self.exchange = nil
            pool.closed(self)
            return pool.sendAgain(exchange)
        }
        end(.closedEarly)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if exchange != nil, !(served > 0 && exchange?.answer.firstByteAt == 0) {
            end(ConnectionPool.failure(of: error))
        }
        context.close(promise: nil)
    }

    private func sendBody(_ context: ChannelHandlerContext) {
        guard pump != nil, exchange != nil else { return }
        while context.channel.isWritable {
            guard let bytes = pump?.next(context.channel.allocator) else {
                pump = nil
                return
            }
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            // A write may end the exchange by failing at once.
            guard pump != nil else { return }
        }
    }

    private func end(_ failure: Failure?, at moment: Nanoseconds = MonotonicClock.now()) {
        guard let exchange else { return }
        let isReusable =
            failure == nil && exchange.answer.failure == nil && parser.isComplete && parser.head.keepsAlive
            && pump == nil
            && !isClosing && !pool.closesAfterEach
        self.exchange = nil
        pump = nil
        served += 1
        if isReusable { pool.idle(self) } else { close() }
        exchange.finish(failure, at: moment)
    }

    private func close() {
        guard !isClosing else { return pool.closed(self) }
        isClosing = true
        pool.closed(self)
        context?.close(promise: nil)
    }

    /// Closes an idle connection at the end of a run.
    func shut() {
        close()
    }
}

/// Makes a seeded body piece by piece.
struct BodyPump {
    let content: BlobContent
    var range: Range<Int>
    let isChunked: Bool
    private var isEnded = false

    init(content: BlobContent, range: Range<Int>, isChunked: Bool) {
        self.content = content
        self.range = range.clamped(to: 0..<content.size)
        self.isChunked = isChunked
    }

    /// The next piece with its framing; `nil` behind the last.
    mutating func next(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        guard !range.isEmpty else {
            guard isChunked, !isEnded else { return nil }
            isEnded = true
            return ByteBuffer(string: "0\r\n\r\n")
        }
        let length = min(Connection.chunk, range.count)
        var buffer = allocator.buffer(capacity: length + 16)
        if isChunked { buffer.writeString(String(length, radix: 16) + "\r\n") }
        let offset = range.lowerBound
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { memory in
            content.fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<length]), at: offset)
            return length
        }
        if isChunked { buffer.writeString("\r\n") }
        range = (offset + length)..<range.upperBound
        return buffer
    }
}
