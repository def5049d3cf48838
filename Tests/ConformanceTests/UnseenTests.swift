import ConformanceKit
import Foundation
import Synchronization
import Testing

/// Faults that were thought of by somebody who had not read what the runner asks.
@Suite("faults that nobody listed")
struct UnseenTests {
    /// A line of `fixtures/expected/unseen.tsv`: the fault, the set in which it was measured, and what finds it: `game`
    /// (playing alone, at its usual length for such a measure), `run` (a default run, by any check), or nothing.
    struct Row: Sendable {
        let fault: Unseen
        let set: String
        let found: Set<String>
    }

    static func rows() throws -> [Row] {
        let text = try String(contentsOf: TestRun.file("fixtures/expected/unseen.tsv"), encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 4, let fault = Unseen.all.first(where: { $0.name == cells[0] }) else {
                throw StubFailure("bad row: \(line)")
            }
            return Row(fault: fault, set: cells[1], found: Set(cells[2].split(separator: " ").map(String.init)))
        }
    }

    /// Plays alone against a stub with the fault; gives all that is neither a pass nor a skip.
    static func deviations(_ fault: Unseen, seed: String, steps: Int, patterns: [String] = ExploreTests.patterns) throws
        -> [Outcome]
    {
        var settings = TestRun.Settings()
        (settings.unseen, settings.seed, settings.games, settings.steps) = (fault, seed, seed, steps)
        settings.patterns = patterns
        return try TestRun.run(settings).outcomes.filter { $0.verdict != .pass && $0.verdict != .skip }
    }

    @Test("every fault is on the list once, and the list has no other")
    func whole() throws {
        #expect(try Self.rows().map(\.fault.name).sorted() == Unseen.all.map(\.name).sorted())
    }

    @Test("a quarter of what playing was measured to find it finds")
    func games() throws {
        // A quarter of them: all of them are the measure's, and take minutes.
        let found = try Self.rows().filter { $0.found.contains("game") }
        let rows = found.indices.filter { $0 % 4 == 0 }.map { found[$0] }
        #expect(found.count >= 60)
        let missed = Mutex<[String]>([])
        Threads.run(rows.count, width: 2) { number in
            let fault = rows[number].fault
            do {
                // What three games of this length do not show is not found any more.
                for seed in ["one", "two", "three"]
                where try !Self.deviations(fault, seed: seed, steps: 160, patterns: ["explore.*"]).isEmpty { return }
                missed.withLock { $0.append(fault.name) }
            } catch {
                missed.withLock { $0.append("\(fault.name): \(error)") }
            }
        }
        #expect(missed.withLock { $0.sorted() } == [])
    }

    /// The measure of docs/conformance.md: AERUGO_UNSEEN gets a line a fault, AERUGO_UNSEEN_NAMES chooses some,
    /// AERUGO_UNSEEN_STEPS says how long a game is; with none a default run is made of all checks.
    @Test(
        "how many are found, written where AERUGO_UNSEEN says",
        .enabled(if: ProcessInfo.processInfo.environment["AERUGO_UNSEEN"] != nil))
    func measure() throws {
        let environment = ProcessInfo.processInfo.environment
        let names = environment["AERUGO_UNSEEN_NAMES"].map { $0.split(separator: " ").map(String.init) }
        let steps = environment["AERUGO_UNSEEN_STEPS"].flatMap { Int($0) }
        let seed = environment["AERUGO_UNSEEN_SEED"] ?? "games"
        let chosen = Unseen.all.filter { names?.contains($0.name) ?? true }
        let lines = Mutex<[String]>([])
        Threads.run(chosen.count, width: 2) { number in
            let fault = chosen[number]
            let begin = ContinuousClock.now
            var text: String
            do {
                let found = try Self.deviations(
                    fault, seed: seed, steps: steps ?? 160, patterns: steps == nil ? [] : ExploreTests.patterns)
                text = found.map { "\($0.verdict.rawValue)=\($0.check.id)" }.joined(separator: " ")
            } catch {
                text = "! \(error)"
            }
            text += "\t\((ContinuousClock.now - begin).components.seconds) s"
            let all = lines.withLock { lines in
                lines.append("\(fault.name)\t\(text)")
                return lines.sorted().joined(separator: "\n") + "\n"
            }
            do {
                try all.write(toFile: environment["AERUGO_UNSEEN"] ?? "", atomically: true, encoding: .utf8)
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}
