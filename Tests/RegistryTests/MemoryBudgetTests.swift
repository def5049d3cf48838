import HTTP
import Model
import Synchronization
import Testing

@Suite("Memory that many share")
struct MemoryBudgetTests {
    private static let kilo = 1024

    /// Lets a task get to where it waits.
    private func waits(_ budget: MemoryBudget, _ count: Int) async throws {
        try await eventually("\(count) wait") { budget.usage.waiting == count }
    }

    @Test("a share is given back with the last reference to it, and shrinks when told")
    func shares() throws {
        let budget = MemoryBudget(capacity: 1000 * Self.kilo)
        var first: MemoryShare? = budget.takeNow(100 * Self.kilo, for: "a")
        let second = try #require(budget.takeNow(200 * Self.kilo, for: "b"))
        #expect(budget.usage.held == 300 * Self.kilo)
        second.shrink(to: 50 * Self.kilo)
        #expect(first != nil && budget.usage.held == 150 * Self.kilo)
        first = nil
        #expect(budget.usage.held == 50 * Self.kilo)
    }

    @Test("one address gets half; another has its turn at once, whoever of the first waits before it")
    func addresses() async throws {
        let budget = MemoryBudget(capacity: 1000 * Self.kilo)
        let held = try #require(budget.takeNow(400 * Self.kilo, for: "a"))
        #expect(budget.takeNow(200 * Self.kilo, for: "a") == nil)
        let greedy = Task { () throws -> MemoryShare in
            let share = budget.share(for: "a")
            try await share.grow(to: 200 * Self.kilo, patience: .seconds(60))
            return share
        }
        try await waits(budget, 1)
        let other = budget.share(for: "b")
        try await other.grow(to: 200 * Self.kilo, patience: .seconds(60))
        #expect(budget.usage == (600 * Self.kilo, 1))
        held.shrink(to: 0)
        _ = try await greedy.value
        withExtendedLifetime(other) {}
    }

    @Test("what is small does not wait behind what is large, and there is room for it")
    func small() async throws {
        let budget = MemoryBudget(capacity: 1000 * Self.kilo)
        var held = [budget.takeNow(500 * Self.kilo, for: "a"), budget.takeNow(300 * Self.kilo, for: "b")]
        #expect(held.allSatisfy { $0 != nil })
        let large = Task { () throws -> MemoryShare in
            let share = budget.share(for: "c")
            try await share.grow(to: 400 * Self.kilo, patience: .seconds(60))
            return share
        }
        try await waits(budget, 1)
        let small = budget.share(for: "d")
        try await small.grow(to: 60 * Self.kilo)
        withExtendedLifetime(held) {}
        held.removeAll()
        _ = try await large.value
    }

    @Test("a wait ends with its time, with its task, and at once when too many wait")
    func ends() async throws {
        let budget = MemoryBudget(capacity: 1000 * Self.kilo, queue: 1)
        let held = [budget.takeNow(500 * Self.kilo, for: "a"), budget.takeNow(300 * Self.kilo, for: "b")]
        func want(_ patience: Duration) -> Task<RegistryError.Code?, Never> {
            Task {
                let share = budget.share(for: "c")
                do throws(RegistryError) {
                    try await share.grow(to: 400 * Self.kilo, patience: patience)
                    return nil
                } catch {
                    return error.code
                }
            }
        }
        #expect(await want(.milliseconds(1)).value == .unavailable)
        let cancelled = want(.seconds(600))
        try await waits(budget, 1)
        #expect(await want(.seconds(600)).value == .unavailable, "the queue is full")
        cancelled.cancel()
        #expect(await cancelled.value == .unavailable)
        let early = want(.seconds(600))
        early.cancel()
        #expect(await early.value == .unavailable, "cancelled before it waits, or after")
        #expect(budget.usage == (800 * Self.kilo, 0))
        withExtendedLifetime(held) {}
    }

    @Test("a body that stands still loses its room, one that goes on or is there does not")
    func standstill() async throws {
        let budget = MemoryBudget(capacity: 1000 * Self.kilo)
        let revoked = Mutex<[String]>([])
        let shares = ["still", "going", "there"].map { name in
            let share = budget.share(for: name)
            share.receives { revoked.withLock { $0.append(name) } }
            return share
        }
        let began = ContinuousClock.now
        shares[2].hasReceived()
        budget.revokeIdle(at: began + .seconds(2))
        #expect(revoked.withLock { $0 }.isEmpty)
        budget.revokeIdle(at: .now + .seconds(4))
        #expect(revoked.withLock { $0.sorted() } == ["going", "still"])
        budget.revokeIdle(at: .now + .seconds(4))
        #expect(revoked.withLock { $0.count } == 2, "once")
        withExtendedLifetime(shares) {}
    }

    @Test("turns are given in order and nothing is lost, whatever comes and goes")
    func random() async throws {
        let budget = MemoryBudget(capacity: 1000 * Self.kilo)
        let most = await withTaskGroup { group in
            for seed in 1...200 {
                group.addTask { await Self.use(budget, seed) }
            }
            return await group.reduce(0, max)
        }
        #expect(budget.usage == (0, 0))
        #expect((1...1000 * Self.kilo).contains(most))
    }

    /// Takes a share and gives it back; what was held in all meanwhile.
    private static func use(_ budget: MemoryBudget, _ seed: Int) async -> Int {
        var random = Xorshift(seed: UInt64(seed))
        let share = budget.share(for: "\(seed % 5)")
        do {
            try await share.grow(to: Int.random(in: 1...300, using: &random) * kilo, patience: .seconds(600))
        } catch {
            Issue.record("\(error)")
        }
        let held = budget.usage.held
        for _ in 0..<Int.random(in: 0..<5, using: &random) { await Task.yield() }
        share.shrink(to: Int.random(in: 0...100, using: &random) * kilo)
        return held
    }
}
