import ConformanceKit
import Foundation
import Synchronization
import Testing

@Suite("recorded clients judge a registry")
struct ReplayTests {
    private static func replay(_ file: String, seed: String, _ faults: Set<Fault> = []) throws -> [ReplayStep] {
        var settings = TestRun.Settings()
        // Recordings with logins are replayed where somebody has to log in.
        (settings.faults, settings.accounts) = (faults, file.hasPrefix("tokens-"))
        return try TestRun.withStub(settings) { _, server in
            try replay(file, seed: seed, on: server, as: settings.accounts ? TestRun.alice : .anonymous)
        }
    }

    private static func replay(
        _ file: String, seed: String, on server: StubServer, as identity: Identity = .anonymous
    ) throws -> [ReplayStep] {
        var target = Target(base: try TestRun.address(server))
        target.identity = identity
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

    private static func left(_ steps: [ReplayStep]) -> [String] {
        ReplayReport.reasons(steps).map { "\($0.count) \($0.reason)" }
    }

    @Test(
        "recorded logins are done again with credentials and tokens of one's own, and nothing is left out but tokens for nobody",
        arguments: ["buildah", "ctr", "docker-20.10.24", "podman", "skopeo"])
    func logins(client: String) throws {
        let steps = try Self.replay("tokens-" + client, seed: "login1")
        #expect(Self.bad(steps) == [])
        let nobody = "1 the registry gives nobody a token without credentials"
        #expect(Self.left(steps) == (["buildah", "podman"].contains(client) ? [nobody] : []))
    }

    @Test("without credentials, and where nobody is asked for any, logins are left out, and a reader sees why")
    func leftOut() throws {
        try TestRun.withStub(TestRun.Settings()) { _, server in
            let without = try Self.replay("tokens-ctr", seed: "left1", on: server)
            #expect(
                Self.left(without) == ["31 a login, and the replay has no credentials: --user and --password"])
            #expect(ReplayReport.text("ctr", without).contains("  31 left out: a login, and the replay has no"))
            let open = try Self.replay("tokens-ctr", seed: "left2", on: server, as: TestRun.alice)
            #expect(Self.bad(open) == [])
            #expect(
                Self.left(open) == [
                    "17 the registry asks nobody who reads", "14 the registry asks for no Bearer token",
                ])
        }
    }

    @Test("what was masked in a recording is never sent")
    func masked() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("masked-\(UUID().uuidString).jsonl")
        defer { do { try FileManager.default.removeItem(at: file) } catch { print(error) } }
        func line(_ method: String, _ url: String, _ status: Int, _ more: String = "") -> String {
            "{\"at\":0,\"method\":\"\(method)\",\"url\":\"\(url)\",\"headers\":{},\"answerHeaders\":{},\"status\":\(status)\(more)}"
        }
        let text = [
            "{\"title\":\"t\",\"version\":1}", line("GET", "/v2/_catalog?access_token=•••&n=2", 200),
            line("GET", "/v2/a/tags/list?access_token=•••", 404), line("GET", "/v2/a•••/tags/list", 404),
            line("POST", "/v2/x", 404, ",\"body\":{\"length\":3,\"digest\":\"sha256:0\",\"text\":\"a=•••\"}"),
        ]
        try Data(text.joined(separator: "\n").utf8).write(to: file)
        let targets = Mutex<[String]>([])
        let stub = StubRegistry()
        let server = try StubServer(faults: FaultSet([])) { request in
            targets.withLock { $0.append(request.target) }
            return stub.answer(request)
        }
        defer { server.stop() }
        let context = RunContext(
            target: Target(base: try TestRun.address(server)), seed: "mask1", keep: false, standing: [])
        let steps = try Replay(try Recording(path: file.path), context: context).run()
        let left = steps.compactMap { if case .left(let reason) = $0.verdict { reason } else { nil } }
        #expect(left == ["a part of its path is masked", "a part of its body is masked"])
        let sent = targets.withLock { $0 }
        #expect(sent.contains("/v2/_catalog?n=2"))
        #expect(sent.allSatisfy { !$0.contains("•") && !$0.contains("%E2%80%A2") && !$0.contains("access_token") })
    }

    @Test("numbers past what there is in a recording or an answer are told, and trap nothing")
    func numbers() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("numbers-\(UUID().uuidString).jsonl")
        defer { do { try FileManager.default.removeItem(at: file) } catch { print(error) } }
        func line(_ method: String, _ url: String, _ status: Int, _ more: String = "", at: Int = 0) -> String {
            "{\"at\":\(at),\"method\":\"\(method)\",\"url\":\"\(url)\",\"answerHeaders\":{},\"status\":\(status),"
                + (more.isEmpty ? "\"headers\":{}}" : more + "}")
        }
        let begun = "{\"at\":0,\"method\":\"POST\",\"url\":\"/v2/a/blobs/uploads/\",\"headers\":{},\"status\":202,"
        let body = ",\"body\":{\"length\":9,\"digest\":\"sha256:0\"}"
        func sized(_ length: Int) -> String { "\"headers\":{},\"body\":{\"length\":\(length),\"digest\":\"sha256:1\"}" }
        let text = [
            "{\"title\":\"t\",\"version\":1}", begun + "\"answerHeaders\":{\"location\":[\"@1\"]}}",
            line("GET", "@1", 204, at: .max),
            line("PATCH", "@1", 202, "\"headers\":{\"content-range\":[\"0-8\"]}" + body),
            line("GET", "@1", 204, at: .min),
            line("PATCH", "@1", 202, "\"headers\":{\"content-range\":[\"9223372036854775807-1\"]}" + body),
            line("PATCH", "@1", 202, sized(-1)), line("PATCH", "@1", 202, sized(.max)),
            line("PUT", "@1?digest=sha256:2", 201, sized(-7)),
            "{\"at\":1,\"method\":\"GET\",\"url\":\"/v2/a/blobs/sha256:3\",\"headers\":{},\"status\":200,"
                + "\"answerHeaders\":{\"content-length\":[\"-5\"]}}",
        ]
        try Data(text.joined(separator: "\n").utf8).write(to: file)
        let stub = StubRegistry()
        let server = try StubServer(faults: FaultSet([])) { request in
            var response = stub.answer(request)
            if request.method == "GET", response.status == 204 { response.set("Range", "0-9223372036854775807") }
            return response
        }
        defer { server.stop() }
        let context = RunContext(
            target: Target(base: try TestRun.address(server)), seed: "num1", keep: false, standing: [])
        let steps = try Replay(try Recording(path: file.path), context: context).run()
        #expect(steps.count == text.count - 1)
        #expect(Self.bad(steps).filter { $0.contains("Range within the") }.count == 2, "\(steps)")
        #expect(
            steps.filter { if case .left(let reason) = $0.verdict { reason.hasPrefix("a body of") } else { false } }
                .count >= 3)
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
            ("curl", .blobPut200), ("tokens-docker-20.10.24", .refreshBroken), ("tokens-ctr", .postFirstScopeOnly),
            ("tokens-podman", .lastScopeOnly), ("tokens-docker-20.10.24", .anyPassword),
            ("tokens-ctr", .noChallenge), ("tokens-buildah", .challengeForm),
            ("tokens-skopeo", .pullTokensRefused), ("tokens-docker-20.10.24", .tokenPost500),
        ])
    func faulty(file: String, fault: Fault) throws {
        let found = Self.bad(try Self.replay(file, seed: "bad1", [fault]))
        #expect(!found.isEmpty, "\(file) does not find \(fault.rawValue)")
    }
}
