import Runtime
import Synchronization

/// Memory for bytes on their way to the store, shared by all uploads: who finds none waits, in the order of coming and for a
/// while, and so does who sends to it.
final class PartMemory: Sendable {
    /// A share of the memory, given back by its last owner going away.
    final class Share: Sendable {
        private let memory: PartMemory
        private let bytes: Int

        fileprivate init(_ memory: PartMemory, _ bytes: Int) {
            self.memory = memory
            self.bytes = bytes
        }

        deinit { memory.giveBack(bytes) }
    }

    private struct Waiter {
        let id: UInt64
        let bytes: Int
        let turn: UnsafeContinuation<Bool, Never>
    }

    private struct State {
        var free: Int
        var waiters: [Waiter] = []
        var lastID: UInt64 = 0
    }

    private let name: String
    private let capacity: Int
    private let patience: Duration
    private let state: Mutex<State>

    /// `capacity` in bytes; `patience`: how long somebody waits for a share.
    init(_ name: String, capacity: Int, patience: Duration) {
        self.name = name
        self.capacity = capacity
        self.patience = patience
        state = Mutex(State(free: capacity))
    }

    /// Whether somebody waits.
    var isScarce: Bool { state.withLock { !$0.waiters.isEmpty } }

    /// Bytes that nobody has.
    var free: Int { state.withLock { $0.free } }

    /// A share of so many bytes, of all there are at most. Throws `.overloaded` when none is free in time.
    func share(_ bytes: Int) async throws(StoreError) -> Share {
        let bytes = min(bytes, capacity)
        let id = state.withLock { state -> UInt64? in
            if state.waiters.isEmpty, state.free >= bytes {
                state.free -= bytes
                return nil
            }
            state.lastID += 1
            return state.lastID
        }
        guard let id else { return Share(self, bytes) }
        let timer = Task { [patience] in
            do { try await Task.sleep(for: patience) } catch { return }
            self.giveUp(id)
        }
        let isGranted = await withUnsafeContinuation { turn in
            let atOnce = state.withLock { state -> Bool in
                guard state.waiters.isEmpty, state.free >= bytes else {
                    state.waiters.append(Waiter(id: id, bytes: bytes, turn: turn))
                    return false
                }
                state.free -= bytes
                return true
            }
            if atOnce { turn.resume(returning: true) }
        }
        timer.cancel()
        guard isGranted else { throw StoreError(.overloaded, "no memory for \(name) was free in time") }
        return Share(self, bytes)
    }

    private func giveBack(_ bytes: Int) {
        let granted = state.withLock { state -> [Waiter] in
            state.free += bytes
            var granted: [Waiter] = []
            while let next = state.waiters.first, next.bytes <= state.free {
                state.free -= next.bytes
                granted.append(state.waiters.removeFirst())
            }
            return granted
        }
        for waiter in granted { waiter.turn.resume(returning: true) }
    }

    private func giveUp(_ id: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.turn.resume(returning: false)
    }
}
