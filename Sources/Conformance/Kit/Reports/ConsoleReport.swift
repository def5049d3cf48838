import Foundation
import Synchronization

/// Progress and summary for a person: live on a terminal, a line a section elsewhere.
package final class ConsoleReport: RunObserver {
    private let isLive: Bool
    private let color: Bool
    private let totals: [(String, Int)]
    private let state = Mutex(State())

    private struct State {
        var byGroup: [String: [Outcome]] = [:]
        var printed = 0
    }

    /// Prepares the report of a run over `selection`.
    package init(selection: [(group: String, check: Check)], isTerminal: Bool) {
        isLive = isTerminal
        color = isTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
        var order: [(String, Int)] = []
        for (group, _) in selection {
            if let last = order.last, last.0 == group {
                order[order.count - 1].1 += 1
            } else {
                order.append((group, 1))
            }
        }
        totals = order
    }

    /// Prints the lines of the sections that are complete now.
    package func ended(_ outcome: Outcome, done: Int, of total: Int) {
        state.withLock { state in
            state.byGroup[outcome.group, default: []].append(outcome)
            if isLive { write("\r\u{1B}[K") }
            while state.printed < totals.count {
                let (title, count) = totals[state.printed]
                let outcomes = state.byGroup[title] ?? []
                guard outcomes.count == count else { break }
                write(line(title, outcomes) + "\n")
                state.printed += 1
            }
            if isLive { write("\(done)/\(total) \(outcome.check.id)") }
            if isLive, done == total { write("\r\u{1B}[K") }
        }
    }

    private func line(_ title: String, _ outcomes: [Outcome]) -> String {
        let name = title.padding(toLength: max(title.count, 34), withPad: " ", startingAt: 0)
        let parts = Verdict.allCases.compactMap { verdict -> String? in
            let count = outcomes.count { $0.verdict == verdict }
            return count == 0 ? nil : paint("\(count) \(verdict.rawValue)", verdict)
        }
        return "  \(name) \(parts.joined(separator: ", "))"
    }

    /// Failures and warnings one by one, then the figures of the whole run.
    package func summary(_ result: RunResult) {
        for outcome in result.outcomes where [.fail, .warn, .error].contains(outcome.verdict) {
            write("\n" + detail(outcome) + "\n")
        }
        for (verdict, title) in [(Verdict.blocked, "blocked"), (.skip, "skipped")] {
            let same = Dictionary(grouping: result.outcomes.filter { $0.verdict == verdict }, by: \.reason)
            if !same.isEmpty { write("\n\(title):\n") }
            for (reason, outcomes) in same.sorted(by: { $0.key < $1.key }) {
                write("  \(outcomes.count) × \(reason): \(outcomes.map(\.check.id).joined(separator: " "))\n")
            }
        }
        let figures = Verdict.allCases.map { paint("\(result.count($0)) \($0.rawValue)", $0) }
        write("\n\(figures.joined(separator: ", ")) in \(Milliseconds(result.duration).value.rounded() / 1_000) s")
        write(result.interrupted ? ", interrupted" : "")
        write(result.leftovers > 0 ? "; \(result.leftovers) things could not be deleted again\n" : "\n")
    }

    private func detail(_ outcome: Outcome) -> String {
        let check = outcome.check
        var lines = [
            "\(paint(outcome.verdict.rawValue.uppercased(), outcome.verdict)) \(check.id) (\(check.level.rawValue)) \(check.section)",
            "  asked:    \(check.gist)",
        ]
        if !outcome.reason.isEmpty { lines.append("  \(outcome.reason)") }
        if !outcome.expected.isEmpty {
            lines += ["  expected: \(outcome.expected)", "  got:      \(outcome.got)"]
        }
        if !outcome.shown.isEmpty { lines.append("  shown by: \(outcome.shown)") }
        return lines.joined(separator: "\n")
    }

    private func paint(_ text: String, _ verdict: Verdict) -> String {
        guard color else { return text }
        let code =
            switch verdict {
            case .pass: 32
            case .fail: 31
            case .warn: 33
            case .blocked: 34
            case .skip: 36
            case .error: 35
            }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    private func write(_ text: String) {
        Output.write(text)
    }
}
