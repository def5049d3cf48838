import Metrics

/// How logins by password or key ended.
struct LoginCounts: Sendable {
    let succeeded = Counter()
    let failed = Counter()
    /// Put off, as too many had failed.
    let throttled = Counter()
    /// Not decided: the store or a thread was not to be had.
    let abandoned = Counter()

    var metrics: [MetricFamily] {
        var family = MetricFamily("aerugo_logins_total", .counter, "Logins by password or API key, by how they ended.")
        for (outcome, counter) in [
            ("ok", succeeded), ("failed", failed), ("throttled", throttled), ("error", abandoned),
        ] { family.add(Double(counter.value), ("outcome", outcome)) }
        return [family]
    }
}
