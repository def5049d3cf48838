import NIOCore

/// Decides when a worker's arrivals begin.
protocol Pacer: AnyObject {
    func begin()
    /// Begins no more.
    func stop()
    /// Tells of the moments that the schedule still had before `moment`: arrivals that were asked for and never begun.
    func tellRest(before moment: Nanoseconds, _ body: (Nanoseconds) -> Void)
}

/// Arrivals at the moments of a schedule.
///
/// The loop sleeps until each: a thread that polls for it instead would wake some microseconds earlier, and burn a core
/// that may be the target's.
final class OpenPacer: Pacer, NIOScheduledCallbackHandler {
    /// Arrivals started before answers get their turn: a burst must not hold up their timestamps.
    private static let batch = 32
    /// A loop runs all that is due before it looks at its sockets again: what comes at once would keep answers waiting for
    /// as long as arrivals come close together. So much later is another round.
    private static let breath: Nanoseconds = 2_000

    private let worker: Worker
    private let workload: any Workload
    private var arrivals: ArrivalSequence
    private let start: Nanoseconds
    private var next: ArrivalSequence.Arrival?
    private var isStopped = false

    init(worker: Worker, workload: any Workload, arrivals: ArrivalSequence, start: Nanoseconds) {
        self.worker = worker
        self.workload = workload
        self.arrivals = arrivals
        self.start = start
    }

    func begin() {
        next = arrivals.next()
        wait()
    }

    func stop() {
        isStopped = true
    }

    func tellRest(before moment: Nanoseconds, _ body: (Nanoseconds) -> Void) {
        while let arrival = next, start + arrival.offset < moment {
            body(start + arrival.offset)
            next = arrivals.next()
        }
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        guard !isStopped else { return }
        var started = 0
        while let arrival = next, started < Self.batch {
            let now = MonotonicClock.now()
            guard start + arrival.offset <= now else { break }
            worker.arrive(workload, arrival.index, intended: start + arrival.offset, now: now)
            next = arrivals.next()
            started += 1
        }
        wait()
    }

    private func wait() {
        guard let next else { return worker.sendingIsDone() }
        let moment = max(start + next.offset, MonotonicClock.now() + Self.breath)
        do {
            try worker.loop.assumeIsolated().scheduleCallback(at: .uptimeNanoseconds(moment), handler: self)
        } catch {
            // The loop is shutting down: it runs nothing any more.
            worker.sendingIsDone()
        }
    }
}

/// A fixed number of clients, each waiting for its answer: named closed loop because it hides a server's pauses.
final class ClosedPacer: Pacer {
    private let worker: Worker
    private let workload: any Workload
    private let clients: Int
    private let start: Nanoseconds
    private let until: Nanoseconds
    private var index: UInt64
    private let step: UInt64
    private var running = 0
    private var isStopped = false
    /// What an arrival's end leads to, made once; nothing once the run is over and this is gone.
    private lazy var ended: () -> Void = { [weak self] in self?.rest() }
    /// Clients whose answer has come.
    private var ready = 0

    init(
        worker: Worker, workload: any Workload, clients: Int, from start: Nanoseconds, until: Nanoseconds,
        first: UInt64, step: UInt64
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
        ready = clients
        guard clients > 0 else { return worker.sendingIsDone() }
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        worker.loop.scheduleTask(deadline: .uptimeNanoseconds(start)) {
            bound.value.goOn()
        }
    }

    func stop() {
        isStopped = true
    }

    /// Nothing: what a client asks for it begins.
    func tellRest(before moment: Nanoseconds, _ body: (Nanoseconds) -> Void) {}

    private func next() {
        let now = MonotonicClock.now()
        guard !isStopped, now < until else {
            running -= 1
            if running == 0, !isStopped { worker.sendingIsDone() }
            return
        }
        let mine = index
        index += step
        worker.arrive(workload, mine, intended: now, now: now, ended: ended)
    }

    private func rest() {
        let think = worker.settings.think
        if think > .zero { worker.pause(think) { [self] in next() } } else { isReady() }
    }

    /// Goes on when all that has come was read: to read and write in turns costs the system more, and a refusing target's
    /// failures must not come one upon the other's stack.
    private func isReady() {
        ready += 1
        guard ready == 1 else { return }
        worker.loop.assumeIsolated().execute { [self] in goOn() }
    }

    private func goOn() {
        let count = ready
        ready = 0
        for _ in 0..<count { next() }
    }
}
