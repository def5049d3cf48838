import ConformanceKit
import Testing

@Suite("the runner blames nobody wrongly")
struct StubTests {
    @Test("a correct registry fails nothing and is warned of nothing", arguments: FaultTests.modes)
    func correct(mode: String) throws {
        var settings = FaultTests.settings(mode)
        settings.deadline = .seconds(30)
        if mode == "large" { settings.patterns = ["large.*"] }
        let result = try TestRun.run(settings)
        for outcome in result.outcomes {
            #expect(
                outcome.verdict == .pass || outcome.verdict == .skip,
                "\(outcome.check.id): \(outcome.reason) expected \(outcome.expected), got \(outcome.got)")
        }
        #expect(result.count(.pass) > 0)
    }

    @Test("what a run made is gone behind it")
    func cleanUp() throws {
        let settings = TestRun.Settings()
        try TestRun.withStub(settings) { stub, server in
            let target = Target(base: try TestRun.address(server))
            let plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: "clean1")
            let result = try Runner(plan, observer: TestRun.Silent()).run()
            #expect(result.leftovers == 0)
            stub.state.withLock { state in
                for (name, repository) in state.repositories {
                    let left = [repository.tags.count, repository.manifests.count, repository.blobs.count]
                    #expect(left == [0, 0, 0], "tags, manifests, blobs of \(name)")
                }
                #expect(state.uploads.isEmpty)
            }
        }
    }

    @Test("eight jobs, one job and a second run give the same verdicts")
    func determinism() throws {
        var verdicts: [[String]] = []
        for (jobs, seed) in [(1, "jobs1"), (8, "jobs8"), (8, "jobs9")] {
            var settings = TestRun.Settings()
            (settings.jobs, settings.seed) = (jobs, seed)
            settings.faults = [.tagsUnsorted, .outOfOrderTaken, .blobDigestMissing]
            verdicts.append(try TestRun.run(settings).outcomes.map { "\($0.check.id) \($0.verdict.rawValue)" })
        }
        #expect(verdicts[0] == verdicts[1])
        #expect(verdicts[1] == verdicts[2])
    }
}
