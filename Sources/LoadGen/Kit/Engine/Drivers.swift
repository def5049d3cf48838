import NIOCore

/// Decides when a worker's arrivals begin.
protocol Driver: AnyObject {
    func begin()
    func stop()
}

/// Arrivals at the moments of a schedule.
final class OpenDriver: Driver, NIOScheduledCallbackHandler {
    /// Arrivals started before answers get their turn: a burst must not hold up their timestamps.
    private static let batch = 32
    /// A loop runs all that is due before it looks at its sockets again: what comes at once would keep answers waiting for
    /// as long as arrivals come close together. So much later is another round.
    private static let breath: Nanoseconds = 2_000
    /// So close to a due moment the sockets can wait.
    private static let lastMoment: Nanoseconds = 15_000
    /// A fifth of the time at most is spent polling: a real-time thread that never rests is stopped for 50 ms in every
    /// second (sched(7)), and machines that are shared count what is used.
    private static let span: Nanoseconds = 100_000_000
    private static let mostPolling: Nanoseconds = 20_000_000

    private let worker: Worker
    private let workload: any Workload
    private var arrivals: ArrivalSequence
    private let start: Nanoseconds
    private var next: ArrivalSequence.Arrival?
    private var isStopped = false
    private let early: Nanoseconds
    /// When the loop was left polling for the next arrival, and what it had read until then.
    private var polled: (at: Nanoseconds, handled: Int)?
    /// Time spent polling for nothing since ``spanBegan``.
    private var polling: Nanoseconds = 0
    private var spanBegan: Nanoseconds = 0

    init(worker: Worker, workload: any Workload, arrivals: ArrivalSequence, start: Nanoseconds) {
        self.worker = worker
        self.workload = workload
        self.arrivals = arrivals
        self.start = start
        early = worker.settings.pollsBefore.nanoseconds
    }

    func begin() {
        next = arrivals.next()
        wait(hasStarted: true)
    }

    func stop() {
        isStopped = true
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        turn()
    }

    private func turn() {
        guard !isStopped else { return }
        countPolling()
        var started = 0
        while let arrival = next, start + arrival.offset <= MonotonicClock.now(), started < Self.batch {
            worker.arrive(workload, arrival.index, intended: start + arrival.offset)
            next = arrivals.next()
            started += 1
        }
        wait(hasStarted: started > 0)
    }

    private func wait(hasStarted: Bool) {
        guard let next else { return worker.sendingIsDone() }
        let due = start + next.offset
        let now = MonotonicClock.now()
        let polls = due > now && due <= now + early && mayPoll(now)
        if polls { polled = (now, worker.pool.handled) }
        if polls, !hasStarted, due <= now + Self.lastMoment {
            let bound = NIOLoopBound(self, eventLoop: worker.loop)
            return worker.loop.execute { bound.value.turn() }
        }
        do {
            let moment = polls || due <= now ? now + Self.breath : max(due - (mayPoll(now) ? early : 0), now)
            try worker.loop.assumeIsolated().scheduleCallback(at: .uptimeNanoseconds(moment), handler: self)
        } catch {
            // The loop is shutting down: it runs nothing any more.
            worker.sendingIsDone()
        }
    }

    private func mayPoll(_ now: Nanoseconds) -> Bool {
        if now >= spanBegan + Self.span { (spanBegan, polling) = (now, 0) }
        return polling < Self.mostPolling
    }

    /// What was polled for nothing is used, but free.
    private func countPolling() {
        guard let polled else { return }
        self.polled = nil
        guard polled.handled == worker.pool.handled else { return }
        let length = MonotonicClock.now() - polled.at
        polling += length
        worker.idled += length
    }
}

/// A fixed number of clients, each waiting for its answer: named closed loop because it hides a server's pauses.
final class ClosedDriver: Driver {
    private let worker: Worker
    private let workload: any Workload
    private let clients: Int
    private let start: Nanoseconds
    private let until: Nanoseconds
    private var index: UInt64
    private let step: UInt64
    private var running = 0
    private var isStopped = false

    init(
        worker: Worker, workload: any Workload, clients: Int, from start: Nanoseconds, until: Nanoseconds,
        first: UInt64,
        step: UInt64
    ) {
        self.start = start
        self.worker = worker
        self.workload = workload
        self.clients = clients
        self.until = until
        index = first
        self.step = step
    }

    func begin() {
        running = clients
        guard clients > 0 else { return worker.sendingIsDone() }
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        worker.loop.scheduleTask(deadline: .uptimeNanoseconds(start)) {
            for _ in 0..<bound.value.clients { bound.value.next() }
        }
    }

    func stop() {
        isStopped = true
    }

    private func next() {
        let now = MonotonicClock.now()
        guard !isStopped, now < until else {
            running -= 1
            if running == 0, !isStopped { worker.sendingIsDone() }
            return
        }
        let mine = index
        index += step
        worker.arrive(workload, mine, intended: now) { [self] in
            guard worker.settings.think > .zero else {
                // Far from a failure's stack, so that a refusing target cannot make it overflow.
                let bound = NIOLoopBound(self, eventLoop: worker.loop)
                worker.loop.execute { bound.value.next() }
                return
            }
            worker.pause(worker.settings.think) { [self] in next() }
        }
    }
}
