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
        var sightings: [String: [Sighting]] = [:]
        var applied: [String: Int] = [:]
        var problem: String?
        var steps = 0
    }

    private let state = Mutex(State())

    /// How many games are looked into for a rule.
    private static let most = 3

    /// Keeps the first that a game shows of a rule, of the games that come first.
    func add(_ sighting: Sighting) {
        state.withLock { state in
            var all = state.sightings[sighting.deviation.rule.id] ?? []
            guard !all.contains(where: { $0.game == sighting.game }) else { return }
            all = Array((all + [sighting]).sorted { $0.rank < $1.rank }.prefix(PlayBook.most))
            state.sightings[sighting.deviation.rule.id] = all
        }
    }

    /// What was seen, by rule, in the order of the rules.
    var sightings: [[Sighting]] {
        let all = state.withLock { $0.sightings }
        return PlayRule.all.compactMap { all[$0.id] }
    }

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
