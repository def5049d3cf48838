import Foundation
import LoadKit
import Synchronization
import Testing

@Suite("The program aerugo-load")
struct CommandTests {
    /// A scenario whose images ``MiniRegistry`` knows.
    private static func scenario(_ name: String, _ rest: String = "") throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(name)-\(UUID().uuidString).yaml")
        let text = "arrivals: [{do: push}]\nimages: {count: 2, layers: 2, size: 300B}\n" + rest
        try Data(text.utf8).write(to: path)
        return path.path
    }

    @Test(
        "what would be passed over in silence is refused, and the message names the option",
        arguments: [
            (["run", "http://h/", "--concurrency", "2", "--spacing", "poisson"], "--concurrency and --spacing"),
            (["run", "http://h/", "--concurrency", "2", "--rate", "2"], "--concurrency"),
            (["run", "http://h/", "--burst", "2", "--spacing", "poisson"], "--burst and --spacing"),
            (["run", "http://h/", "--every", "2s"], "--every"), (["run", "http://h/", "--from", "2"], "--from"),
            (["run", "http://h/", "--pace", "2"], "--pace"),
            (["run", "http://h/", "--user", "u", "--token-file", "t"], "--token-file and --user"),
            (["run", "http://h/", "--password-file", "p"], "--password-file needs --user"),
            (["run", "http://h/", "--insecure", "--cacert", "/nowhere"], "leave out --cacert"),
            (["run", "http://127.0.0.1:9/", "--server-pid", "99999999"], "there is no process 99999999"),
            (["run", "http://127.0.0.1:9/", "--server-pid", "1", "--metrics", "/m"], "--server-pid and --metrics"),
            (["run", "http://127.0.0.1:9/", "--metrics", "/m"], "--metrics: /m of http://127.0.0.1:9"),
            (["run", "http://127.0.0.1:9/", "--agent-secret-file", "x"], "--agent-secret-file is for --agents"),
            (["run", "http://h/", "--agents", "127.0.0.1:9", "--realtime"], "--realtime"),
            (["run", "http://127.0.0.1:9/", "--agents", "127.0.0.1"], "the port is missing"),
            (["run", "http://127.0.0.1:9/", "--scenario", "get", "--token-host", "a/b"], "'a/b'"),
            (["agent", "--only", "http://h"], "'http://h'"),
            (["agent", "--listen", "127.0.0.1"], "the port is missing"),
            (["capacity", "http://h/", "--cool-down", "1s"], "--cool-down"),
            (["run", "http://127.0.0.1:9/base/", "--scenario", "pull"], "leave '/base/' out of the URL"),
            (["run", "http://127.0.0.1:9/", "--json", "/tmp/x", "--html", "/tmp/x"], "to the same file"),
            (["capacity", "http://127.0.0.1:9/", "--objective", "rate>100", "--ceiling", "90"], "the --ceiling of 90"),
            (
                ["run", "http://h/", "--scenario", "pull", "--users", "3"],
                "--users is for scenarios that ask the management"
            ),
            (
                ["run", "http://h/", "--scenario", "manage", "--repositories", "0"],
                "--repositories must be 1 to 100000"
            ),
            (["run", "http://h/", "--scenario", "manage", "--namespace", "ann"], "--namespace: nothing is pushed"),
            (["plan", "--pulls", "0", "--pull-report", "x"], "--pull-report needs --pulls"),
        ])
    func refused(arguments: [String], message: String) async throws {
        let command = try Command(arguments)
        #expect(try await command.waitForEnd() == 2)
        #expect(command.said.contains(message), "\(command.said)")
    }

    @Test("a report that has no place is found out before anything is sent", arguments: ["run", "capacity"])
    func unwritable(name: String) async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        for path in ["/nowhere/x.json", "/tmp"] {
            let command = try Command([name, server.url, "--json", path])
            #expect(try await command.waitForEnd() == 5)
            #expect(command.said.contains("'\(path)' cannot be written"))
        }
        #expect(server.asked.isEmpty)
        try await server.stop()
    }

    @Test("a plan rests on a run of what it plans")
    func unfit() async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        let report = FileManager.default.temporaryDirectory.appending(path: "plain-\(UUID().uuidString).json").path
        let run = try Command([
            "run", server.url, "--rate", "5", "--duration", "1s", "--json", report, "--require", "errors<1%",
        ])
        #expect(try await run.waitForEnd() == 0)
        let plan = try Command(["plan", "--pulls", "5", "--pull-report", report])
        #expect(try await plan.waitForEnd() == 2)
        #expect(plan.said.contains("there is no manifest.get in it"))
        try await server.stop()
    }

    @Test("a length does not fit a schedule of several stages")
    func severalStages() async throws {
        let file = try Self.scenario("stages", "schedule: [{rate: 1, for: 1s}, {rate: 2, for: 1s}]")
        let command = try Command(["run", "http://127.0.0.1:9/", "--scenario", file, "--duration", "9s"])
        #expect(try await command.waitForEnd() == 2)
        #expect(command.said.contains("--duration does not fit the 2 stages"))
    }

    @Test("Ctrl-C is heard while the target does not answer the login")
    func login() async throws {
        let server = try await TestServer { _ in .silence }
        let command = try Command(["run", server.url, "--scenario", "pull", "--timeout", "1h"])
        try #require(try await eventually { !server.asked.isEmpty })
        command.interrupt()
        #expect(try await command.waitForEnd() == 130)
        #expect(command.said.contains("interrupted while logging in"))
        try await server.stop()
    }

    @Test("the report is written before clean-up, which Ctrl-C ends and which tells what it left")
    func reportFirst() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { ask in ask.method == "DELETE" ? .silence : registry.reply(ask) }
        let report = FileManager.default.temporaryDirectory.appending(path: "report-\(UUID().uuidString).json").path
        let command = try Command([
            "run", server.url, "--scenario", try Self.scenario("push"), "--seed", "5", "--rate", "5", "--duration",
            "1s",
            "--json", report,
        ])
        try #require(try await eventually { server.asked.contains { $0.method == "DELETE" } })
        #expect(try ReportFile.read(report).arrivals.succeeded == 5)
        #expect(command.end == nil)
        command.interrupt()
        #expect(try await command.waitForEnd() == 130)
        #expect(command.said.contains("deleted: cancelled"))
        try await server.stop()
    }

    @Test(
        "a requirement that is met, one that is missed and one that nobody can tell have an exit code each",
        arguments: [
            ("errors<1%", 200, Int32(0)), ("errors<1%", 503, 1), ("blob.get:p99<1s", 200, 4), ("p99<1h", 200, 0),
        ])
    func verdicts(condition: String, status: Int, code: Int32) async throws {
        let seen = Atomic<Int>(0)
        let server = try await TestServer { _ in
            .answer(seen.add(1, ordering: .relaxed).newValue % 2 == 0 ? status : 200, [], "")
        }
        let command = try Command(["run", server.url, "--rate", "40", "--duration", "1s", "--require", condition])
        #expect(try await command.waitForEnd() == code, "\(command.said)")
        #expect(command.said.contains(["met: ", "MISSED: ", "", "", "CANNOT TELL: "][Int(code)] + condition))
        try await server.stop()
    }

    @Test("a target that goes away in mid-run is exit code 3, whatever was required")
    func gone() async throws {
        let seen = Atomic<Int>(0)
        let server = try await TestServer { _ in
            seen.add(1, ordering: .relaxed).newValue > 15 ? .hangUp : .answer(200, [], "")
        }
        let command = try Command([
            "run", server.url, "--rate", "40", "--duration", "1s", "--require", "errors<90%", "--quiet",
        ])
        #expect(try await command.waitForEnd() == 3)
        #expect(command.said.contains("the target went away"))
        try await server.stop()
    }

    @Test("a registry that refuses is told so, what helps, and nothing of a clean-up", arguments: [true, false])
    func refusedSetUp(byToken: Bool) async throws {
        let port = Atomic<Int>(0)
        let server = try await TestServer { ask in
            guard byToken else { return ask.path == "/v2/" ? .answer(200, [], "") : .answer(401, [], "") }
            let realm = "Bearer realm=\"http://127.0.0.1:\(port.load(ordering: .relaxed))/token\""
            return .answer(401, ask.path == "/token" ? [] : [("WWW-Authenticate", realm)], "")
        }
        port.store(server.port, ordering: .relaxed)
        let command = try Command(["run", server.url, "--scenario", "pull", "--quiet"])
        #expect(try await command.waitForEnd() == 3)
        #expect(!command.said.contains("clean-up"), "\(command.said)")
        #expect(command.said.contains("wants credentials") && command.said.contains("--user"))
        #expect(!command.said.contains("refuses the credentials"))
        try await server.stop()
    }

    @Test("'-' is standard output, and nothing else is said there")
    func standardOutput() async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        let command = try Command(
            ["run", server.url, "--rate", "20", "--duration", "1s", "--json", "-", "--require", "errors<1%"],
            separatesErrors: true)
        #expect(try await command.waitForEnd() == 0)
        let report = try ReportFile.decode(RunReport.self, Array(command.said.utf8), "stdout")
        #expect(report.arrivals.succeeded == 20 && report.verdicts.map(\.verdict) == [.met])
        try await server.stop()
    }

    @Test("control characters of a scenario reach no terminal")
    func controls() async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        let file = try Self.scenario("controls", "name: \"a\\e[31mred\\x9b2J\"\nwarm-up: 0s\n")
        let text = try String(contentsOfFile: file, encoding: .utf8).replacingOccurrences(of: "push", with: "get")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let command = try Command(["run", server.url, "--scenario", file, "--rate", "5", "--duration", "1s"])
        _ = try await command.waitForEnd()
        #expect(command.said.contains("a?[31mred?2J"), "\(command.said)")
        #expect(!command.said.unicodeScalars.contains { $0.value == 0x1B || (0x7F...0x9F).contains($0.value) })
        try await server.stop()
    }

    @Test("connections are made before the start where that is asked for")
    func connections() async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        let command = try Command(
            [
                "run", server.url, "--rate", "20", "--duration", "1s", "--connections", "7", "--json", "-", "--quiet",
                "--require", "errors<1%",
            ], separatesErrors: true)
        #expect(try await command.waitForEnd() == 0)
        let report = try ReportFile.decode(RunReport.self, Array(command.said.utf8), "stdout")
        #expect(report.generator.connectionsMade == 7)
        try await server.stop()
    }

    /// An agent that listens.
    private func agent(_ arguments: [String] = []) async throws -> (Command, port: String) {
        let agent = try Command(["agent", "--listen", "127.0.0.1:0"] + arguments)
        try #require(try await eventually { agent.said.contains("listening on 127.0.0.1:") })
        return (agent, String(agent.said.split(separator: "\n").first?.split(separator: ":").last ?? ""))
    }

    private static let clients = ["--concurrency", "2", "--seed", "5"]

    @Test("a closed loop of agents leaves nothing in the registry")
    func closedLoop() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { registry.reply($0) }
        let (first, second) = (try await agent(), try await agent())
        let file = try Self.scenario("closed", "think: 100ms")
        let command = try Command(
            ["run", server.url, "--scenario", file, "--duration", "2s", "--agents"]
                + ["127.0.0.1:\(first.port),127.0.0.1:\(second.port)", "--require", "errors<1%"] + Self.clients)
        #expect(try await command.waitForEnd() == 0, "\(command.said)")
        #expect(server.asked.contains { $0.method == "PUT" && $0.path.contains("/manifests/") })
        #expect(registry.manifestCount == 0)
        try await server.stop()
    }

    @Test("an agent whose coordinator is killed ends its run and deletes what it pushed")
    func orphan() async throws {
        let registry = MiniRegistry()
        let server = try await TestServer { registry.reply($0) }
        let (only, port) = try await agent(["--only", "127.0.0.1:\(server.port)"])
        let file = try Self.scenario("orphan", "think: 300ms")
        let command = try Command(
            ["run", server.url, "--scenario", file, "--duration", "1h", "--agents", "127.0.0.1:\(port)"] + Self.clients)
        try #require(try await eventually { registry.manifestCount > 0 }, "\(command.said) \(only.said)")
        command.kill()
        #expect(try await eventually { registry.manifestCount == 0 && server.connected == 0 })
        try await server.stop()
    }

    @Test("an agent loads nothing but what it may")
    func only() async throws {
        let server = try await TestServer { _ in .answer(200, [], "") }
        let (agent, port) = try await agent(["--only", "127.0.0.1"])
        let command = try Command(["run", server.url, "--agents", "127.0.0.1:\(port)"])
        #expect(try await command.waitForEnd() == 3)
        #expect(command.said.contains("may not load 127.0.0.1:\(server.port)") && server.asked.isEmpty)
        agent.kill()
        try await server.stop()
    }
}
