import NIOCore

/// When arrivals begin.
package enum LoadProfile: Codable, Sendable {
    /// Arrivals at their moments, whatever the answers do.
    case open(Schedule)
    /// So many clients, each waiting for its answer before the next arrival, for so long.
    case closed(clients: Int, lasting: Duration)

    /// The whole length.
    package var length: Duration {
        switch self {
        case .open(let schedule): schedule.length
        case .closed(_, let length): length
        }
    }
}

extension LoadProfile {
    /// A number that no arrival reaches, for whoever did not count them: generously above what the schedule asks for with
    /// its warm-up and cool-down; a guess in a closed loop, where it depends on the answers.
    package func arrivalBound(_ settings: RunSettings) -> UInt64 {
        guard case .open(let schedule) = self else { return 1000 }
        let share = (settings.warmUp + settings.coolDown).inSeconds / max(length.inSeconds, 1e-9)
        let bound = schedule.arrivals * (1.1 + 1.1 * share) + 1000
        return bound < 1e9 ? UInt64(bound) : 1_000_000_000
    }
}

/// One event loop's part of a run. Touched on its loop only.
final class Worker {
    struct Settings: Sendable {
        var connections = ConnectionSettings()
        var requestTimeout = Duration.seconds(30)
        var think = Duration.zero
        var seed: UInt64 = 1
        /// The most arrivals under way.
        var activeLimit = 200_000
    }

    let loop: any EventLoop
    let executor: LoopExecutor
    let pool: ConnectionPool
    let settings: Settings
    let logins = LoginCache()
    let uploads = OpenUploads()
    // On one loop, and a recorder calls nobody: asking at each access would cost a hundredth of a core.
    @exclusivity(unchecked) var recorder: Recorder
    private(set) var started = 0
    private(set) var succeeded = 0
    private(set) var failed = 0
    private(set) var active = 0
    private(set) var isSendingDone = true
    /// The latest moment that an arrival was meant for which was begun or missed.
    private(set) var latestIntended: Nanoseconds = 0
    /// One more than the highest arrival begun so far, over all runs.
    private(set) var nextIndex: UInt64 = 0
    private var firstIndex: UInt64 = 0
    private var pacer: (any Pacer)?
    private var pauses: [Int: () -> Void] = [:]
    private var pauseCount = 0
    private var isGivingUp = false

    init(loop: any EventLoop, settings: Settings) {
        self.loop = loop
        self.settings = settings
        executor = LoopExecutor(loop)
        pool = ConnectionPool(loop: loop, settings: settings.connections)
        recorder = Recorder(window: 0..<0)
        sweepLater()
    }

    /// Begins to send. `share` of `shares` is this worker's part of the arrivals, which count from `firstIndex`.
    func begin(
        _ workload: any Workload, _ profile: LoadProfile, start: Nanoseconds, window: Range<Nanoseconds>,
        width: Duration,
        share: Int, shares: Int, firstIndex: UInt64
    ) {
        recorder = Recorder(window: window, width: width.nanoseconds)
        self.firstIndex = firstIndex
        isSendingDone = false
        isGivingUp = false
        latestIntended = 0
        switch profile {
        case .open(let schedule):
            pacer = OpenPacer(
                worker: self, workload: workload, arrivals: ArrivalSequence(schedule, share: share, of: shares),
                start: start)
        case .closed(let clients, let length):
            let mine = clients / shares + (share < clients % shares ? 1 : 0)
            pacer = ClosedPacer(
                worker: self, workload: workload, clients: mine, from: start,
                until: start + length.nanoseconds, first: UInt64(share), step: UInt64(shares))
        }
        pacer?.begin()
    }

    func sendingIsDone() {
        isSendingDone = true
    }

    /// Begins no more arrivals; what is under way goes on.
    func stopSending() {
        pacer?.stop()
        sendingIsDone()
    }

    /// The schedule ends at `moment`: what it had before that and was never begun counts as given up.
    func closeSchedule(at moment: Nanoseconds) {
        recorder.close(at: moment)
        pacer?.tellRest(before: moment) { recorder.recordGivenUp(intended: $0) }
        pacer = nil
    }

    /// Arrivals under way time out now; what they would still send is not sent.
    func giveUp() {
        isGivingUp = true
        stopSending()
        wake()
        pool.giveUp(.timeout)
    }

    /// Ends everything that is under way now.
    func cancel() {
        stopSending()
        wake()
        pool.giveUp(.cancelled)
    }

    private func wake() {
        let left = pauses.values
        pauses = [:]
        for resume in left { resume() }
    }

    /// Starts one arrival, `now`; `ended` hears of its end.
    @inline(__always)
    func arrive(
        _ workload: any Workload, _ place: UInt64, intended: Nanoseconds, now: Nanoseconds, ended: (() -> Void)? = nil
    ) {
        let index = firstIndex &+ place
        nextIndex = max(nextIndex, index &+ 1)
        latestIntended = max(latestIntended, intended)
        guard active < settings.activeLimit else {
            recorder.recordMissed(intended: intended)
            failed += 1
            ended?()
            return
        }
        recorder.recordStart(intended: intended, at: now)
        started += 1
        active += 1
        var random = SeededRandom(seed: settings.seed, purpose: index)
        switch workload.arrival(index, random: &random) {
        case .request(let request):
            perform(request, arrival: intended, intended: intended, now: now, isRecorded: true) { [self] exchange in
                finished(intended, now, exchange.failure, at: exchange.answer.endedAt)
                ended?()
            }
        case .flow(let flow):
            let session = Session(worker: self, intended: intended, isRecorded: true, random: random)
            run(flow, session) { [self] failure in
                let end = MonotonicClock.now()
                finished(intended, now, failure, at: end - min(session.paused, end))
                ended?()
            }
        }
    }

    /// Runs a flow on this loop; `done` hears of its end.
    func run(_ flow: any Flow, _ session: Session, done: @escaping (Failure?) -> Void) {
        let bound = NIOLoopBound((session, done), eventLoop: loop)
        Task.immediate(executorPreference: executor) {
            do throws(Failure) {
                try await flow.run(bound.value.0)
                bound.value.1(nil)
            } catch {
                bound.value.1(error)
            }
        }
    }

    /// Sends one request, `now`; `done` hears of its end, always, once.
    @inline(__always)
    func perform(
        _ request: Request, arrival: Nanoseconds, intended: Nanoseconds, now: Nanoseconds, isRecorded: Bool,
        done: @escaping (Exchange) -> Void
    ) {
        let limit = request.limit.map { min($0, settings.requestTimeout) } ?? settings.requestTimeout
        let exchange = Exchange(
            request, arrival: arrival, intended: intended, readyAt: now, deadline: now &+ limit.nanoseconds,
            recordedBy: isRecorded ? self : nil, complete: done)
        if isRecorded, isGivingUp { return exchange.finish(.timeout) }
        if !pool.send(exchange) { exchange.finish(.noConnection) }
    }

    func pause(_ length: Duration, _ resume: @escaping () -> Void) {
        let id = pauseCount
        pauseCount += 1
        pauses[id] = resume
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: .nanoseconds(Int64(length.nanoseconds))) {
            bound.value.pauses.removeValue(forKey: id)?()
        }
    }

    private func finished(
        _ intended: Nanoseconds, _ begun: Nanoseconds, _ failure: Failure?, at moment: Nanoseconds
    ) {
        active -= 1
        if failure == nil { succeeded += 1 } else { failed += 1 }
        recorder.recordArrival(intended: intended, begun: begun, ended: moment, failure: failure)
    }

    private func sweepLater() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let each = Int64(min(max(settings.requestTimeout.nanoseconds / 20, 5_000_000), 100_000_000))
        loop.scheduleRepeatedTask(initialDelay: .nanoseconds(each), delay: .nanoseconds(each)) { _ in
            bound.value.pool.sweep(MonotonicClock.now())
        }
    }
}
