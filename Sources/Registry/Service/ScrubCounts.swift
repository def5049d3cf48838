import Metrics

/// What all passes of the scrub have found; see `ScrubResult`.
struct ScrubCounts: Sendable {
    let read = Counter()
    let unread = Counter()
    let condemned = Counter()
    let recovered = Counter()

    var metrics: [MetricFamily] {
        [
            ("aerugo_scrub_read_total", "Blobs that the scrub has read through.", read),
            ("aerugo_scrub_unreadable_total", "Blobs that it could not read.", unread),
            ("aerugo_scrub_condemned_total", "Blobs whose bytes it found changed.", condemned),
            ("aerugo_scrub_recovered_total", "Damaged blobs whose bytes it found right again.", recovered),
        ].map { MetricFamily($0, .counter, $1, $2.value) }
    }
}
