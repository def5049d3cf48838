import ArgumentParser
import ConformanceKit
import Foundation

/// `spec`: the statements of the specification and what tries them.
struct SpecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spec", abstract: "The statements of the distribution-spec, and the checks that try each.")

    @Flag(help: "The operations and statuses of the management API instead, and the checks that provoke each.")
    var management = false
    @Option(help: "Its document, a file; the one that the registry has at /api/v1/openapi.json.")
    var document = "docs/openapi.json"

    mutating func run() throws {
        guard management else { return Console.write(SpecReport.text(CheckCatalog.groups)) }
        guard let data = FileManager.default.contents(atPath: document), let read = APIDocument(Array(data)) else {
            throw ValidationError("--document: \(document) is no OpenAPI 3 document")
        }
        let coverage = ManagementCoverage(read)
        Console.write(coverage.text)
        if !coverage.gaps.isEmpty { Console.exit(Status.failures) }
    }
}

/// `explain ID`: all about one check.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "What a check asks, by which sentences, and what it needs.")

    @Argument(help: "The id of a check or of a statement.") var id: String

    mutating func run() throws {
        let checks = (CheckCatalog.groups + ManagementCatalog.groups).flatMap(\.checks)
        if let check = checks.first(where: { $0.id == id }) { return explain(check) }
        if let statement = SpecStatement.all.first(where: { $0.id == id }) { return explain(statement) }
        let near = checks.map(\.id).filter { $0.contains(id) || id.contains($0) }
        let hint = near.isEmpty ? "" : "; there is \(near.prefix(8).joined(separator: ", "))"
        Console.write("no check or statement is called \(id)\(hint)\n", toError: true)
        Console.exit(Status.nothingSelected)
    }

    private func explain(_ check: Check) {
        Console.write(
            "\(check.id)\n  level    \(check.level.rawValue)\n  section  \(check.section)\n  asked    \(check.gist)\n")
        for name in check.statements {
            guard let statement = SpecStatement.all.first(where: { $0.id == name }) else { continue }
            Console.write("  by       \(statement.level): \(statement.gist) (\(statement.section), \(name))\n")
        }
        let consequence =
            switch check.level {
            case .must: "a registry that misses it fails"
            case .should: "a registry that misses it is warned"
            case .may: "a registry without it is skipped; one that offers it wrongly fails"
            }
        Console.write("  verdict  \(consequence)\n")
    }

    private func explain(_ statement: SpecStatement) {
        Console.write(
            "\(statement.id)\n  level    \(statement.level)\n  section  \(statement.section)\n  asks     \(statement.gist)\n"
        )
        if let exemption = statement.exemption { return Console.write("  exempt   \(exemption)\n") }
        for check in statement.checks(in: CheckCatalog.groups) { Console.write("  tried by \(check)\n") }
    }
}

/// `compare A.json B.json`: what changed between two runs.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "What changed from one report to another; exits 5 when something got worse.")

    @Argument(help: "The earlier report.") var old: String
    @Argument(help: "The later report.") var new: String

    mutating func run() throws {
        let changes = try Reports.read(old).changes(to: try Reports.read(new))
        for change in changes { Console.write(Reports.line(change)) }
        let worse = changes.filter(\.isWorse)
        let luck = changes.count { $0.isLuck }
        Console.write(
            "\(changes.count - luck) changed, \(worse.count) for the worse"
                + (luck > 0 ? "; \(luck) by the luck of a race" : "") + "\n")
        if !worse.isEmpty { Console.exit(Status.regression) }
    }
}

/// `badge REPORT.json`: a picture for a web page.
struct BadgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "badge", abstract: "An SVG badge from a JSON report, on standard output.")

    @Argument(help: "The report.") var report: String

    mutating func run() throws {
        let verdicts = try Reports.read(report).verdicts.values
        Console.write(
            Badge.svg(
                pass: verdicts.count { $0 == "pass" }, fail: verdicts.count { $0 == "fail" || $0 == "error" },
                warn: verdicts.count { $0 == "warn" }))
    }
}

/// What commands over reports share.
enum Reports {
    static func read(_ path: String) throws -> Baseline { try usable { try Baseline(path: path) } }

    static func recording(_ path: String) throws -> Recording { try usable { try Recording(path: path) } }

    /// What is wrong with a file is a mistake in the usage.
    private static func usable<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let failure as RunnerFailure {
            throw ValidationError(failure.description)
        }
    }

    /// Finds out whether reports can be written; what is there stays until they are.
    static func probe(_ paths: [String?]) throws {
        for path in paths.compactMap({ $0 }) {
            let isNew = access(path, F_OK) != 0
            let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw ValidationError("cannot write \(path): \(String(cString: strerror(errno)))") }
            close(file)
            if isNew { unlink(path) }
        }
    }

    /// Finds out whether files can be made in a folder; makes it where it is not there.
    static func probe(folder: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw ValidationError("cannot write to the folder \(folder): \(error.localizedDescription)")
        }
        try probe([folder + "/.aerugo-conformance"])
    }

    static func line(_ change: Baseline.Change) -> String {
        let mark = change.isWorse ? "worse " : change.isLuck ? "luck  " : "      "
        return "\(mark) \(change.id): \(change.old ?? "not run") → \(change.new ?? "not run")\n"
    }
}
