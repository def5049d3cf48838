import Logging
import Model
import Store

/// The registry's use cases. Every function takes the `Grant` that allows it and throws `RegistryError` alone.
package final class Registry: Sendable {
    /// What an operator may set.
    package struct Limits: Sendable {
        /// Largest manifest taken, in bytes.
        package var manifest = 4 << 20
        /// Largest blob taken, in bytes.
        package var blob: Int64 = .max
        /// Most entries of one page of a list; also what a request without `n` gets.
        package var page = 10_000
        /// Most `tag` parameters of one manifest push.
        package var tagsPerPush = 100
        /// How long an upload may go without a byte until it expires.
        package var uploadIdle: Duration = .seconds(24 * 3600)
        /// Whether an index may name manifests that the repository lacks.
        package var sparseIndexes = false
        /// Whether tags, manifests and blobs may be deleted.
        package var deletes = true

        /// The defaults.
        package init() {}
    }

    package let metadata: MetadataStore
    package let blobs: any BlobStore
    package let limits: Limits
    let log: Logger
    let manifests = VersionedCache<StoredManifest>(capacity: 12 << 20)
    let locations = VersionedCache<BlobLocation>(capacity: 2 << 20)
    let locks = SessionLocks()
    /// Parsing and hashing of manifests.
    let parsers = BlockingExecutor(name: "manifests", threads: 2, capacity: 4096)
    /// Blobs that are being read through, and when damaged ones were last.
    let readings = SingleFlight<StorageKey, Verdict>(capacity: 512)
    let secondLooks = SecondLooks()
    /// Asks for a sweep soon; see `sweep`.
    let sweepRequests: AsyncStream<Void>.Continuation
    private let sweepStream: AsyncStream<Void>

    /// A registry over these stores.
    package init(metadata: MetadataStore, blobs: any BlobStore, limits: Limits, log: Logger) {
        self.metadata = metadata
        self.blobs = blobs
        self.limits = limits
        self.log = log
        (sweepStream, sweepRequests) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Throws `StoreError` unless both stores can be used.
    package func check() async throws(StoreError) {
        try await metadata.check()
        try await blobs.check()
    }

    /// Expires idle uploads and removes objects that nothing refers to, whenever asked and at least every `interval`.
    /// Runs until it is cancelled.
    package func sweep(every interval: Duration) async {
        await withTaskGroup { group in
            group.addTask { [sweepRequests] in
                while !Task.isCancelled {
                    sweepRequests.yield()
                    do { try await Task.sleep(for: interval) } catch { return }
                }
            }
            for await _ in sweepStream {
                do throws(StoreError) {
                    try await sweepOnce()
                } catch {
                    log.error("sweep failed", metadata: ["cause": "\(error.cause)"])
                }
            }
            group.cancelAll()
        }
    }

    private func sweepOnce() async throws(StoreError) {
        let expired = try await metadata.expireSessions(idle: limits.uploadIdle, inUse: locks.held)
        if expired > 0 { log.info("expired idle uploads", metadata: ["count": "\(expired)"]) }
        var last: StorageKey?
        repeat {
            let keys = try await metadata.removals(after: last, limit: 500)
            last = keys.last
            guard last != nil else { return }
            let gone = try await blobs.remove(keys) { [log] key, error in
                log.error("an object cannot be removed", metadata: ["object": "\(key)", "cause": "\(error.cause)"])
            }
            if !gone.isEmpty { try await metadata.forget(gone) }
        } while true
    }
}

extension RegistryError {
    /// What a store's failure means to the client; the cause goes to the log.
    init(_ error: StoreError) {
        switch error.code {
        case .full:
            self.init(
                .storageFull, "the registry has no room left: free space or ask its operator", cause: error.cause)
        case .conflict, .overloaded:
            self.init(.unavailable, "the registry is busy: try again", cause: error.cause)
        case .missing, .unavailable:
            self.init(
                .unavailable, "the registry's storage cannot be reached: try again, or ask its operator",
                cause: error.cause)
        case .damaged:
            self.init(.internalError, "the registry's storage is damaged: ask its operator", cause: error.cause)
        }
    }
}

/// Runs `body` and turns a store's error into the registry's.
func storing<T>(_ body: () async throws(StoreError) -> T) async throws(RegistryError) -> T {
    do throws(StoreError) {
        return try await body()
    } catch {
        throw RegistryError(error)
    }
}
