/// One self-contained page about one or several runs.
package enum HTMLReport {
    /// What stands besides a run's own figures.
    package struct Extras: Sendable {
        /// How the conditions came out.
        package var verdicts: [Objective.Verdict] = []
        /// Of a capacity search.
        package var capacity: CapacitySearch.Answer?
        /// Of that search, as it was written.
        package var objective: String?

        /// Nothing besides.
        package init() {}
    }

    /// The page. Everything that came from outside is escaped.
    package static func page(_ report: RunReport, extras: Extras = Extras()) -> String {
        page([(report, extras)])
    }

    /// Several runs on one page, one below the other.
    package static func page(_ runs: [(report: RunReport, extras: Extras)]) -> String {
        let title = runs.map { "\($0.report.scenario) on \($0.report.target)" }.joined(separator: ", ")
        let body = runs.map { section($0.report, extras: $0.extras) }.joined(separator: "<hr>\n")
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(TextOutputs.xml(title))</title><style>\(HTMLStyle.sheet)</style></head>
            <body><main>\(body)</main></body></html>

            """
    }

    private static func section(_ report: RunReport, extras: Extras) -> String {
        var body = "<header><h1>\(TextOutputs.xml(report.scenario))</h1>"
        body += "<p class=\"sub\">\(TextOutputs.xml(report.target)) · \(TextOutputs.xml(report.mode)) · "
        body +=
            "\(TextOutputs.xml(report.schedule)) · seed \(report.seed) · \(CivilTime.text(report.began))</p></header>\n"
        body += banner(report)
        if let capacity = extras.capacity { body += Self.capacity(capacity, extras.objective ?? "") }
        body += tiles(report)
        if !extras.verdicts.isEmpty { body += requirements(extras.verdicts) }
        body += "<h2>Over time</h2><div class=\"charts\">" + charts(report).map(\.html).joined() + "</div>\n"
        return body + operations(report) + errors(report) + generator(report)
    }

    private static func banner(_ report: RunReport) -> String {
        var text = ""
        if report.isInterrupted { text += "<p class=\"bad\">Interrupted: the figures end early.</p>" }
        if !report.isValid {
            text +=
                "<div class=\"bad\"><strong>Invalid.</strong> These figures are the generator's own, not the target's:<ul>"
            text += report.doubts.map { "<li>\(TextOutputs.xml($0))</li>" }.joined() + "</ul></div>"
        }
        if report.mode != "open loop" {
            text +=
                "<p class=\"care\">Closed loop: clients wait for their answers, so pauses of the server are hidden.</p>"
        }
        return text + report.notes.map { "<p class=\"care\">\(TextOutputs.xml($0))</p>" }.joined()
    }

    private static func tiles(_ report: RunReport) -> String {
        let bytes = report.operations.values.reduce(0) { $0 + $1.bytesIn + $1.bytesOut }
        let entries = [
            ("rate", Text.significant(report.rateGot) + "/s", "of \(Text.significant(report.rateAsked))/s asked"),
            ("p50", Text.time(report.arrivals.latency.percentile(50)), "from the intended moment"),
            ("p99", Text.time(report.arrivals.latency.percentile(99)), "max " + Text.time(report.arrivals.latency.max)),
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

    private static func requirements(_ verdicts: [Objective.Verdict]) -> String {
        let rows = verdicts.map { verdict in
            "<tr class=\"\(verdict.isMet ? "met" : "missed")\"><td>\(TextOutputs.xml(verdict.condition.description))</td>"
                + "<td>\(TextOutputs.xml(verdict.text))</td><td>\(verdict.isMet ? "met" : "missed")</td></tr>"
        }
        return
            "<section><h2>Requirements</h2><div class=\"wide\"><table><tr><th>condition</th><th>measured</th><th></th></tr>"
            + rows.joined() + "</table></div></section>\n"
    }

    private static func capacity(_ answer: CapacitySearch.Answer, _ objective: String) -> String {
        let bound = answer.failedAt.map { "; \(Text.significant($0))/s was too much" } ?? ""
        var text = "<section><h2>Capacity</h2><p class=\"big\">\(Text.significant(answer.rate))/s "
        text += "<small>keeps \(TextOutputs.xml(objective))\(bound)</small></p>"
        if answer.isGeneratorBound {
            text += "<p class=\"care\">The generator's limit, not the target's, ended the search.</p>"
        }
        text += "<div class=\"charts\">" + capacityChart(answer, objective).html
        text += "<div class=\"wide\"><table class=\"texts\"><tr><th>probe</th><th>rate</th><th>outcome</th>"
        text += "<th>chance</th><th>measured</th></tr>"
        for (place, probe) in answer.probes.enumerated() {
            text += "<tr class=\"\(probe.outcome == .passed ? "met" : "missed")\"><td>\(place + 1)</td>"
            text += "<td>\(Text.significant(probe.rate))/s</td><td>\(probe.outcome.rawValue)</td>"
            text +=
                "<td>\(Text.significant(probe.confidence * 100)) %</td><td>\(TextOutputs.xml(probe.summary))</td></tr>"
        }
        return text + "</table></div></div></section>\n"
    }

    private static func operations(_ report: RunReport) -> String {
        let percents = [50.0, 90, 95, 99, 99.9]
        var text =
            "<section><h2>Latencies</h2><div class=\"wide\"><table><tr><th>operation</th><th>count</th><th>failed</th>"
        text += percents.map { "<th>p\(Text.percent($0))</th>" }.joined() + "<th>max</th></tr>"
        func row(_ name: String, _ figures: FiguresReport, _ times: SparseHistogram, _ style: String) -> String {
            "<tr class=\"\(style)\"><td>\(TextOutputs.xml(name))</td><td>\(figures.total)</td><td>\(figures.failed)</td>"
                + percents.map { "<td>\(times.count == 0 ? "–" : Text.time(times.percentile($0)))</td>" }.joined()
                + "<td>\(times.count == 0 ? "–" : Text.time(times.max))</td></tr>"
        }
        text += row("whole arrivals", report.arrivals, report.arrivals.latency, "first")
        for (name, figures) in report.operations.sorted(by: { $0.key < $1.key }) {
            text += row(name, figures, figures.latency, "first")
            text += row("to first byte", figures, figures.firstByte, "part")
            text += row("service", figures, figures.service, "part")
        }
        return text + "</table></div><p class=\"sub\">Latency counts from the moment a request should have been sent; "
            + "service from the moment it was.</p></section>\n"
    }

    private static func errors(_ report: RunReport) -> String {
        guard report.arrivals.failed > 0 else { return "" }
        let most = report.arrivals.failures.values.max() ?? 1
        let rows = report.arrivals.failures.sorted { $0.value > $1.value }.map { kind, count in
            "<tr><td>\(TextOutputs.xml(Failure.explained(kind)))</td><td>\(count)</td><td class=\"bar\"><i style=\"width:\(Text.fixed(Double(count) / Double(most) * 100, 1))%\"></i></td></tr>"
        }
        return "<section><h2>Errors by kind</h2><div class=\"wide\"><table class=\"facts\">" + rows.joined()
            + "</table></div></section>\n"
    }

    private static func generator(_ report: RunReport) -> String {
        let busy = report.generator.busy.map { Text.significant($0 * 100) + " %" }.joined(separator: ", ")
        let facts = [
            (
                "send lag p50 / p99 / max",
                [50.0, 99, 100].map { Text.time(report.lag.percentile($0)) }.joined(separator: " / ")
            ),
            ("arrivals more than 1 ms late", "\(report.late)"), ("arrivals not sent", "\(report.missed)"),
            ("event loops busy", busy), ("CPU-seconds", Text.significant(report.generator.cpuSeconds)),
            ("peak memory", Text.bytes(Double(report.generator.peakMemory))),
            ("connections made", "\(report.generator.connectionsMade)"),
            ("waits for a connection", "\(report.generator.waitedForConnection)"),
            ("sent again on a fresh connection", "\(report.generator.sentAgain)"),
        ]
        return "<section><h2>The generator itself</h2><div class=\"wide\"><table class=\"facts\">"
            + facts.map { "<tr><td>\($0.0)</td><td>\($0.1)</td></tr>" }.joined() + "</table></div></section>\n"
    }
}
