import ConformanceKit
import Crypto
import Foundation
import Synchronization
import Testing

@Suite("a model that plays")
struct ExploreTests {
    /// What a game can be found out by: its own rules, and those that look at every exchange.
    static let patterns = [
        "explore.*", "errors.format", "errors.code-form", "errors.code-known", "errors.message", "errors.never-server",
        "errors.retry-after", "errors.unauthorized-challenge", "errors.method-allow", "warnings.*", "headers.once",
        "http.no-content",
    ]

    /// Plays alone against a stub; gives all that is neither a pass nor a skip.
    static func deviations(_ faults: Set<Fault>, seed: String, steps: Int, mode: String = "open", jobs: Int = 2) throws
        -> [Outcome]
    {
        var settings = FaultTests.settings(mode)
        (settings.faults, settings.seed) = (faults, seed)
        let outcomes = try TestRun.withStub(settings) { _, server in
            var target = Target(base: try TestRun.address(server))
            target.deadline = settings.deadline
            if settings.accounts { (target.identity, target.others) = (TestRun.alice, [TestRun.bob]) }
            var plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: seed)
            (plan.patterns, plan.jobs, plan.play.steps, plan.play.seed) = (patterns, jobs, steps, seed)
            return try Runner(plan, observer: TestRun.Silent()).run().outcomes
        }
        return outcomes.filter { $0.verdict != .pass && $0.verdict != .skip }
    }

    static func line(_ outcome: Outcome) -> String {
        "\(outcome.verdict) \(outcome.check.id): expected \(outcome.expected), got \(outcome.got) \(outcome.reason)"
    }

    @Test(
        "2,000 steps against a registry without faults show no deviation", arguments: ["one", "two", "three", "four"])
    func faultless(seed: String) throws {
        for outcome in try Self.deviations([], seed: seed, steps: 500) {
            Issue.record("\(Self.line(outcome))\n\(outcome.exchanges.map(\.line).joined(separator: "\n"))")
        }
    }

    @Test("what a registry is allowed to do is no deviation")
    func allowed() throws {
        for row in try FaultTests.rows() where row.mode == "allowed" {
            for outcome in try Self.deviations([try #require(row.fault)], seed: "allowed", steps: 160) {
                Issue.record("\(row): \(Self.line(outcome))")
            }
        }
    }

    @Test(
        "playing alone finds faults, whatever the seed",
        arguments: [
            Fault.blobDeleteDoesNothing, .blobsEverywhereKnown, .catalogTwice, .deleteMissingBlobIsFine,
            .fifthChunkRefused, .manifestDelete500, .manifestDigestWrong, .missingManifestMadeUp,
            .mountEscaped404, .pagedTagsTwice, .putForgetsBody, .referrersEmptyIs204, .referrersFilterPretended,
            .referrersMalformed404, .subjectChecked, .tagsUnsorted,
        ])
    func faults(fault: Fault) throws {
        for seed in ["one", "two"] {
            #expect(try !Self.deviations([fault], seed: seed, steps: 40).isEmpty, "\(fault.rawValue), seed \(seed)")
        }
    }

    @Test("a deviation comes with a script of the shortest game: it fails on that registry and not on a good one")
    func script() throws {
        var settings = FaultTests.settings("open")
        settings.faults = [.deletedTagsListed]
        try TestRun.withStub(settings) { _, server in
            let base = try TestRun.address(server)
            var plan = RunPlan(target: Target(base: base), groups: CheckCatalog.groups, seed: "script2")
            (plan.patterns, plan.play.steps) = (["explore.*"], 40)
            let outcomes = try Runner(plan, observer: TestRun.Silent()).run().outcomes
            let outcome = try #require(outcomes.first { $0.verdict == .fail })
            #expect(outcome.exchanges.count < 20, "\(outcome.exchanges.map(\.line))")
            let script = try #require(outcome.script)
            let bad = try Shell.run(script, base: base.origin, seconds: 20)
            #expect(bad.status == 1, "\(bad.output)\n\(script)")
            try TestRun.withStub(TestRun.Settings()) { _, server in
                let good = try Shell.run(script, base: try TestRun.address(server).origin, seconds: 20)
                #expect(good.status == 0, "\(good.output)\n\(script)")
            }
        }
    }

    @Test("the same seed plays the same games")
    func seeds() throws {
        let runs = try (0..<2).map { _ in
            // How short a game is made depends on the time that there is; which game shows what does not.
            try Self.deviations([.tagsUnsorted], seed: "same", steps: 40, jobs: 1)
                .filter { $0.check.id == "explore.tags-order" }
                .map { "\($0.verdict) \($0.got.firstMatch(of: /of \d+ steps of game -?\d+/)?.output ?? "")" }
        }
        #expect(runs[0] == runs[1])
        #expect(!runs[0].isEmpty)
    }

    @Test("a sequence is made as short as it gets, and its last element stays")
    func shrinks() throws {
        var asked = 0
        var shrinker = Shrinker<Int>(attempts: 200) { part in
            asked += 1
            return part.contains(7) && part.contains(31) && part.last == 99
        }
        #expect(try shrinker.shrink(Array(0..<100)) == [7, 31, 99])
        #expect(asked <= 200)
        var bounded = Shrinker<Int>(attempts: 3) { _ in false }
        #expect(try bounded.shrink(Array(0..<100)) == Array(0..<100))
    }

    /// Faults that were set aside by the hash of their name: nothing of the player or of the model was written with
    /// them in mind.
    static func isSetAside(_ fault: Fault) -> Bool {
        (SHA256.hash(data: Array(fault.rawValue.utf8)).first { _ in true } ?? 0) % 3 == 0
    }

    /// The measure of docs/conformance.md: AERUGO_EXPLORE gets a line a fault, AERUGO_EXPLORE_FAULTS chooses some.
    @Test(
        "how many faults are found by playing alone, written where AERUGO_EXPLORE says",
        .enabled(if: ProcessInfo.processInfo.environment["AERUGO_EXPLORE"] != nil))
    func measure() throws {
        let environment = ProcessInfo.processInfo.environment
        let wanted = environment["AERUGO_EXPLORE_FAULTS"].map { Set($0.split(separator: " ").map(String.init)) }
        let steps = environment["AERUGO_EXPLORE_STEPS"].flatMap { Int($0) } ?? 400
        let rows = try FaultTests.rows().filter { row in
            guard let fault = row.fault, ["open", "accounts"].contains(row.mode) else { return false }
            return wanted?.contains(fault.rawValue) ?? Self.isSetAside(fault)
        }
        let lines = Mutex<[String]>([])
        Threads.run(rows.count, width: 2) { number in
            let row = rows[number]
            let text: String
            do {
                let found =
                    try row.fault.map {
                        try Self.deviations([$0], seed: "measure", steps: steps, mode: row.mode)
                    } ?? []
                text = found.map { "\($0.verdict.rawValue)=\($0.check.id)" }.joined(separator: " ")
            } catch {
                text = "! \(error)"
            }
            let all = lines.withLock { lines in
                lines.append("\(row.description)\t\(row.mode)\t\(text)")
                return lines.sorted().joined(separator: "\n") + "\n"
            }
            do {
                try all.write(toFile: environment["AERUGO_EXPLORE"] ?? "", atomically: true, encoding: .utf8)
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}
