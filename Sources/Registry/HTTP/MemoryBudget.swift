import Model
import Synchronization

/// Memory that many share: bodies that are held whole, answers that wait to be read. Who would take more than is left
/// waits its turn, in order, for a while. One address gets half of it at most, and who takes up room for a body that
/// does not come loses it when others wait.
package final class MemoryBudget: Sendable {
    /// What somebody holds.
    private struct Holding {
        let holder: String
        var bytes = 0
        /// When the body that it is for went on last; nil when it is not for one that comes.
        var progress: ContinuousClock.Instant?
        var revoke: (@Sendable () -> Void)?
    }

    private struct Waiter {
        let id: UInt64
        let holding: UInt64
        let bytes: Int
        let turn: UnsafeContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        var holdings: [UInt64: Holding] = [:]
        var byHolder: [String: Int] = [:]
        var waiting: [Waiter] = []
        var lastID: UInt64 = 0
        /// Waits that were given up before they began.
        var abandoned: Set<UInt64> = []

        mutating func newID() -> UInt64 {
            lastID &+= 1
            return lastID
        }
    }

    /// How long a body may stand still once others wait for its room.
    private static let standstill = Duration.seconds(3)

    /// Bytes of what need not stand behind larger wishes, and what is kept for it.
    private static let small = 64 << 10

    private let capacity: Int
    private let ofOne: Int
    private let reserve: Int
    private let queue: Int
    private let state: Mutex<State>

    /// `capacity` in bytes, half of them for one address; at most `queue` wait.
    package init(capacity: Int, queue: Int = 1024) {
        self.capacity = capacity
        self.queue = queue
        ofOne = capacity / 2
        reserve = capacity / 8
        state = Mutex(State(free: capacity))
    }

    /// Bytes that are held, and how many wait for some.
    package var usage: (held: Int, waiting: Int) {
        state.withLock { (capacity - $0.free, $0.waiting.count) }
    }

    /// A share of nothing yet, for this address.
    package func share(for holder: String) -> MemoryShare {
        let id = state.withLock { state in
            let id = state.newID()
            state.holdings[id] = Holding(holder: holder)
            return id
        }
        return MemoryShare(self, id)
    }

    /// A share of so many bytes, if there is room at once.
    package func takeNow(_ bytes: Int, for holder: String) -> MemoryShare? {
        let share = share(for: holder)
        return state.withLock { grant(bytes, to: share.id, &$0) } ? share : nil
    }

    // MARK: For shares

    fileprivate func grow(
        _ id: UInt64, to bytes: Int, patience: Duration
    ) async throws(RegistryError) {
        let isGranted = state.withLock { state in
            (state.waiting.isEmpty || bytes <= Self.small) && grant(bytes, to: id, &state)
        }
        guard !isGranted else { return }
        let waiter = state.withLock { $0.newID() }
        let timer = Task { await self.watch(waiter, patience) }
        defer { timer.cancel() }
        let hasTurn = await withTaskCancellationHandler {
            await withUnsafeContinuation { turn in
                let isOver = state.withLock { state in
                    guard state.abandoned.remove(waiter) == nil, state.waiting.count < queue else { return true }
                    state.waiting.append(Waiter(id: waiter, holding: id, bytes: bytes, turn: turn))
                    return false
                }
                if isOver { turn.resume(returning: false) } else { serve() }
            }
        } onCancel: {
            giveUp(waiter)
        }
        state.withLock { _ = $0.abandoned.remove(waiter) }
        guard hasTurn else {
            throw RegistryError(.unavailable, "the registry is busy with large requests: try again in a moment")
        }
    }

    fileprivate func shrink(_ id: UInt64, to bytes: Int) {
        state.withLock { state in
            guard let holding = state.holdings[id], holding.bytes > bytes else { return }
            state.free += holding.bytes - bytes
            let own = (state.byHolder[holding.holder] ?? 0) - (holding.bytes - bytes)
            state.byHolder[holding.holder] = own > 0 ? own : nil
            state.holdings[id]?.bytes = bytes
        }
        serve()
    }

    fileprivate func end(_ id: UInt64) {
        shrink(id, to: 0)
        state.withLock { _ = $0.holdings.removeValue(forKey: id) }
    }

    fileprivate func note(_ id: UInt64, _ progress: ContinuousClock.Instant?, _ revoke: (@Sendable () -> Void)?) {
        state.withLock { state in
            state.holdings[id]?.progress = progress
            state.holdings[id]?.revoke = revoke
        }
    }

    // MARK: Turns

    /// Gives a share what it asks for, if its address may have that and it is there.
    private func grant(_ bytes: Int, to id: UInt64, _ state: inout State) -> Bool {
        guard let holding = state.holdings[id] else { return false }
        let more = wish(bytes, holding)
        guard more > 0 else { return true }
        guard state.free - more >= (bytes > Self.small ? reserve : 0), mayHave(more, holding.holder, state) else {
            return false
        }
        state.free -= more
        state.holdings[id]?.bytes += more
        state.byHolder[holding.holder, default: 0] += more
        return true
    }

    /// How much more it takes: who wants more than there is gets all that there can be.
    private func wish(_ bytes: Int, _ holding: Holding) -> Int {
        (bytes > Self.small ? min(bytes, capacity - reserve) : bytes) - holding.bytes
    }

    private func mayHave(_ more: Int, _ holder: String, _ state: State) -> Bool {
        let own = state.byHolder[holder] ?? 0
        return own + more <= ofOne || own == 0
    }

    /// Gives turns to those who wait, in order; one whose address has its part already stops nobody else.
    private func serve() {
        let next = state.withLock { state in
            var turns: [UnsafeContinuation<Bool, Never>] = []
            var index = 0
            while index < state.waiting.count {
                let waiter = state.waiting[index]
                guard let holding = state.holdings[waiter.holding] else {
                    state.waiting.remove(at: index)
                    turns.append(waiter.turn)
                    continue
                }
                if grant(waiter.bytes, to: waiter.holding, &state) {
                    state.waiting.remove(at: index)
                    turns.append(waiter.turn)
                } else if mayHave(wish(waiter.bytes, holding), holding.holder, state) {
                    break
                } else {
                    index += 1
                }
            }
            return turns
        }
        for turn in next { turn.resume(returning: true) }
    }

    /// While somebody waits: takes room from bodies that stand still, and ends the wait when its time is over.
    private func watch(_ waiter: UInt64, _ patience: Duration) async {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end {
            do { try await Task.sleep(for: min(.seconds(1), patience)) } catch { return }
            revokeIdle(at: .now)
        }
        giveUp(waiter)
    }

    /// Revokes the shares of bodies that stand still at `now`.
    package func revokeIdle(at now: ContinuousClock.Instant) {
        let revoked = state.withLock { state in
            var revoked: [@Sendable () -> Void] = []
            for (id, holding) in state.holdings {
                guard let progress = holding.progress, now - progress > Self.standstill else { continue }
                if let revoke = holding.revoke { revoked.append(revoke) }
                state.holdings[id]?.revoke = nil
            }
            return revoked
        }
        for revoke in revoked { revoke() }
    }

    private func giveUp(_ id: UInt64) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
                state.abandoned.insert(id)
                return nil
            }
            return state.waiting.remove(at: index)
        }
        waiter?.turn.resume(returning: false)
        // Who stood behind it may fit.
        if waiter != nil { serve() }
    }
}

/// A part of a budget, given back with the last reference to it.
package final class MemoryShare: Sendable {
    private let budget: MemoryBudget
    fileprivate let id: UInt64

    fileprivate init(_ budget: MemoryBudget, _ id: UInt64) {
        self.budget = budget
        self.id = id
    }

    deinit { budget.end(id) }

    /// Has `bytes` in all from here on; waits for them at most `patience`, and not beyond the end of the task.
    /// Throws `.unavailable`.
    package func grow(to bytes: Int, patience: Duration = .seconds(10)) async throws(RegistryError) {
        try await budget.grow(id, to: bytes, patience: patience)
    }

    /// Gives back what it has over `bytes`.
    package func shrink(to bytes: Int) { budget.shrink(id, to: bytes) }

    /// The body that it is for went on; `revoke` ends one that does not when others wait for its room.
    package func receives(revoke: @escaping @Sendable () -> Void) { budget.note(id, .now, revoke) }

    /// The body that it is for is there: it is no longer to be revoked.
    package func hasReceived() { budget.note(id, nil, nil) }
}
