import Glibc

/// The intended moments of one share of a schedule, nanoseconds from its start, in order.
///
/// Share `i` of `n` takes arrivals `i`, `i + n`, `i + 2n` …: all shares together are exactly the schedule,
/// however many threads or machines keep it. Arrivals sit where the integral of the rate reaches a whole number
/// (or, for Poisson, a sum of exponentials), so no error adds up over time.
package struct ArrivalSequence: Sequence, IteratorProtocol, Sendable {
    /// One arrival.
    package struct Arrival: Equatable, Sendable {
        /// Place in the whole schedule, from 0, the same whoever sends it.
        package let index: UInt64
        /// Nanoseconds from the schedule's start.
        package let offset: Nanoseconds
    }

    private let stages: [Stage]
    private let share: UInt64
    private let shares: UInt64
    private let isPoisson: Bool
    private var random: SeededRandom
    private var reached = 0.0
    private var count: UInt64 = 0
    private var stage = 0
    private var stageStart = 0.0
    private var stageBase = 0.0

    /// Share `share` (from 0) of `shares`.
    package init(_ schedule: Schedule, share: Int = 0, of shares: Int = 1) {
        stages = schedule.stages
        isPoisson = schedule.spacing == .poisson
        random = SeededRandom(seed: schedule.seed, purpose: 0xA221)
        self.share = UInt64(Swift.max(share, 0))
        self.shares = UInt64(Swift.max(shares, 1))
        if isPoisson { reached = random.exponential() }
    }

    /// The next arrival of this share; `nil` behind the last.
    package mutating func next() -> Arrival? {
        while let offset = nextOfAll() {
            let index = count
            count += 1
            reached += isPoisson ? random.exponential() : 1
            if index % shares == share { return Arrival(index: index, offset: offset) }
        }
        return nil
    }

    private mutating func nextOfAll() -> Nanoseconds? {
        while stage < stages.count {
            let current = stages[stage]
            let inside = reached - stageBase
            if inside < current.arrivals - 1e-9 {
                return Nanoseconds((stageStart + Self.seconds(in: current, until: inside)) * 1e9)
            }
            stageBase += current.arrivals
            stageStart += current.length.inSeconds
            stage += 1
        }
        return nil
    }

    /// Seconds after the stage's start at which `count` arrivals have been asked for.
    private static func seconds(in stage: Stage, until count: Double) -> Double {
        // A ramp from nothing would divide nothing by nothing here.
        guard count > 0 else { return 0 }
        switch stage {
        case .burst(let size, let every, _):
            return (count / Double(size)).rounded(.down) * every.inSeconds
        case .ramp(let from, let to, let length):
            let slope = (to - from) / length.inSeconds
            // from·t + slope·t²/2 = count, in the form that neither cancels nor divides by a slope of nothing.
            let root = Swift.max(from * from + 2 * slope * count, 0).squareRoot()
            return 2 * count / (from + root)
        }
    }
}
