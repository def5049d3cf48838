/// What a run has done so far, taken once a second.
package struct Progress: Sendable {
    /// Seconds since the figures began; negative in the warm-up.
    package var at = 0.0
    /// Length of the figures, seconds.
    package var length = 0.0
    /// Arrivals so far, those of warm-up and cool-down too.
    package var started = 0
    package var succeeded = 0
    package var failed = 0
    /// Arrivals under way.
    package var active = 0
    /// Connections that stand or are being made.
    package var connections = 0
    /// The last whole second, or the last whole interval where intervals are longer.
    package var last = Interval()
    /// Seconds that ``last`` covers.
    package var lastLength = 1.0
    /// CPU time of each event loop so far.
    var threadCPU: [Nanoseconds] = []
    var takenAt: Nanoseconds = 0
    var isDone = true
}

extension Worker {
    /// Adds this worker's part to `progress`.
    func report(into progress: inout Progress) {
        progress.started += started
        progress.succeeded += succeeded
        progress.failed += failed
        progress.active += active
        progress.connections += pool.open
        let (begin, width) = (recorder.window.lowerBound, recorder.width)
        let slots = max(1, 1_000_000_000 / width)
        let whole = progress.takenAt > begin ? (progress.takenAt - begin) / (slots * width) : 0
        if whole > 0 {
            let first = Int((whole - 1) * slots)
            for interval in recorder.intervals.dropFirst(first).prefix(Int(slots)) { progress.last.add(interval) }
        }
        progress.lastLength = Double(slots * width) / 1e9
        progress.threadCPU.append(MonotonicClock.threadCPU())
        progress.isDone = progress.isDone && isSendingDone && active == 0
    }
}
