import Foundation
import LoadKit
import Testing

/// A queue with one server in virtual time: what a probe would see of it, without a second being waited for.
struct Queue: Sendable, CustomTestStringConvertible {
    /// Answers a second when it is never idle.
    let service: Double
    /// Service times are exponential (M/M/1), or all alike (M/D/1).
    let isExponential: Bool
    let spacing: Schedule.Spacing
    /// Of latency, seconds, and the percentile that must keep it.
    let bound: Double
    let percentile: Double
    /// Arrivals a second at which it just does, by arithmetic.
    let capacity: Double

    var testDescription: String {
        "\(spacing == .poisson ? "M" : "D")/\(isExponential ? "M" : "D")/1, \(service)/s, p\(percentile) < \(bound) s"
    }

    /// An M/M/1 queue: times in it are exponential with rate `service - arrivals`.
    static func exponential(_ service: Double, bound: Double, percentile: Double = 99) -> Queue {
        Queue(
            service: service, isExponential: true, spacing: .poisson, bound: bound, percentile: percentile,
            capacity: service + log(1 - percentile / 100) / bound)
    }

    /// An M/D/1 queue: waits longer than t have the share C·e^(-st), where s solves λ(e^(s/μ) - 1) = s; C as Cramér and Lundberg.
    static func constant(_ service: Double, bound: Double, percentile: Double = 99) -> Queue {
        var (low, high) = (service * 0.3, service * 0.99999)
        for _ in 0..<60 {
            let rate = (low + high) / 2
            var (less, more) = (1e-9 * service, 4 * service * log(service / rate) + service)
            for _ in 0..<80 {
                let decay = (less + more) / 2
                if rate * (exp(decay / service) - 1) < decay { less = decay } else { more = decay }
            }
            let scale = (1 - rate / service) / (rate / service * exp(less / service) - 1)
            let share = scale * exp(-less * (bound - 1 / service))
            if share < 1 - percentile / 100 { low = rate } else { high = rate }
        }
        return Queue(
            service: service, isExponential: false, spacing: .poisson, bound: bound, percentile: percentile,
            capacity: low)
    }

    /// A D/D/1 queue: a cliff.
    static func cliff(_ service: Double, bound: Double) -> Queue {
        Queue(
            service: service, isExponential: false, spacing: .constant, bound: bound, percentile: 99, capacity: service)
    }

    var objective: String { "p\(percentile)<\(Int(bound * 1000))ms" }

    /// What a probe would report that is given up once the queue is four times beyond the bound, as those of the program are.
    func probe(rate: Double, length: Duration, seed: UInt64) throws -> RunReport {
        let warmUp = max(1, length.inSeconds / 5)
        let schedule = try Schedule(
            stages: [.constant(rate, lasting: length + .nanoseconds(Int64(warmUp * 1e9)))], spacing: spacing, seed: seed
        )
        var random = SeededRandom(seed: seed, purpose: 77)
        var report = RunReport()
        (report.mode, report.seconds) = ("open loop", length.inSeconds)
        report.intervalSeconds = report.seconds / 50
        report.intervals = Array(repeating: Interval(), count: 50)
        var (free, beyond) = (0.0, 0)
        var buckets: [UInt64: UInt64] = [:]
        for arrival in ArrivalSequence(schedule) {
            let moment = Double(arrival.offset) / 1e9
            free = max(free, moment) + (isExponential ? random.exponential() : 1) / service
            guard moment >= warmUp else { continue }
            let time = free - moment
            report.asked += 1
            let slot = min(49, Int((moment - warmUp) / report.intervalSeconds))
            report.intervals[slot].asked += 1
            report.intervals[slot].succeeded += 1
            report.intervals[slot].record(latency: UInt64(time * 1e9))
            buckets[UInt64(time * 1e4) * 100_000, default: 0] += 1
            beyond = time > 4 * bound ? beyond + 1 : 0
            guard beyond > 200, moment > warmUp + 2 else { continue }
            (report.isInterrupted, report.seconds) = (true, moment - warmUp)
            break
        }
        (report.sent, report.arrivals.succeeded) = (report.asked, report.asked)
        report.arrivals.latency = SparseHistogram(buckets.map { .init(value: $0.key, count: $0.value) })
        report.arrivals.service = report.arrivals.latency
        return report
    }

    /// A whole search, as the command makes it. Others have their turn between its probes: tests share few threads.
    func search(seed: UInt64) async throws -> CapacitySearch.Answer {
        let judge = ProbeJudge(objective: try Objective(parsing: objective))
        var search = CapacitySearch(start: 50, precision: 0.05)
        while case .probe(let rate) = search.step {
            await Task.yield()
            let isFine = search.isFine
            let length = judge.length(at: rate, wanted: .seconds(10), isFine: isFine)
            let own = SeededRandom.mix(seed &* 1000 &+ UInt64(search.answer.probes.count))
            search.take(judge.judge(try probe(rate: rate, length: length, seed: own), wanted: rate, isFine: isFine))
        }
        return search.answer
    }
}
