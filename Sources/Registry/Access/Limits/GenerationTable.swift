/// Values by key, `capacity` of them at most: what was used lately stays.
///
/// Two generations: what is used moves to the young one; the old one is dropped as a whole when the young is full. So a value
/// outlives at least `capacity / 2` others.
package struct GenerationTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let half: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    /// An empty table.
    package init(capacity: Int) { half = max(1, capacity / 2) }

    /// How many there are.
    package var count: Int { young.count + old.count }

    /// The value of a key, which counts as use; nil removes it.
    package subscript(key: Key) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old.removeValue(forKey: key) else { return nil }
            insert(value, for: key)
            return value
        }
        set {
            old[key] = nil
            if let newValue { insert(newValue, for: key) } else { young[key] = nil }
        }
    }

    private mutating func insert(_ value: Value, for key: Key) {
        young[key] = value
        guard young.count > half else { return }
        old = young
        young = [:]
    }
}
