import Model
import Service

/// A request's body on its way from the socket to the handler.
package protocol RequestBody: AnyObject, ByteSource {
    /// The handler is of no use without all of the body, which has to come within this time: else `next` throws, and the
    /// handler's task is cancelled, whatever it waits for.
    func require(within patience: Duration)
    /// Nobody waits for the rest any longer. From any thread.
    func expire()
}

extension RequestBody {
    /// Bytes of a body that get room as they come; a larger one gets room for all of it, as it would else wait with what
    /// others need.
    private static var small: Int { 64 << 10 }
    /// Bytes that count as going on.
    private static var progress: Int { 4 << 10 }

    /// The whole body, for which it has a minute, in memory of `share`.
    /// Throws `.manifestTooLarge` past `limit` bytes, `.unavailable` when there is no room.
    package func collect(upTo limit: Int, in share: MemoryShare) async throws(RegistryError) -> [UInt8] {
        let tooLarge = RegistryError(.manifestTooLarge, "a manifest may have at most \(limit) bytes here")
        if let length, length > limit { throw tooLarge }
        require(within: .seconds(60))
        defer { share.hasReceived() }
        let revoke: @Sendable () -> Void = { [weak self] in self?.expire() }
        share.receives(revoke: revoke)
        var bytes: [UInt8] = []
        var (room, fresh) = (0, 0)
        while let chunks = try await next() {
            let count = chunks.reduce(0) { $0 + $1.count }
            guard bytes.count + count <= limit else { throw tooLarge }
            let needed = bytes.count + count
            if needed > room {
                room = needed > Self.small ? max(needed, Int(length ?? Int64(limit))) : needed + 4095 & ~4095
                try await share.grow(to: room, patience: .seconds(30))
                bytes.reserveCapacity(room)
            }
            for chunk in chunks { chunk.withBytes { bytes.append(contentsOf: $0) } }
            fresh += count
            if fresh >= Self.progress {
                fresh = 0
                share.receives(revoke: revoke)
            }
        }
        return bytes
    }
}
