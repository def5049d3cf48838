import Model
import Runtime
import Store
import Synchronization
import Testing

/// Clocks that a test sets.
final class HandClock: Sendable {
    private let now = Mutex((wall: Timestamp(milliseconds: 1_700_000_000_000), uptime: Duration.zero))

    var clocks: Clocks {
        Clocks(wall: { self.now.withLock { $0.wall } }, uptime: { self.now.withLock { $0.uptime } })
    }

    /// Lets time pass; by the wall clock alone where it is set.
    func advance(by duration: Duration, wallOnly: Bool = false) {
        now.withLock { now in
            now.wall = now.wall + duration
            if !wallOnly { now.uptime += duration }
        }
    }
}

@Suite("Runtime")
struct RuntimeTests {
    @Test("a job whose turn does not come in time is refused, though every thread is stuck; what began goes on")
    func deadline() async throws {
        let (clock, gate) = (HandClock(), Gate())
        let executor = BlockingExecutor(
            name: "test", threads: 1, capacity: 10, patience: .seconds(5), clocks: clock.clocks)
        defer { executor.stop() }
        async let stuck: Int = executor.run { () throws(StoreError) in
            gate.wait()
            return 1
        }
        await gate.waitUntilReached()
        let refused = Task { await storeError { try await executor.run { () throws(StoreError) in } } }
        let time = Task {
            while !Task.isCancelled {
                clock.advance(by: .seconds(6))
                executor.refuseOverdue()
                await Task.yield()
            }
        }
        #expect(await refused.value == .overloaded)
        time.cancel()
        gate.open()
        #expect(try await stuck == 1)
    }

    @Test("jobs come out in order, those whose time is up apart, and a stopped queue ends who takes")
    func queue() throws {
        let clock = HandClock()
        let queue = JobQueue<Int>(capacity: 3, patience: .seconds(5), clocks: clock.clocks)
        #expect((1...4).map(queue.add) == [true, true, true, false])
        #expect(queue.take(upTo: 2) == [1, 2])
        #expect(queue.takeOverdue().isEmpty)
        clock.advance(by: .seconds(3))
        let isAdded = queue.add(5)
        #expect(isAdded)
        clock.advance(by: .seconds(2))
        #expect(queue.takeOverdue() == [3])
        queue.stop()
        #expect(!queue.add(6))
        // One wake-up a job that was added: what is taken by others is an empty turn.
        #expect(queue.take(upTo: 2) == [5])
        #expect(queue.take() == nil)
        #expect(queue.take() == nil)
    }

    @Test("keys are positive, new and in order, also when the clock is set back and in one millisecond")
    func keys() {
        let clock = HandClock()
        let ids = IDSource(clocks: clock.clocks)
        var last: RepositoryID = ids.next()
        #expect(last.value > 0)
        for step in 0..<10_000 {
            if step % 1000 == 0 { clock.advance(by: step % 3000 == 0 ? .seconds(-3600) : .milliseconds(1)) }
            let next: RepositoryID = ids.next()
            #expect(next > last)
            last = next
        }
        clock.advance(by: .seconds(3600 * 24 * 365 * 500), wallOnly: true)
        let far: RepositoryID = ids.next()
        #expect(far > last)
    }

    @Test("moments at the ends of what can be said do not trap")
    func moments() {
        let ends = [Int64.min, -1, 0, 1, .max].map(Timestamp.init(milliseconds:))
        for moment in ends {
            for duration in [Duration.seconds(Int64.max / 2), .zero, .seconds(-1), .seconds(Int64.min / 2)] {
                #expect(duration > .zero ? moment + duration >= moment : moment + duration <= moment)
            }
            for other in ends { #expect((moment - other < .zero) == (moment < other)) }
        }
    }

    @Test("a digest's compact form is its own and comes back")
    func digests() throws {
        for algorithm in Digest.Algorithm.allCases {
            let digest = ContentHash.digest(algorithm, of: [1, 2, 3])
            #expect(digest.compact.count == algorithm.hexLength / 2 + 1)
            #expect(Digest(compact: digest.compact) == digest)
            #expect(Digest(compact: Array(digest.compact.dropLast())) == nil)
        }
        #expect(Digest(compact: []) == nil)
        #expect(Digest(compact: [9] + [UInt8](repeating: 0, count: 32)) == nil)
    }
}
