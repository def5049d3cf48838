import Glibc
import HTTP
import NIOCore
import NIOPosix
import Synchronization

/// Where a server listens beside its main port.
struct LocalDoor: Sendable {
    let channel: any Channel
    /// Of a socket of the file system.
    let path: String?

    /// Stops accepting, and removes the socket of the file system.
    func close() async throws {
        try await channel.close().get()
        if let path { unlink(path) }
    }
}

/// A socket of the file system that cannot be had; for an operator.
package struct LocalDoorFault: Error, Sendable, CustomStringConvertible {
    package let description: String
}

extension Server {
    /// Most bytes of a path of a socket (unix(7)).
    package static let longestSocketPath = 107

    /// Serves another application on a socket at `path`, which this process's user alone may open, until the server is
    /// shut down. One that a crash has left there is replaced: that nobody listens on it is for the caller to know.
    /// Throws `LocalDoorFault`.
    package func listen(at path: String, _ application: Application) async throws(LocalDoorFault) {
        guard path.utf8.count <= Self.longestSocketPath else {
            throw LocalDoorFault(
                description:
                    "the path has more than \(Self.longestSocketPath) bytes, which is all that a socket's may have")
        }
        let (loops, admission) = (loops, admission)
        do {
            let channel = try await ServerBootstrap(group: group)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelOption(.writeBufferWaterMark, value: .init(low: 8 << 10, high: 16 << 10))
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let remote = RemoteAddress(local: path)
                        guard let loop = loops.first(where: { $0.loop === channel.eventLoop }), admission.enter(remote)
                        else { throw ChannelError.operationUnsupported }
                        try Self.fill(channel.pipeline.syncOperations, application, loop, remote, nil)
                    }
                }
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            localDoors.withLock { $0.append(LocalDoor(channel: channel, path: path)) }
            // To open it takes the right to write, which the umask has left to nobody else until here.
            guard chmod(path, 0o600) == 0 else { throw IOError(errnoCode: errno, reason: "chmod") }
        } catch {
            throw LocalDoorFault(description: "\(error)")
        }
    }
}
