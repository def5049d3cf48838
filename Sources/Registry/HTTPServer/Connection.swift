import Model
import NIOCore
import Store

/// One client's connection: parts of requests come in, one request at a time is answered, in order. A state machine on
/// the channel's event loop; the handlers' tasks run on that loop too, and nothing else touches it: hence `@unchecked`.
final class Connection: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// What the connection waits for, which decides how long it may.
    private enum Phase {
        /// The head of a request.
        case head
        /// The handler; of a body that is being received, more of it.
        case answer
        /// The end of what is still being sent, to be thrown away before closing.
        case linger
        /// The last of what was written, to be sent before closing.
        case closing
    }

    private let application: Application
    private let shared: LoopContext
    private let timeouts: ServerSettings.Timeouts
    private var context: ChannelHandlerContext?
    private var remote = "-"

    private var phase = Phase.head { didSet { since = .now() } }
    private var since = NIODeadline.now()
    private var served = 0
    private var body: RequestBody?
    private var keepsAlive = true
    private var awaitsContinue = false
    private var isHead = false
    private var parser = RequestParser()

    /// Bytes of the body that the handler has not taken, and those that came since the clock was last set back.
    private var buffered = 0
    private var progress = 0
    /// What sendfile is reading from.
    private var sending: (any BlobContent)?
    private var readIsHeld = false
    private var isInRead = false
    private var isAdvancing = false
    private var isRefused = false
    private var isInputClosed = false
    private var isShuttingDown = false

    init(_ application: Application, _ shared: LoopContext, _ timeouts: ServerSettings.Timeouts) {
        self.application = application
        self.shared = shared
        self.timeouts = timeouts
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let address = context.channel.remoteAddress?.ipAddress ?? "-"
        // A client of IPv4 on a socket that takes both.
        remote = String(address.hasPrefix("::ffff:") && address.contains(".") ? address.dropFirst(7) : address[...])
        shared.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        shared.remove(self)
        body?.fail(Self.cut)
        context = nil
    }

    private static let cut = RegistryError(.connectionCut, "the connection was cut before the body was complete")

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
        parser.feed(unwrapInboundIn(data))
        advance()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = false
        context.flush()
    }

    /// Takes what has come as far as the request at hand allows. Answers that are ready at once lead back here: the loop
    /// that runs goes on then, as thousands of requests in one packet would else take the stack.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while takesMore {
            switch parser.next() {
            case .none:
                parser.settle()
                if isInputClosed { inputEnded() }
                return
            case .head(let head): begin(head)
            case .body(let chunk): receive(chunk)
            case .end:
                body?.complete()
                if case .linger = phase { close() }
            case .refused(let error): refused(error)
            }
        }
    }

    /// Whether more of what has come may be looked at now.
    private var takesMore: Bool {
        switch phase {
        case .answer: body?.isComplete == false
        // Who asks again and again without reading the answers gets no more of them.
        case .head: context?.channel.isWritable ?? false
        case .linger: true
        case .closing: false
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        advance()
        resumeReading()
        context.fireChannelWritabilityChanged()
    }

    private func begin(_ head: RequestHead) {
        served += 1
        isHead = head.method == .head
        keepsAlive = head.keepsAlive && !isShuttingDown
        awaitsContinue = head.expectsContinue
        let body =
            head.length == 0
            ? shared.noBody : RequestBody(length: head.length, pieces: shared.pieces, connection: self)
        self.body = body
        start(Request(head, remote: remote, id: shared.newRequestID(), body: body))
    }

    private func refused(_ error: RegistryError) {
        keepsAlive = false
        switch phase {
        case .head: refuse(error)
        case .answer: body?.fail(error)
        case .linger, .closing: break
        }
    }

    private func receive(_ chunk: ByteBuffer) {
        if case .linger = phase { return }
        progress += chunk.readableBytes
        if progress >= timeouts.progress {
            progress = 0
            since = .now()
        }
        buffered += chunk.readableBytes
        body?.receive(chunk)
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { readIsHeld = true }
    }

    /// Reading pauses while the handler is behind with the body, and while requests wait behind this one.
    private var mayRead: Bool { buffered < shared.pieces.limit && (takesMore || parser.waiting < 16 << 10) }

    private func resumeReading() {
        guard readIsHeld, mayRead, let context else { return }
        readIsHeld = false
        context.read()
    }

    /// The handler waits for the body: the client may have to be asked for it (RFC 9110 section 10.1.1).
    func bodyIsWanted() {
        guard awaitsContinue, let context else { return }
        awaitsContinue = false
        context.writeAndFlush(
            wrapOutboundOut(.byteBuffer(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))), promise: nil)
    }

    /// The handler has taken all of the body that was there.
    func bodyWasTaken() {
        buffered = 0
        resumeReading()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        isInputClosed = true
        advance()
    }

    /// Nothing more will come, and what came has been looked at.
    private func inputEnded() {
        switch phase {
        case .head, .linger: close()
        case .answer: body?.fail(Self.cut)
        case .closing: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { abort() }

    // MARK: The answer

    private func start(_ request: Request) {
        phase = .answer
        switch application.answer(to: request) {
        case .ready(let response) where request.body.isComplete: send(response)
        case .ready(let response): finish(request) { response }
        case .pending(let work): finish(request, work)
        }
    }

    private func finish(_ request: Request, _ work: @escaping @Sendable () async -> Response) {
        shared.handlerBegan()
        Task.immediate(executorPreference: shared.executor) { [self] in
            var response = await work()
            shared.handlerEnded()
            if request.body.isComplete || awaitsContinue || request.body.hasFailed {
                response.closes = response.closes || !request.body.isComplete
            } else {
                // A client that is still sending may not look at the answer before it is done.
                response.closes = await !request.body.discard(upTo: timeouts.discard)
            }
            send(response)
        }
    }

    /// Answers a request that cannot be read, and closes once the client has had a moment to see it.
    private func refuse(_ error: RegistryError) {
        phase = .answer
        isRefused = true
        isHead = false
        var response = application.refusal(error, id: shared.newRequestID(), remote: remote)
        response.closes = true
        send(response)
    }

    private func send(_ response: Response) {
        guard let context else { return }
        keepsAlive = keepsAlive && !response.closes && !isShuttingDown
        var bytes: [UInt8] = []
        if !isHead, case .bytes(let body) = response.body { bytes = body }
        var buffer = shared.takeOutput(capacity: 1024 + bytes.count)
        ResponseEncoder.encode(
            response, body: bytes, keepsAlive: keepsAlive, date: shared.currentDate(), into: &buffer)
        switch response.body {
        case .content where isHead: send(buffer)
        case .empty, .bytes: send(buffer)
        case .content(let content, let range):
            context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
            // The handle only borrows the descriptor: it is taken back before the content goes.
            let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: content.descriptor)
            let region = FileRegion(
                fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(range.upperBound))
            let done = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(.fileRegion(region)), promise: done)
            sending = content
            done.futureResult.assumeIsolated().whenComplete { [self] result in
                do {
                    _ = try handle.takeDescriptorOwnership()
                    sending = nil
                    try result.get()
                    goOn()
                } catch {
                    abort()
                }
            }
        }
    }

    private func send(_ buffer: ByteBuffer) {
        guard let context else { return }
        context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
        if !isInRead { context.flush() }
        shared.giveOutput(buffer)
        goOn()
    }

    /// The answer is on its way: on to the next request, or to the end.
    private func goOn() {
        let isDone = body?.isComplete ?? !isRefused
        // What the handler did not take of the body goes with it.
        body = nil
        (buffered, progress) = (0, 0)
        guard keepsAlive else {
            phase = .linger
            return isDone ? close() : lingerOn()
        }
        phase = .head
        advance()
        resumeReading()
    }

    /// Closes once what was written is sent: at once, the channel would drop what a slow reader has not taken. The kernel
    /// sees to it that a reader who takes nothing does not stay.
    private func close() {
        guard let context else { return }
        if case .closing = phase { return }
        phase = .closing
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in abort() }
    }

    private func abort() { context?.close(promise: nil) }

    /// Says that no more will be answered, but reads on for a moment: closing at once could cost the client the answer.
    private func lingerOn() {
        context?.flush()
        context?.close(mode: .output, promise: nil)
        resumeReading()
    }

    // MARK: The clock

    /// Closes the connection if it has waited too long; called about once a second.
    func tick(_ now: NIODeadline) {
        let waited = now - since
        // Of a file that was cut under a download, sendfile would go on sending nothing for ever.
        if let sending, !sending.isWhole { cut() }
        switch phase {
        case .head:
            guard waited > (served == 0 ? timeouts.head : timeouts.idle) else { return }
            served == 0 ? refuse(.init(.requestTimeout, "the request's head did not come in time")) : close()
        case .answer:
            guard let body, !body.isComplete else { return }
            if buffered > 0 { since = now }
            guard waited > timeouts.body || body.deadline.map({ $0 < now }) ?? false else { return }
            keepsAlive = false
            body.fail(.init(.requestTimeout, "the rest of the body did not come in time: send it again"))
        case .linger:
            if waited > timeouts.linger { abort() }
        case .closing: break
        }
    }

    /// Closes at once, whatever is in progress.
    func cut() { context?.close(promise: nil) }

    /// Closes an idle connection; one that is answering closes behind its answer.
    func shutDown() {
        isShuttingDown = true
        keepsAlive = false
        if case .head = phase { close() }
    }
}
