import Logging
import Model
import Runtime
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
        /// Whether a blob may be deleted that a manifest of its repository names.
        package var deletesInUse = false

        /// The defaults.
        package init() {}
    }

    package let repositories: Repositories
    package let manifests: Manifests
    package let tags: Tags
    package let referrers: Referrers
    package let limits: Limits
    let store: MetadataStore
    let blobs: any BlobStore
    let log: Logger
    let locations: VersionedCache<LocationKey, BlobLocation>
    let locks = SessionLocks()
    /// Blobs that are being read through, and when damaged ones were last.
    let readings = SingleFlight<StorageKey, Verdict>(capacity: 512)
    let secondLooks = SecondLooks()
    /// Asks for a sweep soon; see `sweep`.
    let sweepRequests: AsyncStream<Void>.Continuation
    private let sweepStream: AsyncStream<Void>

    /// A registry over these stores.
    package init(store: MetadataStore, blobs: any BlobStore, limits: Limits, log: Logger) {
        self.store = store
        self.blobs = blobs
        self.limits = limits
        self.log = log
        repositories = Repositories(store, page: limits.page)
        manifests = Manifests(store, limits: limits)
        tags = Tags(store: store, page: limits.page)
        referrers = Referrers(store: store, page: limits.page)
        locations = VersionedCache(capacity: 2 << 20, versions: store.versions)
        (sweepStream, sweepRequests) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    deinit { manifests.parsers.stop() }

    static let deletesOff = RegistryError(
        .methodNotAllowed, "this registry does not delete: its operator has switched it off")

    /// Throws `.unavailable` unless both stores can be used.
    package func check() async throws(RegistryError) {
        do throws(StoreError) {
            try await store.check()
            try await blobs.check()
        } catch {
            throw RegistryError(.unavailable, "a store does not answer", cause: error.cause)
        }
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
        _ = try await repositories.removeEmpty()
        try await manifests.removeLooseEdges()
        let (oldest, inUse) = (store.clocks.wall() - limits.uploadIdle, locks.held)
        let expired = try await store.write { (db) throws(StoreError) in
            try db.expireSessions(idleSince: oldest, inUse: inUse)
        }
        if expired > 0 { log.info("expired idle uploads", metadata: ["count": "\(expired)"]) }
        var last: StorageKey?
        repeat {
            let keys = try await store.read { [last] (db) throws(StoreError) in
                try db.removals(after: last, limit: 500)
            }
            last = keys.last
            guard last != nil else { return }
            let gone = try await blobs.remove(keys) { [log] key, error in
                log.error("an object cannot be removed", metadata: ["object": "\(key)", "cause": "\(error.cause)"])
            }
            guard !gone.isEmpty else { continue }
            try await store.write { (db) throws(StoreError) in try db.forget(gone) }
        } while true
    }
}
