import Model
import Runtime
import Store

/// Answers that a change can make wrong, each kept under the version that it was read at (CVE-2026-35172): it is used only
/// while its scope still has that version. A reader asks for the version before it asks the store.
final class VersionedCache<Key: Hashable & Sendable, Value: Weighted>: Sendable {
    private struct Entry: Weighted {
        let version: Version
        let value: Value
        var weight: Int { value.weight }
    }

    private let entries: GenerationCache<Key, Entry>
    private let versions: any Versions

    /// `capacity` in bytes.
    init(capacity: Int, versions: any Versions) {
        entries = GenerationCache(capacity: capacity)
        self.versions = versions
    }

    /// How it stands.
    var usage: CacheUsage { entries.usage }

    /// The value, if it is there and its scope's version is known and has not moved.
    subscript(key: Key, scope: VersionScope) -> Value? {
        guard let entry = entries[key], entry.version == versions.atOnce(scope) else { return nil }
        return entry.value
    }

    /// The same for a scope that the value itself names.
    subscript(key: Key, scope: (Value) -> VersionScope) -> Value? {
        guard let entry = entries[key], entry.version == versions.atOnce(scope(entry.value)) else { return nil }
        return entry.value
    }

    /// The value, if the scope still has this version.
    subscript(key: Key, at version: Version) -> Value? {
        guard let entry = entries[key], entry.version == version else { return nil }
        return entry.value
    }

    /// Keeps a value that was read after the scope had this version.
    func insert(_ value: Value, for key: Key, at version: Version) {
        entries.insert(Entry(version: version, value: value), for: key)
    }
}

extension Versions {
    /// The version of one scope. Throws `RegistryError`.
    func version(of scope: VersionScope) async throws(RegistryError) -> Version {
        if let version = atOnce(scope) { return version }
        do throws(StoreError) {
            guard let version = try await current([scope]).first else {
                throw StoreError(.unavailable, "no version was told")
            }
            return version
        } catch {
            throw RegistryError(error)
        }
    }

    /// The versions of two scopes, by one question. Throws `RegistryError`.
    func pair(_ one: VersionScope, _ other: VersionScope) async throws(RegistryError) -> (Version, Version) {
        if let first = atOnce(one), let second = atOnce(other) { return (first, second) }
        let found = try await storing { () throws(StoreError) in try await current([one, other]) }
        guard found.count == 2 else { throw RegistryError(.unavailable, "no version was told") }
        return (found[0], found[1])
    }
}
