import Model
import Runtime
import Synchronization

/// When uploads were last written to in this process, by the clock that does not jump. A clock of the day that is set
/// forward by days ends no upload that is in use (test: "a clock that jumps expires nothing that is in use").
final class UploadActivity: Sendable {
    private let clocks: Clocks
    private let start: (wall: Timestamp, uptime: Duration)
    private let last = Mutex<[String: Duration]>([:])

    init(_ clocks: Clocks) {
        self.clocks = clocks
        start = (clocks.wall(), clocks.uptime())
    }

    /// How long this process has been up, as far as uploads are concerned.
    var age: Duration { clocks.uptime() - start.uptime }

    /// The time of day as it was at the start, and as much later as time has passed since.
    var now: Timestamp { start.wall + age }

    /// Bytes of this upload have come.
    func touch(_ id: String) {
        let now = clocks.uptime()
        last.withLock { $0[id] = now }
    }

    /// The upload is over.
    func end(_ id: String) { last.withLock { $0[id] = nil } }

    /// The uploads that were written to within `idle`; others are not known any more from then on.
    func recent(within idle: Duration) -> Set<String> {
        let now = clocks.uptime()
        return last.withLock { last in
            last = last.filter { now - $0.value < idle }
            return Set(last.keys)
        }
    }
}
