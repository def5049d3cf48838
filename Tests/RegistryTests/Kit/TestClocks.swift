import Model
import Runtime
import Synchronization

/// Two clocks that a test sets.
final class TestClocks: Sendable {
    private let time = Mutex((wall: Int64(1_700_000_000_000), uptime: Duration.seconds(100)))

    var clocks: Clocks {
        Clocks(
            wall: { [self] in Timestamp(milliseconds: time.withLock { $0.wall }) },
            uptime: { [self] in time.withLock { $0.uptime } })
    }

    /// Time passes.
    func pass(_ duration: Duration) {
        time.withLock { time in
            time.wall += duration.components.seconds * 1000
            time.uptime += duration
        }
    }

    /// Somebody sets the clock of the day.
    func jump(_ duration: Duration) { time.withLock { $0.wall += duration.components.seconds * 1000 } }
}
