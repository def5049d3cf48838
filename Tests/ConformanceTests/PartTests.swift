import ConformanceKit
import Foundation
import Synchronization
import Testing

@Suite("the runner's parts")
struct PartTests {
    @Test(
        "globs",
        arguments: [
            ("push.chunked.in-order", "push.*", true), ("push.chunked.in-order", "*.in-order", true),
            ("push.x", "push.?", true), ("push.xy", "push.?", false), ("pull", "push", false), ("", "*", true),
        ])
    func globs(text: String, pattern: String, fits: Bool) {
        #expect(Glob.matches(text, pattern) == fits)
    }

    @Test(
        "Locations resolve as RFC 3986 has it",
        arguments: [
            ("/v2/x", "http://h:5000/v2/x"), ("http://o/y?z", "http://o/y?z"), ("//o:1/y", "http://o:1/y"),
            ("?a=b", "http://h:5000/a/b?a=b"), ("ftp://o/y", "ftp://o/y"), ("c", "http://h:5000/a/c"),
            ("../c", "http://h:5000/c"),
        ])
    func resolves(reference: String, url: String) throws {
        let base = try #require(Address("http://h:5000/a/b?q=1"))
        #expect(base.resolving(reference) == url)
    }

    @Test("addresses that are none", arguments: ["", "ftp://h", "http://", "http://h:0", "http://h:x", "h:5000"])
    func noAddress(text: String) {
        #expect(Address(text) == nil)
    }

    @Test("a challenge is read with quotes, commas and escapes in its values")
    func challenges() throws {
        let line = "Bearer realm=\"https://a/t\",service=\"s \\\"x\\\"\",scope=\"repository:a/b:pull,push\""
        let challenge = try #require(
            Challenge(Headers([("WWW-Authenticate", "Basic realm=x"), ("www-authenticate", line)])))
        #expect(challenge.scheme == "bearer")
        #expect(
            challenge.parameters == ["realm": "https://a/t", "service": "s \"x\"", "scope": "repository:a/b:pull,push"])
    }

    @Test("a baseline finds what got worse, and nothing else")
    func baselines() {
        let old = Baseline(verdicts: ["a": "pass", "b": "fail", "c": "warn", "d": "skip", "e": "pass"])
        let new = Baseline(verdicts: [
            "a": "fail", "b": "fail", "c": "pass", "d": "pass", "e": "skip", "f": "fail", "g": "warn",
        ])
        let changes = old.changes(to: new)
        #expect(changes.map(\.id) == ["a", "c", "d", "e", "f", "g"])
        #expect(changes.filter(\.isWorse).map(\.id) == ["a", "e", "f"])
    }

    @Test("a race that was lost in some rounds only is a note to a baseline, one that was lost in all is worse")
    func luck() throws {
        let old = Baseline(verdicts: ["a": "pass", "b": "pass", "c": "fail", "d": "fail"], luck: ["c", "d"])
        let new = Baseline(verdicts: ["a": "fail", "b": "fail", "c": "pass", "d": "fail"], luck: ["a"])
        let changes = old.changes(to: new)
        #expect(changes.map(\.id) == ["a", "b", "c"])
        #expect(changes.filter(\.isWorse).map(\.id) == ["b"])
        #expect(changes.filter(\.isLuck).map(\.id) == ["a", "c"])
        let odds = try #require(Odds("3 of 20 rounds"))
        #expect(odds.isLuck && odds.text == "3 of 20 rounds")
        #expect(Odds("20 of 20 rounds")?.isLuck == false)
        #expect(Odds("many") == nil)
    }

    @Test("a race is tried until it shows, and told with its odds")
    func races() throws {
        let turns = Mutex(0)
        let check = Check("concurrent.seldom", .must, "a test", "a race", needs: []) { probe in
            try probe.race { _ in
                let turn = turns.withLock { turns in
                    turns += 1
                    return turns
                }
                try require(turn % 5 != 0, "no fifth round", "one")
            }
        }
        let outcome = try TestRun.withStub(TestRun.Settings()) { _, server in
            let plan = RunPlan(
                target: Target(base: try TestRun.address(server)), groups: [CheckGroup("races", [check])], seed: "race1"
            )
            return try Runner(plan, observer: TestRun.Silent()).run().outcomes.first
        }
        #expect(outcome?.verdict == .fail && outcome?.odds?.isLuck == true)
        #expect(outcome?.got.contains("in 4 of 20 rounds") == true)
    }

    @Test(
        "Link lines are read as RFC 8288 has them",
        arguments: [
            (["</a?n=1>; rel=\"first\", </b>; rel=\"next\""], "/b"), (["</a>; rel=first", "</b>;rel=next"], "/b"),
            (["</b>; title=\"a; b, c\" ; rel = \"last Next\""], "/b"), (["</a,b;c>;x;rel=next;rel=prev"], "/a,b;c"),
            (["</a>; title=\"\\\"; rel=next\"; rel=prev"], nil), (["</a>"], nil), ([], nil),
        ] as [([String], String?)])
    func links(lines: [String], next: String?) throws {
        let links = try #require(WebLink.all(Headers(lines.map { ("Link", $0) })))
        #expect(links.first { $0.relations.contains("next") }?.reference == next)
    }

    @Test("a malformed Link line is told apart", arguments: ["/a; rel=next", "</a; rel=next", "</a>; rel=\"next"])
    func noLink(line: String) {
        #expect(WebLink.all(Headers([("Link", line)])) == nil)
    }

    @Test("a preparation that fails weighs no more than the check whose question it is")
    func setup() throws {
        var settings = TestRun.Settings()
        (settings.faults, settings.patterns) = ([.dockerImagesRefused], ["pull.manifest.*", "push.*", "referrers.*"])
        let result = try TestRun.run(settings)
        #expect(result.count(.fail) == 0 && result.count(.warn) > 0 && result.count(.blocked) > 0)
        #expect(result.outcomes.allSatisfy { $0.verdict != .blocked || $0.blocker == "push.kind.docker-image" })
    }

    @Test("a registry that stays busy is no verdict but an error, after some patience")
    func busy() throws {
        let stub = StubRegistry()
        let server = try StubServer(faults: FaultSet([])) { request in
            guard request.path.hasSuffix("/tags/list") else { return stub.answer(request) }
            return StubResponse(503, [("Retry-After", "0")])
        }
        defer { server.stop() }
        var plan = RunPlan(
            target: Target(base: try TestRun.address(server)), groups: CheckCatalog.groups, seed: "busy1")
        plan.patterns = ["tags.sorted"]
        let outcome = try #require(try Runner(plan, observer: TestRun.Silent()).run().outcomes.first)
        #expect(outcome.verdict == .error && outcome.reason.contains("busy"), "\(outcome.reason)")
    }

    @Test("XML text never breaks the document")
    func xml() {
        #expect(JUnitReport.escaped("a<b>&\"\u{1}\n") == "a&lt;b&gt;&amp;&quot;\u{FFFD}\n")
    }

    @Test("content is the same for the same seed, and a part of it knows where it begins")
    func content() throws {
        let one = try Content.random(1_000, seed: "s")
        #expect(try Content.random(1_000, seed: "s") == one)
        #expect(try Content.random(1_000, seed: "t") != one)
        #expect(one[100..<200].bytes == Array(one.bytes[100..<200]))
        guard case .keystream(_, let offset) = one[100..<200].recipe else { throw StubFailure("no recipe") }
        #expect(offset == 100)
    }

    @Test("heads are counted also where a body without a line end stands before them")
    func heads() {
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 404 X\r\n\r\n".utf8)
        #expect(RawReader.heads(bytes) == [200, 404])
    }

    @Test("an interrupted run ends at once, says so, and cleans up")
    func interrupted() throws {
        let settings = TestRun.Settings()
        try TestRun.withStub(settings) { stub, server in
            let plan = RunPlan(
                target: Target(base: try TestRun.address(server)), groups: CheckCatalog.groups, seed: "stop1")
            let observer = Stopper()
            let runner = Runner(plan, observer: observer)
            observer.stop = { runner.context.interrupt() }
            let result = try runner.run()
            #expect(result.interrupted)
            #expect(result.outcomes.contains { $0.verdict == .error && $0.reason.contains("interrupted") })
            stub.state.withLock { state in
                #expect(state.repositories.values.allSatisfy { $0.manifests.isEmpty && $0.blobs.isEmpty })
            }
        }
    }

    /// Interrupts the run after twenty checks. Its closure is set before the run begins.
    private final class Stopper: RunObserver, @unchecked Sendable {
        var stop: @Sendable () -> Void = {}
        func ended(_ outcome: Outcome, done: Int, of total: Int) {
            if done == 20 { stop() }
        }
    }

    @Test(
        "a hang is a failure within the deadline, and a dropped connection is one too",
        arguments: [
            Fault.everythingHangs, .everythingDropped,
        ])
    func hangs(fault: Fault) throws {
        var settings = TestRun.Settings()
        (settings.faults, settings.patterns, settings.deadline) = (
            [fault], ["pull.manifest.by-tag"], .seconds(2)
        )
        let outcome = try #require(try TestRun.run(settings).outcomes.first)
        #expect(outcome.verdict == .fail)
        #expect(outcome.duration < .seconds(15))
    }

    @Test("nobody there is no verdict but a problem of the target")
    func nobody() throws {
        let plan = RunPlan(
            target: Target(base: try #require(Address("http://127.0.0.1:1"))), groups: CheckCatalog.groups, seed: "x")
        #expect(throws: TargetProblem.self) { try Runner(plan, observer: TestRun.Silent()).run() }
    }
}
