import Foundation
import Synchronization

/// Work on OS threads: blocking transfers have no place on Swift's cooperative pool.
package enum Threads {
    /// Runs `work` for every number below `count`, on at most `width` threads, and waits for all.
    package static func run(_ count: Int, width: Int, _ work: @escaping @Sendable (Int) -> Void) {
        let job = Job(count: count, work: work)
        let group = DispatchGroup()
        for _ in 0..<max(1, min(width, count)) {
            group.enter()
            let thread = Thread {
                job.drain()
                group.leave()
            }
            thread.stackSize = 4 << 20
            thread.start()
        }
        group.wait()
    }

    private final class Job: Sendable {
        private let next = Mutex(0)
        private let count: Int
        private let work: @Sendable (Int) -> Void

        init(count: Int, work: @escaping @Sendable (Int) -> Void) {
            self.count = count
            self.work = work
        }

        private func take() -> Int? {
            next.withLock { taken in
                guard taken < count else { return nil }
                taken += 1
                return taken - 1
            }
        }

        func drain() {
            while let number = take() { work(number) }
        }
    }
}

extension Probe {
    /// Runs `work` `count` times at once, each with a connection of its own, and gives the results in order.
    /// Throws the error of the lowest number that had one.
    package func parallel<Result: Sendable>(
        _ count: Int, _ work: @escaping @Sendable (Probe, Int) throws -> Result
    ) throws -> [Result] {
        let lanes = try (0..<count).map { Lane(probe: try beside($0)) }
        let results = Slots<Swift.Result<Result, any Error>>(count)
        Threads.run(count, width: count) { number in
            results.set(number, Swift.Result { try work(lanes[number].probe, number) })
        }
        return try results.all.map { try $0.get() }
    }
}

/// A probe on its way to the one thread that will use it.
private struct Lane: @unchecked Sendable {
    // Invariant: only the thread that runs this lane's number touches the probe, until all threads have ended.
    let probe: Probe
}

/// Places for results that threads fill in any order.
private final class Slots<Value: Sendable>: Sendable {
    private let values: Mutex<[Int: Value]>
    private let count: Int

    init(_ count: Int) {
        self.count = count
        values = Mutex([:])
    }

    func set(_ number: Int, _ value: Value) {
        values.withLock { $0[number] = value }
    }

    var all: [Value] {
        values.withLock { values in (0..<count).compactMap { values[$0] } }
    }
}
