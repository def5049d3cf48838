import Store
import Synchronization

/// When a damaged object was last read again because somebody asked for it: once a minute, and not all of them at once.
final class SecondLooks: Sendable {
    private static let interval = Duration.seconds(60)

    private let capacity: Int
    private let last = Mutex<[StorageKey: ContinuousClock.Instant]>([:])

    /// At most `capacity` objects are read again within a minute.
    init(capacity: Int = 1024) { self.capacity = capacity }

    /// Whether the object is to be read again now, which counts as done.
    func isDue(_ key: StorageKey, at now: ContinuousClock.Instant = .now) -> Bool {
        last.withLock { last in
            if let time = last[key], now - time < Self.interval { return false }
            if last.count >= capacity { last = last.filter { now - $0.value < Self.interval } }
            guard last.count < capacity else { return false }
            last[key] = now
            return true
        }
    }
}
