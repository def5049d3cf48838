/// A moment on the wall clock, in milliseconds since 1970: what rows say of time.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let milliseconds: Int64

    /// The moment this many milliseconds after 1970 began.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    /// A later moment, the last one that can be said at most; an earlier one for a negative duration.
    package static func + (moment: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, rest) = duration.components
        let (whole, isTooFar) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, isPast) = moment.milliseconds.addingReportingOverflow(whole)
        guard !isTooFar, !isPast else { return Timestamp(milliseconds: seconds < 0 ? .min : .max) }
        let (exact, overflows) = sum.addingReportingOverflow(rest / 1_000_000_000_000_000)
        return Timestamp(milliseconds: overflows ? (seconds < 0 ? .min : .max) : exact)
    }

    /// An earlier moment.
    package static func - (moment: Timestamp, duration: Duration) -> Timestamp { moment + (.zero - duration) }
}

extension Timestamp {
    /// The time from one moment to another; negative where the clock was set back between them.
    package static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        let (difference, overflows) = later.milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return .milliseconds(overflows ? (later < earlier ? .min : .max) : difference)
    }
}
