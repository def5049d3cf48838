import Model
import Runtime
import SQLiteDriver
import Store
import Synchronization

/// Plays seeds, one after the other, on a thread of its own.
final class Simulation: Sendable {
    /// What one seed has shown.
    struct Outcome: Sendable {
        let seed: UInt64
        let violations: [String]
        let trace: UInt64
        let turns: Int
    }

    private let base: InlineSQLiteDatabase
    private let mutant: Mutant?

    /// With a migrated database, which every seed begins with.
    init(_ mutant: Mutant? = nil) async throws {
        base = try InlineSQLiteDatabase()
        try await Schema.migrate(base)
        self.mutant = mutant
    }

    /// Plays the seeds until one fails; gives what that one showed, or the last.
    func play(_ seeds: some Sequence<UInt64> & Sendable) async throws -> Outcome? {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Outcome?, any Error>) in
            let thread = Thread { [self] in
                continuation.resume(
                    with: Result {
                        var last: Outcome?
                        for seed in seeds {
                            last = try play(seed)
                            if last?.violations.isEmpty == false { break }
                        }
                        return last
                    })
            }
            thread.start()
        }
    }

    private func play(_ seed: UInt64) throws -> Outcome {
        try base.save()
        let world = World(seed: seed, base, mutant)
        let (schedule, judge) = (world.schedule, Judge(world: world))
        for _ in 0..<schedule.roll({ 2 + $0.roll(3) }) {
            world.clients.add(1, ordering: .relaxed)
            Task(executorPreference: schedule) {
                await SimulatedClient(world: world).work()
                world.clients.subtract(1, ordering: .relaxed)
            }
        }
        for node in 0..<World.nodes { Task(executorPreference: schedule) { await world.tend(node) } }
        var ends = schedule.run {
            if schedule.turns % 32 == 31 { judge.look() }
        }
        judge.atRest()
        Task(executorPreference: schedule) { await world.settle() }
        ends = schedule.run() && ends
        judge.atEnd()
        if !ends { world.ledger.withLock { $0.violate("it comes to no end") } }
        try base.restore()
        return Outcome(
            seed: seed, violations: world.ledger.withLock { $0.violations }, trace: schedule.trace,
            turns: schedule.turns)
    }
}
