import Glibc
import Runtime
import Synchronization

/// A connection with a thread of its own. All that is asked while answers are on their way goes out together next.
///
/// Where it fails, everybody who waits is told at once, and so is whoever comes until it is there again: it is made anew behind
/// their backs, tried ever more seldom until something was answered. So a dead or slow server costs those their time who were
/// waiting when it failed, and nobody else.
final class RedisLane: Sendable {
    /// Most commands that go out together.
    private static let most = 256
    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(5)

    private struct Waiting: Sendable {
        let command: RedisCommand
        let answer: @Sendable (RedisReply?) -> Void
    }

    private enum Phase {
        case up(RedisConnection)
        case connecting
        case down(until: Duration)
    }

    private struct State {
        var phase = Phase.down(until: .zero)
        var waiting: [Waiting] = []
        /// Of the commands that wait.
        var bytes = 0
        var isDraining = false
        /// Before the next try.
        var pause = RedisLane.firstPause
        /// What was wrong last; nil while it works.
        var fault: StoreError? = StoreError(.unavailable, "Redis has not been reached yet")
    }

    private enum Step { case wait, drain, connect, refuse }

    private let settings: RedisSettings
    private let clocks: Clocks
    /// Most bytes of commands that wait.
    private let capacity: Int
    private let executor: BlockingExecutor
    private let state = Mutex(State())
    /// Told when it is lost and when it is there again.
    private let changed: @Sendable (StoreError?) -> Void

    init(
        _ name: String, _ settings: RedisSettings, _ clocks: Clocks, capacity: Int,
        changed: @escaping @Sendable (StoreError?) -> Void
    ) {
        self.settings = settings
        self.clocks = clocks
        self.capacity = capacity
        self.changed = changed
        executor = BlockingExecutor(name: "Redis, \(name)", threads: 1, capacity: 16, clocks: clocks)
    }

    /// What is wrong; nil while it works.
    var fault: StoreError? { state.withLock { $0.fault } }

    /// Tries to connect, now.
    func start() async {
        do throws(StoreError) {
            try await executor.run { [self] () throws(StoreError) in connect() }
        } catch {
            // The next who asks tries again.
        }
    }

    /// Lets its thread end; who waits is told.
    func stop() { executor.stop() }

    /// Sends a command; `answer` gets what the server said, or nil where nothing came in time.
    func send(_ command: RedisCommand, _ answer: @escaping @Sendable (RedisReply?) -> Void) {
        switch enter(Waiting(command: command, answer: answer)) {
        case .wait: break
        case .drain:
            if !executor.enqueue({ [self] in drain() }) {
                fail(StoreError(.overloaded, "Redis: no thread asks it"), [])
            }
        case .connect:
            answer(nil)
            if !executor.enqueue({ [self] in connect() }) {
                fail(StoreError(.overloaded, "Redis: no thread connects"), [])
            }
        case .refuse: answer(nil)
        }
    }

    /// The same for who waits.
    func ask(_ command: RedisCommand) async -> RedisReply? {
        await withCheckedContinuation { continuation in send(command) { continuation.resume(returning: $0) } }
    }

    private func enter(_ waiting: Waiting) -> Step {
        let now = clocks.uptime()
        return state.withLock { state in
            switch state.phase {
            case .connecting: return .refuse
            case .down(let until):
                guard now >= until else { return .refuse }
                state.phase = .connecting
                return .connect
            case .up:
                guard state.bytes + waiting.command.bytes.count <= capacity else { return .refuse }
                state.bytes += waiting.command.bytes.count
                state.waiting.append(waiting)
                guard !state.isDraining else { return .wait }
                state.isDraining = true
                return .drain
            }
        }
    }

    /// On the lane's thread.
    private func connect() {
        // A server that has closed the connection would have a write end the process.
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, nil)
        do throws(StoreError) {
            let connection = try RedisConnection.open(settings, clocks)
            let wasDown = state.withLock { state in
                defer { (state.phase, state.fault) = (.up(connection), nil) }
                return state.fault != nil
            }
            if wasDown { changed(nil) }
        } catch {
            fail(error, [])
        }
    }

    /// On the lane's thread: asks until nobody waits any more.
    private func drain() {
        while let (connection, batch) = next() {
            var answered = 0
            do throws(StoreError) {
                let deadline = clocks.uptime() + settings.commandTime
                try connection.exchange(batch.map(\.command), until: deadline) { reply in
                    batch[answered].answer(reply)
                    answered += 1
                }
                state.withLock { $0.pause = Self.firstPause }
            } catch {
                fail(error, batch[answered...])
                return
            }
        }
    }

    /// Those whose turn it is; nil, and the lane is at rest, where there are none.
    private func next() -> (RedisConnection, [Waiting])? {
        state.withLock { state in
            guard case .up(let connection) = state.phase, !state.waiting.isEmpty else {
                state.isDraining = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.most))
            state.waiting.removeFirst(batch.count)
            state.bytes -= batch.reduce(0) { $0 + $1.command.bytes.count }
            return (connection, batch)
        }
    }

    /// Gives the connection up, and tells all who wait.
    private func fail(_ error: StoreError, _ asked: ArraySlice<Waiting>) {
        let now = clocks.uptime()
        let (waiting, wasUp, connection) = state.withLock { state in
            let connection: RedisConnection? = if case .up(let connection) = state.phase { connection } else { nil }
            let (waiting, wasUp) = (state.waiting, state.fault == nil)
            // Not all nodes at the same moment.
            state.phase = .down(until: now + state.pause * Double.random(in: 0.5...1))
            state.pause = min(state.pause * 2, Self.longestPause)
            (state.waiting, state.bytes, state.isDraining, state.fault) = ([], 0, false, error)
            return (waiting, wasUp, connection)
        }
        for one in asked + waiting { one.answer(nil) }
        if wasUp { changed(error) }
        // Closed outside of the lock.
        withExtendedLifetime(connection) {}
    }
}
