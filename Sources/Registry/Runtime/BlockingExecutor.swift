import CLinux
import Glibc
import Metrics

/// A few threads for calls that block: databases, files, hashing. Neither event loops nor Swift's own pool ever wait.
///
/// The queue is bounded, and so is the wait: past either, work is refused with `.overloaded` rather than kept without end,
/// also while every thread is stuck in a call. What has begun runs to its end.
package final class BlockingExecutor: Sendable {
    /// A closure to run, and what to do where its turn does not come in time.
    private struct Job: Sendable {
        let run: @Sendable () -> Void
        let refuse: @Sendable () -> Void
    }

    /// How its threads stand to others that want the core.
    package enum Courtesy: Sendable, Hashable {
        case none
        /// Others go first (1 to 19): what is long gives way to what is awaited, and gets its part.
        case nice(Int32)
        /// They run while nobody else does, and may never come to it.
        case idle
    }

    /// What its threads are for; for people.
    let name: String
    private let queue: JobQueue<Job>

    /// Starts `threads` threads; `capacity` is how many jobs may wait, `patience` how long one may.
    package init(
        name: String, threads: Int, capacity: Int, patience: Duration = .seconds(30), courtesy: Courtesy = .none,
        clocks: Clocks = .system
    ) {
        self.name = name
        queue = JobQueue(capacity: capacity, patience: patience, clocks: clocks)
        for _ in 0..<threads { start(courtesy) }
        queue.watch { $0.refuse() }
    }

    /// Runs `body` on one of the threads. Throws what `body` throws, and `.overloaded` when the queue is full or the turn
    /// did not come in time; `body` does not run then.
    package func run<T: Sendable>(
        _ body: @Sendable @escaping () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let stages = RequestStages.current
        let start = stages.map { _ in ContinuousClock.now }
        let result: Result<T, StoreError> = await withUnsafeContinuation { continuation in
            let refuse: @Sendable (String) -> Void = { [name] reason in
                continuation.resume(returning: .failure(StoreError(.overloaded, "\(name): \(reason)")))
            }
            let isAccepted = queue.add(
                Job(
                    run: {
                        if let stages, let start { stages.add(RequestStages.nanoseconds(since: start), to: .queue) }
                        do throws(StoreError) {
                            continuation.resume(returning: .success(try body()))
                        } catch {
                            continuation.resume(returning: .failure(error))
                        }
                    }, refuse: { refuse("no thread was free in time") }))
            if !isAccepted { refuse("\(queue.capacity) jobs wait") }
        }
        return try result.get()
    }

    /// Runs `job` on one of the threads some time; false, and it never runs, when the queue is full. One whose turn does not
    /// come in time is dropped.
    package func enqueue(_ job: @escaping @Sendable () -> Void) -> Bool { queue.add(Job(run: job, refuse: {})) }

    /// How it stands: jobs that wait now, and all that were begun or refused so far.
    package var usage: (waiting: Int, done: Int, refused: Int) { queue.usage }

    /// Lets the threads end once the queue is empty; what comes later is refused.
    package func stop() { queue.stop() }

    /// Refuses the jobs whose time is up; done every second by a thread of its own.
    package func refuseOverdue() {
        for job in queue.takeOverdue() { job.refuse() }
    }

    private func start(_ courtesy: Courtesy) {
        let thread = Thread { [queue] in
            courtesy.take()
            while let jobs = queue.take() {
                for job in jobs { job.run() }
            }
        }
        thread.start()
    }
}

extension BlockingExecutor.Courtesy {
    /// Makes it the calling thread's own. A kernel or a container that refuses turns or idleness lets it be nice.
    fileprivate func take() {
        switch self {
        case .none: break
        // Long turns, so that whoever wakes up goes first.
        case .nice(let niceness):
            guard aerugo_take_turns(niceness, 100_000_000) != 0 else { return }
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
        case .idle: if aerugo_be_idle() != 0 { Self.nice(19).take() }
        }
    }
}
