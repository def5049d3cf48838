import Logging
import Model
import Runtime
import Store

/// What a collection did, or would do.
package struct CollectionResult: Sendable, Equatable {
    /// How many things were looked at.
    package var reviewed = 0
    /// Blobs that were taken from repositories.
    package var blobs = 0
    /// Manifests that went.
    package var manifests = 0
    /// Bytes of both.
    package var bytes: Int64 = 0

    /// Nothing yet.
    package init() {}

    static func += (a: inout CollectionResult, b: CollectionResult) {
        a.reviewed += b.reviewed
        a.blobs += b.blobs
        a.manifests += b.manifests
        a.bytes += b.bytes
    }
}

/// Takes away what nothing refers to, while everything goes on: blobs that no manifest of their repository names, and untagged
/// manifests where the operator will have it.
///
/// Candidates are the rows of the reviews, which the transactions write that could make something dead. Each is looked at twice,
/// half a grace apart: the first look marks it, which moves the version of its repository, so that from then on every answer
/// which says that it is there takes the mark away; the second look takes it. Both look at everything that could refer to it in
/// the transaction that acts. One node of many does it, but nothing depends on that.
package final class Collector: Sendable {
    /// Between two passes.
    private static let interval = Duration.seconds(60)
    /// For how long a node is the one that collects, unless it goes on.
    private static let lease = Duration.seconds(180)
    /// Candidates of a transaction: some milliseconds of work.
    private static let batch = 128
    /// Rows that a part of the walk sees, and how long it is until the next one begins.
    private static let part = 256
    private static let walkInterval = Duration.seconds(30 * 86_400)
    /// Between two transactions, so that others get their turns.
    private static let pause = Duration.milliseconds(5)

    let rules: CollectionRules
    let store: MetadataStore
    private let holder: String
    private let log: Logger
    private let retired: @Sendable () -> Void

    /// `retired` is called when there are objects to remove.
    init(
        _ store: MetadataStore, _ rules: CollectionRules, _ log: Logger, retired: @Sendable @escaping () -> Void
    ) {
        self.store = store
        self.rules = rules
        self.log = log
        self.retired = retired
        holder = store.ids.token()
    }

    /// Collects, pass after pass, if the rules say so and no other node does. Runs until it is cancelled.
    package func run() async {
        guard rules.isOn else { return }
        while !Task.isCancelled {
            await MetadataStore.sleep(Self.interval)
            await turn()
        }
    }

    /// What one turn of a node is: nothing while another one collects. What goes wrong is told in the log, and tried again by the
    /// next one.
    package func turn() async {
        do throws(StoreError) {
            let isOthers = try await store.read { [holder] (db) throws(StoreError) in try db.isLed(butBy: holder) }
            guard !isOthers else { return }
            try await settleRule()
            try await walk()
            let result = try await pass(isLeading: true)
            guard result.blobs + result.manifests > 0 else { return }
            log.info(
                "collected what nothing refers to",
                metadata: [
                    "reviewed": "\(result.reviewed)", "blobs": "\(result.blobs)", "manifests": "\(result.manifests)",
                    "bytes": "\(result.bytes)",
                ])
        } catch {
            log.error("collection failed", metadata: ["cause": "\(error.cause)"])
        }
    }

    /// Looks at everything that is due, in transactions so small that nobody waits for one, at most `limit` of it.
    func pass(isLeading: Bool, limit: Int = .max) async throws(StoreError) -> CollectionResult {
        var result = CollectionResult()
        while result.reviewed < limit, !Task.isCancelled {
            let keys = try await store.read { [rules] (db) throws(StoreError) in
                try db.dueReviews(before: db.now - rules.half, limit: Self.batch)
            }
            guard !keys.isEmpty else { break }
            let part = try await store.erase { [rules, holder] (db) throws(StoreError) -> CollectionResult? in
                if isLeading, try !db.lead(holder, until: db.now + Self.lease) { return nil }
                return try db.review(keys, rules)
            }
            guard let part else { break }
            result += part
            if part.blobs > 0 { retired() }
            await store.pause(Self.pause)
        }
        return result
    }

    /// What was put off under another rule is looked at again.
    private func settleRule() async throws(StoreError) {
        let rule = rules.untagged
        guard try await store.read({ (db) throws(StoreError) in try db.untaggedRule() }) != rule else { return }
        var isMore: Bool?
        repeat {
            isMore = try await leading { (db) throws(StoreError) in
                if try db.hasten() { return true }
                try db.keepUntaggedRule(rule)
                return false
            }
            await store.pause(Self.pause)
        } while isMore == true
    }

    /// Puts up for review what is older than the reviews, beside all else; and from time to time what a node of an older version
    /// has left.
    private func walk() async throws(StoreError) {
        var walk = try await store.read { (db) throws(StoreError) in try db.walk() }
        if walk.step == .done {
            let now = store.clocks.wall()
            guard now - walk.walkedAt > Self.walkInterval else { return }
            walk = CollectorWalk(from: now)
        }
        while walk.step != .done, !Task.isCancelled {
            let (found, next) = try await store.read { [walk] (db) throws(StoreError) in
                try db.stroll(walk, limit: Self.part)
            }
            let isLeading = try await leading { (db) throws(StoreError) in
                for (repository, digests) in found.byRepository { try db.reviewOlder(digests, in: repository) }
                try db.keep(next)
                return true
            }
            guard isLeading == true else { return }
            walk = next
            await store.pause(Self.pause)
        }
    }

    /// Writes while this node is the one that collects; nil when it is not.
    private func leading(
        _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> Bool
    ) async throws(StoreError) -> Bool? {
        try await store.write { [holder] (db) throws(StoreError) -> Bool? in
            guard try db.lead(holder, until: db.now + Self.lease) else { return nil }
            return try body(db)
        }
    }
}

extension [ReviewKey] {
    /// The digests of each repository, in the order in which they come.
    var byRepository: [(RepositoryID, [Digest])] {
        var places: [RepositoryID: Int] = [:]
        var groups: [(RepositoryID, [Digest])] = []
        for key in self {
            if let place = places[key.repository] {
                groups[place].1.append(key.digest)
            } else {
                places[key.repository] = groups.count
                groups.append((key.repository, [key.digest]))
            }
        }
        return groups
    }
}
