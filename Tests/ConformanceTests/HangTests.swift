import ConformanceKit
import Synchronization
import Testing

/// A registry that leaves one kind of request without answers is told so, and done with.
@Suite("what hangs is told once")
struct HangTests {
    /// What hangs: requests of a method (nil for any) to an endpoint (nil for any).
    struct Silence: Sendable, CustomTestStringConvertible {
        let method: String?
        let kind: String?
        var testDescription: String { "\(method ?? "all") \(kind ?? "everything")" }

        func fits(_ request: StubRequest) -> Bool {
            let aim = Aim(request)
            let isKind = kind.map { $0 == (aim.isSession ? "session" : aim.kind) } ?? true
            return isKind && (method.map { $0 == request.method } ?? true)
        }
    }

    private static let silences: [Silence] = [
        ("GET", "manifests"), ("HEAD", "manifests"), ("PUT", "manifests"), ("DELETE", "manifests"), ("GET", "blobs"),
        ("HEAD", "blobs"), ("DELETE", "blobs"), ("POST", "uploads"), ("GET", "session"), ("PATCH", "session"),
        ("PUT", "session"), ("DELETE", "session"), ("GET", "tags"), ("GET", "referrers"), ("GET", "catalog"),
        ("DELETE", nil), ("PATCH", nil), ("HEAD", nil), (nil, "manifests"), (nil, "session"),
    ].map { Silence(method: $0, kind: $1) }

    /// Checks of every endpoint, and some of what is played.
    private static let patterns = [
        "pull.blob.*", "pull.manifest.*", "exists.*", "push.upload.*", "push.chunked.*", "push.streamed.*",
        "push.status.*",
        "push.cancel.*", "push.manifest.*", "delete.*", "tags.list", "tags.n", "referrers.form", "catalog.lists",
        "mount.*", "explore.*",
    ]

    @Test("one kind of request that hangs is a failure, and what needs it is blocked by that", arguments: silences)
    func told(silence: Silence) throws {
        let hung = Mutex<[String: Int]>([:])
        let stub = StubRegistry()
        let server = try StubServer(faults: FaultSet([])) { request in
            var response = stub.answer(request)
            guard silence.fits(request) else { return response }
            response.silent = true
            hung.withLock { $0["\(request.method) \(Aim(request).kind)", default: 0] += 1 }
            return response
        }
        defer { server.stop() }
        var target = Target(base: try TestRun.address(server))
        target.deadline = .seconds(1)
        var plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: "hang1")
        (plan.patterns, plan.jobs, plan.play.steps) = (Self.patterns, 6, 1)
        let outcomes = try Runner(plan, observer: TestRun.Silent()).run().outcomes
        let failed = outcomes.filter { [.fail, .warn].contains($0.verdict) }
        #expect(!failed.isEmpty || silence.kind == "catalog")
        #expect(outcomes.count { $0.verdict == .pass } > 0)
        for outcome in outcomes where [.error, .blocked].contains(outcome.verdict) {
            #expect(outcome.verdict == .blocked && outcome.blocker != nil, "\(outcome.check.id): \(outcome.reason)")
        }
        // Each is waited for: with one job and 30 s, of which most are 3 s, that is less than two minutes.
        let count = hung.withLock { $0.values.reduce(0, +) }
        #expect(count <= 36, "\(hung.withLock { $0 }) \(failed.map(\.check.id))")
    }
}
