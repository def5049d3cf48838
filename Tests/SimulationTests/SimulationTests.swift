import Foundation
import Model
import Runtime
import Service
import Store
import Testing

/// Pushes, mounts, deletions, moving tags, collections and sweeps on three nodes that crash, over stores that fail, in orders and at
/// times that a seed decides. `AERUGO_SEEDS=100000` plays so many; `AERUGO_SEED=4711` plays that one.
@Suite("Simulated collection")
struct SimulationTests {
    private static let count = Self.variable("AERUGO_SEEDS").flatMap { UInt64($0) } ?? 20_000
    private static let seed = Self.variable("AERUGO_SEED").flatMap { UInt64($0) }

    private static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    @Test("nothing alive is lost, nothing dead stays, and counters are right, whatever the seed")
    func seeds() async throws {
        let seeds = Self.seed.map { $0..<($0 + 1) } ?? 0..<Self.count
        let outcome = try #require(try await Simulation().play(seeds))
        #expect(outcome.violations.isEmpty, "AERUGO_SEED=\(outcome.seed)")
    }

    @Test("the same seed is the same run, whatever was played before")
    func reproducible() async throws {
        let (one, other) = (try await Simulation(), try await Simulation())
        for seed in UInt64(1)...20 {
            let first = try #require(try await one.play(seed..<(seed + 1)))
            let second = try #require(try await other.play((seed + 100)..<(seed + 101)))
            let third = try #require(try await other.play(seed..<(seed + 1)))
            #expect(first.trace == third.trace && first.turns == third.turns)
            #expect(first.trace != second.trace)
        }
    }

    @Test("what is wrong on purpose is found", arguments: Mutant.all)
    func mutants(_ mutant: Mutant) async throws {
        let outcome = try #require(try await Simulation(mutant).play(0..<5000))
        #expect(!outcome.violations.isEmpty)
        guard Self.variable("AERUGO_SEEDS") != nil else { return }
        print("\(mutant.name): seed \(outcome.seed), \(outcome.violations)")
    }
}

extension Mutant {
    private static func without(_ part: String) -> @Sendable (String) -> String? {
        { $0.contains(part) ? nil : $0 }
    }

    private static func replacing(_ part: String, _ other: String) -> @Sendable (String) -> String? {
        { $0.contains("FROM reviews v\n") ? $0.replacing(part, with: other) : $0 }
    }

    static let all = [
        Mutant("edges are not looked at", sql: replacing("e.role <= 2", "e.role < 0")),
        Mutant(
            "tags are not looked at", sql: replacing("t.manifest_id = m.id) THEN 1", "t.manifest_id = m.id) THEN 0")),
        Mutant(
            "subjects are not looked at", sql: replacing("s.digest = m.subject) THEN 1", "s.digest = m.subject) THEN 0")
        ),
        Mutant(
            "referrers are not looked at",
            sql: replacing("r.digest > v.referrer) THEN 1", "r.digest > v.referrer) THEN 0")),
        Mutant("a look takes at once what it should mark", sql: replacing("v.is_marked", "1")),
        Mutant("what is asked for is not renewed", sql: without("UPDATE reviews SET since = $3")),
        Mutant("there is no grace", rules: { $0.grace = .milliseconds(2) }),
        Mutant(
            "what a manifest named is not put up for review", sql: without("SELECT DISTINCT e.repository_id, e.digest")),
        Mutant("nothing else is put up for review", sql: without("SELECT $1, d.column1, $2, $2, 0, $3 FROM (VALUES")),
        Mutant("objects are not retired", sql: without("INSERT INTO removals")),
        Mutant("namespaces are not counted", sql: without("UPDATE namespaces SET blob_bytes")),
        Mutant(
            "a blob goes that other repositories have",
            sql: { $0.hasSuffix("WHERE l.blob_id = c.column1 )") ? $0.replacing("c.column1 )", with: "-1)") : $0 }),
    ]
}
