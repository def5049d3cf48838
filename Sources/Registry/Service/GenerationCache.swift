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
        /// Of the old generation when it was young.
        var oldWeight = 0
        var usage = CacheUsage()
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// `capacity` in bytes.
    package init(capacity: Int) { self.capacity = capacity }

    /// The value, which is young again then.
    package subscript(key: Key) -> Value? {
        state.withLock { state in
            if let value = state.young[key] {
                state.usage.hits += 1
                return value
            }
            guard let value = state.old.removeValue(forKey: key) else {
                state.usage.misses += 1
                return nil
            }
            state.usage.hits += 1
            add(value, for: key, to: &state)
            return value
        }
    }

    /// How much there is, and how often something was found.
    package var usage: CacheUsage {
        state.withLock { state in
            var usage = state.usage
            usage.bytes = state.weight + state.oldWeight
            usage.capacity = capacity
            return usage
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
        (state.old, state.oldWeight) = (state.young, state.weight)
        state.young = [:]
        state.weight = 0
    }
}
