import Synchronization

/// What set-up or clean-up did.
package struct Preparation: Sendable {
    /// Images pushed or deleted, and their bytes.
    package var images = 0
    package var bytes = 0
    /// How long it took.
    package var seconds = 0.0
    /// Failures of clean-up by kind: told, never fatal.
    package var failures: [String: Int] = [:]
}

/// Pushes what a scenario needs and takes away what it left. None of it counts.
package struct Stagehand: Sendable {
    private let generator: Generator
    private let workload: RegistryWorkload

    /// Sets up and cleans up for `workload` through `generator`.
    package init(generator: Generator, workload: RegistryWorkload) {
        self.generator = generator
        self.workload = workload
    }

    /// Pushes the images that arrivals will ask for. Throws at the first failure, and ``Failure/cancelled`` when stopped.
    package func setUp(stop: any StopSignal = NeverStops()) async throws(Failure) -> Preparation {
        let began = MonotonicClock.now()
        let images = workload.images + workload.plan.baseImages()
        guard !images.isEmpty else { return Preparation() }
        try await generator.perform(PushFlow(workload: workload, images: images, stop: stop))
        var done = Preparation()
        done.images = images.count
        done.bytes = images.reduce(0) { $0 + $1.layerBytes }
        done.seconds = Double(MonotonicClock.now() - began) / 1e9
        return done
    }

    /// Deletes what set-up and the first `arrivals` arrivals made, for at most `limit`.
    package func cleanUp(arrivals: UInt64, limit: Duration) async -> Preparation {
        let began = MonotonicClock.now()
        let flow = DeleteFlow(
            workload: workload, arrivals: arrivals, until: began &+ limit.nanoseconds)
        var done = Preparation()
        do throws(Failure) {
            try await generator.perform(flow)
        } catch {
            done.failures[error.name, default: 0] += 1
        }
        let (images, failures) = flow.tally.read()
        done.images = images
        done.failures.merge(failures, uniquingKeysWith: +)
        done.seconds = Double(MonotonicClock.now() - began) / 1e9
        return done
    }
}

extension RegistryClient {
    /// Logs every event loop in and looks whether the target answers as a registry. Throws what it met.
    package func logIn(_ generator: Generator) async throws(Failure) {
        for place in generator.workers.indices { try await generator.perform(LogInFlow(client: self), on: place) }
    }
}

private struct LogInFlow: Flow {
    let client: RegistryClient

    func run(_ session: Session) async throws(Failure) {
        try await client.ping(session)
    }
}

private struct PushFlow: Flow {
    let workload: RegistryWorkload
    let images: [Image]
    let stop: any StopSignal

    func run(_ session: Session) async throws(Failure) {
        try await session.parallel(images.count, width: 4) { (session, place) throws(Failure) in
            guard !stop.isStopped else { throw .cancelled }
            let flow = RegistryFlow(workload: workload, action: .push, index: 0, choice: 0)
            try await flow.push(images[place], session)
        }
    }
}

/// Counts of several steps at once.
final class Tally: Sendable {
    private let counts = Mutex<(Int, [String: Int])>((0, [:]))

    func deleted() {
        counts.withLock { $0.0 += 1 }
    }

    func failed(_ failure: Failure) {
        counts.withLock { $0.1[failure.name, default: 0] += 1 }
    }

    func read() -> (Int, [String: Int]) { counts.withLock { $0 } }
}

private struct DeleteFlow: Flow {
    let workload: RegistryWorkload
    let arrivals: UInt64
    let until: Nanoseconds
    let tally = Tally()

    func run(_ session: Session) async throws(Failure) {
        let made = workload.images + workload.plan.baseImages()
        try await session.parallel(made.count, width: 8) { (session, place) throws(Failure) in
            try await delete(made[place], session)
        }
        guard workload.scenario.uses(\.makesContent) else { return }
        let batch: UInt64 = 256
        for start in stride(from: 0, to: arrivals, by: UInt64.Stride(batch)) {
            let left = (start..<min(start + batch, arrivals)).compactMap(workload.leftover)
            try await session.parallel(left.count, width: 8) { (session, place) throws(Failure) in
                try await delete(left[place], session)
            }
        }
    }

    /// A registry that does not delete says so at the first image; then there is nothing to be done.
    private func delete(_ image: Image, _ session: Session) async throws(Failure) {
        guard MonotonicClock.now() < until else { throw .timeout }
        do throws(Failure) {
            try await workload.client.deleteManifest(image.repository, image.digest, session)
            for digest in [image.configDigest] + image.layers.map(\.digest) {
                try await workload.client.deleteBlob(image.repository, digest, session)
            }
            tally.deleted()
        } catch {
            tally.failed(error)
            if error == .status(405) || error == .refused || error == .cancelled { throw error }
        }
    }
}
