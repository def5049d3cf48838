import HTTP
import Model
import NIOCore

/// Stands before TLS until the first byte has come: who speaks plain HTTP to a port of TLS is told so in words that it
/// understands. On the channel's loop.
final class PlainSpeech: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let application: Application
    private let shared: LoopContext
    private let remote: RemoteAddress
    private var isRefused = false
    /// The type of a record with a handshake (RFC 8446 section 5.1).
    private static let handshake: UInt8 = 22

    init(_ application: Application, _ shared: LoopContext, _ remote: RemoteAddress) {
        (self.application, self.shared, self.remote) = (application, shared, remote)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What follows a refusal is thrown away: closed on it, the client might never see the answer.
        guard !isRefused else { return }
        guard let first = unwrapInboundIn(data).readableBytesView.first, first != Self.handshake else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        isRefused = true
        var response = application.refusal(
            RegistryError(.badRequest, "this port speaks TLS: write https:// instead of http://"),
            id: shared.newRequestID(), remote: remote.text)
        var body: [UInt8] = []
        if case .bytes(let bytes) = response.body { body = bytes }
        response.closes = true
        var buffer = context.channel.allocator.buffer(capacity: 1024)
        ResponseEncoder.encode(response, body: body, keepsAlive: false, date: shared.currentDate(), into: &buffer)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        // The connection's clock ends one whose client does not.
        context.close(mode: .output, promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard isRefused, case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        context.close(promise: nil)
    }
}
