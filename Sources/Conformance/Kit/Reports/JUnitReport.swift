/// JUnit XML: one suite a section, `failure` for failures, `error` for errors, `skipped` with its reason for what was
/// skipped or blocked.
package enum JUnitReport {
    /// The document; `countingWarnings`: those are failures too, as `--fail-on should` has it.
    package static func text(
        _ result: RunResult, name: String = "aerugo-conformance", countingWarnings: Bool = false
    ) -> String {
        let outcomes = result.outcomes.map { outcome in
            guard countingWarnings, outcome.verdict == .warn else { return outcome }
            var failure = outcome
            failure.verdict = .fail
            return failure
        }
        var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        xml += "<testsuites name=\"\(escaped(name))\" \(counts(outcomes)) time=\"\(seconds(result.duration))\">\n"
        var titles: [String] = []
        for outcome in outcomes where !titles.contains(outcome.group) { titles.append(outcome.group) }
        for title in titles {
            let suite = outcomes.filter { $0.group == title }
            xml += "  <testsuite name=\"\(escaped(title))\" \(counts(suite))>\n"
            xml += suite.map(testcase).joined()
            xml += "  </testsuite>\n"
        }
        return xml + "</testsuites>\n"
    }

    private static func counts(_ outcomes: [Outcome]) -> String {
        func count(_ verdict: Verdict) -> Int { outcomes.count { $0.verdict == verdict } }
        return "tests=\"\(outcomes.count)\" failures=\"\(count(.fail))\" errors=\"\(count(.error))\" "
            + "skipped=\"\(count(.skip) + count(.blocked))\""
    }

    private static func seconds(_ duration: Duration) -> String {
        let micros = Int(Milliseconds(duration).value * 1_000)
        let fraction = String(micros % 1_000_000)
        return "\(micros / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }

    private static func testcase(_ outcome: Outcome) -> String {
        let check = outcome.check
        let open =
            "    <testcase name=\"\(escaped(check.id))\" classname=\"\(escaped(check.section))\" "
            + "time=\"\(seconds(outcome.duration))\""
        let told =
            "\(check.gist)\nexpected: \(outcome.expected)\ngot: \(outcome.got)\nshown by: \(outcome.shown)\n\(outcome.reason)\n"
            + outcome.exchanges.map(\.text).joined(separator: "\n\n")
        switch outcome.verdict {
        case .pass: return open + "/>\n"
        case .fail:
            return open + ">\n      <failure type=\"\(check.level.rawValue)\" message=\"\(escaped(outcome.got))\">"
                + escaped(told) + "</failure>\n    </testcase>\n"
        case .error: return open + ">\n      <error message=\"\(escaped(outcome.reason))\"/>\n    </testcase>\n"
        case .skip, .blocked:
            return open + ">\n      <skipped message=\"\(escaped(outcome.reason))\"/>\n    </testcase>\n"
        case .warn:
            return open + ">\n      <system-out>warning: " + escaped(told) + "</system-out>\n    </testcase>\n"
        }
    }

    /// XML text: markup escaped, control characters replaced.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
