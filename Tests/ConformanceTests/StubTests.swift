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

    @Test("--cleanup finds what tags, subjects and referrers lead to, in names of two parts too, and says what stays")
    func remains() throws {
        func manifest(_ more: String) -> [UInt8] {
            Array("{\"schemaVersion\":2,\"layers\":[],\"annotations\":{\"a\":\"\(more.count)\"}\(more)}".utf8)
        }
        let type = "application/vnd.oci.image.manifest.v1+json"
        let subject = manifest("")
        let descriptor =
            "{\"mediaType\":\"\(type)\",\"digest\":\"\(Digests.sha256(subject))\",\"size\":\(subject.count)}"
        let tagged = manifest(",\"subject\":\(descriptor)")
        let sibling = manifest(",\"artifactType\":\"a/b\",\"subject\":\(descriptor)")
        func repository(_ manifests: [[UInt8]], tags: [String: [UInt8]]) -> StubRegistry.Repository {
            var repository = StubRegistry.Repository()
            for bytes in manifests {
                repository.manifests[Digests.sha256(bytes)] = StubRegistry.StubManifest(bytes: bytes, type: type)
            }
            repository.tags = tags.mapValues { Digests.sha256($0) }
            return repository
        }
        try TestRun.withStub(TestRun.Settings()) { stub, server in
            stub.state.withLock { state in
                state.repositories = [
                    "conformance/s1/a": repository([subject, tagged, sibling], tags: ["t": tagged]),
                    "conformance/s1-b": repository([subject], tags: ["t": subject]),
                    "conformance/s1/c": repository([subject], tags: [:]),
                    "conformance/s2/d": repository([subject], tags: ["t": subject]),
                ]
            }
            let context = RunContext(
                target: Target(base: try TestRun.address(server)), seed: "cleanup", keep: true, standing: [])
            let outcome = try Remains(context, seed: "s1").remove()
            #expect((outcome.repositories, outcome.left, outcome.untold) == (2, 0, 1))
            let left = stub.state.withLock { $0.repositories.mapValues(\.manifests.count) }
            #expect(
                left == ["conformance/s1/a": 0, "conformance/s1-b": 0, "conformance/s1/c": 1, "conformance/s2/d": 1])
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
