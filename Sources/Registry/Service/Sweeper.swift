import Logging
import Metrics
import Model
import Runtime
import Store
import Synchronization

/// Clears away what nobody needs any more: idle uploads, empty repositories, objects that no row names.
final class Sweeper: Sendable {
    /// Between two passes, however many are asked for.
    private static let pause = Duration.seconds(1)
    /// After a start clients get so long to go on with the uploads of before, unless these expire sooner anyway.
    private static let grace = Duration.seconds(600)
    /// Sessions that one transaction ends. Their rows lie anywhere, so that each is some pages of the log: 64 are a millisecond
    /// of work and about a megabyte to sync.
    private static let batch = 64

    private let store: MetadataStore
    private let blobs: any BlobStore
    private let idle: Duration
    private let log: Logger
    private let locks: SessionLocks
    private let activity: UploadActivity
    private let chores: @Sendable () async throws(StoreError) -> Void
    private let isFull = Mutex(false)
    private let counts = SweepCounts()
    private let requests: AsyncStream<Void>.Continuation
    private let stream: AsyncStream<Void>

    /// `idle`: how long an upload may go without a byte. `chores`: what else is to be done from time to time.
    init(
        _ store: MetadataStore, _ blobs: any BlobStore, idle: Duration, _ locks: SessionLocks,
        _ activity: UploadActivity,
        _ log: Logger, chores: @Sendable @escaping () async throws(StoreError) -> Void
    ) {
        self.store = store
        self.blobs = blobs
        self.idle = idle
        self.locks = locks
        self.activity = activity
        self.log = log
        self.chores = chores
        (stream, requests) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What was swept.
    var metrics: [MetricFamily] { counts.metrics }

    /// There are objects to remove: they are soon, with those of everybody who asks within the second.
    func request() { requests.yield() }

    /// Sweeps when asked, and everything at least every `interval`. Runs until it is cancelled.
    func run(every interval: Duration) async {
        await withTaskGroup { group in
            group.addTask { [self] in
                while !Task.isCancelled {
                    isFull.withLock { $0 = true }
                    requests.yield()
                    await MetadataStore.sleep(interval)
                }
            }
            for await _ in stream {
                await sweep(
                    everything: isFull.withLock { isFull in
                        defer { isFull = false }
                        return isFull
                    })
                await MetadataStore.sleep(Self.pause)
            }
            group.cancelAll()
        }
    }

    /// One pass. What goes wrong is told in the log, and tried again by the next one.
    func sweep(everything: Bool) async {
        counts.sweeps.add()
        do throws(StoreError) {
            if everything {
                try await expireUploads()
                try await chores()
            }
            try await removeObjects()
            if everything { await store.reserve?.refill() }
        } catch {
            counts.failures.add()
            log.error("sweep failed", metadata: ["cause": "\(error.cause)"])
        }
    }

    /// Ends all uploads that are idle, in transactions so small that nobody waits for one.
    private func expireUploads() async throws(StoreError) {
        guard activity.age >= min(idle, Self.grace) else { return }
        let oldest = activity.now - idle
        let spared = activity.recent(within: idle).union(locks.held)
        var (cursor, ended) = (SessionCursor?.none, 0)
        repeat {
            let (page, next) = try await store.read { [cursor] (db) throws(StoreError) in
                try db.idleSessions(since: oldest, after: cursor, limit: Self.batch)
            }
            let ids = page.filter { !spared.contains($0) }
            if !ids.isEmpty {
                ended += try await store.erase { [blobs] (db) throws(StoreError) in
                    try db.expireSessions(ids, idleSince: oldest, leaving: blobs.leftovers)
                }
                for id in ids { activity.end(id) }
            }
            cursor = next
        } while cursor != nil
        counts.expired.add(ended)
        if ended > 0 { log.info("expired idle uploads", metadata: ["count": "\(ended)"]) }
    }

    private func removeObjects() async throws(StoreError) {
        var last: StorageKey?
        repeat {
            let keys = try await store.read { [last] (db) throws(StoreError) in
                try db.removals(after: last, limit: 512)
            }
            last = keys.last
            guard last != nil else { return }
            let gone = try await blobs.remove(keys) { [log, counts] key, error in
                counts.kept.add()
                log.error("an object cannot be removed", metadata: ["object": "\(key)", "cause": "\(error.cause)"])
            }
            counts.removed.add(gone.count)
            if !gone.isEmpty { try await store.erase { (db) throws(StoreError) in try db.forget(gone) } }
        } while true
    }
}
