import Glibc

/// Nanoseconds on `CLOCK_MONOTONIC`, the clock that the event loops' deadlines use too.
///
/// A plain integer, not a `ContinuousClock.Instant`: it is read four times a request.
package typealias Nanoseconds = UInt64

/// Readings of the system's clocks. None of them throws.
package enum MonotonicClock {
    /// Now. Never throws.
    @inline(__always)
    package static func now() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Nanoseconds(time.tv_sec) &* 1_000_000_000 &+ Nanoseconds(time.tv_nsec)
    }

    /// CPU time that the calling thread has used since it began.
    package static func threadCPU() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Nanoseconds(time.tv_sec) &* 1_000_000_000 &+ Nanoseconds(time.tv_nsec)
    }

    /// CPU time that all threads of this process have used.
    package static func processCPU() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Nanoseconds(time.tv_sec) &* 1_000_000_000 &+ Nanoseconds(time.tv_nsec)
    }

    /// Wall-clock time, nanoseconds since 1970: for aligning several generators and for dates in reports only.
    package static func wall() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Nanoseconds(time.tv_sec) &* 1_000_000_000 &+ Nanoseconds(time.tv_nsec)
    }
}

extension Duration {
    /// Whole nanoseconds, 0 where negative, capped at what an `Int64` holds.
    package var nanoseconds: Nanoseconds {
        let parts = components
        guard parts.seconds >= 0, parts.attoseconds >= 0 else { return 0 }
        let (whole, overflow) = Nanoseconds(parts.seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = whole.addingReportingOverflow(Nanoseconds(parts.attoseconds / 1_000_000_000))
        return overflow || carried || sum > Nanoseconds(Int64.max) ? Nanoseconds(Int64.max) : sum
    }

    /// Seconds with their fraction.
    package var inSeconds: Double { Double(nanoseconds) / 1e9 }
}
