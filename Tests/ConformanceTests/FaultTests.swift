import ConformanceKit
import Foundation
import Synchronization
import Testing

@Suite("the runner finds faults")
struct FaultTests {
    /// A line of the table: the fault (`-` for none), how the run is set up, the checks that must find it, and why
    /// nothing is asked of it, where that is so.
    struct Row: Sendable, CustomStringConvertible {
        let fault: Fault?
        let mode: String
        let checks: [String]
        let reason: String
        var description: String { fault?.rawValue ?? "no fault" }
    }

    /// How a run is set up: nobody asks for credentials; alice has a password and bob is there too; alice has a token
    /// alone; read-only; with `--large`, of small chunks; with three nodes.
    static let modes = ["open", "accounts", "token", "given", "large", "nodes"]

    /// The whole table. Beside the modes there are `allowed`, what a registry may do, so that nothing may blame it, and
    /// `idle` (fault `-`), checks that no fault is there for. Both tell why.
    static func rows() throws -> [Row] {
        let text = try String(contentsOf: TestRun.file("fixtures/expected/faults.tsv"), encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let cells = line.split(separator: "\t").map(String.init)
            let isExcused = cells.count == 4 && ["allowed", "idle"].contains(cells[1])
            guard cells.count == 3 && modes.contains(cells[1]) || isExcused,
                cells[0] == "-" && cells[1] == "idle" || Fault(rawValue: cells[0]) != nil
            else { throw StubFailure("bad row: \(line)") }
            return Row(
                fault: Fault(rawValue: cells[0]), mode: cells[1],
                checks: cells[2].split(separator: " ").map(String.init), reason: isExcused ? cells[3] : "")
        }
    }

    /// The settings of a mode.
    static func settings(_ mode: String) -> TestRun.Settings {
        var settings = TestRun.Settings()
        settings.accounts = ["accounts", "token"].contains(mode)
        settings.token = mode == "token"
        settings.large = mode == "large"
        settings.given = mode == "given"
        settings.nodes = mode == "nodes"
        settings.deadline = .seconds(4)
        return settings
    }

    /// The checks that find a fault by their own question; a preparation that fails finds nothing.
    static func killers(_ result: RunResult) -> Set<String> {
        Set(result.outcomes.filter { [.fail, .warn].contains($0.verdict) && $0.reason.isEmpty }.map(\.check.id))
    }

    /// The checks that are blocked by one that fails: the fault that they lean on is told once, under the other's name.
    static func blocked(_ result: RunResult) -> Set<String> {
        let failed = Set(result.outcomes.filter { [.fail, .warn].contains($0.verdict) }.map(\.check.id))
        return Set(
            result.outcomes.filter { $0.blocker.map(failed.contains) == true }.map(\.check.id))
    }

    @Test("every fault of the table is found by the checks that stand beside it; killed and total are printed")
    func everyFault() throws {
        let rows = try Self.rows().filter { Self.modes.contains($0.mode) }
        let allowed = Set(try Self.rows().filter { $0.mode == "allowed" }.compactMap(\.fault))
        var killed = Set<Fault>()
        for row in rows {
            let fault = try #require(row.fault)
            var settings = Self.settings(row.mode)
            settings.faults = [fault]
            settings.patterns = row.checks
            let result = try TestRun.run(settings)
            let found = Self.killers(result)
            let missed = Set(row.checks.filter { !$0.contains("*") }).subtracting(found)
                .subtracting(Self.blocked(result))
            #expect(missed.isEmpty, "\(row) is not found by \(missed.sorted())")
            if missed.isEmpty, !found.isEmpty { killed.insert(fault) }
        }
        let asked = Set(Fault.allCases).subtracting(allowed)
        print("faults: \(killed.count) killed of \(asked.count); \(allowed.count) more are allowed")
        #expect(asked.subtracting(killed).isEmpty, "every switch is found, but those that are allowed")
        #expect(killed.isDisjoint(with: allowed))
    }

    @Test("what a registry is allowed to do is blamed by nobody")
    func allowed() throws {
        for row in try Self.rows() where row.mode == "allowed" {
            let isOfLogins = row.checks.allSatisfy { $0.hasPrefix("auth.") || $0.hasPrefix("tenants.") }
            var settings = Self.settings(isOfLogins ? "accounts" : "open")
            settings.faults = [try #require(row.fault)]
            (settings.patterns, settings.deadline) = (row.checks, .seconds(20))
            for outcome in try TestRun.run(settings).outcomes {
                #expect(
                    outcome.verdict == .pass || outcome.verdict == .skip,
                    "\(row): \(outcome.check.id) expected \(outcome.expected), got \(outcome.got)")
            }
        }
    }

    @Test("every check finds at least one fault, but those of which the table tells why not")
    func everyCheck() throws {
        let rows = try Self.rows()
        let found = Set(rows.filter { Self.modes.contains($0.mode) }.flatMap(\.checks))
        let excused = Set(rows.filter { $0.mode == "idle" }.flatMap(\.checks))
        // What playing finds is told by ExploreTests: its rules have no faults of their own.
        let listed = CheckCatalog.groups.flatMap(\.checks).map(\.id).filter { !$0.hasPrefix("explore.") }
        let idle = Set(listed.filter { !found.contains($0) })
        #expect(idle == excused, "checks that find no fault")
    }

    /// For who adds a fault or a check: AERUGO_FAULT_PLAN has lines of fault, mode and patterns; AERUGO_FAULT_MATRIX
    /// gets the same lines with the checks that found the fault.
    @Test(
        "the matrix of a plan, written where AERUGO_FAULT_MATRIX says",
        .enabled(if: ProcessInfo.processInfo.environment["AERUGO_FAULT_MATRIX"] != nil))
    func matrix() throws {
        let environment = ProcessInfo.processInfo.environment
        let plan = try String(contentsOfFile: environment["AERUGO_FAULT_PLAN"] ?? "", encoding: .utf8)
        var lines: [String] = []
        for line in plan.split(separator: "\n") {
            let cells = line.split(separator: "\t").map(String.init)
            let fault = try #require(Fault(rawValue: cells[0]))
            var settings = Self.settings(cells[1])
            (settings.faults, settings.patterns) = ([fault], cells[2].split(separator: " ").map(String.init))
            do {
                let found = Self.killers(try TestRun.run(settings))
                lines.append("\(fault.rawValue)\t\(cells[1])\t\(found.sorted().joined(separator: " "))")
            } catch {
                lines.append("\(fault.rawValue)\t\(cells[1])\t! \(error)")
            }
            try lines.joined(separator: "\n").write(
                toFile: environment["AERUGO_FAULT_MATRIX"] ?? "", atomically: true, encoding: .utf8)
        }
    }
}
