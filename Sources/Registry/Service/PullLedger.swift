import Logging
import Model
import Runtime
import Store
import Synchronization

/// How often manifests are pulled: counted in memory, and written some seconds later, so that a pull writes nothing. What
/// was not written when the process is killed is not counted.
package final class PullLedger: Sendable {
    struct Key: Hashable {
        let repository: RepositoryID
        let tag: String?
    }

    /// Between two writings.
    private static let pause = Duration.seconds(10)
    /// Rows that one transaction changes.
    private static let batch = 256

    private let store: MetadataStore
    private let log: Logger
    /// Most counters that wait to be written; what is pulled besides is not counted.
    private static let most = 50_000
    private let waiting = Mutex<[Key: PullCount]>([:])

    init(_ store: MetadataStore, _ log: Logger) {
        self.store = store
        self.log = log
    }

    /// A counter for pulls of a repository, by tag where one is asked for; it can be kept for long.
    package func counter(_ repository: Repository, _ reference: Reference) -> PullCount {
        let tag: String? = if case .tag(let tag) = reference { tag.description } else { nil }
        let key = Key(repository: repository.id, tag: tag)
        return waiting.withLock { $0[key] } ?? PullCount(key, self)
    }

    /// Counts pulls under what waits for the same thing; else `count` waits. False when too much waits.
    fileprivate func enlist(_ count: PullCount) -> Bool {
        waiting.withLock { waiting in
            if let other = waiting[count.key] {
                other.add(count.take())
                return false
            }
            guard waiting.count < Self.most else { return false }
            waiting[count.key] = count
            return true
        }
    }

    /// Writes what was counted, every ten seconds until it is cancelled, and once more then.
    package func run() async {
        while !Task.isCancelled {
            await MetadataStore.sleep(Self.pause)
            await flush()
        }
    }

    /// Writes what was counted.
    package func flush() async {
        let counts = waiting.withLock { waiting in
            defer { waiting = [:] }
            return Array(waiting.values)
        }
        var pulls: [RepositoryID: Int] = [:]
        var tags: Set<Key> = []
        for count in counts {
            count.leave()
            pulls[count.key.repository, default: 0] += count.take()
            if count.key.tag != nil { tags.insert(count.key) }
        }
        do throws(StoreError) {
            try await write(Array(pulls)) { (db, pull) throws(StoreError) in
                try db.notePulls(pull.value, of: pull.key)
            }
            try await write(Array(tags)) { (db, key) throws(StoreError) in
                try db.notePull(of: key.tag ?? "", in: key.repository)
            }
        } catch {
            log.warning("pulls are not counted", metadata: ["cause": "\(error.cause)"])
        }
    }

    private func write<Item: Sendable>(
        _ items: [Item], _ body: @Sendable @escaping (SQLTransaction, Item) throws(StoreError) -> Void
    ) async throws(StoreError) {
        for start in stride(from: 0, to: items.count, by: Self.batch) {
            let part = items[start..<min(start + Self.batch, items.count)]
            try await store.write { (db) throws(StoreError) in
                for item in part { try body(db, item) }
            }
        }
    }
}

/// Pulls of one thing since they were last written.
package final class PullCount: Sendable {
    let key: PullLedger.Key
    private let ledger: PullLedger
    private let count = Atomic(0)
    private let isWaiting = Atomic(false)

    fileprivate init(_ key: PullLedger.Key, _ ledger: PullLedger) {
        self.key = key
        self.ledger = ledger
    }

    /// Counts a pull.
    package func note() {
        count.add(1, ordering: .relaxed)
        guard !isWaiting.load(ordering: .acquiring), !isWaiting.exchange(true, ordering: .acquiringAndReleasing) else {
            return
        }
        if !ledger.enlist(self) { leave() }
    }

    fileprivate func add(_ more: Int) { count.add(more, ordering: .relaxed) }

    /// It waits no more: who counts later enlists it again. Before `take`, so that nothing is lost between the two.
    fileprivate func leave() { isWaiting.store(false, ordering: .releasing) }

    fileprivate func take() -> Int { count.exchange(0, ordering: .acquiringAndReleasing) }
}
