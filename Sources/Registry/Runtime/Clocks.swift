import Glibc
import Model

/// The two clocks, as values, so that tests bring their own.
package struct Clocks: Sendable {
    /// The time of day: for rows and for people. May jump either way.
    package let wall: @Sendable () -> Timestamp
    /// Time since some moment in the past: for deadlines. Never runs backwards.
    package let uptime: @Sendable () -> Duration

    /// Clocks that read these.
    package init(wall: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> Duration) {
        self.wall = wall
        self.uptime = uptime
    }

    /// Those of the machine.
    package static let system = Clocks(
        wall: {
            let time = read(CLOCK_REALTIME)
            return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
        },
        uptime: {
            let time = read(CLOCK_MONOTONIC)
            return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
        })

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}
