import ConformanceKit
import Testing

@Suite("a registry of which one repository may be used")
struct OneRepositoryTests {
    private static func run(_ handle: @escaping @Sendable (StubRequest, StubRegistry) -> StubResponse) throws
        -> RunResult
    {
        let stub = StubRegistry()
        let server = try StubServer(faults: FaultSet([])) { handle($0, stub) }
        defer { server.stop() }
        var target = Target(base: try TestRun.address(server))
        target.onlyRepository = "lib/x"
        var plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: "one1")
        plan.jobs = 8
        return try Runner(plan, observer: TestRun.Silent()).run()
    }

    private static func expectNobodyBlamed(_ result: RunResult) {
        for outcome in result.outcomes {
            #expect(
                outcome.verdict == .pass || outcome.verdict == .skip,
                "\(outcome.check.id): \(outcome.reason) expected \(outcome.expected), got \(outcome.got)")
        }
    }

    @Test("what needs a second repository is skipped with the reason where there may be none", arguments: [403, 404])
    func only(status: Int) throws {
        let result = try Self.run { request, stub in
            let path = request.path
            let isOther =
                path.hasPrefix("/v2/") && path.count > 4 && path != "/v2/_catalog" && !path.hasPrefix("/v2/lib/x/")
            let own = ["manifests", "blobs", "tags", "referrers"].contains { path.hasPrefix("/v2/lib/x/\($0)/") }
            if isOther || (path.hasPrefix("/v2/lib/x/") && !own) {
                return stub.error(status, status == 403 ? "DENIED" : "NAME_UNKNOWN")
            }
            return stub.answer(request)
        }
        Self.expectNobodyBlamed(result)
        #expect(result.outcomes.contains { $0.reason.contains("needs a second repository") })
        #expect(result.count(.pass) > 150)
    }

    @Test("checks that share a repository do not lean on each other where nothing can be deleted, whatever --jobs says")
    func withoutDelete() throws {
        let result = try Self.run { request, stub in
            let isUpload = request.path.contains("/blobs/uploads/")
            return request.method == "DELETE" && !isUpload
                ? stub.error(405, "UNSUPPORTED", allow: "GET, HEAD, PUT") : stub.answer(request)
        }
        Self.expectNobodyBlamed(result)
        #expect(result.count(.pass) > 150)
    }
}
