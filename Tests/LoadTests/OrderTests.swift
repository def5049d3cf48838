import LoadKit
import Testing

extension AgentOrder {
    /// An order as a coordinator would send it.
    static func sample(_ profile: LoadProfile? = nil, _ scenario: Scenario? = nil) throws -> AgentOrder {
        let constant = LoadProfile.open(try Schedule(stages: [.constant(1, lasting: .seconds(1))]))
        return AgentOrder(
            url: "http://h/", scenario: scenario, closesConnections: false, profile: profile ?? constant, warmUp: .zero,
            coolDown: .zero, requestTimeout: .seconds(1), intervalWidth: .seconds(1), think: .zero, seed: 1,
            connections: 1)
    }
}

extension Scenario {
    /// A scenario with what an order can get wrong.
    static func sample(_ change: (inout Scenario) -> Void = { _ in }) -> Scenario {
        var scenario = Scenario()
        scenario.choices = [.init(action: .client(.push), weight: 1), .init(action: .client(.pull), weight: 2)]
        scenario.images.sizes = .curve([.init(size: 300, share: 0), .init(size: 4096, share: 1)], name: "short")
        change(&scenario)
        return scenario
    }
}

@Suite("Orders for agents")
struct OrderTests {
    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let make: @Sendable (inout AgentOrder, inout Scenario) -> Void

        init(_ testDescription: String, _ make: @escaping @Sendable (inout AgentOrder, inout Scenario) -> Void) {
            self.testDescription = testDescription
            self.make = make
        }
    }

    static let faults = [
        Fault("no share") { order, _ in order.shares = 0 },
        Fault("a moment far off") { order, _ in order.beginAt = .max },
        Fault("a length of ages") { order, _ in order.warmUp = Duration.seconds(Int64.max) * 4 },
        Fault("too many clients") { order, _ in order.profile = .closed(clients: .max, lasting: .seconds(1)) },
        Fault("no reference") { $1.existing = .init(repository: "a", references: []) },
        Fault("a reference that ends its line") { $1.existing = .init(repository: "a", references: ["b\r\nX: y"]) },
        Fault("no choice") { $1.choices = [] },
        Fault("no weight") { $1.choices = [.init(action: .client(.pull), weight: 0)] },
        Fault("a weight below nothing") { $1.choices[0].weight = -1 },
        Fault("a weight without end") { $1.choices[0].weight = .infinity },
        Fault("no number for a weight") { $1.choices[0].weight = .nan },
        Fault("a share below nothing") { $1.images.dedupe = -0.5 },
        Fault("no repository") { $1.images.repositories = 0 },
        Fault("an exponent below nothing") { $1.zipf = -1 },
        Fault("no exponent") { $1.zipf = .nan },
        Fault("no blob at once") { $1.parallel = 0 },
        Fault("too many blobs at once") { $1.parallel = 65 },
        Fault("a pause of ages") { $1.pause = Duration.seconds(Int64.max) * 4 },
        Fault("a size that nobody has") { $1.images.sizes = .fixed(.max) },
        Fault("a size above the bound") { $1.images.sizes = .fixed(68_719_476_737) },
        Fault("a range that nobody has") { $1.images.sizes = .between(1, .max) },
        Fault("a range upside down") { $1.images.sizes = .between(9, 1) },
        Fault("no curve") { $1.images.sizes = .curve([], name: "x") },
        Fault("a curve without end") { $1.images.sizes = .curve([.init(size: .infinity, share: 1)], name: "x") },
        Fault("a curve from nothing") {
            $1.images.sizes = .curve([.init(size: 0, share: 0), .init(size: 9, share: 1)], name: "x")
        },
        Fault("a curve that turns back") {
            $1.images.sizes = .curve([.init(size: 9, share: 1), .init(size: 10, share: 0)], name: "x")
        },
        Fault("a curve of large sizes") {
            $1.images.sizes = .curve([.init(size: 1, share: 0), .init(size: 1e300, share: 1)], name: "x")
        },
    ]

    @Test("what an order cannot ask for is refused", arguments: faults)
    func refused(fault: Fault) throws {
        var order = try AgentOrder.sample()
        var scenario = Scenario.sample()
        order.scenario = scenario
        try order.check()
        fault.make(&order, &scenario)
        order.scenario = scenario
        #expect(throws: RunError.self) { try order.check() }
    }

    @Test("no number in an order stops the agent: it is refused, or all that follows from it can be reckoned")
    func extremes() async throws {
        let stages: [Stage] = [
            .ramp(from: 1, to: 5, lasting: .seconds(9)), .burst(size: 2, every: .seconds(1), lasting: .seconds(3)),
        ]
        let orders = [
            try AgentOrder.sample(.open(try Schedule(stages: stages, spacing: .poisson)), Scenario.sample()),
            try AgentOrder.sample(
                .closed(clients: 1, lasting: .seconds(1)),
                Scenario.sample {
                    $0.images.sizes = .between(40, 400)
                    $0.images.largest = 300
                    $0.images.dedupe = 0.5
                }),
            try AgentOrder.sample(
                nil,
                Scenario.sample {
                    $0.choices = [.init(action: .client(.blob), weight: 1)]
                    $0.images.sizes = .fixed(50)
                    $0.existing = .init(repository: "a", references: ["b", "c"])
                }),
        ]
        let server = AgentServer(secret: nil) { order, _ in
            try Self.reckon(order)
            return "{}"
        }
        var statuses: [Int: Int] = [:]
        for order in orders {
            let text = try ReportFile.json(order)
            for place in Self.numbers(text) {
                for extreme in Self.extremes {
                    var bytes = Array(text.utf8)
                    bytes.replaceSubrange(place, with: Array(extreme.utf8))
                    statuses[await server.answer("POST", "/run", authorization: nil, body: bytes).0, default: 0] += 1
                }
            }
        }
        #expect(Set(statuses.keys) == [200, 400])
        #expect(statuses.values.allSatisfy { $0 > 100 })
    }

    private static let extremes = [
        "0", "-1", "1", "0.5", "65536", "4611686018427387904", "9223372036854775807", "-9223372036854775808",
        "18446744073709551615", "1e-300", "1e300", "-1e300", "null",
    ]

    /// Where the numbers of a JSON text are.
    private static func numbers(_ text: String) -> [Range<Int>] {
        let bytes = Array(text.utf8)
        var found: [Range<Int>] = []
        var isInText = false
        var start: Int?
        for (place, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\"") { isInText.toggle() }
            let isPart = !isInText && (Array("+-.eE".utf8).contains(byte) || (0x30...0x39).contains(byte))
            if isPart, start == nil, byte != UInt8(ascii: "e") { start = place }
            guard !isPart, let begin = start else { continue }
            found.append(begin..<place)
            start = nil
        }
        return found
    }

    /// What an agent reckons with an order before it sends anything, and for a few arrivals.
    private static func reckon(_ order: AgentOrder) throws {
        let target = try Target(parsing: order.url)
        _ = order.profile.summary
        _ = order.profile.arrivalBound(RunSettings(profile: order.profile))
        if case .open(let schedule) = order.profile {
            for arrival in ArrivalSequence(schedule, share: order.share, of: order.shares).prefix(20) {
                #expect(arrival.offset <= schedule.length.nanoseconds)
            }
        }
        guard let scenario = order.scenario else { return }
        _ = [0, 0.3, 1].map { scenario.images.sizes.size(at: $0) }
        // Large ones are allowed, and take their time.
        let images = scenario.images
        guard images.sizes.size(at: 1) <= 65_536, images.count * images.layers * images.repositories <= 10_000 else {
            return
        }
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: order.seed)
        var random = SeededRandom(seed: order.seed)
        for index in [0, order.firstIndex, .max] {
            _ = workload.arrival(index, random: &random)
            _ = workload.leftover(index)
        }
    }
}
