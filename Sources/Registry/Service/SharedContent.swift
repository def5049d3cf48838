import Logging
import Model
import Runtime
import Store

/// Manifests as the nodes share them: bytes by digest, which never change, and are believed only if they are those of the digest.
/// Whether somebody may have them, and what a tag points to, is never asked here.
struct SharedContent: Sendable {
    /// How long content stays: the longest, and how much less it may be, so that not all of it ends at once.
    private static let life = Duration.seconds(86_400)
    private static let jitter = 0.25
    /// Bytes that are hashed where they are; more of them off the loop.
    private static let small = 16 << 10

    private let cache: any SharedCache
    private let log: Logger

    init(_ cache: any SharedCache, _ log: Logger) {
        self.cache = cache
        self.log = log
    }

    /// Whether content of so many bytes may be there.
    func holds(_ size: Int64) -> Bool { size <= cache.largestValue }

    /// The bytes of a digest; nil where they are not there. What has other bytes there is overwritten by who reads the truth next.
    func bytes(of digest: Digest, size: Int64, _ hashers: BlockingExecutor) async -> [UInt8]? {
        guard holds(size), let bytes = await cache.value(for: Self.key(digest)) else { return nil }
        guard bytes.count == size, await self.digest(digest.algorithm, of: bytes, hashers) == digest else {
            log.warning("the shared cache has other bytes for a digest", metadata: ["digest": "\(digest)"])
            return nil
        }
        return bytes
    }

    /// Keeps the bytes of a digest. Does not wait.
    func keep(_ bytes: [UInt8], of digest: Digest) {
        guard holds(Int64(bytes.count)) else { return }
        cache.keep(bytes, for: Self.key(digest), life: Self.life * Double.random(in: 1 - Self.jitter...1))
    }

    private func digest(
        _ algorithm: Digest.Algorithm, of bytes: [UInt8], _ hashers: BlockingExecutor
    ) async -> Digest? {
        guard bytes.count > Self.small else { return ContentHash.digest(algorithm, of: bytes) }
        do throws(StoreError) {
            return try await hashers.run { () throws(StoreError) in ContentHash.digest(algorithm, of: bytes) }
        } catch {
            return nil
        }
    }

    private static func key(_ digest: Digest) -> String { "aerugo:manifest:\(digest)" }
}
