/// A scenario against one registry: decides what each arrival does, from its index and the seed alone.
package struct RegistryWorkload: PushingWorkload {
    /// What arrivals do.
    package let scenario: Scenario
    /// Who they are.
    package let client: RegistryClient
    /// What they push and pull.
    package let plan: ContentPlan
    /// What set-up pushes and arrivals pull.
    package let images: [Image]
    /// What set-up makes through the management API and arrivals ask for there.
    package let accounts: AccountPlan
    private let popularity: Popularity
    private let target: Target

    /// Plans the content; nothing is sent.
    package init(scenario: Scenario, client: RegistryClient, target: Target, seed: UInt64) {
        self.scenario = scenario
        self.client = client
        self.target = target
        plan = ContentPlan(scenario: scenario, seed: seed)
        images = plan.pulledImages()
        accounts = AccountPlan(scenario: scenario, seed: seed)
        popularity = Popularity(
            count: scenario.existing?.references.count ?? images.count, exponent: scenario.zipf)
    }

    /// The steps that the scenario draws for arrival `index`.
    package func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork {
        let action = scenario.action(at: random.unit())
        switch action {
        case .client(let action):
            return .flow(RegistryFlow(workload: self, action: action, index: index, choice: popularity.draw(&random)))
        case .management(let question):
            return .flow(ManageFlow(workload: self, question: question))
        }
    }

    /// What arrival `index` leaves in the registry, if anything.
    package func leftover(_ index: UInt64) -> Image? {
        var random = SeededRandom(seed: plan.seed, purpose: index)
        let action = scenario.action(at: random.unit())
        let choice = popularity.draw(&random)
        return plan.image(action.leaves, index, from: images.indices.contains(choice) ? images[choice] : nil)
    }

    /// The image that `choice` stands for. Throws where there is none.
    func pulled(_ choice: Int) throws(Failure) -> PulledImage {
        guard let existing = scenario.existing else { return .made(try made(choice)) }
        guard existing.references.indices.contains(choice) else { throw .unusable }
        return .existing(repository: existing.repository, reference: existing.references[choice])
    }

    /// The image of set-up that `choice` stands for. Throws where there is none.
    func made(_ choice: Int) throws(Failure) -> Image {
        guard images.indices.contains(choice) else { throw .unusable }
        return images[choice]
    }

    /// The longest that the pauses of an arrival can be.
    package var length: Duration { scenario.pause * Int(RegistryFlow.longestPause) }

    /// What the names of its repositories begin with.
    package var prefix: String {
        scenario.managesAccounts && !scenario.uses({ $0.makesContent || $0.needsImages })
            ? accounts.organization : plan.prefix
    }

    /// Some arrivals ask the management API.
    package var managesAccounts: Bool { scenario.managesAccounts }

    /// What set-up pushed and made.
    package var prepared: [[Leftover]] { (images + plan.baseImages()).map(Leftover.of) + accounts.leftovers }

    /// Some arrivals leave content.
    package var arrivalsPush: Bool { scenario.uses(\.makesContent) }

    /// What clean-up deletes for arrival `index`.
    package func leftovers(_ index: UInt64) -> [Leftover] { leftover(index).map(Leftover.of) ?? [] }

    var plainPath: String { target.path }
}
