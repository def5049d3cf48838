import NIOCore
import Synchronization

/// Has several agents keep one schedule together and merges what they saw, loss-free.
package final class Coordinator: Sendable {
    /// One agent with the distance of its clock from ours.
    private struct Agent: Sendable {
        let endpoint: Endpoint
        /// Agent's wall clock minus ours, nanoseconds.
        let offset: Int64
        /// Half of the quickest round trip: how wrong the offset can be.
        let doubt: Nanoseconds
    }

    private let generator: Generator
    private let secret: String?
    private let agents: [Agent]
    private let told = Mutex<(agents: Int, nextIndex: UInt64)>((0, 0))

    /// One more than the highest arrival that any agent has told of, and whether all have.
    package var arrivalsSoFar: (nextIndex: UInt64, isCertain: Bool) {
        told.withLock { ($0.nextIndex, $0.agents == agents.count) }
    }

    /// Time that orders need to get there, and agents to log in, on machines that are busy too.
    private static let lead: Nanoseconds = 5_000_000_000
    /// How long an agent may take for a short answer.
    package static let patience = Duration.seconds(10)
    private static let longestReport = 268_435_456

    /// Asks each agent for its clock. Throws when one does not answer.
    ///
    /// - Parameters:
    ///   - generator: only carries the talk with the agents; its request timeout must outlast the run.
    ///   - patience: how long each may take to tell its clock.
    package init(
        endpoints: [Endpoint], secret: String?, generator: Generator, stop: any StopSignal = NeverStops(),
        patience: Duration = Coordinator.patience
    ) async throws(RunError) {
        self.generator = generator
        self.secret = secret
        var agents: [Agent] = []
        for endpoint in endpoints {
            agents.append(try await Self.align(endpoint, secret, generator, stop, patience))
        }
        self.agents = agents
    }

    /// Sends each agent its share of `order` and waits for all reports. Once `stop` says so, or when one of them fails or
    /// ends early, all are stopped and what they have is the report, which then says that it is none to trust. Throws when
    /// one fails before anything was measured.
    package func run(_ order: AgentOrder, stop: any StopSignal = NeverStops()) async throws(RunError) -> RunReport {
        async let _ = watch(stop)
        let begin = MonotonicClock.wall() + Self.lead
        let parts = await withTaskGroup(of: Part.self) { group in
            for (place, agent) in agents.enumerated() {
                var mine = order
                mine.share = place
                mine.shares = agents.count
                mine.connections = max(1, order.connections / agents.count)
                mine.beginAt = UInt64(max(0, Int64(begin) + agent.offset))
                let constant = mine
                group.addTask { await self.perform(constant, agent.endpoint) }
            }
            var parts: [Part] = []
            for await part in group {
                // One that fails or is stopped leaves a gap in the schedule: from there on it is another one.
                if !part.isWhole, parts.allSatisfy(\.isWhole) { await stopAll() }
                parts.append(part)
            }
            return parts
        }
        var total: RunReport?
        var failure: RunError?
        for part in parts {
            switch part.result {
            case .failure(let error): failure = failure ?? RunError("agent \(part.agent): \(error.description)")
            case .success(let report):
                if total == nil { total = report } else { total?.add(report) }
            }
        }
        guard var report = total, failure == nil || report.arrivals.total > 0 else {
            throw failure ?? RunError("there is no agent")
        }
        let doubt = agents.map(\.doubt).max() ?? 0
        report.notes.append("\(agents.count) agents, clocks aligned within \(Text.time(doubt))")
        report.doubts = Validity.doubts(about: report)
        report.isPartial = failure != nil || (!stop.isStopped && parts.contains { !$0.isWhole })
        if let failure {
            report.doubts.append("only the others' figures are here: " + failure.description)
        } else if !stop.isStopped, let first = parts.first(where: { !$0.isWhole }) {
            report.doubts.append("agent \(first.agent) was stopped before the end, so that all were")
        }
        return report
    }

    /// What came of one agent.
    private struct Part: Sendable {
        let agent: String
        let result: Result<RunReport, RunError>

        /// It went on to the end.
        var isWhole: Bool {
            if case .success(let report) = result { !report.isInterrupted } else { false }
        }
    }

    private func watch(_ stop: any StopSignal) async throws {
        try await stop.stopped()
        await stopAll()
    }

    private func stopAll() async {
        for agent in agents {
            do throws(RunError) {
                _ = try await Self.ask(agent.endpoint, "POST", "/stop", nil, secret, generator, limit: Self.patience)
            } catch {
                // Whoever cannot be asked any more has failed already, and its run tells so.
                continue
            }
        }
    }

    private func perform(_ order: AgentOrder, _ endpoint: Endpoint) async -> Part {
        do {
            let json = try ReportFile.json(order)
            let answer = try await Self.ask(endpoint, "POST", "/run", ByteBuffer(string: json), secret, generator)
            let result = try ReportFile.decode(AgentResult.self, answer, endpoint.authority)
            told.withLock { $0 = ($0.agents + 1, max($0.nextIndex, result.nextIndex)) }
            return Part(agent: endpoint.authority, result: .success(result.report))
        } catch let error as RunError {
            return Part(agent: endpoint.authority, result: .failure(error))
        } catch {
            return Part(agent: endpoint.authority, result: .failure(RunError("\(error)")))
        }
    }

    /// The quickest of eight round trips tells the clock best.
    private static func align(
        _ endpoint: Endpoint, _ secret: String?, _ generator: Generator, _ stop: any StopSignal, _ patience: Duration
    ) async throws(RunError) -> Agent {
        var best: Agent?
        for _ in 0..<8 {
            let before = MonotonicClock.wall()
            let answer = try await ask(endpoint, "GET", "/clock", nil, secret, generator, limit: patience, stop: stop)
            let after = MonotonicClock.wall()
            let clock: AgentClock
            do throws(FileError) {
                clock = try ReportFile.decode(AgentClock.self, answer, endpoint.authority)
            } catch {
                throw RunError("\(endpoint) does not answer as an agent")
            }
            // So that neither the offset nor a moment with it leaves an Int64.
            guard clock.wall < 1 << 62, after >= before else { continue }
            let middle = before + (after - before) / 2
            let agent = Agent(
                endpoint: endpoint, offset: Int64(clock.wall) - Int64(middle), doubt: (after - before) / 2)
            if agent.doubt < best?.doubt ?? .max { best = agent }
        }
        guard let best else { throw RunError("the clock of \(endpoint) cannot be read") }
        return best
    }

    private static func ask(
        _ endpoint: Endpoint, _ method: String, _ path: String, _ body: ByteBuffer?, _ secret: String?,
        _ generator: Generator, limit: Duration? = nil, stop: any StopSignal = NeverStops()
    ) async throws(RunError) -> [UInt8] {
        var fields = ["Content-Type: application/json"]
        if let secret { fields.append("Authorization: Bearer " + secret) }
        var request = Request(
            .uploadOther, method, endpoint, path, fields: fields, body: body.map { .bytes($0) } ?? .none,
            keeping: .bytes(limit: longestReport), accepts: [200, 400, 401, 404, 409, 500])
        request.limit = limit
        let flow = AskFlow(request: request)
        do throws(Failure) {
            try await generator.perform(flow, stop: stop)
        } catch {
            throw RunError("agent \(endpoint) cannot be asked: \(error.name)")
        }
        let (status, bytes) = flow.answer.withLock { $0 }
        guard status == 200 else {
            throw RunError("agent \(endpoint) answers \(status): \(reason(bytes))")
        }
        return bytes
    }

    /// What the agent says of itself, or the beginning of what else came.
    private static func reason(_ bytes: [UInt8]) -> String {
        do throws(FileError) {
            return String(try ReportFile.decode(AgentRefusal.self, bytes, "the answer").error.prefix(1000))
        } catch {
            return String(decoding: bytes.prefix(300), as: UTF8.self)
        }
    }
}

/// One question outside any figures.
private final class AskFlow: Flow {
    let request: Request
    let answer = Mutex<(Int, [UInt8])>((0, []))

    init(request: Request) {
        self.request = request
    }

    func run(_ session: Session) async throws(Failure) {
        let answer = try await session.expect(request)
        self.answer.withLock { $0 = (answer.head.status, answer.body) }
    }
}
