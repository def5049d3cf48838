import ConformanceKit
import Foundation
import Testing

@Suite("the runner finds faults of a management API", .serialized)
struct ManagementFaultTests {
    static func run(
        _ faults: Set<ManagementFault>, _ patterns: [String] = [], keep: Bool = false, jobs: Int = 2
    ) throws -> (result: RunResult, stub: StubManagement) {
        let stub = try StubManagement(faults)
        let server = try stub.serve()
        defer { server.stop() }
        var target = Target(base: try TestRun.address(server))
        target.deadline = .seconds(5)
        let root = StubManagement.administrator
        target.administrator = Identity(
            name: root.name, proof: .password(user: root.name, password: root.password))
        target.identity = target.administrator ?? .anonymous
        var plan = RunPlan(target: target, groups: ManagementCatalog.groups, seed: "seed1")
        (plan.patterns, plan.jobs, plan.keep) = (patterns, jobs, keep)
        return (try Runner(plan, observer: TestRun.Silent()).run(), stub)
    }

    /// The faults and the checks that must find each.
    static func rows() throws -> [(fault: ManagementFault, checks: [String])] {
        let text = try String(
            contentsOf: TestRun.file("fixtures/expected/management-faults.tsv"), encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let cells = line.split(separator: "\t").map(String.init)
            guard cells.count == 2, let fault = ManagementFault(rawValue: cells[0]) else {
                throw StubFailure("bad row: \(line)")
            }
            return (fault, cells[1].split(separator: " ").map(String.init))
        }
    }

    @Test("a registry without faults passes all of it, has nothing left, and no other is blamed")
    func faultless() throws {
        let (result, stub) = try Self.run([])
        for outcome in result.outcomes {
            // What a version of the API lacks is skipped, and says so.
            let isLacking = ["this version of the API", "the document names"].contains(where: outcome.reason.hasPrefix)
            #expect(
                outcome.verdict == .pass || outcome.verdict == .skip && isLacking,
                "\(outcome.check.id) \(outcome.verdict): expected \(outcome.expected), got \(outcome.got) \(outcome.reason)"
            )
        }
        #expect(result.leftovers == 0)
        stub.state.withLock { state in
            #expect(state.users.keys.sorted() == ["root"])
            // Keys of accounts that are gone are nobody's.
            #expect(state.organizations.isEmpty && state.keys.allSatisfy { $0.owner != 1 })
            // What the run looked for before it began stands below its own prefix.
            #expect(state.repositories.keys.allSatisfy { $0.hasPrefix("conformance/") })
        }
    }

    @Test("every fault of the table is found by the checks that stand beside it")
    func everyFault() throws {
        var killed = Set<ManagementFault>()
        for (fault, checks) in try Self.rows() {
            let found: Set<String>
            do {
                found = FaultTests.killers(try Self.run([fault], checks).result)
            } catch {
                Issue.record("\(fault): \(error)")
                continue
            }
            let missed = Set(checks.filter { !$0.contains("*") }).subtracting(found)
            #expect(missed.isEmpty, "\(fault) is not found by \(missed.sorted())")
            if missed.isEmpty, !found.isEmpty { killed.insert(fault) }
        }
        print("management faults: \(killed.count) killed of \(ManagementFault.allCases.count)")
        #expect(Set(ManagementFault.allCases).subtracting(killed).isEmpty)
    }

    /// For who adds a fault: AERUGO_MANAGEMENT_MATRIX gets the faults with all checks that find each.
    @Test(
        "the matrix of all faults, written where AERUGO_MANAGEMENT_MATRIX says",
        .enabled(if: ProcessInfo.processInfo.environment["AERUGO_MANAGEMENT_MATRIX"] != nil))
    func matrix() throws {
        let environment = ProcessInfo.processInfo.environment
        let wanted = environment["AERUGO_MANAGEMENT_FAULTS"].map { Set($0.split(separator: ",").map(String.init)) }
        var lines: [String] = []
        for fault in ManagementFault.allCases where wanted?.contains(fault.rawValue) ?? true {
            let found = FaultTests.killers(try Self.run([fault]).result)
            lines.append("\(fault.rawValue)\t\(found.sorted().joined(separator: " "))")
            try lines.joined(separator: "\n").write(
                toFile: environment["AERUGO_MANAGEMENT_MATRIX"] ?? "", atomically: true, encoding: .utf8)
        }
    }

    @Test("no secret of the run or of the registry is in any report")
    func secrets() throws {
        let (result, stub) = try Self.run(
            [.outsiderSees, .secretInList, .passwordInList, .problemCodeMissing], keep: true)
        let reports = [
            JUnitReport.text(result, countingWarnings: false), try JSONReport.text(result, target: "x", seed: "seed1"),
            HTMLReport.text(result, target: "x", seed: "seed1"), MarkdownReport.text(result, target: "x"),
        ]
        let secrets = stub.state.withLock { state in
            state.keys.map(\.secret) + state.sessions.flatMap { [$0.access, $0.refresh] }
                + state.users.values.map(\.password)
        }
        #expect(secrets.count > 20)
        for report in reports {
            report.withCString { text in
                for secret in secrets where secret.count > 8 { #expect(strstr(text, secret) == nil) }
            }
        }
        #expect(result.outcomes.contains { $0.verdict == .fail && $0.script != nil })
    }

    @Test("a failure's script shows it again on a faulty registry, shows nothing on a good one, and leaves nothing")
    func scripts() throws {
        for (fault, check) in [
            (ManagementFault.readerPushes, "matrix.v2.upload"), (.refreshAgain, "api.auth.refresh.once"),
            (.lastOwnerRemoved, "api.members.last-owner"), (.othersKeysListed, "api.keys.list.own"),
            (.invitationShownToOthers, "api.invitations.mine.shown"),
        ] {
            let outcome = try #require(try Self.run([fault], [check]).result.outcomes.first { $0.check.id == check })
            let script = try #require(outcome.script, "\(check): \(outcome.verdict) \(outcome.reason)")
            let faulty = try StubManagement([fault])
            #expect(try Self.exit(script, faulty) == 1, "\(check) on a faulty registry")
            #expect(try Self.exit(script, StubManagement()) == 0, "\(check) on a good one")
            faulty.state.withLock { state in
                #expect(state.users.keys.sorted() == ["root"], "\(check)")
            }
        }
    }

    private static func exit(_ script: String, _ stub: StubManagement) throws -> Int32 {
        let server = try stub.serve()
        defer { server.stop() }
        let root = StubManagement.administrator
        return try Shell.run(
            "AERUGO_ADMIN=\(root.name):\(root.password)\n" + script, base: "http://127.0.0.1:\(server.port)",
            seconds: 30
        ).status
    }

    @Test("another's API is named, and who is no administrator is refused, before anything is made")
    func others() throws {
        let server = try StubServer(faults: FaultSet([])) { request in
            request.path == "/api/v2.0/systeminfo"
                ? StubResponse(200, [("Content-Type", "application/json")], Array("{\"harbor_version\":\"v2\"}".utf8))
                : StubResponse(404)
        }
        defer { server.stop() }
        var target = Target(base: try TestRun.address(server))
        target.administrator = Identity(name: "a", proof: .password(user: "a", password: "some password"))
        let plan = RunPlan(target: target, groups: ManagementCatalog.groups, seed: "seed1")
        let problem = #expect(throws: TargetProblem.self) { try Runner(plan, observer: TestRun.Silent()).run() }
        guard case .unusable(let reason) = problem else { throw StubFailure("\(String(describing: problem))") }
        #expect(reason.contains("Harbor") && reason.contains("Aerugo"))
    }
}
