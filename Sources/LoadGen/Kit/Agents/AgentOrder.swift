/// What a coordinator asks an agent to send.
package struct AgentOrder: Codable, Sendable {
    /// The target, as the user named it.
    package var url: String
    /// `nil` is a plain GET of the URL.
    package var scenario: Scenario?
    /// A connection a request.
    package var closesConnections: Bool
    /// The whole of it: the agent takes its share.
    package var profile: LoadProfile
    /// Stretches before and after the figures, at most a year.
    package var warmUp: Duration
    package var coolDown: Duration
    /// Deadline of each request, at most a year.
    package var requestTimeout: Duration
    /// What an interval of the report covers.
    package var intervalWidth: Duration
    /// Closed loop: between an answer and the next arrival.
    package var think: Duration
    /// Of content, arrivals and choices: the same for all agents.
    package var seed: UInt64
    /// This agent's place, `0 ..< shares`.
    package var share: Int
    /// How many agents there are, 1 ... 4096.
    package var shares: Int
    /// What was pushed stays, even when the coordinator is gone.
    package var keeps: Bool
    /// Number of the run's first arrival.
    package var firstIndex: UInt64
    /// The most connections of this agent.
    package var connections: Int
    /// The agent's own wall clock at which to begin, nanoseconds since 1970.
    package var beginAt: UInt64

    /// An order for the whole; the coordinator fills in the shares and the moment.
    package init(
        url: String, scenario: Scenario?, closesConnections: Bool, profile: LoadProfile, warmUp: Duration,
        coolDown: Duration,
        requestTimeout: Duration, intervalWidth: Duration, think: Duration, seed: UInt64, connections: Int,
        keeps: Bool = false
    ) {
        self.url = url
        self.scenario = scenario
        self.closesConnections = closesConnections
        self.profile = profile
        self.warmUp = warmUp
        self.coolDown = coolDown
        self.requestTimeout = requestTimeout
        self.intervalWidth = intervalWidth
        self.think = think
        self.seed = seed
        self.connections = connections
        self.keeps = keeps
        share = 0
        shares = 1
        firstIndex = 0
        beginAt = 0
    }

    /// Checks what decoding cannot. Throws with the first thing that is out of bounds.
    package func check() throws(RunError) {
        let longest = Duration.seconds(31_622_400)
        let lengths = [warmUp, coolDown, requestTimeout, intervalWidth, think]
        guard lengths.allSatisfy({ $0 >= .zero && $0 <= longest }), requestTimeout > .zero else {
            throw RunError("a length of the order is out of bounds")
        }
        guard (1...4096).contains(shares), (0..<shares).contains(share), (1...1_000_000).contains(connections) else {
            throw RunError("the order's share or connections are out of bounds")
        }
        if case .closed(let clients, let length) = profile {
            guard (1...1_000_000).contains(clients), length > .zero, length <= longest else {
                throw RunError("the order's clients or length are out of bounds")
            }
        }
        guard beginAt < MonotonicClock.wall() + 3_600_000_000_000 else {
            throw RunError("the order begins more than an hour from now")
        }
        guard scenario?.isWithinBounds ?? true else { throw RunError("the order's scenario is out of bounds") }
    }
}

/// An agent's clock, as it answers `GET /clock`.
package struct AgentClock: Codable, Sendable {
    /// Nanoseconds since 1970.
    package var wall: UInt64

    /// - Parameter wall: nanoseconds since 1970.
    package init(wall: UInt64) {
        self.wall = wall
    }
}

/// What an agent answers to its order.
package struct AgentResult: Codable, Sendable {
    /// Its part of the figures.
    package var report: RunReport
    /// One more than the highest arrival that it has begun: how far clean-up has to look.
    package var nextIndex: UInt64

    /// A part of a run.
    package init(report: RunReport, nextIndex: UInt64) {
        self.report = report
        self.nextIndex = nextIndex
    }
}

/// Why an agent did not do what it was asked.
struct AgentRefusal: Codable {
    /// For people.
    let error: String
}
