import Foundation
import Synchronization

/// What all checks of one run share.
package final class RunContext: Sendable {
    /// Where the run is aimed.
    package let target: Target
    /// Keeps secrets out of the reports.
    package let masker: Masker
    /// Answers challenges.
    package let authorizer: Authorizer
    /// Everything random of the run comes from this.
    package let seed: String
    /// Whether what was made is left behind.
    package let keep: Bool
    /// What the standing checks saw.
    package let standing: StandingBook
    /// The kinds of request that are left without an answer.
    package let hangs = HangBook()
    private let flags = Mutex(Flags())

    private struct Flags {
        var interrupted = false
        var undeletable: Set<String> = []
        var deleted: Set<String> = []
        var leftovers = 0
        var refusalOfOthers: String?
        var lateness = Duration.zero
        var isFlat = false
        var strangers: [Identity] = []
        var noStranger: String?
        var management: ManagementRun?
    }

    /// Prepares a run; sends nothing.
    package init(target: Target, seed: String, keep: Bool, standing: [Check]) {
        self.target = target
        self.seed = seed
        self.keep = keep
        masker = Masker()
        authorizer = Authorizer(target: target, masker: masker)
        self.standing = StandingBook(standing)
    }

    /// The nodes of the registry; nil where it is asked by its address alone.
    var nodes: Nodes? { Nodes(of: target.base, target.nodes) }

    /// A connection of its own to the registry; `word` says which node is the first of several.
    func wire(_ word: String) throws(TransportFailure) -> Wire {
        try Wire(trust: target.trust, nodes: nodes, beginning: word)
    }

    /// From now on checks stop at their next request; clean-up goes on.
    package func interrupt() {
        flags.withLock { $0.interrupted = true }
    }

    /// Whether the run was interrupted.
    package var isInterrupted: Bool { flags.withLock { $0.interrupted } }

    /// Remembers that the registry deletes no things of this kind, so that clean-up stops asking; not of a kind of which it
    /// deleted one, as it may keep what is in use.
    package func markUndeletable(_ kind: String) {
        flags.withLock { if !$0.deleted.contains(kind) { $0.undeletable.insert(kind) } }
    }

    /// Remembers that the registry deleted a thing of this kind.
    package func markDeleted(_ kind: String) {
        flags.withLock { _ = $0.deleted.insert(kind) }
    }

    /// Whether clean-up should ask for a deletion of this kind.
    package func isDeletable(_ kind: String) -> Bool { !flags.withLock { $0.undeletable.contains(kind) } }

    /// Counts things that could not be deleted.
    package func countLeftovers(_ count: Int) {
        flags.withLock { $0.leftovers += count }
    }

    /// Remembers why no repository but the given one may be used.
    package func markOnlyOne(_ reason: String) {
        flags.withLock { $0.refusalOfOthers = reason }
    }

    /// Remembers that an identity may nothing where the run pushes, or why that cannot be said of it.
    package func markStranger(_ identity: Identity, unless reason: String?) {
        flags.withLock { flags in
            if reason == nil { flags.strangers.append(identity) }
            flags.noStranger = flags.noStranger ?? reason
        }
    }

    /// Those of the other identities that may nothing where the run pushes.
    package var strangers: [Identity] { flags.withLock { $0.strangers } }

    /// Why one of the other identities is none of them; nil when all are.
    package var noStrangerReason: String? { flags.withLock { $0.noStranger } }

    /// What a run with `--management` shares; nil in any other.
    package var management: ManagementRun? { flags.withLock { $0.management } }

    /// From now on the run drives a management API.
    func drive(_ management: ManagementRun?) { flags.withLock { $0.management = management } }

    /// Remembers how long after a write a list shows it.
    package func markLate(_ lateness: Duration) {
        flags.withLock { $0.lateness = lateness }
    }

    /// How long after a write a list shows it; zero where that is at once.
    package var lateness: Duration { flags.withLock { $0.lateness } }

    /// Remembers that names of two parts are taken and longer ones are not.
    package func markFlat() {
        flags.withLock { $0.isFlat = true }
    }

    /// Whether repositories of the run have names of two parts.
    package var isFlat: Bool { flags.withLock { $0.isFlat } }

    /// Why exchanges say nothing of the registry: they went to a repository that it lets nobody use. Nil when they do.
    func onlyOneReason(for exchanges: [Exchange]) -> String? {
        guard let only = target.onlyRepository, let reason = flags.withLock({ $0.refusalOfOthers }) else { return nil }
        let wentElsewhere = exchanges.contains { exchange in
            guard exchange.raw == nil, let target = Address(exchange.url)?.target, target.hasPrefix("/v2/"),
                target.prefix(while: { $0 != "?" }).dropFirst(4).contains("/")
            else { return false }
            let own = ["manifests", "blobs", "tags", "referrers"].contains { target.hasPrefix("/v2/\(only)/\($0)/") }
            return !own && exchange.response.map { [401, 403, 404, 405].contains($0.status) } ?? false
        }
        return wentElsewhere ? "needs a second repository: \(reason)" : nil
    }

    /// Things that the run made and could not delete.
    package var leftovers: Int { flags.withLock { $0.leftovers } }
}

/// What the standing checks saw over a run: how often their rule applied and the first time that it was broken.
package final class StandingBook: Sendable {
    /// The first exchange that broke a rule.
    package struct Breach: Sendable {
        /// The check whose exchange it was.
        package let origin: String
        /// What was expected.
        package let expected: String
        /// What came.
        package let got: String
        /// What a script can test.
        package let assertion: Assertion
        /// The exchange, and those of the same check that came before it.
        package let exchange: Exchange
        package let earlier: [Exchange]
    }

    private struct State {
        var applied: [String: Int] = [:]
        var breaches: [String: Breach] = [:]
    }

    private let checks: [Check]
    private let state = Mutex(State())

    /// Watches for the standing checks among `checks`.
    package init(_ checks: [Check]) {
        self.checks = checks
    }

    /// Judges one exchange of the check `origin`, which `recorder` has noted.
    package func look(at exchange: Exchange, of origin: String, _ recorder: Recorder) {
        // The rules of one API say nothing of the other.
        let isOfManagement = exchange.actor != nil && Address(exchange.url)?.target.hasPrefix("/api/") == true
        for check in checks where check.id.hasPrefix("api.") == isOfManagement {
            guard case .standing(let judge) = check.body, let standing = judge(exchange) else { continue }
            state.withLock { state in
                state.applied[check.id, default: 0] += 1
                guard case .broken(let expected, let got, let assertion) = standing else { return }
                let old = state.breaches[check.id]
                if let old, (old.origin, old.exchange.number) <= (origin, exchange.number) { return }
                state.breaches[check.id] = Breach(
                    origin: origin, expected: expected, got: got, assertion: assertion, exchange: exchange,
                    earlier: recorder.all.filter { $0.number < exchange.number })
            }
        }
    }

    /// How often the rule of a check applied, and its first breach in the order of check ids.
    package func finding(_ id: String) -> (applied: Int, breach: Breach?) {
        state.withLock { ($0.applied[id] ?? 0, $0.breaches[id]) }
    }
}

/// What a check made and has to delete again.
package final class Ledger: Sendable {
    /// Something made.
    package enum Entry: Sendable, Hashable {
        /// A tag.
        case tag(repository: String, name: String)
        /// A manifest.
        case manifest(repository: String, digest: String)
        /// A blob.
        case blob(repository: String, digest: String)
        /// An upload session that was not closed.
        case upload(String)
    }

    private let entries = Mutex<[Entry]>([])
    private let written = Mutex<ContinuousClock.Instant?>(nil)

    /// Nothing made yet.
    package init() {}

    /// Notes something made.
    package func add(_ entry: Entry) {
        entries.withLock { $0.append(entry) }
    }

    /// Notes that a request which may have changed something was answered.
    package func noteWrite() {
        written.withLock { $0 = .now }
    }

    /// When the last request that may have changed something was answered; nil when there was none.
    package var lastWrite: ContinuousClock.Instant? { written.withLock { $0 } }

    /// Everything, the latest first.
    package var all: [Entry] { entries.withLock { $0.reversed() } }
}

/// The exchanges of one check, in the order in which they ended.
package final class Recorder: Sendable {
    private let exchanges = Mutex<[Exchange]>([])

    /// Nothing recorded yet.
    package init() {}

    /// Adds what `make` builds from the number that the exchange gets.
    package func add(_ make: (Int) -> Exchange) -> Exchange {
        exchanges.withLock { list in
            let exchange = make(list.count + 1)
            list.append(exchange)
            return exchange
        }
    }

    /// Takes what another check sent before, in its numbers, as what stands before what this one sends.
    func adopt(_ earlier: [Exchange]) { exchanges.withLock { $0 = earlier + $0 } }

    /// All of them.
    package var all: [Exchange] { exchanges.withLock { $0 } }
}
