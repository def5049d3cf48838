import Foundation

/// Holds a thread that is the test's own until it is opened.
final class Gate: @unchecked Sendable {
    private let condition = NSCondition()
    private var isOpen = false
    private var isReached = false

    /// Blocks until the gate is open.
    func wait() {
        condition.lock()
        isReached = true
        condition.broadcast()
        while !isOpen { condition.wait() }
        condition.unlock()
    }

    func open() {
        condition.withLock {
            isOpen = true
            condition.broadcast()
        }
    }

    /// Returns once somebody waits at the gate.
    func waitUntilReached() async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                condition.lock()
                while !isReached { condition.wait() }
                condition.unlock()
                continuation.resume()
            }
        }
    }
}
