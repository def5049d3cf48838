import Synchronization

/// A value with what it weighs in the cache.
package protocol Weighted: Sendable {
    /// Bytes, roughly.
    var weight: Int { get }
}

/// Values by key, as many as have room: what was used lately stays.
///
/// Two generations: what is used moves to the young one; the old one is dropped as a whole when the young is full.
package final class GenerationCache<Key: Hashable & Sendable, Value: Weighted>: Sendable {
    private struct State {
        var young: [Key: Value] = [:]
        var old: [Key: Value] = [:]
        var weight = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// `capacity` in bytes.
    package init(capacity: Int) { self.capacity = capacity }

    /// The value, which is young again then.
    package subscript(key: Key) -> Value? {
        state.withLock { state in
            if let value = state.young[key] { return value }
            guard let value = state.old.removeValue(forKey: key) else { return nil }
            add(value, for: key, to: &state)
            return value
        }
    }

    /// Keeps a value.
    package func insert(_ value: Value, for key: Key) {
        state.withLock { add(value, for: key, to: &$0) }
    }

    /// Keeps a value that is the same for its key for ever; gives the one that is kept, which may have been there: who read
    /// it at the same time needs no copy of its own.
    func keep(_ value: Value, for key: Key) -> Value {
        state.withLock { state in
            if let known = state.young[key] { return known }
            let value = state.old.removeValue(forKey: key) ?? value
            add(value, for: key, to: &state)
            return value
        }
    }

    private func add(_ value: Value, for key: Key, to state: inout State) {
        let overhead = 200
        if let replaced = state.young.updateValue(value, forKey: key) { state.weight -= replaced.weight + overhead }
        state.weight += value.weight + overhead
        guard state.weight > capacity / 2 else { return }
        state.old = state.young
        state.young = [:]
        state.weight = 0
    }
}
