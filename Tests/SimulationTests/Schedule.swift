import Model
import Runtime
import Store
import Synchronization

/// Random numbers that a seed decides (SplitMix64).
struct SeededDice: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x1234_5678_9abc_def1 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// One of `0..<count`.
    mutating func roll(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    /// True once in so many.
    mutating func isOne(in count: Int) -> Bool { roll(count) == 0 }

    mutating func pick<T>(_ things: [T]) -> T { things[roll(things.count)] }
}

/// A process of a node, from its start to its crash; clients are on node -1, which never crashes.
struct Life: Hashable, Sendable {
    let node: Int
    let number: Int

    static let client = Life(node: -1, number: 0)
}

/// Runs tasks one at a time, on the thread that calls `run`, in an order, at times and with failures that a seed decides: whoever
/// comes to a point where others could go first waits in `turn` until it is picked.
final class Schedule: TaskExecutor {
    /// What becomes of a call whose turn it is.
    enum Fate: Sendable {
        case go
        /// Nothing is done.
        case fail(StoreError)
        /// It is done, and nobody hears of it.
        case lose(StoreError)
    }

    private struct Waiter: Sendable {
        let life: Life
        let label: StaticString
        let turn: UnsafeContinuation<Fate, Never>
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var waiters: [Waiter] = []
        var dice: SeededDice
        var now: Int64 = 1_700_000_000_000
        var trace: UInt64 = 0xcbf2_9ce4_8422_2325
        var turns = 0
        /// The life that each node leads.
        var lives: [Int: Int] = [:]
        var hasFaults = true
    }

    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(dice: SeededDice(seed))) }

    static let dead = StoreError(.unavailable, "the node has crashed")
    private static let fault = StoreError(.unavailable, "a fault")

    var clocks: Clocks {
        Clocks(
            wall: { [self] in Timestamp(milliseconds: state.withLock { $0.now }) },
            uptime: { [self] in .milliseconds(state.withLock { $0.now }) })
    }

    /// Time of day, in milliseconds.
    var now: Int64 { state.withLock { $0.now } }
    var turns: Int { state.withLock { $0.turns } }
    /// Over who was picked, when and with what fate: equal for equal runs.
    var trace: UInt64 { state.withLock { $0.trace } }

    func roll<T: Sendable>(_ body: @Sendable (inout SeededDice) -> T) -> T { state.withLock { body(&$0.dice) } }

    func life(of node: Int) -> Life { state.withLock { Life(node: node, number: $0.lives[node, default: 0]) } }

    /// Time passes.
    func pass(_ duration: Duration) { state.withLock { $0.now += duration.components.seconds * 1000 } }

    /// Nothing fails any more.
    func calm() { state.withLock { $0.hasFaults = false } }

    /// Waits until this is picked. `fails`: whether it may be decided that it fails.
    func turn(_ label: StaticString, _ life: Life = .client) async -> Fate {
        await withUnsafeContinuation { turn in
            state.withLock { $0.waiters.append(Waiter(life: life, label: label, turn: turn)) }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// More turns than any run takes that ends.
    private static let most = 20_000

    /// Runs all tasks of the schedule to their ends; `look` is called between two turns. False where they come to none.
    func run(_ look: () -> Void = {}) -> Bool {
        while turns < Self.most {
            let jobs = state.withLock { state in
                defer { state.jobs = [] }
                return state.jobs
            }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            guard jobs.isEmpty else { continue }
            look()
            guard let (waiter, fate) = state.withLock({ Self.pick(&$0) }) else { return true }
            waiter.turn.resume(returning: fate)
        }
        return false
    }

    private static func pick(_ state: inout State) -> (Waiter, Fate)? {
        guard !state.waiters.isEmpty else { return nil }
        let place = state.dice.roll(state.waiters.count)
        let waiter = state.waiters.remove(at: place)
        switch state.dice.roll(24) {
        case 0: state.now += Int64(state.dice.roll(10 * 3_600_000))
        case 1...4: state.now += Int64(state.dice.roll(1_200_000))
        default: state.now += Int64(state.dice.roll(2000))
        }
        let (fate, sign) = fate(of: waiter, &state)
        state.turns += 1
        for part in [UInt64(place), UInt64(state.now), sign, UInt64(waiter.label.utf8CodeUnitCount)] {
            state.trace = (state.trace ^ part) &* 0x100_0000_01b3
        }
        return (waiter, fate)
    }

    private static func fate(of waiter: Waiter, _ state: inout State) -> (Fate, UInt64) {
        guard waiter.life != .client else { return (.go, 0) }
        guard state.lives[waiter.life.node, default: 0] == waiter.life.number else { return (.fail(dead), 1) }
        guard state.hasFaults else { return (.go, 0) }
        switch state.dice.roll(160) {
        case 0, 1:
            state.lives[waiter.life.node, default: 0] += 1
            return state.dice.isOne(in: 2) ? (.fail(dead), 2) : (.lose(dead), 3)
        case 2, 3: return (.fail(fault), 4)
        case 4: return (.lose(fault), 5)
        case 5: return (.fail(StoreError(.conflict, "a fault")), 6)
        default: return (.go, 0)
        }
    }
}
