import Metrics

/// What was swept by this process.
struct SweepCounts: Sendable {
    let sweeps = Counter()
    let failures = Counter()
    /// Objects that are gone, and tries to remove one that failed.
    let removed = Counter()
    let kept = Counter()
    /// Uploads that nobody came back to.
    let expired = Counter()

    var metrics: [MetricFamily] {
        [
            ("aerugo_sweeps_total", "Sweeps of what nobody needs any more.", sweeps),
            ("aerugo_sweep_failures_total", "Sweeps that a store has broken off.", failures),
            ("aerugo_objects_removed_total", "Objects that were removed from the blob store.", removed),
            ("aerugo_object_removal_failures_total", "Objects that could not be removed.", kept),
            ("aerugo_uploads_expired_total", "Uploads that ended as nobody came back to them.", expired),
        ].map { MetricFamily($0, .counter, $1, $2.value) }
    }
}
