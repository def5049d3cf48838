/// Reports for other programs.
package enum TextOutputs {
    private static let percents = [50.0, 90, 95, 99, 99.9]

    /// One line an interval: seconds, arrivals asked, succeeded, failed, requests, bytes, percentiles in milliseconds.
    package static func csv(_ report: RunReport) -> String {
        var text =
            "second,asked,succeeded,failed,requests,bytes_in,bytes_out,p50_ms,p90_ms,p95_ms,p99_ms,p99.9_ms,max_ms\n"
        for (place, interval) in report.intervals.enumerated() {
            let times = interval.histogram
            let cells = [
                Text.fixed(Double(place) * report.intervalSeconds, 3), "\(interval.asked)", "\(interval.succeeded)",
                "\(interval.failed)", "\(interval.requests)", "\(interval.bytesIn)", "\(interval.bytesOut)",
            ]
            let latencies = (percents.map { times.percentile($0) } + [times.max]).map {
                Text.fixed(Double($0) / 1e6, 4)
            }
            text += (cells + (times.count == 0 ? latencies.map { _ in "" } : latencies)).joined(separator: ",") + "\n"
        }
        return text
    }

    /// Prometheus' text format: one summary an operation, and what the run itself was worth.
    package static func prometheus(_ report: RunReport) -> String {
        let run = "scenario=\"\(escape(report.scenario))\",target=\"\(escape(report.target))\""
        var text = "# TYPE aerugo_load_latency_seconds summary\n"
        let all = [("arrivals", report.arrivals)] + report.rows.map { ($0.name, $0.figures) }
        for (name, figures) in all {
            let labels = "\(run),operation=\"\(escape(name))\""
            for percent in percents {
                // What was not measured is no 0 (as client libraries have it).
                let value = figures.latency.count > 0 ? Double(figures.latency.percentile(percent)) / 1e9 : .nan
                text += "aerugo_load_latency_seconds{\(labels),quantile=\"\(Text.plain(percent / 100))\"} "
                text += value.isNaN ? "NaN\n" : "\(value)\n"
            }
            text +=
                "aerugo_load_latency_seconds_sum{\(labels)} \(figures.latency.mean * Double(figures.latency.count) / 1e9)\n"
            text += "aerugo_load_latency_seconds_count{\(labels)} \(figures.latency.count)\n"
        }
        text += "# TYPE aerugo_load_succeeded_total counter\n"
        for (name, figures) in all {
            text += "aerugo_load_succeeded_total{\(run),operation=\"\(escape(name))\"} \(figures.succeeded)\n"
        }
        text += "# TYPE aerugo_load_failures_total counter\n"
        for (name, figures) in all {
            for (kind, count) in figures.failures.sorted(by: { $0.key < $1.key }) {
                text +=
                    "aerugo_load_failures_total{\(run),operation=\"\(escape(name))\",kind=\"\(escape(kind))\"} \(count)\n"
            }
        }
        text += "# TYPE aerugo_load_rate_asked gauge\naerugo_load_rate_asked{\(run)} \(report.rateAsked)\n"
        text += "# TYPE aerugo_load_rate_got gauge\naerugo_load_rate_got{\(run)} \(report.rateGot)\n"
        text += "# TYPE aerugo_load_not_sent_total counter\n"
        text += "aerugo_load_not_sent_total{\(run)} \(report.missed + report.givenUp)\n"
        text += "# TYPE aerugo_load_valid gauge\naerugo_load_valid{\(run)} \(report.isValid ? 1 : 0)\n"
        text += "# TYPE aerugo_load_interrupted gauge\n"
        text += "aerugo_load_interrupted{\(run)} \(report.isInterrupted ? 1 : 0)\n"
        return text
    }

    /// JUnit: whether the figures are the target's, the run went on to its end and had any success, and a case a condition.
    package static func junit(_ report: RunReport) -> String {
        let kinds = report.arrivals.failures.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }
        var cases: [(name: String, failure: String?)] = [
            // With requirements, a doubt stands with those that it is about.
            (
                "the figures are the target's",
                report.isValid || !report.verdicts.isEmpty ? nil : report.doubts.joined(separator: "; ")
            ),
            ("the target was there to the end", report.isTargetGone ? "it went away" : nil),
            ("the run went on to its end", report.isInterrupted ? "interrupted" : nil),
            (
                "some arrivals succeeded",
                report.arrivals.succeeded > 0 ? nil : "none: " + kinds.joined(separator: ", ")
            ),
        ]
        for verdict in report.verdicts {
            let reason = verdict.reason.map { ": " + $0 } ?? ""
            cases.append(
                (
                    verdict.condition,
                    verdict.verdict == .met ? nil : "\(verdict.verdict.rawValue), measured \(verdict.measured)\(reason)"
                ))
        }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text += "<testsuite name=\"aerugo-load \(xml(report.scenario))\" tests=\"\(cases.count)\""
        text += " failures=\"\(cases.count { $0.failure != nil })\" errors=\"0\""
        text += " time=\"\(Text.fixed(report.seconds, 3))\">\n"
        for (name, failure) in cases {
            text += "  <testcase classname=\"aerugo-load\" name=\"\(xml(name))\">"
            if let failure { text += "<failure message=\"\(xml(failure))\"/>" }
            text += "</testcase>\n"
        }
        return text + "</testsuite>\n"
    }

    /// For XML and HTML, text and attributes alike; control characters, which XML forbids, become spaces.
    package static func xml(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case _ where scalar.value < 0x20: escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func escape(_ label: String) -> String {
        var escaped = ""
        for character in label {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
