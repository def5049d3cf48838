import LoadKit
import Synchronization
import Testing

@Suite("What an event loop does with its connections")
struct PoolTests {
    private func settings(_ url: String, _ profile: LoadProfile) throws -> (RunSettings, Endpoint) {
        let endpoint = try Target(parsing: url).endpoint
        var settings = RunSettings(profile: profile)
        settings.connections.addresses[endpoint] = try AddressBook.addresses(of: endpoint)
        return (settings, endpoint)
    }

    @Test("answers are read while arrivals come close together")
    func noStarvation() async throws {
        final class Counting: Workload, Flow {
            let request: Request
            let answered = Atomic<Int>(0)
            let answeredBeforeLast = Atomic<Int>(0)

            init(_ request: Request) { self.request = request }

            func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork {
                answeredBeforeLast.store(answered.load(ordering: .relaxed), ordering: .relaxed)
                return .flow(self)
            }

            func run(_ session: Session) async throws(Failure) {
                _ = try await session.expect(request)
                answered.add(1, ordering: .relaxed)
            }
        }
        let server = try await TestServer { _ in .answer(200, [], "") }
        let profile = LoadProfile.open(try Schedule(stages: [.constant(20_000, lasting: .seconds(3))]))
        var (settings, endpoint) = try settings(server.url, profile)
        settings.connections.limit = 4
        let workload = Counting(Request(.get, "GET", endpoint, "/"))
        _ = try await Generator.with(settings) { try await $0.run(workload) }
        #expect(workload.answeredBeforeLast.load(ordering: .relaxed) > 0)
        try await server.stop()
    }

    @Test("on a connection that has gone stale a GET is sent again, a POST is not", arguments: ["GET", "POST"])
    func stale(method: String) async throws {
        struct Twice: Workload, Flow {
            let first: Request
            let second: Request
            func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork { .flow(self) }
            func run(_ session: Session) async throws(Failure) {
                _ = try await session.expect(first)
                _ = try await session.expect(second)
            }
        }
        let server = try await TestServer { $0.path == "/cut" ? .hangUp : .answer(200, [], "") }
        let (settings, endpoint) = try settings(
            server.url, .open(try Schedule(stages: [.constant(5, lasting: .seconds(1))])))
        let workload = Twice(
            first: Request(.get, "GET", endpoint, "/"), second: Request(.get, method, endpoint, "/cut"))
        let report = try await Generator.with(settings) { try await $0.run(workload) }
        #expect(report.arrivals.failures == ["closed-early": 5])
        #expect(server.asked.filter { $0.path == "/cut" }.count == (method == "GET" ? 10 : 5))
        try await server.stop()
    }

    @Test("an answer behind the deadline is a timeout, whenever that is noticed")
    func deadlines() async throws {
        let server = try await TestServer { _ in .late(.milliseconds(120), .answer(200, [], "")) }
        var (settings, endpoint) = try settings(
            server.url, .open(try Schedule(stages: [.constant(30, lasting: .seconds(1))])))
        settings.requestTimeout = .milliseconds(100)
        let workload = SingleRequest(Request(.get, "GET", endpoint, "/"))
        let report = try await Generator.with(settings) { try await $0.run(workload) }
        #expect(report.arrivals.failures == ["timeout": 30])
        try await server.stop()
    }

    @Test("a closed loop with too few connections is invalid too")
    func closedLoop() async throws {
        let server = try await TestServer { _ in .late(.milliseconds(5), .answer(200, [], "")) }
        var (settings, endpoint) = try settings(server.url, .closed(clients: 5, lasting: .seconds(1)))
        settings.connections.limit = 2
        let workload = SingleRequest(Request(.get, "GET", endpoint, "/"))
        let report = try await Generator.with(settings) { try await $0.run(workload) }
        #expect(report.doubts.contains { $0.contains("waited for a free connection") })
        try await server.stop()
    }
}
