import NIOCore
import NIOPosix

/// The event loops of one process and their workers: made once, used for set-up, one or several runs, and clean-up.
package final class Generator: Sendable {
    /// A worker as other threads may hold it.
    struct Handle: Sendable {
        let loop: any EventLoop
        let bound: NIOLoopBound<Worker>

        /// Does something on the worker's loop.
        func perform<Result: Sendable>(_ body: @escaping @Sendable (Worker) -> Result) async throws -> Result {
            try await loop.submit { body(bound.value) }.get()
        }
    }

    /// As given at the start.
    package let settings: RunSettings
    private let group: MultiThreadedEventLoopGroup
    let workers: [Handle]

    private init(settings: RunSettings, group: MultiThreadedEventLoopGroup, workers: [Handle]) {
        self.settings = settings
        self.group = group
        self.workers = workers
    }

    /// Starts the event loops. Throws only where the system has no threads to give.
    package static func start(_ settings: RunSettings) async throws -> Generator {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, settings.threads))
        var own = Worker.Settings()
        own.connections = settings.connections
        own.requestTimeout = settings.requestTimeout
        own.think = settings.think
        own.seed = settings.seed
        own.activeLimit = settings.activeLimit
        let constant = own
        var workers: [Handle] = []
        for _ in 0..<max(1, settings.threads) {
            let loop = group.next()
            workers.append(
                try await loop.submit {
                    ThreadPriority.raise(isRealTime: settings.isRealTime)
                    return Handle(
                        loop: loop, bound: NIOLoopBound(Worker(loop: loop, settings: constant), eventLoop: loop))
                }.get())
        }
        return Generator(settings: settings, group: group, workers: workers)
    }

    /// Starts the event loops for as long as `body` lasts, and ends them whether it succeeds or throws.
    package static func with<Result>(
        _ settings: RunSettings, _ body: (Generator) async throws -> Result
    ) async throws -> Result {
        let generator = try await start(settings)
        let result: Result
        do {
            result = try await body(generator)
        } catch {
            try await generator.shutDown()
            throw error
        }
        try await generator.shutDown()
        return result
    }

    /// Runs steps outside any figures: set-up, clean-up, a look at the target. Worker `place` does it. Once `stop` says
    /// so, no request begins any more, what is on its way has `grace`, and the rest ends as ``Failure/cancelled``.
    ///
    /// - Parameter grace: an upload whose answer is not waited for is one that nobody can cancel.
    package func perform(
        _ flow: any Flow, on place: Int = 0, stop: any StopSignal = NeverStops(), grace: Duration = .zero
    ) async throws(Failure) {
        guard !stop.isStopped else { throw .cancelled }
        async let _ = cancel(when: stop, grace)
        let handle = workers[place % workers.count]
        let failure: Failure? = await withUnsafeContinuation { continuation in
            handle.loop.execute {
                let worker = handle.bound.value
                let session = Session(
                    worker: worker, intended: MonotonicClock.now(), isRecorded: false, stop: stop,
                    random: SeededRandom(seed: worker.settings.seed, purpose: 0))
                worker.run(flow, session) { continuation.resume(returning: $0) }
            }
        }
        if let failure { throw failure }
    }

    private func cancel(when stop: any StopSignal, _ grace: Duration) async throws {
        try await stop.stopped()
        try await Task.sleep(for: grace)
        while true {
            for worker in workers { try await worker.perform { $0.cancel() } }
            try await Task.sleep(nanoseconds: 50_000_000)
        }
    }

    /// Makes `count` connections to `endpoint`, spread over the event loops, before anything is timed. Throws what kept one from
    /// being made.
    package func connect(to endpoint: Endpoint, count: Int) async throws(Failure) {
        for (place, handle) in workers.enumerated() {
            let mine = count / workers.count + (place < count % workers.count ? 1 : 0)
            let failure: Failure? = await withUnsafeContinuation { continuation in
                handle.loop.execute {
                    handle.bound.value.pool.prepare(endpoint, count: mine) { continuation.resume(returning: $0) }
                }
            }
            if let failure { throw failure }
        }
    }

    /// Closes all connections and ends the threads.
    package func shutDown() async throws {
        for worker in workers { try await worker.perform { $0.cancel() } }
        try await group.shutdownGracefully()
    }
}
