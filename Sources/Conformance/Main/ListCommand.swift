import ArgumentParser
import ConformanceKit
import Foundation

/// `list`: all checks.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the checks: id, level, section, what is asked.")

    @Argument(help: "Id patterns; all checks when there are none.") var patterns: [String] = []

    mutating func run() throws {
        let all = (CheckCatalog.groups + ManagementCatalog.groups).flatMap { group in
            group.checks.map { (group: group.title, check: $0) }
        }
        let wanted = all.filter { _, check in
            patterns.isEmpty || patterns.contains { Glob.matches(check.id, $0) }
        }
        if wanted.isEmpty {
            Console.write("no check fits \(patterns.joined(separator: " "))\n", toError: true)
            Console.exit(Status.nothingSelected)
        }
        ListCommand.write(wanted)
    }

    static func write(_ selection: [(group: String, check: Check)]) {
        var title = ""
        for (group, check) in selection {
            if group != title { Console.write("\(title.isEmpty ? "" : "\n")\(group)\n") }
            title = group
            let id = check.id.padding(toLength: max(check.id.count, 44), withPad: " ", startingAt: 0)
            let level = check.level.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
            Console.write("  \(id) \(level) \(check.gist)\n")
        }
        Console.write("\n\(selection.count) checks\n")
    }
}
