/// The run as Markdown, for a job summary or an issue.
package enum MarkdownReport {
    /// The document.
    package static func text(_ result: RunResult, target: String) -> String {
        var text = "# Conformance of \(target)\n\n"
        let figures = Verdict.allCases.map { "\(result.count($0)) \($0.rawValue)" }.joined(separator: ", ")
        text += "\(figures), in \(Milliseconds(result.duration)) ms\(result.interrupted ? ", interrupted" : "")\n\n"
        text += "| section | \(Verdict.allCases.map(\.rawValue).joined(separator: " | ")) |\n"
        text += "|---" + String(repeating: "|---:", count: Verdict.allCases.count) + "|\n"
        var titles: [String] = []
        for outcome in result.outcomes where !titles.contains(outcome.group) { titles.append(outcome.group) }
        for title in titles {
            let group = result.outcomes.filter { $0.group == title }
            let cells = Verdict.allCases.map { verdict in String(group.count { $0.verdict == verdict }) }
            text += "| \(title) | \(cells.joined(separator: " | ")) |\n"
        }
        for verdict in [Verdict.fail, .error, .warn] {
            let outcomes = result.outcomes.filter { $0.verdict == verdict }
            if !outcomes.isEmpty { text += "\n## \(verdict.rawValue) (\(outcomes.count))\n" }
            text += outcomes.map(detail).joined()
        }
        let blocked = Dictionary(grouping: result.outcomes.filter { $0.verdict == .blocked }) { $0.blocker ?? "" }
        if !blocked.isEmpty { text += "\n## blocked (\(result.count(.blocked)))\n\n" }
        for (blocker, outcomes) in blocked.sorted(by: { $0.key < $1.key }) {
            text += "- by `\(blocker)`: \(outcomes.map { "`\($0.check.id)`" }.joined(separator: ", "))\n"
        }
        return text
    }

    private static func detail(_ outcome: Outcome) -> String {
        let check = outcome.check
        var text = "\n### `\(check.id)` \(check.level.rawValue)\n\n\(check.gist) (\(check.section))\n\n"
        if !outcome.reason.isEmpty { text += "- \(outcome.reason)\n" }
        if !outcome.expected.isEmpty { text += "- expected: \(outcome.expected)\n- got: \(outcome.got)\n" }
        if !outcome.shown.isEmpty { text += "- shown by: \(outcome.shown)\n" }
        if let script = outcome.script {
            text += "\n<details><summary>curl script</summary>\n\n~~~~bash\n\(script)~~~~\n\n</details>\n"
        }
        return text
    }
}
