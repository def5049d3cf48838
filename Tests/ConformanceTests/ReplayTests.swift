import ConformanceKit
import Foundation
import Testing

@Suite("recorded clients judge a registry")
struct ReplayTests {
    private static func replay(_ file: String, seed: String, _ faults: Set<Fault> = []) throws -> [ReplayStep] {
        var settings = TestRun.Settings()
        settings.faults = faults
        return try TestRun.withStub(settings) { _, server in
            try replay(file, seed: seed, on: server)
        }
    }

    private static func replay(_ file: String, seed: String, on server: StubServer) throws -> [ReplayStep] {
        var target = Target(base: try TestRun.address(server))
        target.deadline = .seconds(5)
        let context = RunContext(target: target, seed: seed, keep: false, standing: [])
        return try Replay(try Recording(path: TestRun.file("fixtures/traffic/\(file).jsonl").path), context: context)
            .run()
    }

    private static func bad(_ steps: [ReplayStep]) -> [String] {
        steps.compactMap { step in
            guard case .bad(let expected, let got) = step.verdict else { return nil }
            return "line \(step.line), \(step.request): expected \(expected), got \(got)"
        }
    }

    @Test("every recording replays clean against a good registry, twice against the same one")
    func clean() throws {
        let folder = TestRun.file("fixtures/traffic")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".jsonl") }.map { String($0.dropLast(6)) }
        #expect(files.count >= 6)
        try TestRun.withStub(TestRun.Settings()) { _, server in
            for file in files {
                for seed in ["clean1", "clean2"] {
                    let steps = try Self.replay(file, seed: seed, on: server)
                    #expect(Self.bad(steps) == [], "\(file)")
                    #expect(steps.count { $0.verdict == .good } > steps.count / 2, "\(file) is left out")
                }
            }
        }
    }

    @Test(
        "a registry that a client could not live with is found out by the client's recording",
        arguments: [
            ("buildah", Fault.uploadPost200), ("buildah", .uploadNoLocation), ("buildah", .patchNoLocation),
            ("buildah", .patchNoRange), ("buildah", .patchRangeUnit), ("buildah", .blobFlipped),
            ("buildah", .headBlob404), ("buildah", .headBlobAlways), ("buildah", .headBlobLength),
            ("buildah", .manifestPutNoLocation), ("curl", .chunksOverwrite), ("buildah", .mountSaysButDoesNot),
            ("buildah", .typeIsJSON), ("buildah", .missingManifestMadeUp), ("buildah", .manifestReencoded),
            ("ctr", .blobPutNoDigest), ("ctr", .manifestPutNoDigest), ("ctr", .headManifestNoType),
            ("ctr", .headManifestLength), ("ctr", .headManifestNoDigest), ("ctr", .headManifest404),
            ("login", .manifestDigestMissing), ("login", .manifestDeleteDoesNothing), ("login", .tagsInvented),
            ("login", .manifestDelete500), ("curl", .rangeOffByOne), ("curl", .statusTooFar), ("curl", .blobCut),
            ("curl", .blobPut200),
        ])
    func faulty(file: String, fault: Fault) throws {
        let found = Self.bad(try Self.replay(file, seed: "bad1", [fault]))
        #expect(!found.isEmpty, "\(file) does not find \(fault.rawValue)")
    }
}
