import NIOCore

/// Lets a run be ended early from anywhere.
package protocol StopSignal: Sendable {
    /// Somebody wants the run to end.
    var isStopped: Bool { get }
}

extension StopSignal {
    /// Waits until somebody wants the run to end. A signal handler may do no more than set a number: so that is looked at now and
    /// then, here alone. Throws when the waiting task is cancelled.
    func stopped() async throws {
        while !isStopped { try await Task.sleep(nanoseconds: 50_000_000) }
    }
}

/// Never stops.
package struct NeverStops: StopSignal {
    /// There is but one kind.
    package init() {}

    /// Always false.
    package var isStopped: Bool { false }
}

extension Generator {
    /// Sends the arrivals of `workload` and waits for their ends; tells of them each second.
    ///
    /// What is on its way when the schedule ends has until the request timeout; then it is given up and counts as timed
    /// out. Throws when a worker's loop is gone.
    package func run(
        _ workload: any Workload, profile chosen: LoadProfile? = nil, warmUp: Duration? = nil,
        intervalWidth: Duration? = nil, stop: any StopSignal = NeverStops(),
        progress tell: (Progress) async -> Bool = { _ in true }
    ) async throws -> RunReport {
        let firstIndex = if let given = settings.firstIndex { given } else { try await arrivalsSoFar() }
        var own = settings
        own.warmUp = warmUp ?? settings.warmUp
        let plan = try RunPlan(own, chosen ?? settings.profile)
        let width = intervalWidth ?? settings.intervalWidth
        for (place, worker) in workers.enumerated() {
            let share = settings.share * workers.count + place
            let shares = settings.shares * workers.count
            try await worker.perform {
                $0.begin(
                    workload, plan.profile, start: plan.start, window: plan.window, width: width, share: share,
                    shares: shares, firstIndex: firstIndex)
            }
        }
        var watch = RunWatch(plan: plan)
        let sampler = TargetSampler(settings: settings, generator: self)
        var samples: [TargetSample] = []
        var stoppedAt: Nanoseconds?
        var toldAt: Nanoseconds = 0
        let latest = plan.end &+ settings.requestTimeout.nanoseconds &+ workload.length.nanoseconds &+ 1_000_000_000
        while true {
            try await Task.sleep(nanoseconds: plan.pauseBeforeNextSecond())
            let now = try await self.progress(plan)
            watch.take(now)
            if let sample = await sampler.sample(at: now.at) { samples.append(sample) }
            var goesOn = true
            if now.takenAt >= toldAt + 900_000_000, now.at > 0.9 || now.at < 0 {
                toldAt = now.takenAt
                goesOn = await tell(now)
            }
            if !goesOn || stop.isStopped {
                stoppedAt = try await stopSending(plan)
                break
            }
            if now.isDone, now.takenAt > plan.end { break }
            if now.takenAt > latest {
                // Whoever still waits has waited too long: leaving that out would flatter the server.
                for worker in workers { try await worker.perform { $0.giveUp() } }
                try await settle(limit: .seconds(5))
                break
            }
        }
        // Who wants no more has five seconds for what is under way; who has seen enough waits for it, so that the target
        // has no queue left from it when the next run begins.
        if stoppedAt != nil {
            if !stop.isStopped { try await settle(limit: settings.requestTimeout, stop: stop) }
            try await settle(limit: .seconds(5))
            // Who still waits is counted with the time that it has waited: leaving it out would flatter the server.
            for worker in workers { try await worker.perform { $0.giveUp() } }
            try await settle(limit: .seconds(1))
        }
        return try await finish(plan, watch, samples, stoppedAt)
    }

    /// Something that this generator sent may be in the registry still: content, or an upload that did not end.
    package func hasLeftSomething() async throws -> Bool {
        for worker in workers where try await worker.perform({ $0.uploads.hasLeftSomething }) { return true }
        return false
    }

    /// Begins no more arrivals on any loop, and gives the moment at which the schedule ended for all of them: none that was
    /// meant for later has been begun, none meant for earlier is forgotten.
    private func stopSending(_ plan: RunPlan) async throws -> Nanoseconds {
        var moment = MonotonicClock.now()
        for worker in workers {
            let latest = try await worker.perform { worker in
                worker.stopSending()
                return worker.latestIntended
            }
            moment = max(moment, latest + 1)
        }
        return moment
    }

    /// One more than the highest arrival that this generator has begun: what clean-up goes through.
    package func arrivalsSoFar() async throws -> UInt64 {
        var nextIndex: UInt64 = 0
        for worker in workers { nextIndex = max(nextIndex, try await worker.perform { $0.nextIndex }) }
        return nextIndex
    }

    private func finish(
        _ plan: RunPlan, _ watch: RunWatch, _ samples: [TargetSample], _ stoppedAt: Nanoseconds?
    ) async throws -> RunReport {
        let now = stoppedAt ?? MonotonicClock.now()
        var total: RunReport?
        for worker in workers {
            var part = try await worker.perform { worker in
                worker.closeSchedule(at: stoppedAt ?? plan.end + 1)
                var report = RunReport(worker.recorder)
                report.generator = worker.pool.report
                return report
            }
            part.generator.busy = []
            if total == nil { total = part } else { total?.add(part) }
        }
        guard var report = total else { throw RunError("there is no event loop to run on") }
        report.countUnended()
        report.isInterrupted = stoppedAt != nil
        let end = min(stoppedAt ?? .max, plan.window.upperBound)
        report.seconds = end > plan.window.lowerBound ? Double(end - plan.window.lowerBound) / 1e9 : 0
        report.coverAllSeconds()
        report.began = Double(MonotonicClock.wall()) / 1e9 - Double(now) / 1e9 + Double(plan.window.lowerBound) / 1e9
        report.generator.busy = watch.busy
        report.generator.busiestSecond = watch.busiestSecond
        report.generator.cpuSeconds = watch.cpuSeconds
        report.generator.peakMemory = ProcessReading.peakMemory()
        report.samples = samples
        report.program = Program.name
        report.machine = Program.machine
        report.seed = settings.seed
        report.mode = plan.isOpen ? "open loop" : "closed loop"
        report.schedule = plan.summary
        report.doubts = Validity.doubts(about: report)
        return report
    }

    /// Waits until nothing is under way any more, at most so long: a queue that was left in the target is work that the
    /// next run must not pay for. Once `stop` says so, it waits no longer.
    package func settle(limit: Duration, stop: any StopSignal = NeverStops()) async throws {
        let until = MonotonicClock.now() + limit.nanoseconds
        while MonotonicClock.now() < until, !stop.isStopped {
            var active = 0
            for worker in workers { active += try await worker.perform { $0.active } }
            if active == 0 { return }
            try await Task.sleep(nanoseconds: 20_000_000)
        }
    }

    private func progress(_ plan: RunPlan) async throws -> Progress {
        var progress = Progress()
        let now = MonotonicClock.now()
        progress.takenAt = now
        progress.at = (Double(now) - Double(plan.window.lowerBound)) / 1e9
        progress.length = Double(plan.window.upperBound - plan.window.lowerBound) / 1e9
        for worker in workers {
            progress = try await worker.perform { [progress] worker in
                var progress = progress
                worker.report(into: &progress)
                return progress
            }
        }
        return progress
    }
}

extension ConnectionPool {
    /// What it has to tell about itself.
    var report: GeneratorReport {
        var report = GeneratorReport()
        report.connectionsMade = made
        report.waitedForConnection = waited
        report.droppedForConnection = dropped
        report.sentAgain = retried
        return report
    }
}
