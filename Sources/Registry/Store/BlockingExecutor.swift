import Glibc
import Synchronization

/// A few threads for calls that block: databases, files, hashing. Neither event loops nor Swift's own pool ever wait.
///
/// The queue is bounded: past it, work is refused at once with `.overloaded` rather than kept waiting without end.
package final class BlockingExecutor: Sendable {
    private struct State {
        /// Jobs taken leave nil behind: a closure kept alive would keep its buffers.
        var jobs: [(@Sendable () -> Void)?] = []
        var head = 0
        var isStopped = false
    }

    private let name: String
    private let capacity: Int
    private let state = Mutex(State())
    private let wakeups: Semaphore

    /// Starts `threads` threads; `capacity` is how many jobs may wait.
    package init(name: String, threads: Int, capacity: Int) {
        self.name = name
        self.capacity = capacity
        wakeups = Semaphore()
        for _ in 0..<threads { start() }
    }

    /// Runs `body` on one of the threads. Throws what `body` throws, and `.overloaded` when the queue is full.
    package func run<T: Sendable>(
        _ body: @Sendable @escaping () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withUnsafeContinuation { continuation in
            let accepted = enqueue {
                do throws(StoreError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !accepted {
                continuation.resume(returning: .failure(StoreError(.overloaded, "\(name): \(capacity) jobs wait")))
            }
        }
        return try result.get()
    }

    /// Lets the threads end once the queue is empty; what comes later is refused.
    package func stop() {
        state.withLock { $0.isStopped = true }
        wakeups.post()
    }

    /// Runs `job` on one of the threads some time; false, and it never runs, when the queue is full.
    package func enqueue(_ job: @escaping @Sendable () -> Void) -> Bool {
        let accepted = state.withLock { state in
            guard !state.isStopped, state.jobs.count - state.head < capacity else { return false }
            state.jobs.append(job)
            return true
        }
        if accepted { wakeups.post() }
        return accepted
    }

    private func start() {
        let thread = Thread { [self] in
            while true {
                wakeups.wait()
                guard let job = next() else {
                    wakeups.post()
                    return
                }
                job()
            }
        }
        thread.start()
    }

    /// The next job; nil when stopped and empty.
    private func next() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard state.head < state.jobs.count else { return nil }
            let job = state.jobs[state.head]
            state.jobs[state.head] = nil
            state.head += 1
            if state.head > 64, state.head * 2 > state.jobs.count {
                state.jobs.removeFirst(state.head)
                state.head = 0
            }
            return job
        }
    }
}
