import Logging
import Model
import Runtime
import Store
import Synchronization

/// Requests that their clients may send again: those that are being carried out, and the answers of those that were.
package final class KeptAnswers: Sendable {
    private let store: MetadataStore
    private let log: Logger
    /// As many as there are requests at once.
    private let running = Mutex<Set<[UInt8]>>([])

    init(_ store: MetadataStore, _ log: Logger) {
        self.store = store
        self.log = log
    }

    /// Carries a request out, or gives its answer where that is kept. Throws `.requestRunning` while the same is being carried
    /// out, `.keyReused` where the key was another request's, and what `first` throws: a failure is not kept.
    package func once<Answer>(
        _ request: RepeatableRequest, again: ([UInt8]) throws(RegistryError) -> Answer,
        first: () async throws(RegistryError) -> Answer
    ) async throws(RegistryError) -> Answer {
        guard running.withLock({ $0.insert(request.id).inserted }) else { throw .requestRunning }
        defer { _ = running.withLock { $0.remove(request.id) } }
        let kept = try await store.look { (db) throws(StoreError) in try db.keptAnswer(request.id) }
        guard let kept else { return try await first() }
        return try again(try request.opened(kept))
    }

    /// Removes answers whose time is over, each hour until it is cancelled.
    package func run() async {
        await MetadataStore.hourly { await expire() }
    }

    /// Removes answers whose time is over, in parts.
    package func expire() async {
        await store.removeOld("old answers", log) { (db, limit) throws(StoreError) in
            try db.removeOldAnswers(limit: limit)
        }
    }
}
