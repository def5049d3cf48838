import ConformanceKit
import Foundation
import Synchronization
import Testing

@Suite("the runner finds faults")
struct FaultTests {
    /// A line of the table: the fault, how the run is set up, the checks that must find it.
    struct Row: Sendable, CustomStringConvertible {
        let fault: Fault
        let mode: String
        let checks: [String]
        var description: String { fault.rawValue }
    }

    /// Modes: open, accounts and given are how the run is set up; `allowed` is what a registry may do, so that nothing
    /// may blame it; `unfound` is a fault that no check finds yet; `idle` (fault `-`) lists checks that find no fault.
    static func rows(_ modes: String...) throws -> [Row] {
        let text = try String(contentsOf: TestRun.file("fixtures/expected/faults.tsv"), encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasPrefix("-") }.map { line in
            let cells = line.split(separator: "\t").map(String.init)
            guard cells.count == 3, let fault = Fault(rawValue: cells[0]) else { throw StubFailure("bad row: \(line)") }
            return Row(fault: fault, mode: cells[1], checks: cells[2].split(separator: " ").map(String.init))
        }.filter { modes.isEmpty || modes.contains($0.mode) }
    }

    /// The checks of the row `-`.
    static func idle() throws -> Set<String> {
        let text = try String(contentsOf: TestRun.file("fixtures/expected/faults.tsv"), encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("-") } ?? ""
        return Set(line.split(separator: "\t").last?.split(separator: " ").map(String.init) ?? [])
    }

    /// The settings of a mode: open, accounts or given (read-only).
    static func settings(_ mode: String) -> TestRun.Settings {
        var settings = TestRun.Settings()
        settings.accounts = mode == "accounts"
        settings.given = mode == "given"
        settings.deadline = .seconds(4)
        return settings
    }

    /// The checks that find a fault by their own question; a preparation that fails finds nothing.
    static func killers(_ result: RunResult) -> Set<String> {
        Set(result.outcomes.filter { [.fail, .warn].contains($0.verdict) && $0.reason.isEmpty }.map(\.check.id))
    }

    @Test("every fault of the table is found by the checks that stand beside it; killed and total are printed")
    func everyFault() throws {
        let rows = try Self.rows("open", "accounts", "given")
        var killed = Set<Fault>()
        for row in rows {
            var settings = Self.settings(row.mode)
            settings.faults = [row.fault]
            settings.patterns = row.checks
            let found = Self.killers(try TestRun.run(settings))
            let missed = Set(row.checks.filter { !$0.contains("*") }).subtracting(found)
            #expect(missed.isEmpty, "\(row.fault.rawValue) is not found by \(missed.sorted())")
            if missed.isEmpty, !found.isEmpty { killed.insert(row.fault) }
        }
        let allowed = try Self.rows("allowed").count
        let unfound = try Self.rows("unfound").map(\.fault.rawValue)
        print("faults: \(killed.count) killed of \(Fault.allCases.count - allowed); not found: \(unfound)")
        #expect(killed == Set(rows.map(\.fault)))
        #expect(killed.count >= 120)
        #expect(Set(try Self.rows().map(\.fault)) == Set(Fault.allCases), "every switch stands in the table")
    }

    @Test("what a registry is allowed to do is blamed by nobody")
    func allowed() throws {
        for row in try Self.rows("allowed") {
            var settings = Self.settings("open")
            (settings.faults, settings.patterns, settings.deadline) = ([row.fault], row.checks, .seconds(20))
            for outcome in try TestRun.run(settings).outcomes {
                #expect(
                    outcome.verdict == .pass || outcome.verdict == .skip,
                    "\(row.fault): \(outcome.check.id) expected \(outcome.expected), got \(outcome.got)")
            }
        }
    }

    @Test("every check finds at least one fault, but those that the table names")
    func everyCheck() throws {
        let found = Set(try Self.rows("open", "accounts", "given").flatMap(\.checks))
        let idle = Set(CheckCatalog.groups.flatMap(\.checks).map(\.id).filter { !found.contains($0) })
        #expect(idle == (try Self.idle()), "checks that find no fault")
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
