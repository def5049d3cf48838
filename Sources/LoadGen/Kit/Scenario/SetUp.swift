/// What set-up did.
package struct Preparation: Sendable {
    /// Images pushed, and their bytes.
    package var images = 0
    package var bytes = 0
    /// How long it took.
    package var seconds = 0.0
}

extension RegistryWorkload {
    /// Pushes the images that arrivals will ask for. Throws at the first failure, and ``Failure/cancelled`` when stopped.
    package func setUp(
        _ generator: Generator, stop: any StopSignal = NeverStops()
    ) async throws(Failure) -> Preparation {
        let began = MonotonicClock.now()
        let images = self.images + plan.baseImages()
        guard !images.isEmpty else { return Preparation() }
        try await generator.perform(PushFlow(workload: self, images: images), stop: stop, grace: .seconds(5))
        var done = Preparation()
        done.images = images.count
        done.bytes = images.reduce(0) { $0 + $1.layerBytes }
        done.seconds = Double(MonotonicClock.now() - began) / 1e9
        return done
    }
}

extension RegistryClient {
    /// Logs every event loop in and looks whether the target answers as a registry. Throws what it met, and
    /// ``Failure/cancelled`` when stopped.
    package func logIn(_ generator: Generator, stop: any StopSignal = NeverStops()) async throws(Failure) {
        for place in generator.workers.indices {
            try await generator.perform(LogInFlow(client: self), on: place, stop: stop)
        }
    }
}

extension Generator {
    /// Some event loop has been asked by the target who it is.
    package func wasAskedToLogIn() async throws -> Bool {
        for worker in workers where try await worker.perform({ $0.logins.way != nil }) { return true }
        return false
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

    func run(_ session: Session) async throws(Failure) {
        try await session.parallel(images.count, width: 4) { (session, place) throws(Failure) in
            let flow = RegistryFlow(workload: workload, action: .push, index: 0, choice: 0)
            try await flow.push(images[place], session)
        }
    }
}
