import Metrics
import Model
import Runtime
import Store
import Synchronization

/// What one request takes versions to be, where only the truth knows them and asking takes a round trip. What is in memory is
/// answered by the versions that were heard last; then all of them are asked for at once; and the answer leaves only if every
/// one of them is what it was taken for. So a request costs one question, which it shares with all that wait, and is never
/// older than when it came.
package final class VersionGuess: Sendable {
    private struct State {
        /// What the truth has said since the request came.
        var known: [VersionScope: Version] = [:]
        /// What was made use of without asking; nil for what was never heard of.
        var taken: [VersionScope: Version?] = [:]
        var isGuessing = true
        var isOver = false
    }

    /// That of the request whose answer is being made here.
    @TaskLocal package static var current: VersionGuess?

    private let state = Mutex(State())

    init() {}

    /// Whether something was made use of that has not been asked for.
    package var isOpen: Bool { state.withLock { !$0.taken.isEmpty } }

    /// From now on nothing is guessed: what was not asked for is not known.
    package func stopGuessing() { state.withLock { ($0.isGuessing, $0.taken) = (false, [:]) } }

    /// From now on nothing is known at all: what the request itself changes must not be read as it was before.
    package func end() { state.withLock { $0.isOver = true } }

    /// The version of a scope, as far as it is known or guessed; `heard` tells what was heard last.
    func version(of scope: VersionScope, _ heard: () -> Version?) -> Version? {
        state.withLock { state in
            guard !state.isOver else { return nil }
            if let known = state.known[scope] { return known }
            guard state.isGuessing else { return nil }
            let version = heard()
            state.taken.updateValue(version, forKey: scope)
            return version
        }
    }

    /// What has to be asked for.
    var scopes: [VersionScope] { state.withLock { Array($0.taken.keys) } }

    /// Notes what the truth says. Whether all that was made use of is just that.
    func hear(_ versions: [Version], of scopes: [VersionScope]) -> Bool {
        state.withLock { state in
            var isRight = true
            for (scope, version) in zip(scopes, versions) {
                if state.taken[scope] != .some(.some(version)) { isRight = false }
                state.known[scope] = version
            }
            state.taken = [:]
            return isRight
        }
    }
}

/// Versions that have to be asked for, and those that were heard last.
package final class GuessedVersions: Versions {
    private struct Heard: Weighted {
        let version: Version
        var weight: Int { 40 }
    }

    private let truth: any Versions
    private let heard = GenerationCache<VersionScope, Heard>(capacity: 16 << 20)

    /// Guesses of these.
    package init(_ truth: any Versions) { self.truth = truth }

    package var isGuessed: Bool { true }

    /// What the request at hand takes it to be; nil elsewhere.
    package func atOnce(_ scope: VersionScope) -> Version? {
        VersionGuess.current?.version(of: scope) { heard[scope]?.version }
    }

    package func current(_ scopes: [VersionScope]) async throws(StoreError) -> [Version] {
        let versions = try await truth.current(scopes)
        for (scope, version) in zip(scopes, versions) { heard.insert(Heard(version: version), for: scope) }
        return versions
    }

    package func move(_ scopes: Set<VersionScope>) { truth.move(scopes) }

    package func metrics() -> [MetricFamily] { truth.metrics() + CacheUsage.metrics([("versions", heard.usage)]) }
}

extension Registry {
    /// A guess for a request that has come; nil where versions are known without asking.
    package func guess() -> VersionGuess? { store.versions.isGuessed ? VersionGuess() : nil }

    /// Asks for what a request has made use of. Whether it was right. Throws `.unavailable`.
    package func settle(_ guess: VersionGuess) async throws(RegistryError) -> Bool {
        let scopes = guess.scopes
        let versions = try await storing { () throws(StoreError) in try await store.versions.current(scopes) }
        return guess.hear(versions, of: scopes)
    }
}
