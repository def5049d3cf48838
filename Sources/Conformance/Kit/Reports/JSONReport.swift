import Foundation

/// The run as JSON, for machines: stable keys, outcomes in the order of the selection.
package enum JSONReport {
    /// Version of the document's shape.
    package static let version = 1

    /// The document. Throws only when Foundation cannot write JSON.
    package static func text(_ result: RunResult, target: String, seed: String) throws -> String {
        let document: [String: Any] = [
            "version": version, "tool": "aerugo-conformance", "target": target, "seed": seed,
            "server": result.facts.server, "duration_ms": Milliseconds(result.duration).value.rounded(),
            "interrupted": result.interrupted, "leftovers": result.leftovers,
            "summary": Dictionary(uniqueKeysWithValues: Verdict.allCases.map { ($0.rawValue, result.count($0)) }),
            "checks": result.outcomes.map(check),
        ]
        let data = try JSONSerialization.data(
            withJSONObject: document, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private static func check(_ outcome: Outcome) -> [String: Any] {
        var members: [String: Any] = [
            "id": outcome.check.id, "group": outcome.group, "level": outcome.check.level.rawValue,
            "section": outcome.check.section, "gist": outcome.check.gist, "statements": outcome.check.statements,
            "verdict": outcome.verdict.rawValue, "duration_ms": Milliseconds(outcome.duration).value.rounded(),
        ]
        if !outcome.reason.isEmpty { members["reason"] = outcome.reason }
        if !outcome.expected.isEmpty {
            members["expected"] = outcome.expected
            members["got"] = outcome.got
        }
        if let odds = outcome.odds { members["odds"] = odds.text }
        if let blocker = outcome.blocker { members["blocked_by"] = blocker }
        if !outcome.shown.isEmpty { members["shown_by"] = outcome.shown }
        if let number = outcome.exchange { members["exchange"] = number }
        if !outcome.exchanges.isEmpty { members["exchanges"] = outcome.exchanges.map(\.text) }
        if let script = outcome.script { members["script"] = script }
        return members
    }
}
