import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server on a port of its own that answers what a test tells it to, and remembers what it was asked.
final class TestServer: Sendable {
    struct Ask: Sendable {
        let method: String
        let path: String
        let authorization: String?
        let closes: Bool
        let body: Int
    }

    enum Reply: Sendable {
        case answer(Int, [(String, String)], String)
        case bytes(Int, [UInt8])
        /// The connection is closed instead.
        case hangUp
        /// Nothing ever comes.
        case silence
        /// Only after so long.
        indirect case late(TimeAmount, Reply)
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let asks = Mutex<[Ask]>([])
    private let open = Atomic<Int>(0)
    private let reply: @Sendable (Ask) -> Reply
    private let bound = Mutex<(any Channel)?>(nil)

    init(_ reply: @escaping @Sendable (Ask) -> Reply) async throws {
        self.reply = reply
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(Handler(server: self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        bound.withLock { $0 = channel }
    }

    var port: Int { bound.withLock { $0?.localAddress?.port ?? 0 } }
    var url: String { "http://127.0.0.1:\(port)" }
    var asked: [Ask] { asks.withLock { $0 } }
    /// Connections that stand.
    var connected: Int { open.load(ordering: .relaxed) }

    func stop() async throws {
        try await bound.withLock { $0 }?.close()
        try await group.shutdownGracefully()
    }

    private func answer(_ ask: Ask) -> Reply {
        asks.withLock { $0.append(ask) }
        return reply(ask)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let server: TestServer
        private var head: HTTPRequestHead?
        private var length = 0

        init(server: TestServer) { self.server = server }

        func channelActive(context: ChannelHandlerContext) { server.open.add(1, ordering: .relaxed) }
        func channelInactive(context: ChannelHandlerContext) { server.open.subtract(1, ordering: .relaxed) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                length = 0
            case .body(let part): length += part.readableBytes
            case .end:
                guard let head else { return }
                let ask = Ask(
                    method: head.method.rawValue, path: head.uri,
                    authorization: head.headers.first(name: "Authorization"), closes: !head.isKeepAlive, body: length)
                answer(server.answer(ask), ask, context)
            }
        }

        private func answer(_ reply: Reply, _ ask: Ask, _ context: ChannelHandlerContext) {
            switch reply {
            case .silence: return
            case .late(let wait, let reply):
                context.eventLoop.assumeIsolated().scheduleTask(in: wait) { [self] in answer(reply, ask, context) }
            case .hangUp: context.close(promise: nil)
            case .answer(let status, let fields, let body):
                write(status, fields, ByteBuffer(string: body), ask, context)
            case .bytes(let status, let bytes): write(status, [], ByteBuffer(bytes: bytes), ask, context)
            }
        }

        private func write(
            _ status: Int, _ fields: [(String, String)], _ body: ByteBuffer, _ ask: Ask,
            _ context: ChannelHandlerContext
        ) {
            var headers = HTTPHeaders(fields)
            if status != 204 { headers.add(name: "Content-Length", value: "\(body.readableBytes)") }
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if ask.method != "HEAD", status != 204 {
                context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            }
            let written = context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated()
            if ask.closes { written.whenComplete { _ in context.close(promise: nil) } }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// A port of 127.0.0.1 that refuses: nobody listens, and as it is bound no other server gets it.
struct RefusingPort {
    let port: Int
    private let descriptor: Int32

    init() throws {
        struct SystemError: Error { let code: Int32 }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw SystemError(code: errno) }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func release() { close(descriptor) }
}

/// Waits until `condition` holds, half a minute at most; whether it does.
func eventually(_ condition: () throws -> Bool) async throws -> Bool {
    for _ in 0..<3000 {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
