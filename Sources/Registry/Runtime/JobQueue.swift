import Glibc
import Synchronization

/// Jobs that wait for a thread, in order, at most `capacity` of them, each no longer than `patience`.
///
/// All jobs have the same patience, so that the first in line is the one whose time is up first.
package final class JobQueue<Job: Sendable>: Sendable {
    private struct Waiting {
        let job: Job
        let deadline: Duration
    }

    private struct State {
        /// Jobs taken leave nil behind: one that is kept alive would keep its buffers.
        var jobs: [Waiting?] = []
        var head = 0
        var isStopped = false
        /// Jobs whose turn came, and those that were not taken or not waited for.
        var (done, refused) = (0, 0)
    }

    package let capacity: Int
    private let patience: Duration
    private let clocks: Clocks
    private let state = Mutex(State())
    private let wakeups = Semaphore()

    /// An empty queue.
    package init(capacity: Int, patience: Duration, clocks: Clocks) {
        self.capacity = capacity
        self.patience = patience
        self.clocks = clocks
    }

    /// Puts a job at the end; false when the queue is full or stopped.
    package func add(_ job: Job) -> Bool {
        let waiting = Waiting(job: job, deadline: clocks.uptime() + patience)
        let isAdded = state.withLock { state in
            guard !state.isStopped, state.jobs.count - state.head < capacity else {
                state.refused += 1
                return false
            }
            state.jobs.append(waiting)
            return true
        }
        if isAdded { wakeups.post() }
        return isAdded
    }

    /// Blocks until there is a job and takes it and those behind it, `limit` at most; empty when somebody else got there
    /// first; nil when the queue was stopped and nothing is left.
    package func take(upTo limit: Int = 1) -> [Job]? {
        wakeups.wait()
        let (jobs, isOver) = state.withLock { state in
            let jobs = take(&state) { taken, _ in taken < limit }
            state.done += jobs.count
            return (jobs, state.isStopped && jobs.isEmpty)
        }
        guard !isOver else {
            // The next thread has to see it too.
            wakeups.post()
            return nil
        }
        return jobs
    }

    /// Takes the jobs whose time is up.
    package func takeOverdue() -> [Job] {
        let now = clocks.uptime()
        return state.withLock { state in
            let jobs = take(&state) { _, deadline in deadline <= now }
            state.refused += jobs.count
            return jobs
        }
    }

    /// What comes later is refused; threads that take get nil once nothing is left.
    package func stop() {
        state.withLock { $0.isStopped = true }
        wakeups.post()
    }

    /// How it stands: jobs that wait now, and all whose turn came or that were refused so far.
    package var usage: (waiting: Int, done: Int, refused: Int) {
        state.withLock { ($0.jobs.count - $0.head, $0.done, $0.refused) }
    }

    package var isStopped: Bool { state.withLock { $0.isStopped } }

    private func take(_ state: inout State, while isWanted: (_ taken: Int, _ deadline: Duration) -> Bool) -> [Job] {
        var taken: [Job] = []
        while state.head < state.jobs.count, let first = state.jobs[state.head], isWanted(taken.count, first.deadline) {
            taken.append(first.job)
            state.jobs[state.head] = nil
            state.head += 1
        }
        if state.head > 64, state.head * 2 > state.jobs.count {
            state.jobs.removeFirst(state.head)
            state.head = 0
        }
        return taken
    }
}

extension JobQueue {
    /// Takes the jobs whose time is up once a second, on a thread of its own, until the queue is stopped.
    package func watch(_ refuse: @escaping @Sendable (Job) -> Void) {
        let thread = Thread { [self] in
            while !isStopped {
                sleep(1)
                for job in takeOverdue() { refuse(job) }
            }
        }
        thread.start()
    }
}
