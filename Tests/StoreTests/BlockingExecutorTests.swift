import Runtime
import Store
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
