import Synchronization

/// Long work that many may ask for at once: done once for all who wait, and to its end, whoever goes meanwhile.
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private let waiting = Mutex<[Key: [Pending<Value>]]>([:])

    /// At most `capacity` wait for one piece of work, and as many pieces are in work.
    init(capacity: Int) { self.capacity = capacity }

    /// What `work` gives, begun now or by an earlier caller; nil when that takes longer than `patience`, when too many wait
    /// already, or when the task is cancelled.
    func value(
        for key: Key, patience: Duration, _ work: @Sendable @escaping () async -> Value
    ) async -> Value? {
        let mine = Pending<Value>()
        let (isTaken, isFirst) = waiting.withLock { waiting in
            guard let others = waiting[key] else {
                guard waiting.count < capacity else { return (false, false) }
                waiting[key] = [mine]
                return (true, true)
            }
            guard others.count < capacity else { return (false, false) }
            waiting[key] = others + [mine]
            return (true, false)
        }
        guard isTaken else { return nil }
        if isFirst {
            Task {
                let value = await work()
                let all = self.waiting.withLock { $0.removeValue(forKey: key) } ?? []
                for one in all { one.settle(value) }
            }
        }
        let value = await mine.wait(atMost: patience)
        if value == nil { waiting.withLock { waiting in waiting[key]?.removeAll { $0 === mine } } }
        return value
    }
}
