import HTTP
import NIOCore
import NIOPosix

extension Server {
    /// Serves another application on a port of its own, until the server is shut down: connections there count for themselves, so
    /// that a crowd at the main port keeps nobody out. Gives its address. Throws NIO's error when it can't be had.
    package func listen(
        host: String, port: Int, _ application: Application, _ identity: ServerIdentity? = nil
    ) async throws -> String {
        let (loops, admission) = (loops, admission)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 8 << 10, high: 16 << 10))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let remote = RemoteAddress(channel.remoteAddress, door: "watching")
                    guard let loop = loops.first(where: { $0.loop === channel.eventLoop }), admission.enter(remote)
                    else { throw ChannelError.operationUnsupported }
                    try Self.fill(channel.pipeline.syncOperations, application, loop, remote, identity)
                }
            }
            .bind(host: host, port: port).get()
        localDoors.withLock { $0.append(LocalDoor(channel: channel, path: nil)) }
        return (host.contains(":") ? "[\(host)]" : host) + ":\(channel.localAddress?.port ?? port)"
    }
}
