import Glibc

/// One stretch of a schedule.
package enum Stage: Equatable, Codable, Sendable {
    /// The rate moves in a straight line from `from` to `to`, arrivals a second; equal ends are a constant rate.
    case ramp(from: Double, to: Double, lasting: Duration)
    /// `size` arrivals at once, then silence, again every `every`.
    case burst(size: Int, every: Duration, lasting: Duration)

    /// A constant rate, arrivals a second.
    package static func constant(_ rate: Double, lasting: Duration) -> Stage {
        .ramp(from: rate, to: rate, lasting: lasting)
    }

    /// How long the stage lasts.
    package var length: Duration {
        switch self {
        case .ramp(_, _, let length), .burst(_, _, let length): length
        }
    }

    /// Arrivals that the stage asks for, as a real number.
    package var arrivals: Double {
        switch self {
        case .ramp(let from, let to, let length): (from + to) / 2 * length.inSeconds
        case .burst(let size, let every, let length):
            (length.inSeconds / every.inSeconds - 1e-9).rounded(.up) * Double(size)
        }
    }

    /// The rate at the stage's first or last moment, arrivals a second.
    package func rate(atEnd: Bool) -> Double {
        switch self {
        case .ramp(let from, let to, _): atEnd ? to : from
        case .burst(let size, let every, _): Double(size) / every.inSeconds
        }
    }
}

/// A schedule that nobody could keep.
package struct ScheduleError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, and the bound.
    package let description: String
}

/// When arrivals are meant to happen: open loop, whatever the answers do.
package struct Schedule: Equatable, Codable, Sendable {
    /// How arrivals lie within the rate.
    package enum Spacing: String, Codable, Sendable, CaseIterable {
        /// Evenly.
        case constant
        /// As independent clients would: exponential gaps.
        case poisson
    }

    /// One after the other, at least one.
    package let stages: [Stage]
    /// How arrivals lie within the rate.
    package let spacing: Spacing
    /// Of Poisson's gaps.
    package let seed: UInt64

    /// The highest rate taken, arrivals a second.
    package static let highestRate = 5_000_000.0
    private static let longestStage = 366 * 86_400

    /// Throws when there is no stage, a rate is not in `0 ... highestRate`, a length is not positive, or all of it lasts
    /// more than ten years.
    package init(stages: [Stage], spacing: Spacing = .constant, seed: UInt64 = 1) throws(ScheduleError) {
        guard !stages.isEmpty else { throw ScheduleError(description: "a schedule needs at least one stage") }
        for stage in stages {
            guard stage.length > .zero, stage.length <= .seconds(Self.longestStage) else {
                throw ScheduleError(description: "a stage must last longer than nothing and at most a year")
            }
            if case .burst(let size, let every, _) = stage {
                guard size > 0, every > .zero, every <= .seconds(Self.longestStage) else {
                    throw ScheduleError(
                        description: "a burst needs a size of at least 1 and an 'every' above nothing, at most a year")
                }
            }
            for rate in [stage.rate(atEnd: false), stage.rate(atEnd: true)] {
                guard rate.isFinite, rate >= 0, rate <= Self.highestRate else {
                    throw ScheduleError(
                        description: "a rate of \(rate) a second is impossible: use 0 to \(Int(Self.highestRate))")
                }
            }
        }
        guard stages.reduce(.zero, { $0 + $1.length }) <= Quantity.longest else {
            throw ScheduleError(description: "all stages together may last at most ten years")
        }
        guard stages.contains(where: { $0.arrivals > 0 }) else {
            throw ScheduleError(description: "the schedule asks for no arrival at all: the rate must be above 0")
        }
        self.stages = stages
        self.spacing = spacing
        self.seed = seed
    }

    /// Reads what `encode(to:)` wrote, with the same conditions as ``init(stages:spacing:seed:)``.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            stages: fields.decode([Stage].self, forKey: .stages),
            spacing: fields.decode(Spacing.self, forKey: .spacing), seed: fields.decode(UInt64.self, forKey: .seed))
    }

    /// The whole length.
    package var length: Duration { stages.reduce(.zero) { $0 + $1.length } }

    /// Arrivals asked for in all, as a real number.
    package var arrivals: Double { stages.reduce(0) { $0 + $1.arrivals } }

    /// The same schedule with a stretch before at the first rate and one behind at the last.
    package func surrounded(before: Duration, after: Duration) throws(ScheduleError) -> Schedule {
        var all = stages
        if before > .zero, let first = stages.first {
            all.insert(.constant(first.rate(atEnd: false), lasting: before), at: 0)
        }
        if after > .zero, let last = stages.last {
            all.append(.constant(last.rate(atEnd: true), lasting: after))
        }
        return try Schedule(stages: all, spacing: spacing, seed: seed)
    }
}

extension Stage {
    /// The same stage for another length.
    package func lasting(_ length: Duration) -> Stage {
        switch self {
        case .ramp(let from, let to, _): .ramp(from: from, to: to, lasting: length)
        case .burst(let size, let every, _): .burst(size: size, every: every, lasting: length)
        }
    }
}
