import Synchronization

/// How much is played.
package struct PlayPlan: Sendable {
    /// Changes that are made, each with the questions that follow it; not counted where `duration` is set.
    package var steps = 160
    /// Play for so long instead.
    package var duration: Duration?
    /// The games follow from it alone, so that two runs play the same ones.
    package var seed = "games"

    /// A share of a usual run.
    package init() {}
}

/// A deviation as it is reported: the shortest game that was found to show it.
struct Finding: Sendable {
    let game: Int
    let failure: CheckFailure
    let exchanges: [Exchange]
    /// How it was found and made short, in words.
    let story: String
}

/// What playing brought: shared by the games of a run.
final class PlayBook: Sendable {
    private struct State {
        var findings: [String: Finding] = [:]
        var claimed: Set<String> = []
        var applied: [String: Int] = [:]
        var problem: String?
        var steps = 0
    }

    private let state = Mutex(State())

    /// True for the first game that sees a rule broken: it looks into that, the others need not.
    func claims(_ rule: PlayRule) -> Bool { state.withLock { $0.claimed.insert(rule.id).inserted } }

    /// Gives a claim back: what was seen was a consequence of something else.
    func release(_ rule: PlayRule) { state.withLock { _ = $0.claimed.remove(rule.id) } }

    func add(_ finding: Finding, _ rule: PlayRule) { state.withLock { $0.findings[rule.id] = finding } }

    func add(applied: [String: Int], steps: Int) {
        state.withLock { state in
            state.applied.merge(applied, uniquingKeysWith: +)
            state.steps += steps
        }
    }

    func note(_ problem: String) { state.withLock { $0.problem = $0.problem ?? problem } }

    func finding(_ rule: PlayRule) -> Finding? { state.withLock { $0.findings[rule.id] } }
    func applied(_ rule: PlayRule) -> Int { state.withLock { $0.applied[rule.id] ?? 0 } }
    /// Why nothing was played, or not to the end.
    var problem: String? { state.withLock { $0.problem } }
    var steps: Int { state.withLock { $0.steps } }
}
