import Metrics
import Model
import Runtime
import Synchronization

/// What has a version: a counter that moves in the same transaction as any change that could make a cached answer wrong.
package enum VersionScope: Hashable, Sendable {
    /// Tags, manifests and blobs of a repository.
    case repository(RepositoryID)
    /// Which repositories a namespace has, who is a member, what they may do.
    case access(NamespaceID)
    /// A principal's credentials and rights.
    case principal(PrincipalID)
}

/// A state of a scope; equal versions mean that nothing has changed between them.
package struct Version: Hashable, Sendable {
    private let number: UInt64

    /// The version of this number.
    package init(_ number: UInt64) { self.number = number }

    /// The next one.
    package var next: Version { Version(number &+ 1) }
}

/// The versions as they are now. A cached answer may be used while the version is the one that it was read under, which is to
/// be asked for before the read; so that no node can serve an old tag or a right that was taken away.
package protocol Versions: Sendable {
    /// The version, where it is known without waiting: on an embedded store always.
    func atOnce(_ scope: VersionScope) -> Version?
    /// The versions, in the order of the scopes. Throws `StoreError`.
    func current(_ scopes: [VersionScope]) async throws(StoreError) -> [Version]
    /// Notes that a transaction of this process may have moved these; called before its caller hears of it.
    func move(_ scopes: Set<VersionScope>)
    /// Whether `atOnce` tells what was heard last, for a guess that has to be confirmed.
    var isGuessed: Bool { get }
    /// What asking for them took.
    func metrics() -> [MetricFamily]
}

extension Versions {
    package var isGuessed: Bool { false }
    /// Nothing, where they are in memory.
    package func metrics() -> [MetricFamily] { [] }
}

/// Versions of a store that this process alone writes to: in memory. They begin anew with the process, as its caches do.
package final class EmbeddedVersions: Versions {
    /// By a hash of the scope: a change of one scope may cost another its cached answers, never the reverse.
    private let stripes = Mutex([Version](repeating: Version(0), count: 4096))

    /// All at their beginning.
    package init() {}

    package func atOnce(_ scope: VersionScope) -> Version? { stripes.withLock { $0[Self.stripe(scope)] } }

    package func current(_ scopes: [VersionScope]) async throws(StoreError) -> [Version] {
        stripes.withLock { stripes in scopes.map { stripes[Self.stripe($0)] } }
    }

    package func move(_ scopes: Set<VersionScope>) {
        guard !scopes.isEmpty else { return }
        stripes.withLock { stripes in
            for stripe in Set(scopes.map(Self.stripe)) { stripes[stripe] = stripes[stripe].next }
        }
    }

    /// Ids are ours, so that nobody can aim at a stripe: mixing them takes no keyed hash.
    private static func stripe(_ scope: VersionScope) -> Int {
        // A repository's id follows its namespace's: the kinds must be further apart than ids are.
        let (kind, id): (UInt64, Int64) =
            switch scope {
            case .repository(let id): (0, id.value)
            case .access(let id): (0x5555_5555_5555_5555, id.value)
            case .principal(let id): (0xaaaa_aaaa_aaaa_aaaa, id.value)
            }
        let mixed = (UInt64(bitPattern: id) &* 0x9e37_79b9_7f4a_7c15) &+ kind
        return Int(truncatingIfNeeded: mixed >> 52)
    }
}

/// The scopes that a transaction has moved so far.
final class MovedVersions: Sendable {
    private let scopes = Mutex<Set<VersionScope>>([])

    func insert(_ scope: VersionScope) { scopes.withLock { _ = $0.insert(scope) } }
    var all: Set<VersionScope> { scopes.withLock { $0 } }
}
