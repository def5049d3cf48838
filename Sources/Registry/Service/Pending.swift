import Synchronization

/// One answer that one caller waits for: until it comes, for a while, or until the caller itself is told to end.
final class Pending<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(UnsafeContinuation<Value?, Never>)
        case settled(Value?)
    }

    private let state = Mutex(State.open)

    /// Gives the answer, nil for none. False when it was settled before: nobody gets this one.
    @discardableResult
    func settle(_ value: Value?) -> Bool {
        let (isFirst, waiter): (Bool, UnsafeContinuation<Value?, Never>?) = state.withLock { state in
            switch state {
            case .settled: return (false, nil)
            case .open:
                state = .settled(value)
                return (true, nil)
            case .waiting(let continuation):
                state = .settled(value)
                return (true, continuation)
            }
        }
        waiter?.resume(returning: value)
        return isFirst
    }

    /// The answer; nil when none came within `patience`, or the task was cancelled. To be called once.
    func wait(atMost patience: Duration) async -> Value? {
        let timer = Task {
            do { try await Task.sleep(for: patience) } catch { return }
            settle(nil)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let settled: Value?? = state.withLock { state in
                    if case .settled(let value) = state { return .some(value) }
                    state = .waiting(continuation)
                    return nil
                }
                if let settled { continuation.resume(returning: settled) }
            }
        } onCancel: {
            settle(nil)
        }
    }
}
