import Glibc
import LoadKit

/// Runs that nobody made: log-normal latencies (median 4 ms, sigma 0.5), each second 2 % slower or faster as a whole.
enum Synthetic {
    ///
    /// - Parameter memory: how much of a second's mood the next one keeps.
    static func report(
        seed: UInt64, seconds: Int, factor: Double, rate: Int = 400, memory: Double = 0
    ) -> RunReport {
        var random = SeededRandom(seed: seed)
        var report = RunReport()
        report.mode = "open loop"
        var mood = normal(&random)
        report.seconds = Double(seconds)
        for second in 0..<seconds {
            mood = memory * mood + (1 - memory * memory).squareRoot() * normal(&random)
            let level = factor * exp(0.02 * mood)
            let interval = interval(seed: seed &* 1000 &+ UInt64(second), count: rate, level: level)
            report.intervals.append(interval)
            report.arrivals.latency.add(interval.histogram)
        }
        report.asked = seconds * rate
        report.sent = seconds * rate
        report.arrivals.service = report.arrivals.latency
        report.arrivals.succeeded = seconds * rate
        report.lag = SparseHistogram([.init(value: 1000, count: UInt64(seconds * rate))])
        return report
    }

    static func interval(seed: UInt64, count: Int, level: Double) -> Interval {
        var random = SeededRandom(seed: seed)
        var interval = Interval()
        interval.asked = count
        interval.succeeded = count
        for _ in 0..<count { interval.record(latency: UInt64(4e6 * level * exp(0.5 * normal(&random)))) }
        return interval
    }

    private static func normal(_ random: inout SeededRandom) -> Double {
        (-2 * log(1 - random.unit())).squareRoot() * cos(2 * Double.pi * random.unit())
    }
}
