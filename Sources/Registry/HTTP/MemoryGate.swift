import Model
import Synchronization

/// Memory for bodies that are held whole: who would take more than is left waits until others are done, in order.
final class MemoryGate: Sendable {
    private struct State {
        var free: Int
        var waiting: [(share: Int, turn: UnsafeContinuation<Void, Never>)] = []
    }

    /// Bytes of a body that need no leave: most manifests are that small.
    private static let small = 64 << 10

    private let capacity: Int
    private let state: Mutex<State>

    /// `capacity` in bytes.
    init(capacity: Int) {
        self.capacity = capacity
        state = Mutex(State(free: capacity))
    }

    /// Runs `body` once `count` bytes are free for it.
    func holding<T>(
        _ count: Int, _ body: () async throws(RegistryError) -> T
    ) async throws(RegistryError) -> T {
        guard count > Self.small else { return try await body() }
        let share = min(count, capacity)
        await withUnsafeContinuation { turn in
            let isFree = state.withLock { state in
                guard state.waiting.isEmpty, state.free >= share else {
                    state.waiting.append((share, turn))
                    return false
                }
                state.free -= share
                return true
            }
            if isFree { turn.resume() }
        }
        defer { giveBack(share) }
        return try await body()
    }

    private func giveBack(_ share: Int) {
        let next = state.withLock { state in
            state.free += share
            var next: [UnsafeContinuation<Void, Never>] = []
            while let first = state.waiting.first, first.share <= state.free {
                state.free -= first.share
                next.append(state.waiting.removeFirst().turn)
            }
            return next
        }
        for turn in next { turn.resume() }
    }
}
