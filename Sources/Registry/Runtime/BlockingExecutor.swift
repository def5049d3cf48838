import CLinux
import Glibc

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

    private let name: String
    private let queue: JobQueue<Job>

    /// Starts `threads` threads; `capacity` is how many jobs may wait, `patience` how long one may.
    /// `niceness` above 0 lets other threads go first: what is long gives way to what is awaited, at the latest when a `turn`
    /// is over; zero for the system's turns, of some milliseconds.
    package init(
        name: String, threads: Int, capacity: Int, patience: Duration = .seconds(30), niceness: Int32 = 0,
        turn: Duration = .zero, clocks: Clocks = .system
    ) {
        self.name = name
        queue = JobQueue(capacity: capacity, patience: patience, clocks: clocks)
        for _ in 0..<threads { start(niceness, turn) }
        queue.watch { $0.refuse() }
    }

    /// Runs `body` on one of the threads. Throws what `body` throws, and `.overloaded` when the queue is full or the turn
    /// did not come in time; `body` does not run then.
    package func run<T: Sendable>(
        _ body: @Sendable @escaping () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withUnsafeContinuation { continuation in
            let refuse: @Sendable (String) -> Void = { [name] reason in
                continuation.resume(returning: .failure(StoreError(.overloaded, "\(name): \(reason)")))
            }
            let isAccepted = queue.add(
                Job(
                    run: {
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

    /// Lets the threads end once the queue is empty; what comes later is refused.
    package func stop() { queue.stop() }

    /// Refuses the jobs whose time is up; done every second by a thread of its own.
    package func refuseOverdue() {
        for job in queue.takeOverdue() { job.refuse() }
    }

    private func start(_ niceness: Int32, _ turn: Duration) {
        let thread = Thread { [queue] in
            // On Linux the nice value belongs to a thread; 0 is the calling one. Never refused: it goes down.
            if niceness > 0 { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
            // A kernel or a container that does not let it have turns of its own leaves it those of all.
            if turn > .zero { _ = aerugo_take_short_turns(niceness, UInt64(turn / .nanoseconds(1))) }
            while let jobs = queue.take() {
                for job in jobs { job.run() }
            }
        }
        thread.start()
    }
}
