import Access
import Logging
import Model
import Runtime
import Store
import Synchronization

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
        /// How many uploads may be in progress.
        package var uploads = UploadLimits()
        /// Bytes a second at which blobs are read through that nobody asks for; 0 for never.
        package var scrubRate: Int64 = 8 << 20
        /// How long a request waits for a blob to be read through.
        package var readingTime: Duration = .seconds(20)
        /// Most bytes of manifests that are kept in memory.
        package var manifestCache = 12 << 20
        /// Whether an index may name manifests that the repository lacks.
        package var sparseIndexes = false
        /// Whether tags, manifests and blobs may be deleted.
        package var deletes = true
        /// Whether a blob may be deleted that a manifest of its repository names.
        package var deletesInUse = false
        /// How long a repository that was deleted can be restored.
        package var restoreTime: Duration = .seconds(7 * 86_400)
        /// What is collected, and when.
        package var collection = CollectionRules()
        /// Who may see a repository that a push makes.
        package var visibility = Visibility.open

        /// The defaults.
        package init() {}
    }

    package let repositories: Repositories
    package let manifests: Manifests
    package let tags: Tags
    package let referrers: Referrers
    package let pulls: PullLedger
    package let limits: Limits
    let store: MetadataStore
    let blobs: any BlobStore
    /// What other nodes have, too; nil where nothing is shared.
    package let sharing: Sharing?
    let log: Logger
    let locations: VersionedCache<LocationKey, BlobLocation>
    let locks = SessionLocks()
    /// Blobs that are being read through, and when damaged ones were last.
    let readings = SingleFlight<StorageKey, Verdict>(capacity: 512)
    let secondLooks = SecondLooks()
    let scrubs = ScrubCounts()
    let sums = RecentSums()
    let activity: UploadActivity
    let sweeper: Sweeper
    package let collector: Collector
    private let serving = Atomic(true)

    /// A registry over these stores; `sharing` is what other nodes have, too.
    package init(store: MetadataStore, blobs: any BlobStore, sharing: Sharing? = nil, limits: Limits, log: Logger) {
        self.store = store
        self.blobs = blobs
        self.sharing = sharing
        self.limits = limits
        self.log = log
        repositories = Repositories(store, page: limits.page, visibility: limits.visibility)
        manifests = Manifests(store, sharing?.content, limits: limits)
        tags = Tags(store: store, page: limits.page)
        referrers = Referrers(store: store, page: limits.page)
        pulls = PullLedger(store, log)
        locations = VersionedCache(capacity: 2 << 20, versions: store.versions)
        activity = UploadActivity(store.clocks)
        sweeper = Sweeper(store, blobs, idle: limits.uploadIdle, locks, activity, log) {
            [repositories, manifests] () throws(StoreError) in
            _ = try await repositories.removeEmpty()
            try await repositories.purge(deletedFor: limits.restoreTime)
            try await manifests.removeLooseEdges()
        }
        collector = Collector(store, limits.collection, log) { [sweeper] in sweeper.request() }
    }

    deinit { manifests.parsers.stop() }

    static let deletesOff = RegistryError(
        .methodNotAllowed, "this registry does not delete: its operator has switched it off")

    /// Whether the blob store was the right one when it was last looked at. While it is not, nothing is served.
    package var isServing: Bool { serving.load(ordering: .relaxed) }

    /// Throws `.unavailable` unless both stores can be used, and are those that they were opened as.
    package func check() async throws(RegistryError) {
        do throws(StoreError) {
            try await lookAtBlobs()
            try await store.check()
        } catch {
            throw RegistryError(.unavailable, "a store does not answer", cause: error.cause)
        }
    }

    private func lookAtBlobs() async throws(StoreError) {
        do throws(StoreError) {
            try await blobs.check()
            if !serving.exchange(true, ordering: .relaxed) { log.notice("the blob store is there again") }
        } catch {
            // One that is busy or full is the right one.
            if error.code == .unavailable, serving.exchange(false, ordering: .relaxed) {
                log.error("the blob store is not there: nothing is served", metadata: ["cause": "\(error.cause)"])
            }
            throw error
        }
    }

    /// Looks at the stores; what it found is in `isServing`, and in the log.
    package func look() async {
        do throws(RegistryError) { try await check() } catch {}
    }

    /// Looks at the stores every second. Runs until it is cancelled.
    package func watch() async {
        while !Task.isCancelled {
            await look()
            await MetadataStore.sleep(.seconds(1))
        }
    }

    /// One whole sweep, now.
    package func sweepOnce() async { await sweeper.sweep(everything: true) }

    /// Expires idle uploads and removes objects that nothing refers to, whenever asked and at least every `interval`.
    /// Runs until it is cancelled.
    package func sweep(every interval: Duration) async { await sweeper.run(every: interval) }
}
