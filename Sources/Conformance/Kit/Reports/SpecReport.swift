/// The table of the specification's statements: which checks try each, or why none does.
package enum SpecReport {
    /// One line a statement, in the order of the specification.
    package static func text(_ groups: [CheckGroup]) -> String {
        var lines: [String] = []
        var section = ""
        for statement in SpecStatement.all {
            if statement.section != section {
                section = statement.section
                lines.append((lines.isEmpty ? "" : "\n") + section)
            }
            let checks = statement.checks(in: groups)
            let told = statement.exemption.map { "exempt: " + $0 } ?? checks.joined(separator: " ")
            lines.append("  \(pad(statement.id, 32)) \(pad(statement.level, 10)) \(statement.gist)")
            lines.append("  \(pad("", 32)) \(pad("", 10)) → \(told)")
        }
        let bound = SpecStatement.all.filter { $0.exemption == nil }
        let tried = bound.filter { !$0.checks(in: groups).isEmpty }
        lines.append(
            "\n\(SpecStatement.all.count) statements: \(tried.count) of \(bound.count) that bind a registry are tried, "
                + "\(SpecStatement.all.count - bound.count) are exempt")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
