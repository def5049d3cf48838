import ConformanceKit
import Foundation
import Testing

/// The built program, run by a shell.
@Suite("the program says what is wrong with its input before it sends anything")
struct CommandTests {
    /// Beside the test bundle, in the folder of the build's products.
    private static let program =
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        + "/aerugo-conformance"

    private static func run(_ arguments: String, base: String = "http://127.0.0.1:1") throws -> Shell.Ended {
        try Shell.run("exec \(program) \(arguments)", base: base, seconds: 30)
    }

    /// A port that nobody listens on, of the kernel's choice.
    private static func freePort() throws -> UInt16 {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        try #require(isBound)
        return UInt16(bigEndian: address.sin_port)
    }

    @Test(
        "bad input is exit 2 with a reason",
        arguments: [
            ("run http://127.0.0.1:1 --prefix ''", "--prefix"), ("run http://127.0.0.1:1 --prefix /a/", "--prefix"),
            ("run http://127.0.0.1:1 --prefix 'UPPER CASE'", "--prefix"),
            ("run http://127.0.0.1:1 --repository 'Bad Name!'", "--repository"),
            ("run http://127.0.0.1:1 --cacert /etc/hostname", "PEM"),
            ("run http://127.0.0.1:1 --trace /proc/nothing/x", "/proc/nothing/x"),
            ("run 'http://127.0.0.1:1/foo?x=1'", "scheme, host and port"),
            ("run http://127.0.0.1:1 --password x", "--user"),
            ("run http://bob:hunter22@127.0.0.1:1", "--password"),
            ("run http://127.0.0.1:1 --management", "--admin"),
            ("run http://127.0.0.1:1 --admin a:hunter22", "--management"),
            ("run http://127.0.0.1:1 --management --admin a:hunter22 --admin-file /etc/hostname", "not both"),
            ("run http://127.0.0.1:1 --management --admin-file /nonexistent/x", "/nonexistent/x"),
            ("spec --management --document /etc/hostname", "OpenAPI"),
            ("run http://bob:hunter22@127.0.0.1:999999", "--password"),
            ("record --upstream http://127.0.0.1:1 --listen nonsense --out /tmp/never.jsonl", "HOST:PORT"),
            ("record --upstream http://127.0.0.1:1 --listen nonsense:1 --out /tmp/never.jsonl", "IPv4"),
            ("record --upstream http://127.0.0.1:1 --listen 127.0.0.1:0 --out /tmp/never.jsonl", "HOST:PORT"),
            ("record --upstream http://127.0.0.1:1 --listen 127.0.0.1:PORT --out /nonexistent/x", "/nonexistent/x"),
            ("record --upstream http://127.0.0.1:1 --listen 127.0.0.1:PORT --split 1 --out /proc/x", "/proc/x"),
        ])
    func badInput(arguments: String, reason: String) throws {
        let ended = try Self.run(arguments.replacing("PORT", with: "\(try Self.freePort())"))
        #expect(ended.status == 2, "\(arguments): \(ended.output)")
        #expect(ended.output.contains(reason), "\(arguments): \(ended.output)")
        #expect(!ended.output.contains("hunter22"))
    }

    @Test("a baseline with a verdict that is none is exit 2 and tells which")
    func baseline() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("baseline-\(UUID().uuidString)")
        defer { do { try FileManager.default.removeItem(at: file) } catch { print(error) } }
        try Data("{\"checks\":[{\"id\":\"push.x\",\"verdict\":\"•••\"}]}".utf8).write(to: file)
        for command in ["run http://127.0.0.1:1 --baseline \(file.path)", "compare \(file.path) \(file.path)"] {
            let ended = try Self.run(command)
            #expect(ended.status == 2)
            #expect(ended.output.contains("'•••' is no verdict (of push.x)"), "\(ended.output)")
        }
    }

    @Test("output that nobody takes neither crashes the program nor keeps it from cleaning up")
    func output() throws {
        try TestRun.withStub(TestRun.Settings()) { stub, server in
            let base = try TestRun.address(server).origin
            let run = "\(Self.program) run $BASE 'pull.blob.*' 'push.chunked.*'"
            for (script, status) in [
                ("\(run) >/dev/full", Int32(0)), ("set -o pipefail; \(run) | head -n 1", Int32(0)),
                ("\(run) --json /dev/full", Int32(2)),
            ] {
                let ended = try Shell.run(script, base: base, seconds: 30)
                #expect(ended.status == status, "\(script): \(ended.status) \(ended.output)")
                stub.state.withLock { state in
                    #expect(state.repositories.values.allSatisfy { $0.blobs.isEmpty }, "\(script)")
                }
            }
        }
    }

    @Test("a server that shows everybody the same page is no registry")
    func webPage() throws {
        let server = try StubServer(faults: FaultSet([])) { _ in
            StubResponse(200, [("Content-Type", "text/html")], Array("<html><body>It works!</body></html>".utf8))
        }
        defer { server.stop() }
        let plan = RunPlan(
            target: Target(base: try TestRun.address(server)), groups: CheckCatalog.groups, seed: "page1")
        #expect(throws: TargetProblem.self) { try Runner(plan, observer: TestRun.Silent()).run() }
    }

    @Test("a registry that refuses the credentials is exit 2, and every report is there and says why")
    func refused() throws {
        var settings = TestRun.Settings()
        settings.accounts = true
        try TestRun.withStub(settings) { _, server in
            let base = try TestRun.address(server).origin
            for (user, words) in [
                ("--user alice --password wrong-password-1", "refuses the credentials of alice"),
                ("", "give --user and --password"),
            ] {
                let ended = try Shell.run(
                    "d=$(mktemp -d); trap 'rm -rf $d' EXIT; \(Self.program) run $BASE \(user) 'pull.*' --junit $d/x.xml "
                        + "--json $d/x.json; s=$?; cat $d/x.xml $d/x.json; exit $s",
                    base: base, seconds: 60)
                #expect(ended.status == 2, "\(ended.output)")
                #expect(ended.output.contains("<error message=") && ended.output.contains(words), "\(ended.output)")
            }
        }
    }

    @Test(
        "a registry that takes any password, or lets anybody read or write, is found out",
        arguments: [
            (Fault.anyPassword, "auth.wrong-password", "--user alice --password wrong-password-1"),
            (.anybodyWrites, "auth.nobody-writes", "--user alice --password \(StubAccounts.alice.password)"),
            (.anybodyReads, "auth.nobody-reads", "--user alice --password \(StubAccounts.alice.password)"),
            (.asksNobody, "auth.asked", "--user alice --password wrong-password-1"),
        ])
    func open(fault: Fault, check: String, user: String) throws {
        var settings = TestRun.Settings()
        (settings.accounts, settings.faults) = (true, [fault])
        try TestRun.withStub(settings) { _, server in
            let ended = try Shell.run(
                "\(Self.program) run $BASE \(user) '\(check)' --fail-on should",
                base: try TestRun.address(server).origin, seconds: 60)
            #expect(ended.status == 1, "\(ended.output)")
            #expect(ended.output.contains(" \(check) "), "\(ended.output)")
        }
    }

    @Test("--cleanup removes what earlier runs left, and nothing of others")
    func cleanUp() throws {
        try TestRun.withStub(TestRun.Settings()) { stub, server in
            let base = try TestRun.address(server).origin
            let script =
                "\(Self.program) run $BASE 'pull.manifest.by-*' 'referrers.lists' 'push.kind.*' --keep --seed first >/dev/null && "
                + "\(Self.program) run $BASE 'pull.manifest.by-*' --keep --prefix others --seed second >/dev/null && "
                + "\(Self.program) run $BASE --cleanup"
            let ended = try Shell.run(script, base: base, seconds: 60)
            #expect(ended.status == 0, "\(ended.output)")
            stub.state.withLock { state in
                let named = state.repositories.filter { !$0.value.tags.isEmpty || !$0.value.manifests.isEmpty }
                #expect(named.keys.allSatisfy { $0.hasPrefix("others/") }, "\(named.keys)")
                #expect(named.keys.contains { $0.hasPrefix("others/") })
            }
        }
    }
}
