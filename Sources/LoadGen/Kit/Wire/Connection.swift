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
    private var served = 0
    private var isClosing = false

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
            context.writeAndFlush(wrapOutboundOut(exchange.request.head), promise: nil)
        case .bytes(let bytes):
            context.write(wrapOutboundOut(exchange.request.head), promise: nil)
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        case .content(let content, let range, let isChunked):
            context.writeAndFlush(wrapOutboundOut(exchange.request.head), promise: nil)
            pump = BodyPump(content: content, range: range, isChunked: isChunked)
            sendBody(context)
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
