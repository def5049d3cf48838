import ConformanceKit
import Foundation
import Synchronization
import Testing

/// One cause, one failure: what leans on it is blocked.
@Suite("what a check leans on is not its question")
struct BlameTests {
    /// A run against a stub whose answers are spoiled by `spoil`.
    private static func run(
        _ patterns: [String], deadline: Duration = .seconds(5), jobs: Int = 4,
        spoil: @escaping @Sendable (StubRequest, inout StubResponse) -> Void
    ) throws -> RunResult {
        let stub = StubRegistry()
        let server = try StubServer(faults: FaultSet([])) { request in
            var response = stub.answer(request)
            spoil(request, &response)
            return response
        }
        defer { server.stop() }
        var target = Target(base: try TestRun.address(server))
        target.deadline = deadline
        var plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: "blame1")
        (plan.patterns, plan.jobs) = (patterns, jobs)
        return try Runner(plan, observer: TestRun.Silent()).run()
    }

    private static func ids(_ result: RunResult, _ verdicts: Verdict...) -> [String] {
        result.outcomes.filter { verdicts.contains($0.verdict) }.map(\.check.id).sorted()
    }

    @Test("an empty referrers list that is null fails one check, and blocks those that read one on their way")
    func null() throws {
        let result = try Self.run(["referrers.*", "delete.*", "concurrent.*", "cache.*", "isolation.*", "advisory.*"]) {
            request, response in
            guard request.path.contains("/referrers/"), response.status == 200 else { return }
            let text = String(decoding: response.body, as: UTF8.self)
            response.body = Array(text.replacingOccurrences(of: "\"manifests\":[]", with: "\"manifests\":null").utf8)
        }
        #expect(Self.ids(result, .fail, .warn, .error) == ["referrers.none"])
        let blocked = result.outcomes.filter { $0.verdict == .blocked }
        #expect(blocked.count >= 4 && blocked.allSatisfy { $0.blocker == "referrers.none" })
        #expect(blocked.allSatisfy { $0.reason.hasPrefix("blocked by referrers.none") })
    }

    @Test("an upload that cannot be asked for its status fails one check")
    func status() throws {
        let result = try Self.run(["push.*", "resume.*", "isolation.*"]) { request, response in
            if request.method == "GET", request.path.contains("/blobs/uploads/") { response = StubResponse(410) }
        }
        #expect(Self.ids(result, .fail) == ["push.status.fresh"])
        #expect(Self.ids(result, .blocked).contains("push.status.after-chunk"))
        #expect(Self.ids(result, .blocked).contains("isolation.session.delete"))
    }

    @Test("a delete that takes other repositories' blobs is one failure, and no advisory's")
    func deleteEverywhere() throws {
        var settings = TestRun.Settings()
        settings.faults = [.blobDeleteEverywhere]
        settings.patterns = ["delete.*", "mount.*", "advisory.*", "isolation.*"]
        let result = try TestRun.run(settings)
        #expect(Self.ids(result, .fail) == ["delete.blob.other-repository"])
        #expect(Self.ids(result, .blocked) == ["advisory.stale-cache", "mount.outlives-source"])
    }

    @Test("where nothing can be pushed one check fails, also when it was not selected, and the others are blocked")
    func pushes() throws {
        for patterns in [["pull.*", "push.upload.*"], ["pull.blob.*"]] {
            let result = try Self.run(patterns) { request, response in
                let isPush = request.method == "PUT" && request.path.contains("/blobs/uploads/")
                if isPush, response.status == 201 { response = StubResponse(200) }
            }
            #expect(Self.ids(result, .fail) == ["push.upload.pullable"], "\(patterns)")
            #expect(result.count(.blocked) > 8)
        }
    }

    @Test("where what it leans on passed, a failing preparation is the check's own, and says so")
    func although() throws {
        let result = try Self.run(["pull.blob.*", "push.upload.pullable"]) { request, response in
            if request.method == "PUT", request.path.contains("pull-blob-twice") { response = StubResponse(500) }
        }
        let outcome = try #require(result.outcomes.first { $0.check.id == "pull.blob.twice" })
        #expect(outcome.verdict == .fail)
        #expect(outcome.reason == "while preparing a pushed blob, although push.upload.pullable passed")
    }

    @Test("a kind of request that hangs is one failure, in good time, and the others say what blocks them")
    func hangs() throws {
        let hung = Mutex(0)
        let result = try Self.run([], deadline: .seconds(1), jobs: 8) { request, response in
            guard request.method == "GET", request.path.contains("/manifests/") else { return }
            response.silent = true
            hung.withLock { $0 += 1 }
        }
        // Without a bound more than two hundred checks would wait, some of them several times.
        #expect(hung.withLock { $0 } < 120)
        #expect(Self.ids(result, .fail).contains("pull.manifest.by-tag"))
        #expect(result.count(.blocked) > 60 && result.count(.pass) > 200)
        #expect(result.outcomes.filter { $0.verdict == .blocked }.allSatisfy { $0.blocker != nil })
    }

    @Test("a push that hangs does not keep the run from being made")
    func pushHangs() throws {
        let result = try Self.run(["push.upload.begin", "support.*", "catalog.*"], deadline: .seconds(2)) {
            request, response in
            if request.method == "POST" { response.silent = true }
        }
        #expect(Self.ids(result, .fail).contains("push.upload.begin"))
        #expect(result.count(.pass) > 1)
    }

    @Test("what is blocked is told by every report, and changes no exit code by itself")
    func reports() throws {
        var settings = TestRun.Settings()
        settings.faults = [.blobDeleteEverywhere]
        settings.patterns = ["delete.blob.*", "mount.*", "advisory.*"]
        let result = try TestRun.run(settings)
        let words = "blocked by delete.blob.other-repository"
        let junit = JUnitReport.text(result)
        #expect(junit.contains("<skipped message=\"\(words)\"/>"))
        let json = try #require(JSON(parsing: Array(try JSONReport.text(result, target: "t", seed: "s").utf8)))
        #expect(json["summary"]?["blocked"]?.integer == 2)
        let blockers = (json["checks"]?.array ?? []).compactMap { $0["blocked_by"]?.string }
        #expect(blockers == ["delete.blob.other-repository", "delete.blob.other-repository"])
        #expect(MarkdownReport.text(result, target: "t").contains("- by `delete.blob.other-repository`: "))
        #expect(HTMLReport.text(result, target: "t", seed: "s").contains(words))
        let before = Baseline(verdicts: ["advisory.stale-cache": "pass", "a": "blocked"])
        let after = Baseline(verdicts: ["advisory.stale-cache": "blocked", "a": "fail"])
        #expect(before.changes(to: after).filter(\.isWorse).map(\.id) == ["a"])
    }

    @Test("failures come first in HTML, and warnings are failures in JUnit where they count")
    func order() throws {
        var settings = TestRun.Settings()
        settings.faults = [.blobDigestMissing, .unsatisfiableNoSize]
        settings.patterns = ["pull.*"]
        let result = try TestRun.run(settings)
        let html = HTMLReport.text(result, target: "t", seed: "s")
        let first = try #require(html.range(of: "<h2>"))
        #expect(html[first.upperBound...].hasPrefix("What is wrong</h2>"))
        #expect(result.count(.fail) > 0 && result.count(.warn) > 0)
        func failures(_ text: String) -> Int { text.components(separatedBy: "<failure ").count - 1 }
        #expect(failures(JUnitReport.text(result)) == result.count(.fail))
        #expect(
            failures(JUnitReport.text(result, countingWarnings: true)) == result.count(.fail) + result.count(.warn))
    }

    @Test("a failure says which of several forms shows it")
    func forms() throws {
        let result = try Self.run(["conditional.blob.if-none-match", "tags.none-twice"]) { request, response in
            if request.header("If-None-Match")?.hasPrefix("W/") == true { response = StubResponse(200) }
            guard request.target.hasSuffix("n=1000") else { return }
            let text = String(decoding: response.body, as: UTF8.self)
            response.body = Array(text.replacingOccurrences(of: "[\"one\",", with: "[\"one\",\"one\",").utf8)
        }
        let told = Dictionary(uniqueKeysWithValues: result.outcomes.map { ($0.check.id, $0.expected + $0.shown) })
        #expect(told["conditional.blob.if-none-match"]?.contains("with W/") == true, "\(told)")
        #expect(told["tags.none-twice"]?.contains("with n=1000") == true, "\(told)")
    }

    @Test(
        "Retry-After is read as seconds and as a date of any form, and waited for ten seconds at most",
        arguments: [
            ("3", nil, 3), ("0", nil, 0), ("99999999999999999999", nil, 10), ("-1", nil, nil), ("soon", nil, nil),
            ("Sun, 06 Nov 1994 08:49:39 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 2),
            ("Sunday, 06-Nov-94 08:49:39 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 2),
            ("Sun Nov  6 08:49:39 1994", "Sun, 06 Nov 1994 08:49:37 GMT", 2),
            ("Sun, 06 Nov 1994 08:49:30 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 0),
            ("Sun, 06 Nov 2094 08:49:30 GMT", nil, 10),
        ] as [(String, String?, Double?)])
    func retryAfter(value: String, date: String?, seconds: Double?) {
        var fields = [("Retry-After", value)]
        if let date { fields.append(("Date", date)) }
        #expect(Patience.seconds(Headers(fields)) == seconds)
    }

    /// For who changes what leans on what: AERUGO_BLAME_COUNTS gets, for every so many faults as AERUGO_BLAME_STEP says,
    /// how many checks fail or warn in a whole run, and how many are blocked.
    @Test(
        "how many checks a fault fails, written where AERUGO_BLAME_COUNTS says",
        .enabled(if: ProcessInfo.processInfo.environment["AERUGO_BLAME_COUNTS"] != nil))
    func counts() throws {
        let environment = ProcessInfo.processInfo.environment
        let step = Int(environment["AERUGO_BLAME_STEP"] ?? "") ?? 10
        var lines: [String] = []
        let rows = try FaultTests.rows().filter { $0.mode == "open" }
        for index in stride(from: 0, to: rows.count, by: step) {
            let fault = try #require(rows[index].fault)
            var settings = FaultTests.settings("open")
            (settings.faults, settings.jobs, settings.deadline) = ([fault], 4, .seconds(2))
            let result = try TestRun.run(settings)
            let blamed = result.outcomes.filter { [.fail, .warn].contains($0.verdict) }.map(\.check.id)
            let numbers = [blamed.count, result.count(.blocked), result.count(.error)].map(String.init)
            lines.append(([fault.rawValue] + numbers + [blamed.joined(separator: " ")]).joined(separator: "\t"))
            try lines.joined(separator: "\n").write(
                toFile: environment["AERUGO_BLAME_COUNTS"] ?? "", atomically: true, encoding: .utf8)
        }
    }
}
