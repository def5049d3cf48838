/// The moments of one run on this process's clock.
struct RunPlan: Sendable {
    let profile: LoadProfile
    let start: Nanoseconds
    let end: Nanoseconds
    /// The stretch that counts.
    let window: Range<Nanoseconds>
    /// One line for people.
    let summary: String

    /// Throws when the schedule with its warm-up is impossible.
    init(_ settings: RunSettings, _ profile: LoadProfile) throws(ScheduleError) {
        var parts = [profile.summary]
        if settings.warmUp > .zero { parts.append("warm-up \(Text.significant(settings.warmUp.inSeconds)) s") }
        if settings.coolDown > .zero { parts.append("cool-down \(Text.significant(settings.coolDown.inSeconds)) s") }
        summary = parts.joined(separator: ", ")
        switch profile {
        case .open(let schedule):
            self.profile = .open(try schedule.surrounded(before: settings.warmUp, after: settings.coolDown))
        case .closed(let clients, let length):
            self.profile = .closed(clients: clients, lasting: settings.warmUp + length + settings.coolDown)
        }
        let now = MonotonicClock.now()
        if let moment = settings.beginAt {
            let wall = MonotonicClock.wall()
            start = moment > wall ? now + (moment - wall) : now
        } else {
            start = now + 20_000_000
        }
        end = start + self.profile.length.nanoseconds
        let first = start + settings.warmUp.nanoseconds
        window = first..<max(first, end - min(end - first, settings.coolDown.nanoseconds))
    }

    var isOpen: Bool {
        if case .open = profile { true } else { false }
    }

    /// Until the next whole second of the run, or its end, is just over; before the start a step of at most 100 ms, so
    /// that a stop is seen.
    func pauseBeforeNextSecond() -> UInt64 {
        let now = MonotonicClock.now()
        let second: Nanoseconds = 1_000_000_000
        let grace: Nanoseconds = 5_000_000
        guard now >= start else { return min(start - now + grace, 100_000_000) }
        let next = start + ((now - start) / second + 1) * second + grace
        if now <= end, end + grace < next { return end + grace - now }
        return now > end ? 50_000_000 : next - now
    }
}

/// CPU of the event loops between the start and the end of the figures.
struct RunWatch: Sendable {
    private let plan: RunPlan
    private var first: (Progress, Nanoseconds)?
    private var last: (Progress, Nanoseconds)?
    /// Share of its time that a loop was busy in the busiest second of the figures.
    private(set) var busiestSecond: Double?

    init(plan: RunPlan) {
        self.plan = plan
    }

    mutating func take(_ progress: Progress) {
        let moment = (progress, MonotonicClock.processCPU())
        if let last, plan.window.contains(last.0.takenAt), progress.takenAt > last.0.takenAt + 900_000_000 {
            let time = Double(progress.takenAt - last.0.takenAt)
            let shares = zip(last.0.threadCPU, progress.threadCPU).map { Double($1 - min($0, $1)) / time }
            busiestSecond = ([busiestSecond].compactMap { $0 } + shares).max()
        }
        if first == nil || progress.takenAt <= plan.window.lowerBound + 100_000_000 { first = moment }
        if progress.takenAt <= plan.window.upperBound + 200_000_000 { last = moment }
    }

    /// Share of its time that each loop was busy.
    var busy: [Double] {
        guard let first, let last, last.0.takenAt > first.0.takenAt else { return [] }
        let time = Double(last.0.takenAt - first.0.takenAt)
        return zip(first.0.threadCPU, last.0.threadCPU).map { Double($1 - min($0, $1)) / time }
    }

    /// CPU-seconds of the process.
    var cpuSeconds: Double {
        guard let first, let last else { return 0 }
        return Double(last.1 - min(first.1, last.1)) / 1e9
    }
}

extension LoadProfile {
    /// One line for people.
    package var summary: String {
        switch self {
        case .closed(let clients, let length): "\(clients) clients for \(Text.significant(length.inSeconds)) s"
        case .open(let schedule):
            schedule.stages.map(\.summary).joined(separator: ", ")
                + (schedule.spacing == .poisson ? ", Poisson" : "")
        }
    }
}

extension Stage {
    /// One line for people.
    package var summary: String {
        let length = Text.significant(self.length.inSeconds) + " s"
        switch self {
        case .burst(let size, let every, _):
            return "\(size) at once each \(Text.significant(every.inSeconds)) s for \(length)"
        case .ramp(let from, let to, _):
            let rate = from == to ? Text.significant(from) : "\(Text.significant(from)) to \(Text.significant(to))"
            return "\(rate)/s for \(length)"
        }
    }
}
