/// One self-contained page about one or several runs.
package enum HTMLReport {
    /// A run, or the capacity search that it stands for.
    package struct Entry: Sendable {
        let report: RunReport
        let capacity: CapacityReport?

        /// A run.
        package init(_ report: RunReport) {
            self.report = report
            capacity = nil
        }

        /// A search, with the run nearest to what it found.
        package init(_ capacity: CapacityReport) {
            report = capacity.run
            self.capacity = capacity
        }
    }

    /// The page of a run. Everything that came from outside is escaped.
    package static func page(_ report: RunReport) -> String { page([Entry(report)]) }

    /// An overview, where there are several, and then one below the other.
    package static func page(_ entries: [Entry]) -> String {
        let title = entries.map { "\($0.report.scenario) on \($0.report.target)" }.joined(separator: ", ")
        let body = entries.enumerated().map { section($0.element, id: "run\($0.offset + 1)") }.joined(
            separator: "<hr>\n")
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(TextOutputs.xml(title))</title><style>\(HTMLStyle.sheet)</style></head>
            <body><main>\(entries.count > 1 ? overview(entries) : "")\(body)</main></body></html>

            """
    }

    private static func section(_ entry: Entry, id: String) -> String {
        let report = entry.report
        var body = "<header id=\"\(id)\"><h1>\(TextOutputs.xml(report.scenario))</h1>"
        body += "<p class=\"sub\">\(TextOutputs.xml(report.target)) · \(TextOutputs.xml(report.mode)) · "
        body +=
            "\(TextOutputs.xml(report.schedule)) · seed \(report.seed) · \(CivilTime.text(report.began))</p></header>\n"
        body += banner(report)
        if let capacity = entry.capacity {
            body += Self.capacity(capacity.answer, capacity.objective)
            body += "<h2>The probe nearest to it, at \(Text.significant(report.rateAsked))/s</h2>\n"
        }
        body += tiles(report)
        if !report.verdicts.isEmpty { body += requirements(report.verdicts) }
        body += "<h2>Over time</h2><div class=\"charts\">" + charts(report).map(\.html).joined() + "</div>\n"
        return body + operations(report) + bytes(report) + errors(report) + generator(report)
    }

    private static func banner(_ report: RunReport) -> String {
        var text = ""
        if report.isInterrupted { text += "<p class=\"bad\">Interrupted: the figures end early.</p>" }
        if report.isTargetGone { text += "<p class=\"bad\">The target went away before the end.</p>" }
        if !report.isValid {
            text += "<div class=\"bad\"><strong>In doubt.</strong> The generator may have a share in these figures:<ul>"
            text += report.doubts.map { "<li>\(TextOutputs.xml($0))</li>" }.joined() + "</ul></div>"
        }
        if !report.isOpen {
            text +=
                "<p class=\"care\">Closed loop: clients wait for their answers, so pauses of the server are hidden.</p>"
        }
        return text + report.notes.map { "<p class=\"care\">\(TextOutputs.xml($0))</p>" }.joined()
    }

    private static func tiles(_ report: RunReport) -> String {
        let bytes = report.operations.values.reduce(0) { $0 + $1.bytesIn + $1.bytesOut }
        let times = report.arrivals.latency
        let entries = [
            ("rate", Text.significant(report.rateGot) + "/s", "of \(Text.significant(report.rateAsked))/s asked"),
            ("p50", Text.percentile(50, of: times), "from the intended moment"),
            ("p99", Text.percentile(99, of: times), "max " + Text.percentile(100, of: times)),
            (
                "errors", Text.significant(report.arrivals.errorShare * 100) + " %",
                "\(report.arrivals.failed) of \(report.arrivals.total)"
            ),
            (
                "throughput", Text.bytes(Double(bytes) / max(report.seconds, 1e-9)) + "/s",
                "\(Text.significant(report.requestRate)) requests/s"
            ),
        ]
        let tiles = entries.map {
            "<div class=\"tile\"><span>\($0.0)</span><b>\($0.1)</b><small>\($0.2)</small></div>"
        }
        return "<section class=\"tiles\">" + tiles.joined() + "</section>\n"
    }
}
