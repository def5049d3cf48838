import Synchronization

/// One writer an upload session: the next one waits its turn, for a while.
final class SessionLocks: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: UnsafeContinuation<Bool, Never>
    }

    private struct State {
        /// Sessions in use, each with who waits for it.
        var queues: [String: [Waiter]] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    /// The sessions that are in use now.
    var held: Set<String> { state.withLock { Set($0.queues.keys) } }

    /// Waits for the session, at most `patience`; false when it stayed in use. Pair with `release`.
    func acquire(_ session: String, patience: Duration) async -> Bool {
        let isFree = state.withLock { state in
            guard state.queues[session] == nil else { return false }
            state.queues[session] = []
            return true
        }
        if isFree { return true }
        let id = state.withLock { state in
            state.nextID &+= 1
            return state.nextID
        }
        let timer = Task {
            do { try await Task.sleep(for: patience) } catch { return }
            giveUp(session, waiter: id)
        }
        defer { timer.cancel() }
        return await withUnsafeContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.queues[session] != nil else {
                    state.queues[session] = []
                    return true
                }
                state.queues[session]?.append(Waiter(id: id, continuation: continuation))
                return false
            }
            if isFree { continuation.resume(returning: true) }
        }
    }

    /// Hands the session to who has waited longest.
    func release(_ session: String) {
        let next: Waiter? = state.withLock { state in
            guard let queue = state.queues[session], let first = queue.first else {
                state.queues[session] = nil
                return nil
            }
            state.queues[session] = Array(queue.dropFirst())
            return first
        }
        next?.continuation.resume(returning: true)
    }

    private func giveUp(_ session: String, waiter id: UInt64) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.queues[session]?.firstIndex(where: { $0.id == id }) else { return nil }
            return state.queues[session]?.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }
}
