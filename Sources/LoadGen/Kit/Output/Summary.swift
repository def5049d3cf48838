/// A run for people, as lines of text.
package enum Summary {
    private static let percents = [50.0, 90, 95, 99, 99.9]

    /// Everything worth a look after a run.
    package static func lines(_ report: RunReport) -> [String] {
        var lines = [
            "",
            "\(report.scenario) on \(report.target), \(report.mode): \(report.schedule), seed \(report.seed)",
            "figures of \(Text.significant(report.seconds)) s: asked \(Text.significant(report.rateAsked))/s, "
                + "got \(Text.significant(report.rateGot))/s, failed \(Text.significant(report.arrivals.errorShare * 100)) %",
            "arrivals: \(report.asked) asked = \(report.sent) sent + \(report.missed) missed + \(report.givenUp) given up; "
                + "\(report.late) late",
            "",
        ]
        var rows = [["", "count", "failed"] + percents.map { "p" + Text.percent($0) } + ["max"]]
        rows.append(row("arrivals", report.arrivals, report.arrivals.latency))
        for (name, figures) in report.rows {
            rows.append(row(name, figures, figures.latency))
            guard report.operations[name] != nil else { continue }
            rows.append(row("  for a connection", figures, figures.waiting))
            rows.append(row("  to first byte", figures, figures.firstByte))
            rows.append(row("  service", figures, figures.service))
        }
        rows.append(
            ["send lag", "", ""] + (percents + [100]).map { Text.percentile($0, of: report.lag) })
        lines += table(rows)
        lines += traffic(report)
        for (kind, count) in report.arrivals.failures.sorted(by: { $0.value > $1.value }) {
            lines.append("failed: \(kind) \(count)")
        }
        lines += report.notes.map { "note: " + $0 }
        lines += report.doubts.map { "doubt: " + $0 }
        return lines
            + report.verdicts.map { verdict in
                "\(verdict.verdict.word): \(verdict.condition) (\(verdict.measured)\(verdict.reason.map { "; " + $0 } ?? ""))"
            }
    }

    private static func row(_ name: String, _ figures: FiguresReport, _ times: SparseHistogram) -> [String] {
        [name, "\(figures.total)", "\(figures.failed)"] + (percents + [100]).map { Text.percentile($0, of: times) }
    }

    private static func traffic(_ report: RunReport) -> [String] {
        let bytesIn = report.operations.values.reduce(0) { $0 + $1.bytesIn }
        let bytesOut = report.operations.values.reduce(0) { $0 + $1.bytesOut }
        let seconds = max(report.seconds, 1e-9)
        let busy = report.generator.busy.map { Text.significant($0 * 100) + " %" }.joined(separator: ", ")
        return [
            "",
            "received \(Text.bytes(Double(bytesIn) / seconds))/s, sent \(Text.bytes(Double(bytesOut) / seconds))/s, "
                + "\(Text.significant(report.requestRate)) requests/s",
            "generator: \(Text.significant(report.generator.cpuSeconds)) CPU-seconds, loops busy \(busy), "
                + "peak memory \(Text.bytes(Double(report.generator.peakMemory))), "
                + "\(report.generator.connectionsMade) connections, \(report.generator.waitedForConnection) waits for one",
        ]
    }

    /// Columns, the first to the left and the others to the right; the last to the left too where it is a text.
    package static func table(_ rows: [[String]], lastIsText: Bool = false) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, text in
                let blank = String(repeating: " ", count: widths[column] - text.count)
                if lastIsText, column == columns - 1 { return text }
                return column == 0 ? text + blank : blank + text
            }.joined(separator: "  ")
        }
    }

    /// One line of progress.
    package static func progress(_ progress: Progress) -> String {
        let last = progress.last.histogram
        let state =
            progress.at < 0
            ? "warming up" : progress.at > progress.length + 1 ? "waiting" : Text.fixed(progress.at, 0) + " s"
        let (got, asked) = (Double(progress.last.succeeded), Double(progress.last.asked))
        return "\(state): \(Text.fixed(got / progress.lastLength, 0))/s of "
            + "\(Text.fixed(asked / progress.lastLength, 0))/s, \(progress.last.failed) failed, "
            + (last.count > 0 ? "p50 \(Text.time(last.percentile(50))), p99 \(Text.time(last.percentile(99))), " : "")
            + "\(progress.active) under way, \(progress.connections) connections"
    }
}
