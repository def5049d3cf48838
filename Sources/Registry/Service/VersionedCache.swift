import Model
import Synchronization

/// A value with what it weighs in the cache.
protocol Weighted: Sendable {
    /// Bytes, roughly.
    var weight: Int { get }
}

/// Values of repositories, kept only while nothing in the repository has changed (CVE-2026-35172).
///
/// A reader takes the version before it asks the store, and its value is kept only under that version; a writer moves
/// the version on before it acknowledges. Coherent within one process, which is the only one to write to an embedded store.
final class VersionedCache<Value: Weighted>: Sendable {
    struct Key: Hashable {
        let repository: RepositoryName
        let item: String
    }

    private struct Entry {
        let version: UInt64
        let value: Value
    }

    /// Two generations: what is used moves to the young one; the old one is dropped as a whole when the young is full.
    private struct State {
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
        var weight = 0
        /// Versions by a hash of the repository's name: a change in one may cost another its entries, never the reverse.
        var versions = [UInt64](repeating: 0, count: 4096)
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// `capacity` in bytes.
    init(capacity: Int) { self.capacity = capacity }

    /// The version to give to `insert` with a value that is read from here on.
    func version(of repository: RepositoryName) -> UInt64 {
        state.withLock { $0.versions[Self.stripe(repository)] }
    }

    /// Makes all values of a repository unusable, before the change is acknowledged.
    func invalidate(_ repository: RepositoryName) {
        state.withLock { $0.versions[Self.stripe(repository)] &+= 1 }
    }

    subscript(repository: RepositoryName, item: String) -> Value? {
        let key = Key(repository: repository, item: item)
        return state.withLock { state in
            let version = state.versions[Self.stripe(repository)]
            if let entry = state.young[key] { return entry.version == version ? entry.value : nil }
            guard let entry = state.old.removeValue(forKey: key), entry.version == version else { return nil }
            add(entry, for: key, to: &state)
            return entry.value
        }
    }

    /// Keeps a value that was read under `version`.
    func insert(_ value: Value, for repository: RepositoryName, _ item: String, version: UInt64) {
        let key = Key(repository: repository, item: item)
        state.withLock { state in
            guard state.versions[Self.stripe(repository)] == version else { return }
            add(Entry(version: version, value: value), for: key, to: &state)
        }
    }

    private func add(_ entry: Entry, for key: Key, to state: inout State) {
        let overhead = 200
        if let replaced = state.young.updateValue(entry, forKey: key) {
            state.weight -= replaced.value.weight + overhead
        }
        state.weight += entry.value.weight + overhead
        guard state.weight > capacity / 2 else { return }
        state.old = state.young
        state.young = [:]
        state.weight = 0
    }

    private static func stripe(_ repository: RepositoryName) -> Int { repository.hashValue & 4095 }
}
