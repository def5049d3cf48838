/// What a run has done so far, taken once a second.
package struct Progress: Sendable {
    /// Seconds since the figures began; negative in the warm-up.
    package var at = 0.0
    /// Length of the figures, seconds.
    package var length = 0.0
    package var started = 0
    package var succeeded = 0
    package var failed = 0
    /// Arrivals under way.
    package var active = 0
    package var connections = 0
    /// The last whole second.
    package var last = Interval()
    /// CPU time of each event loop so far.
    var threadCPU: [Nanoseconds] = []
    var takenAt: Nanoseconds = 0
    var isDone = true
}

extension Worker {
    /// Adds this worker's part to `progress`.
    func report(into progress: inout Progress, second: Int) {
        progress.started += started
        progress.succeeded += succeeded
        progress.failed += failed
        progress.active += active
        progress.connections += pool.open
        let slots = Int(1_000_000_000 / recorder.width)
        if second >= 0, slots > 0 {
            for interval in recorder.intervals.dropFirst(second * slots).prefix(slots) { progress.last.add(interval) }
        }
        progress.threadCPU.append(MonotonicClock.threadCPU())
        progress.isDone = progress.isDone && isSendingDone && active == 0
    }
}
