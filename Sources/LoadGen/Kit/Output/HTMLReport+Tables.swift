/// The tables of a page.
extension HTMLReport {
    /// A line an entry, each leading to its own part of the page.
    static func overview(_ entries: [Entry]) -> String {
        var text =
            "<section><h1>Overview</h1><div class=\"wide\"><table><tr><th>run</th><th>target</th><th>asked</th><th>got</th>"
        text += "<th>p50</th><th>p95</th><th>p99</th><th>errors</th><th>capacity</th><th>requirements</th></tr>"
        for (place, entry) in entries.enumerated() {
            let (report, times) = (entry.report, entry.report.arrivals.latency)
            let cells =
                [
                    TextOutputs.xml(report.target), Text.significant(report.rateAsked) + "/s",
                    Text.significant(report.rateGot) + "/s",
                ] + [50.0, 95, 99].map { Text.percentile($0, of: times) } + [
                    Text.significant(report.arrivals.errorShare * 100) + " %", entry.capacity?.answer.text ?? "–",
                    summary(report.verdicts),
                ]
            text += "<tr><td><a href=\"#run\(place + 1)\">\(TextOutputs.xml(report.scenario))</a></td>"
            text += cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
        }
        return text + "</table></div></section><hr>\n"
    }

    private static func summary(_ verdicts: [VerdictReport]) -> String {
        let kinds = [Outcome.met, .missed, .unknown].compactMap { outcome in
            let count = verdicts.count { $0.verdict == outcome }
            return count > 0 ? "\(count) \(outcome.rawValue)" : nil
        }
        return kinds.isEmpty ? "–" : kinds.joined(separator: ", ")
    }

    static func requirements(_ verdicts: [VerdictReport]) -> String {
        let rows = verdicts.map { verdict in
            let style = verdict.verdict == .met ? "met" : verdict.verdict == .missed ? "missed" : "unknown"
            return "<tr class=\"\(style)\"><td>\(TextOutputs.xml(verdict.condition))</td>"
                + "<td>\(TextOutputs.xml(verdict.measured))</td><td>\(verdict.verdict.rawValue)</td>"
                + "<td>\(TextOutputs.xml(verdict.reason ?? ""))</td></tr>"
        }
        return
            "<section><h2>Requirements</h2><div class=\"wide\"><table class=\"texts\"><tr><th>condition</th><th>measured</th>"
            + "<th>verdict</th><th></th></tr>" + rows.joined() + "</table></div></section>\n"
    }

    static func capacity(_ answer: CapacitySearch.Answer, _ objective: String) -> String {
        var text =
            "<section><h2>Capacity</h2><p class=\"big\">\(answer.rate > 0 ? Text.significant(answer.rate) + "/s" : "–") "
        text += "<small>\(TextOutputs.xml(answer.text)) for \(TextOutputs.xml(objective))</small></p>"
        if answer.isGeneratorBound {
            text += "<p class=\"care\">The generator's limit, not the target's, ended the search.</p>"
        } else if !answer.isSettled {
            text += "<p class=\"care\">The interval is wider than was asked for.</p>"
        }
        let hasCPU = answer.probes.contains { $0.targetCPU != nil }
        text += "<div class=\"charts\">" + capacityChart(answer, objective).html
        text += "<div class=\"wide\"><table class=\"texts\"><tr><th>probe</th><th>rate</th><th>outcome</th>"
        text += "<th>arrivals</th>\(hasCPU ? "<th>server's cores</th>" : "")<th>measured</th></tr>"
        for (place, probe) in answer.probes.enumerated() {
            text += "<tr class=\"\(probe.outcome == .passed ? "met" : "missed")\"><td>\(place + 1)</td>"
            text +=
                "<td>\(Text.significant(probe.rate))/s</td><td>\(probe.outcome.rawValue)</td><td>\(probe.arrivals)</td>"
            if hasCPU { text += "<td>\(probe.targetCPU.map(Text.significant) ?? "–")</td>" }
            text += "<td>\(TextOutputs.xml(probe.summary))</td></tr>"
        }
        return text + "</table></div></div></section>\n"
    }

    /// What an operation moves.
    static func bytes(_ report: RunReport) -> String {
        let rows = report.operations.sorted { $0.key < $1.key }.map { name, figures in
            let count = Double(max(figures.total, 1))
            let cells = [Double(figures.bytesIn), Double(figures.bytesOut)].flatMap { [$0, $0 / count] }
            return "<tr><td>\(TextOutputs.xml(name))</td>" + cells.map { "<td>\(Text.bytes($0))</td>" }.joined()
                + "</tr>"
        }
        return "<section><h2>Bytes</h2><div class=\"wide\"><table><tr><th>operation</th><th>received</th><th>each</th>"
            + "<th>sent</th><th>each</th></tr>" + rows.joined() + "</table></div></section>\n"
    }

    static func operations(_ report: RunReport) -> String {
        let percents = [50.0, 90, 95, 99, 99.9]
        var text =
            "<section><h2>Latencies</h2><div class=\"wide\"><table><tr><th>operation</th><th>count</th><th>failed</th>"
        text += percents.map { "<th>p\(Text.percent($0))</th>" }.joined() + "<th>max</th></tr>"
        func row(_ name: String, _ figures: FiguresReport, _ times: SparseHistogram, _ style: String) -> String {
            "<tr class=\"\(style)\"><td>\(TextOutputs.xml(name))</td><td>\(figures.total)</td><td>\(figures.failed)</td>"
                + (percents + [100]).map { "<td>\(Text.percentile($0, of: times))</td>" }.joined() + "</tr>"
        }
        text += row("whole arrivals", report.arrivals, report.arrivals.latency, "first")
        for (name, figures) in report.rows {
            text += row(name, figures, figures.latency, "first")
            guard report.operations[name] != nil else { continue }
            text += row("for a connection", figures, figures.waiting, "part")
            text += row("to first byte", figures, figures.firstByte, "part")
            text += row("service", figures, figures.service, "part")
        }
        return text + "</table></div><p class=\"sub\">Latency counts from the moment a request should have been sent; "
            + "service from the moment it was. \"For a connection\" is what a request waited for one to be free or made.</p></section>\n"
    }

    static func errors(_ report: RunReport) -> String {
        guard report.arrivals.failed > 0 else { return "" }
        let most = report.arrivals.failures.values.max() ?? 1
        let rows = report.arrivals.failures.sorted { $0.value > $1.value }.map { kind, count in
            "<tr><td>\(TextOutputs.xml(Failure.explained(kind)))</td><td>\(count)</td><td class=\"bar\"><i style=\"width:\(Text.fixed(Double(count) / Double(most) * 100, 1))%\"></i></td></tr>"
        }
        return "<section><h2>Errors by kind</h2><div class=\"wide\"><table class=\"facts\">" + rows.joined()
            + "</table></div></section>\n"
    }

    static func generator(_ report: RunReport) -> String {
        let busy = report.generator.busy.map { Text.significant($0 * 100) + " %" }.joined(separator: ", ")
        let facts = [
            (
                "send lag p50 / p99 / max",
                [50.0, 99, 100].map { Text.percentile($0, of: report.lag) }.joined(separator: " / ")
            ),
            ("arrivals asked", "\(report.asked)"),
            ("sent, missed, given up", "\(report.sent), \(report.missed), \(report.givenUp)"),
            ("arrivals more than 1 ms late", "\(report.late)"),
            ("event loops busy", busy), ("CPU-seconds", Text.significant(report.generator.cpuSeconds)),
            ("peak memory", Text.bytes(Double(report.generator.peakMemory))),
            ("connections made", "\(report.generator.connectionsMade)"),
            ("waits for a connection", "\(report.generator.waitedForConnection)"),
            ("sent again on a fresh connection", "\(report.generator.sentAgain)"), ("program", report.program),
            ("machine", report.machine),
        ]
        return "<section><h2>The generator itself</h2><div class=\"wide\"><table class=\"facts\">"
            + facts.map { "<tr><td>\($0.0)</td><td>\(TextOutputs.xml($0.1))</td></tr>" }.joined()
            + "</table></div></section>\n"
    }
}
