import Synchronization

/// One writer an upload session in this process: the next one waits its turn, for a while, and as long as its client does.
/// How many may wait is bounded, for a session and for an address.
final class SessionLocks: Sendable {
    private struct Waiter {
        let turn: Pending<Void>
        let address: String
    }

    private struct State {
        /// Sessions in use, each with who waits for it.
        var queues: [String: [Waiter]] = [:]
        /// How many of an address wait.
        var waiting: [String: Int] = [:]
    }

    private let perSession: Int
    private let perAddress: Int
    private let state = Mutex(State())

    /// At most `perSession` wait for one session, and `perAddress` of one address for all of them.
    init(perSession: Int = 16, perAddress: Int = 64) {
        self.perSession = perSession
        self.perAddress = perAddress
    }

    /// The sessions that are in use now.
    var held: Set<String> { state.withLock { Set($0.queues.keys) } }

    /// Waits for the session, at most `patience`; false when it stayed in use, too many wait, or the task was cancelled.
    /// Pair with `release`.
    func acquire(_ session: String, for address: String, patience: Duration) async -> Bool {
        let waiter = Waiter(turn: Pending(), address: address)
        let isFree: Bool? = state.withLock { state in
            guard let queue = state.queues[session] else {
                state.queues[session] = []
                return true
            }
            let others = state.waiting[address, default: 0]
            guard queue.count < perSession, others < perAddress else { return nil }
            state.queues[session] = queue + [waiter]
            state.waiting[address] = others + 1
            return false
        }
        guard let isFree, !isFree else { return isFree ?? false }
        let isMine = await waiter.turn.wait(atMost: patience) != nil
        if !isMine { giveUp(session, waiter) }
        return isMine
    }

    /// Hands the session to who has waited longest.
    func release(_ session: String) {
        state.withLock { state in
            while let next = state.queues[session]?.first {
                state.queues[session]?.removeFirst()
                Self.leave(next.address, &state)
                if next.turn.settle(()) { return }
            }
            state.queues[session] = nil
        }
    }

    private func giveUp(_ session: String, _ waiter: Waiter) {
        state.withLock { state in
            guard let index = state.queues[session]?.firstIndex(where: { $0.turn === waiter.turn }) else { return }
            state.queues[session]?.remove(at: index)
            Self.leave(waiter.address, &state)
        }
    }

    private static func leave(_ address: String, _ state: inout State) {
        guard let count = state.waiting[address] else { return }
        state.waiting[address] = count > 1 ? count - 1 : nil
    }
}
