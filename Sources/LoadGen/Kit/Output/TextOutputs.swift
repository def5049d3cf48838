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
        let all =
            [("arrivals", report.arrivals)] + report.operations.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        for (name, figures) in all {
            let labels = "\(run),operation=\"\(escape(name))\""
            for percent in percents {
                let value = Double(figures.latency.percentile(percent)) / 1e9
                text += "aerugo_load_latency_seconds{\(labels),quantile=\"\(Text.plain(percent / 100))\"} \(value)\n"
            }
            text +=
                "aerugo_load_latency_seconds_sum{\(labels)} \(figures.latency.mean * Double(figures.latency.count) / 1e9)\n"
            text += "aerugo_load_latency_seconds_count{\(labels)} \(figures.latency.count)\n"
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
        text += "# TYPE aerugo_load_not_sent_total counter\naerugo_load_not_sent_total{\(run)} \(report.missed)\n"
        text += "# TYPE aerugo_load_valid gauge\naerugo_load_valid{\(run)} \(report.isValid ? 1 : 0)\n"
        return text
    }

    /// JUnit: one case a condition, and one for the validity of the run.
    package static func junit(_ report: RunReport, _ verdicts: [Objective.Verdict]) -> String {
        let failures = verdicts.filter { !$0.isMet }.count + (report.isValid ? 0 : 1)
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text += "<testsuite name=\"aerugo-load \(xml(report.scenario))\" tests=\"\(verdicts.count + 1)\""
        text += " failures=\"\(failures)\" errors=\"0\" time=\"\(Text.fixed(report.seconds, 3))\">\n"
        text += "  <testcase classname=\"aerugo-load\" name=\"the run is valid\">"
        if !report.isValid {
            text += "<failure message=\"\(xml(report.doubts.joined(separator: "; ")))\"/>"
        }
        text += "</testcase>\n"
        for verdict in verdicts {
            text += "  <testcase classname=\"aerugo-load\" name=\"\(xml(verdict.condition.description))\">"
            if !verdict.isMet { text += "<failure message=\"measured \(xml(verdict.text))\"/>" }
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
