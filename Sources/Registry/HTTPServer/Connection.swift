import CLinux
import HTTP
import Metrics
import Model
import NIOCore
import NIOPosix

/// One client's connection: feeds a `ConnectionState` with what happens, and does what it says. On the channel's event
/// loop; the handlers' tasks run there too, and nothing else touches it: hence `@unchecked`.
final class Connection: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    let shared: LoopContext
    let application: Application
    private(set) var context: ChannelHandlerContext?
    let remote: RemoteAddress
    /// Those that are trusted, where the peer is one of them.
    private let proxies: [AddressBlock]
    private var state: ConnectionState
    /// Whether the answer goes without its body.
    var answersHead: Bool { state.answersHead }
    private var parser = RequestParser()
    private let memory = CredentialMemory()
    var security: Security

    /// The request at hand, until its answer has gone out.
    var course: Course?
    /// The body of the request at hand.
    private var body: IncomingBody?
    /// The handler of the request at hand.
    private var handler: Task<Void, Never>?
    /// The handler's answer until it may be sent.
    private var answer: Response?
    /// What is left to send of the answer.
    var outgoing: Outgoing?
    var isSendingMore = false
    /// Whether the peer takes nothing of what it asked for.
    var isStalled = false {
        didSet {
            guard isStalled != oldValue else { return }
            shared.stalled += isStalled ? Self.stall : -Self.stall
        }
    }
    private static let stall = 64 << 10

    /// Bytes that came and were not taken, as far as they are counted.
    private var unread = 0
    private var readIsHeld = false
    private(set) var isInRead = false
    private var isAdvancing = false
    private var isInputClosed = false

    init(_ application: Application, _ shared: LoopContext, _ remote: RemoteAddress, _ security: Security = .plain) {
        self.application = application
        self.shared = shared
        self.remote = remote
        proxies = application.settings.proxies(of: remote.text)
        self.security = security
        state = ConnectionState(shared.timeouts, at: .now())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        shared.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        guard context != nil else { return }
        context = nil
        if let body { course?.received = body.received }
        close(isCut: true, at: .now())
        tell(.gone)
        if body?.cancelsHandler == true { handler?.cancel() }
        // A file is let go of when NIO has.
        if case .bytes? = outgoing { outgoing = nil }
        isStalled = false
        (body, handler, answer) = (nil, nil, nil)
        parser.drop()
        _ = countUnread()
        shared.remove(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isFarewellMissing(error) else { return }
        application.noteConnectionError("\(error)", remote: remote.text)
        context.close(promise: nil)
    }

    // MARK: The state

    func tell(_ event: ConnectionState.Event, at now: NIODeadline = .now()) { perform(state.handle(event, at: now)) }

    private func perform(_ action: ConnectionState.Action) {
        switch action {
        // What is to be handled or delivered is in the hands of who told the state of it.
        case .none, .handle, .deliver: break
        case .askForBody: writeAndFlush(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))
        case .failBody(let failure): failBody(failure.error)
        case .send(let keepsAlive):
            guard let response = answer else { return }
            answer = nil
            send(response, keepsAlive: keepsAlive)
        case .refuse(let failure): refuse(failure == .late ? Self.headIsLate : failure.error)
        case .proceed:
            advance()
            resumeReading()
        case .closeOutput:
            context?.flush()
            context?.close(mode: .output, promise: nil)
            resumeReading()
        case .closeWhenSent: closeWhenSent()
        case .abort: closeSocket()
        }
    }

    private static let headIsLate = RegistryError(.requestTimeout, "the request's head did not come in time")

    /// The handler learns it from the body if it has begun to take it, and may keep what has arrived.
    private func failBody(_ error: RegistryError) {
        body?.fail(error)
        if body?.cancelsHandler == true { handler?.cancel() }
    }

    /// Answers what cannot be read as a request.
    private func refuse(_ error: RegistryError) {
        guard security != .shaking else { return closeSocket() }
        let response = application.refusal(error, id: shared.newRequestID(), remote: remote.text)
        shared.counts.refuse(response.status)
        send(response, keepsAlive: false)
    }

    /// At once, the channel would drop what a slow reader has not taken.
    private func closeWhenSent() {
        guard let context else { return }
        guard security != .shaking else { return closeSocket() }
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in self.context?.close(promise: nil) }
    }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
        parser.feed(unwrapInboundIn(data))
        advance()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = false
        if !countUnread() {
            parser.drop()
            _ = countUnread()
            refused(Self.noRoom)
        }
        self.context?.flush()
    }

    /// Counts what came and could not be taken yet: the beginning of a head, or requests behind the one at hand. False where
    /// there is no room for it.
    private func countUnread() -> Bool {
        guard parser.pinned > 0 || unread > 0 else { return true }
        parser.settle()
        let now = max(0, parser.pinned - Admission.freeBytes)
        guard now != unread else { return true }
        guard shared.admission.hold(now, insteadOf: unread, remote) else { return false }
        unread = now
        return true
    }

    private static let noRoom = RegistryError(
        .unavailable, "too many requests with large heads come at once: try again, or send less with one")

    /// Takes what has come as far as the request at hand allows. Answers that are ready at once lead back here: the loop
    /// that runs goes on then, as thousands of requests in one packet would else take the stack.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while let context, state.takesMore(isWritable: context.channel.isWritable) {
            switch parser.next() {
            case .none:
                parser.settle()
                if unread > 0 { _ = countUnread() }
                if parser.waiting > 0 { tell(.headBegan) }
                if isInputClosed { tell(.inputEnded) }
                return
            case .head(let head): begin(head)
            case .body(let chunk): receive(chunk)
            case .end: receiveEnd()
            case .refused(let error): refused(error)
            }
        }
    }

    private func begin(_ head: RequestHead) {
        var framing = ConnectionState.Framing()
        framing.isHead = head.method == .head
        framing.keepsAlive = head.keepsAlive
        framing.hasBody = head.length != 0
        framing.expectsContinue = head.expectsContinue
        let now = NIODeadline.now()
        guard state.handle(.head(framing), at: now) == .handle else { return }
        let body =
            framing.hasBody ? IncomingBody(length: head.length, pieces: shared.pieces, connection: self) : shared.noBody
        self.body = body
        let request = request(head, body)
        shared.counts.begin()
        course = Course(request, began: now)
        switch application.answer(to: request) {
        case .ready(let response): answered(response)
        case .pending(let work):
            shared.handlerBegan()
            let stages = shared.timesStages ? RequestStages() : nil
            course?.stages = stages
            handler = Task.immediate(executorPreference: shared.executor) { [self] in
                let response = await RequestStages.$current.withValue(stages) { await work() }
                shared.handlerEnded()
                answered(response)
            }
        }
    }

    private func request(_ head: RequestHead, _ body: IncomingBody) -> Request {
        Request(
            head, peer: remote.text, behind: proxies, isSecure: security == .secure, id: shared.newRequestID(),
            body: body, memory: memory)
    }

    private func answered(_ response: Response) {
        guard context != nil else { return }
        course?.answered(response, body?.received ?? 0, isHead: state.answersHead)
        // What the handler did not take of the body goes with it.
        (body, handler) = (nil, nil)
        answer = response
        tell(.answered(closes: response.closes))
    }

    private func receive(_ chunk: ByteBuffer) {
        let action = state.handle(.part(chunk.readableBytes), at: .now())
        if action == .deliver { body?.receive(chunk) } else { perform(action) }
    }

    private func receiveEnd() {
        let action = state.handle(.bodyEnded, at: .now())
        if action == .deliver { body?.complete() } else { perform(action) }
    }

    private func refused(_ error: RegistryError) {
        switch state.handle(.malformed, at: .now()) {
        case .refuse: refuse(error)
        case .failBody: failBody(error)
        case let action: perform(action)
        }
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { readIsHeld = true }
    }

    /// Reading pauses while the handler is behind with the body, and while requests wait behind this one.
    private var mayRead: Bool {
        guard let context, state.buffered < shared.pieces.limit else { return false }
        return state.takesMore(isWritable: context.channel.isWritable) || parser.waiting < 16 << 10
    }

    private func resumeReading() {
        guard readIsHeld, mayRead, let context else { return }
        readIsHeld = false
        context.read()
    }

    /// The handler waits for the body: the client may have to be asked for it (RFC 9110 section 10.1.1).
    func bodyIsWanted() { tell(.bodyWanted) }

    /// The handler has taken all of the body that was there.
    func bodyWasTaken() {
        tell(.bodyTaken)
        resumeReading()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            if noteHandshake(event) { return }
            return context.fireUserInboundEventTriggered(event)
        }
        isInputClosed = true
        advance()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            sendMore()
            advance()
            resumeReading()
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: The clock

    /// Ends what has waited too long; called about once a second.
    func tick(_ now: NIODeadline) {
        // Of a file that was cut under a download, sendfile would go on sending nothing for ever.
        if case .file(let content, _)? = outgoing, !content.isWhole { return cut() }
        let bodyIsLate = body?.deadline.map { $0 < now } ?? false
        guard state.isSending, let socket = context?.channel as? any SocketOptionProvider else {
            return perform(state.handle(.tick(taken: nil, bodyIsLate: bodyIsLate), at: now))
        }
        let reading: EventLoopFuture<aerugo_tcp_progress> = socket.unsafeGetSocketOption(
            level: .tcp, name: .init(rawValue: CInt(AERUGO_TCP_INFO)))
        reading.assumeIsolated().whenComplete { [self] result in
            var taken: UInt64?
            if case .success(let progress) = result, progress.bytes_acked > 0 { taken = progress.bytes_acked }
            perform(state.handle(.tick(taken: taken, bodyIsLate: bodyIsLate), at: now))
        }
    }

    /// Closes at once, whatever is in progress.
    func cut() { closeSocket() }

    /// Closes an idle connection; one that is answering closes behind its answer.
    func shutDown() { tell(.stopping) }
}

extension ConnectionState.BodyFailure {
    fileprivate var error: RegistryError {
        switch self {
        case .cut: RegistryError(.connectionCut, "the connection was cut before the body was complete")
        case .late: RegistryError(.requestTimeout, "the rest of the body did not come in time: send it again")
        case .malformed: RegistryError(.badRequest, "this is not a valid HTTP/1.1 request")
        }
    }
}
