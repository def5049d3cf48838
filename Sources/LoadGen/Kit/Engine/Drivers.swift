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

    private let worker: Worker
    private let workload: any Workload
    private var arrivals: ArrivalSequence
    private let start: Nanoseconds
    private var next: ArrivalSequence.Arrival?
    private var isStopped = false
    private let early: Nanoseconds

    init(worker: Worker, workload: any Workload, arrivals: ArrivalSequence, start: Nanoseconds) {
        self.worker = worker
        self.workload = workload
        self.arrivals = arrivals
        self.start = start
        early = worker.settings.pollsBefore.nanoseconds
    }

    func begin() {
        next = arrivals.next()
        wait()
    }

    func stop() {
        isStopped = true
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        turn()
    }

    private func turn() {
        guard !isStopped else { return }
        var started = 0
        while let arrival = next, start + arrival.offset <= MonotonicClock.now(), started < Self.batch {
            worker.arrive(workload, arrival.index, intended: start + arrival.offset)
            next = arrivals.next()
            started += 1
        }
        wait()
    }

    private func wait() {
        guard let next else { return worker.sendingIsDone() }
        let due = start + next.offset
        let now = MonotonicClock.now()
        if due > now + early {
            do {
                try worker.loop.assumeIsolated().scheduleCallback(
                    at: .uptimeNanoseconds(due - early), handler: self)
                return
            } catch {
                // The loop is shutting down: it runs nothing any more.
                return worker.sendingIsDone()
            }
        }
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        worker.loop.execute { bound.value.turn() }
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
