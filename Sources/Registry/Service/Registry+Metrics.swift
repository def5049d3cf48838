import Metrics
import Model
import Runtime
import Store
import Synchronization

extension Registry {
    /// How much there is, and how stores, caches and what runs in the background stand. Of namespaces, the `largest` ones, as each
    /// is a series of numbers that somebody has to keep. Sums are some seconds old, and missing where the database does not answer.
    package func metrics(largest: Int) async -> [MetricFamily] {
        let serving = isServing ? 1 : 0
        return await sums.families { await readSums(largest: largest) }
            + [
                MetricFamily(
                    "aerugo_serving", .gauge, "Whether the blob store is there, without which nothing is served.",
                    serving)
            ]
            + store.metrics() + blobs.metrics() + (sharing?.cache.metrics() ?? []) + manifests.metrics
            + CacheUsage.metrics([("blobs", locations.usage), ("repositories", repositories.usage)])
            + sweeper.metrics + scrubs.metrics
    }

    /// The sums; nil where the database does not answer.
    private func readSums(largest: Int) async -> [MetricFamily]? {
        do throws(StoreError) {
            return try await store.read { (db) throws(StoreError) in
                Self.families(try db.totals(), try db.largestNamespaces(limit: largest))
            }
        } catch {
            log.warning("sums cannot be read for metrics", metadata: ["cause": "\(error.cause)"])
            return nil
        }
    }

    private static func families(_ totals: Totals, _ namespaces: [NamespaceUsage]) -> [MetricFamily] {
        var bytes = MetricFamily("aerugo_namespace_bytes", .gauge, "Bytes of the largest namespaces, each blob once.")
        var repositories = MetricFamily(
            "aerugo_namespace_repositories", .gauge, "Repositories of the largest namespaces.")
        for namespace in namespaces {
            let label = ("namespace", namespace.name)
            bytes.add(Double(namespace.bytes), label)
            repositories.add(Double(namespace.repositories), label)
        }
        return [
            ("aerugo_users", "Users, of all nodes.", totals.users),
            ("aerugo_organizations", "Organizations, of all nodes.", totals.organizations),
            (
                "aerugo_repositories", "Repositories, of all nodes; deleted ones that can be restored too.",
                totals.repositories
            ),
            ("aerugo_content_bytes", "Bytes of manifests and blobs, each blob once a namespace.", totals.bytes),
            ("aerugo_uploads", "Uploads in progress, of all nodes.", totals.uploads),
        ].map { MetricFamily($0, .gauge, $1, $2) } + [bytes, repositories]
    }
}

/// Sums of the database, read again when they are some seconds old: by one, while all others get the old ones, so that however
/// many ask, and however slow it is, the database is asked once.
final class RecentSums: Sendable {
    private struct State {
        var families: [MetricFamily] = []
        var readAt: ContinuousClock.Instant?
        var isReading = false
    }

    private static let life = Duration.seconds(5)
    private let state = Mutex(State())

    /// What was read last; where that is too old, by `read`, which gives nil when it could not.
    func families(_ read: () async -> [MetricFamily]?) async -> [MetricFamily] {
        let isOld = state.withLock { state in
            guard !state.isReading, state.readAt.map({ .now - $0 > Self.life }) != false else { return false }
            state.isReading = true
            return true
        }
        guard isOld else { return state.withLock { $0.families } }
        let families = await read() ?? []
        state.withLock { $0 = State(families: families, readAt: .now) }
        return families
    }
}
