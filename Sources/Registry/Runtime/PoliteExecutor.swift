import Metrics
import Synchronization

/// Threads that have a core only while nobody else wants it, for work that must never be felt, and a thread behind them for when
/// somebody always does: where none of them has got anything done for a second, what waits is begun once more by that one,
/// which takes its part of a busy core, and who is done first is heard.
///
/// What it runs may so run twice at once, and has to give the same either time.
package final class PoliteExecutor: Sendable {
    private let idle: BlockingExecutor
    private let reserve: BlockingExecutor
    /// How many jobs the idle threads have done.
    private let done = Atomic(0)
    private static let second = Duration.seconds(1)

    /// Starts `threads` idle threads and the reserve; `capacity` is how many jobs may wait, `patience` how long one may.
    package convenience init(
        name: String, threads: Int, capacity: Int, patience: Duration, clocks: Clocks = .system
    ) {
        self.init(
            idle: BlockingExecutor(
                name: name, threads: threads, capacity: capacity, patience: patience, courtesy: .idle, clocks: clocks),
            reserve: BlockingExecutor(
                name: name, threads: 1, capacity: capacity, patience: patience, courtesy: .nice(10), clocks: clocks))
    }

    /// Of these two.
    init(idle: BlockingExecutor, reserve: BlockingExecutor) {
        self.idle = idle
        self.reserve = reserve
    }

    /// Runs `body` on one of the threads. Throws what `body` throws, and `.overloaded` when the queue is full or the turn did not
    /// come in time.
    package func run<T: Sendable>(
        _ body: @Sendable @escaping () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let race = Race<T>()
        Task {
            race.finish(await Self.result { () throws(StoreError) in try await self.idle.run(body) })
            done.add(1, ordering: .relaxed)
        }
        Task {
            guard await isStuck(race), race.enter() else { return }
            race.finish(await Self.result { () throws(StoreError) in try await self.reserve.run(body) })
        }
        return try await race.outcome().get()
    }

    /// How both stand, under one name.
    package var metrics: [MetricFamily] {
        let (first, second) = (idle.usage, reserve.usage)
        let usage = (first.waiting, first.done + second.done, first.refused)
        return BlockingExecutor.queues([(idle.name, usage)])
    }

    /// Lets the threads end once there is nothing to do.
    package func stop() {
        idle.stop()
        reserve.stop()
    }

    /// Whether the idle threads get nothing done while `race` waits for them; returns once it is over, too.
    private func isStuck<T>(_ race: Race<T>) async -> Bool {
        while true {
            let before = done.load(ordering: .relaxed)
            do { try await Task.sleep(for: Self.second) } catch { return false }
            if race.isOver { return false }
            if done.load(ordering: .relaxed) == before { return true }
        }
    }

    private static func result<T>(
        _ body: () async throws(StoreError) -> T
    ) async -> Result<T, StoreError> {
        do throws(StoreError) { return .success(try await body()) } catch { return .failure(error) }
    }
}

/// The first success of those that run, or the last failure.
private final class Race<T: Sendable>: Sendable {
    private struct State {
        var running = 1
        var outcome: Result<T, StoreError>?
        var waiter: UnsafeContinuation<Result<T, StoreError>, Never>?
    }

    private let state = Mutex(State())

    var isOver: Bool { state.withLock { $0.outcome != nil } }

    /// Whether another one may begin.
    func enter() -> Bool {
        state.withLock { state in
            guard state.outcome == nil else { return false }
            state.running += 1
            return true
        }
    }

    /// One that runs has come to its end.
    func finish(_ result: Result<T, StoreError>) {
        let waiter = state.withLock { state -> UnsafeContinuation<Result<T, StoreError>, Never>? in
            state.running -= 1
            guard state.outcome == nil else { return nil }
            if case .failure = result, state.running > 0 { return nil }
            state.outcome = result
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: result)
    }

    /// What came of it; asked for once.
    func outcome() async -> Result<T, StoreError> {
        await withUnsafeContinuation { continuation in
            let known = state.withLock { state -> Result<T, StoreError>? in
                if state.outcome == nil { state.waiter = continuation }
                return state.outcome
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
