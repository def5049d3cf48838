import Foundation

/// What came of replayed recordings.
package enum ReplayReport {
    /// A recording's name and what came of it.
    package typealias Suite = (name: String, steps: [ReplayStep])

    /// How many exchanges were good, bad, left out.
    package static func count(_ steps: [ReplayStep]) -> (good: Int, bad: Int, left: Int) {
        var counts = (good: 0, bad: 0, left: 0)
        for step in steps {
            switch step.verdict {
            case .good: counts.good += 1
            case .bad: counts.bad += 1
            case .left: counts.left += 1
            }
        }
        return counts
    }

    /// A line for the recording, one for each reason to leave exchanges out, and one for each exchange that a client
    /// could not live with.
    package static func text(_ name: String, _ steps: [ReplayStep]) -> String {
        let counts = count(steps)
        var text = "\(name): \(counts.good) good, \(counts.bad) bad, \(counts.left) left out\n"
        for (reason, count) in reasons(steps) { text += "  \(count) left out: \(reason)\n" }
        for step in steps {
            guard case .bad(let expected, let got) = step.verdict else { continue }
            text += "  line \(step.line), \(step.request)\n    expected: \(expected)\n    got:      \(got)\n"
        }
        return text
    }

    /// Why exchanges were left out, and how many each, the most first.
    package static func reasons(_ steps: [ReplayStep]) -> [(reason: String, count: Int)] {
        var counts: [String: Int] = [:]
        for case .left(let reason) in steps.map(\.verdict) { counts[reason, default: 0] += 1 }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    /// The verdicts, by ids such as `replay.podman.17`, the line of the recording.
    package static func verdicts(_ suites: [Suite]) -> Baseline {
        Baseline(verdicts: Dictionary(checks(suites).map { ($0.id, $0.verdict.rawValue) }) { $1 })
    }

    /// JSON in the shape of a run's report, so that it can be a baseline. Throws only when Foundation cannot write JSON.
    package static func json(_ suites: [Suite]) throws -> String {
        let document: [String: Any] = [
            "version": JSONReport.version, "tool": "aerugo-conformance",
            "checks": checks(suites).map { check in
                ["id": check.id, "verdict": check.verdict.rawValue, "gist": check.step.request]
                    .merging(check.told) { $1 }
            },
        ]
        let data = try JSONSerialization.data(
            withJSONObject: document, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private struct Judged {
        let id: String
        let verdict: Verdict
        let step: ReplayStep
        let told: [String: String]
    }

    private static func checks(_ suites: [Suite]) -> [Judged] {
        suites.flatMap { name, steps in
            let stem = name.hasSuffix(".jsonl") ? String(name.dropLast(6)) : name
            return steps.map { step in
                let (verdict, told): (Verdict, [String: String]) =
                    switch step.verdict {
                    case .good: (.pass, [:])
                    case .left(let reason): (.skip, ["reason": reason])
                    case .bad(let expected, let got): (.fail, ["expected": expected, "got": got])
                    }
                return Judged(id: "replay.\(stem).\(step.line)", verdict: verdict, step: step, told: told)
            }
        }
    }

    /// JUnit XML: a suite a recording, a case an exchange.
    package static func junit(_ suites: [Suite]) -> String {
        var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"aerugo-conformance replay\">\n"
        for (name, steps) in suites {
            let counts = count(steps)
            xml +=
                "  <testsuite name=\"\(JUnitReport.escaped(name))\" tests=\"\(steps.count)\" failures=\"\(counts.bad)\" "
                + "errors=\"0\" skipped=\"\(counts.left)\">\n"
            for step in steps {
                let title = JUnitReport.escaped("line \(step.line): \(step.request)")
                xml += "    <testcase name=\"\(title)\" classname=\"\(JUnitReport.escaped(name))\""
                switch step.verdict {
                case .good: xml += "/>\n"
                case .left(let reason): xml += "><skipped message=\"\(JUnitReport.escaped(reason))\"/></testcase>\n"
                case .bad(let expected, let got):
                    xml +=
                        "><failure message=\"\(JUnitReport.escaped(got))\">expected: "
                        + "\(JUnitReport.escaped(expected))</failure></testcase>\n"
                }
            }
            xml += "  </testsuite>\n"
        }
        return xml + "</testsuites>\n"
    }
}
