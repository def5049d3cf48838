import CLinux
import Glibc
import Runtime
import Store
import Synchronization
import Testing

@Suite("BlockingExecutor")
struct BlockingExecutorTests {
    @Test("values and errors come back")
    func outcomes() async throws {
        let executor = BlockingExecutor(name: "test", threads: 2, capacity: 10)
        #expect(try await executor.run { () throws(StoreError) in 42 } == 42)
        #expect(
            await storeError { try await executor.run { () throws(StoreError) in throw StoreError(.full, "x") } }
                == .full)
        executor.stop()
        #expect(await storeError { try await executor.run { () throws(StoreError) in } } == .overloaded)
    }

    @Test("a nice one lets other threads go first, and the others are as they were")
    func niceness() async throws {
        let nice = BlockingExecutor(name: "test", threads: 1, capacity: 1, courtesy: .nice(19))
        let ordinary = BlockingExecutor(name: "test", threads: 1, capacity: 1)
        defer {
            nice.stop()
            ordinary.stop()
        }
        let own = Self.niceness
        #expect(try await nice.run { () throws(StoreError) in Self.niceness } == 19)
        #expect(try await ordinary.run { () throws(StoreError) in Self.niceness } == own)
        let idle = BlockingExecutor(name: "test", threads: 1, capacity: 1, courtesy: .idle)
        defer { idle.stop() }
        // SCHED_IDLE, or as nice as can be where that is not to be had.
        let policy = try await idle.run { () throws(StoreError) in (aerugo_policy(), Self.niceness) }
        #expect(policy.0 == 5 || policy.1 == 19)
    }

    @Test("where the idle threads get nothing done another does it, and of what is done twice the first is heard")
    func stuck() async throws {
        let polite = PoliteExecutor(name: "test", threads: 2, capacity: 10, patience: .seconds(600))
        defer { polite.stop() }
        #expect(try await polite.run { () throws(StoreError) in 7 } == 7)
        #expect(
            await storeError { try await polite.run { () throws(StoreError) in throw StoreError(.full, "") } } == .full)
        // Both threads stand as if others had the core for ever.
        let gate = Gate()
        let runs = Counter()
        let values = await withTaskGroup(of: Int?.self) { group in
            for number in 1...4 {
                group.addTask {
                    do throws(StoreError) {
                        return try await polite.run { () throws(StoreError) in
                            if aerugo_policy() == 5 || Self.niceness == 19 { gate.wait() }
                            runs.value.withLock { $0 += 1 }
                            return number
                        }
                    } catch { return nil }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(values) == [1, 2, 3, 4])
        #expect(runs.value.withLock { $0 } == 4)
        gate.open()
    }

    private final class Counter: Sendable {
        let value = Mutex(0)
    }

    /// Of the calling thread.
    private static var niceness: Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }

    @Test("past its queue, work is refused at once")
    func bounded() async throws {
        let executor = BlockingExecutor(name: "test", threads: 1, capacity: 1)
        let gate = Gate()
        await withTaskGroup { group in
            group.addTask { await storeError { try await executor.run { () throws(StoreError) in gate.wait() } } }
            await gate.waitUntilReached()
            let codes = await withTaskGroup(of: StoreError.Code?.self) { jobs in
                for _ in 0..<10 {
                    jobs.addTask { await storeError { try await executor.run { () throws(StoreError) in } } }
                }
                var refused: [StoreError.Code?] = []
                // One waits behind the gate, nine are told at once.
                for await code in jobs {
                    refused.append(code)
                    if refused.count == 9 { gate.open() }
                }
                return refused
            }
            #expect(codes.filter { $0 == .overloaded }.count == 9)
            for await code in group { #expect(code == nil) }
        }
    }
}
