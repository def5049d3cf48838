import Model
import Runtime
import Synchronization

/// A clock that goes on when it is told to.
final class ManualClock: Sendable {
    private let elapsed = Mutex(Duration.seconds(1000))

    var clocks: Clocks {
        Clocks(
            wall: { [self] in Timestamp(milliseconds: 1_800_000_000_000) + elapsed.withLock { $0 } },
            uptime: { [self] in elapsed.withLock { $0 } })
    }

    func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }
}
