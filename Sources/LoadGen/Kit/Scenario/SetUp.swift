/// What set-up did.
package struct Preparation: Sendable {
    /// Images pushed, and their bytes.
    package var images = 0
    package var bytes = 0
    /// Users and repositories made through the management API.
    package var users = 0
    package var repositories = 0
    /// How long it took.
    package var seconds = 0.0
}

extension RegistryWorkload {
    /// Makes the users and repositories, and pushes the images that arrivals will ask for. Throws at the first failure, and ``Failure/cancelled`` when stopped.
    package func setUp(
        _ generator: Generator, stop: any StopSignal = NeverStops()
    ) async throws(Failure) -> Preparation {
        let began = MonotonicClock.now()
        let images = self.images + plan.baseImages()
        var done = Preparation()
        if let counts = accounts.counts {
            try await generator.perform(
                AccountSetUp(plan: accounts, client: client), stop: stop, grace: .seconds(5))
            (done.users, done.repositories) = (counts.users, counts.repositories)
        }
        if !images.isEmpty {
            try await generator.perform(PushFlow(workload: self, images: images), stop: stop, grace: .seconds(5))
        }
        done.images = images.count
        done.bytes = images.reduce(0) { $0 + $1.layerBytes }
        done.seconds = Double(MonotonicClock.now() - began) / 1e9
        return done
    }
}

extension RegistryClient {
    /// Logs every event loop in and looks whether the target answers as a registry. Throws what it met, and
    /// ``Failure/cancelled`` when stopped.
    ///
    /// - Parameter managing: to the management API too.
    package func logIn(
        _ generator: Generator, managing: Bool = false, stop: any StopSignal = NeverStops()
    ) async throws(Failure) {
        for place in generator.workers.indices {
            try await generator.perform(LogInFlow(client: self, isManaging: managing), on: place, stop: stop)
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
    let isManaging: Bool

    func run(_ session: Session) async throws(Failure) {
        try await client.ping(session)
        if isManaging { try await client.logInToManage(session) }
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
