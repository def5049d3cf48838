import Metrics

/// How a cache stands.
package struct CacheUsage: Sendable {
    /// Bytes, roughly: no more than `capacity`.
    var bytes = 0
    var capacity = 0
    /// How often what was looked for was there, if only as it was before a change, and how often it was not.
    var (hits, misses) = (0, 0)

    /// These, each under its name.
    package static func metrics(_ caches: [(name: String, usage: CacheUsage)]) -> [MetricFamily] {
        var hits = MetricFamily("aerugo_cache_hits_total", .counter, "How often what was looked for was in the cache.")
        var misses = MetricFamily("aerugo_cache_misses_total", .counter, "How often it was not.")
        var bytes = MetricFamily("aerugo_cache_bytes", .gauge, "Bytes in the cache, roughly.")
        var limit = MetricFamily("aerugo_cache_limit_bytes", .gauge, "Most bytes in the cache.")
        for (name, usage) in caches {
            let label = ("cache", name)
            hits.add(Double(usage.hits), label)
            misses.add(Double(usage.misses), label)
            bytes.add(Double(usage.bytes), label)
            limit.add(Double(usage.capacity), label)
        }
        return [hits, misses, bytes, limit]
    }
}
