extension HTMLReport {
    /// The drawings of a run, those without data left out.
    static func charts(_ report: RunReport) -> [Chart] {
        var charts = [latency(report), percentiles(report), rates(report), traffic(report)]
        if report.arrivals.failed > 0 { charts.append(failures(report)) }
        if !report.samples.isEmpty { charts += target(report) }
        return charts
    }

    private static func line(
        _ name: String, _ style: Int, _ report: RunReport, filled: Bool = false, _ value: (Interval) -> Double?
    ) -> Chart.Series {
        let points = report.intervals.enumerated().compactMap { place, interval in
            value(interval).map { (x: Double(place) * report.intervalSeconds, y: $0) }
        }
        return Chart.Series(name: name, style: style, points: points, isFilled: filled)
    }

    private static func latency(_ report: RunReport) -> Chart {
        let histograms = report.intervals.map(\.histogram)
        let lines: [Chart.Series] = [("max", 100.0, 3), ("p99", 99, 2), ("p90", 90, 1), ("p50", 50, 0)].map {
            name, percent, style in
            let points = histograms.enumerated().compactMap { place, times in
                times.count == 0
                    ? nil : (x: Double(place) * report.intervalSeconds, y: Double(times.percentile(percent)) / 1e6)
            }
            return Chart.Series(name: name, style: style, points: points)
        }
        return Chart(title: "Latency over time", unit: "ms, log scale", yScale: .logarithmic, series: lines)
    }

    private static func percentiles(_ report: RunReport) -> Chart {
        func curve(_ name: String, _ style: Int, _ times: SparseHistogram) -> Chart.Series {
            var points: [(x: Double, y: Double)] = []
            var share = 1.0
            // Ever closer to 100 %, as long as a value stands for each step.
            while times.count > 0, share * Double(times.count) >= 1, points.count < 200 {
                let percent = 100 * (1 - share)
                points.append((percent, Double(times.percentile(percent)) / 1e6))
                share *= 0.9
            }
            return Chart.Series(name: name, style: style, points: points)
        }
        var lines = [curve("arrivals", 2, report.arrivals.latency)]
        let busiest = report.operations.sorted { $0.value.total > $1.value.total }.prefix(1)
        for (name, figures) in busiest { lines.append(curve("\(name), service", 0, figures.service)) }
        return Chart(
            title: "Latency by percentile", unit: "ms, log scale", xTitle: "percentile", xScale: .nines,
            yScale: .logarithmic, series: lines)
    }

    private static func rates(_ report: RunReport) -> Chart {
        let width = report.intervalSeconds
        return Chart(
            title: "Rate asked and got", unit: "arrivals/s",
            series: [
                line("asked", 4, report) { Double($0.asked) / width },
                line("got", 0, report, filled: true) { Double($0.succeeded) / width },
            ])
    }

    private static func traffic(_ report: RunReport) -> Chart {
        let width = report.intervalSeconds * 1_048_576
        return Chart(
            title: "Throughput", unit: "MiB/s",
            series: [
                line("received", 0, report, filled: true) { Double($0.bytesIn) / width },
                line("sent", 1, report) { Double($0.bytesOut) / width },
            ].filter { line in line.points.contains { $0.y > 0 } })
    }

    private static func failures(_ report: RunReport) -> Chart {
        Chart(
            title: "Errors over time", unit: "arrivals/s",
            series: [line("failed", 3, report, filled: true) { Double($0.failed) / report.intervalSeconds }])
    }

    private static func target(_ report: RunReport) -> [Chart] {
        [
            Chart(
                title: "CPU of the server", unit: "cores",
                series: [.init(name: "CPU", style: 1, points: report.samples.map { ($0.at, $0.cpu) }, isFilled: true)]),
            Chart(
                title: "Memory of the server", unit: "MiB",
                series: [
                    .init(
                        name: "resident", style: 0,
                        points: report.samples.map { ($0.at, Double($0.memory) / 1_048_576) },
                        isFilled: true)
                ]),
        ]
    }

    /// Latency against rate, a point a probe, with the objective as a line.
    static func capacityChart(_ answer: CapacitySearch.Answer, _ objective: String) -> Chart {
        let points = answer.probes.compactMap { probe in
            probe.latency.map { (isPassed: probe.outcome == .passed, x: probe.rate, y: $0 / 1e6) }
        }
        var lines = [true, false].map { isPassed in
            Chart.Series(
                name: isPassed ? "passed" : "failed", style: isPassed ? 0 : 3,
                points: points.filter { $0.isPassed == isPassed }.map { ($0.x, $0.y) }, isDotted: true)
        }
        var name = "latency"
        do throws(QuantityError) {
            if let condition = try Objective(parsing: objective).conditions.first(where: \.isOnLatency) {
                name = String(condition.description.prefix { $0 != "<" })
                let ends = points.isEmpty ? [] : [points.map(\.x).min() ?? 0, points.map(\.x).max() ?? 0]
                lines.append(
                    Chart.Series(name: "objective", style: 4, points: ends.map { ($0, condition.bound / 1e6) }))
            }
        } catch {
            // A report whose objective is of another version: the points say enough.
        }
        if answer.rate > 0 { lines.append(mark(answer, points.map(\.y))) }
        return Chart(
            title: "\(name) by rate", unit: "ms, log scale", xTitle: "arrivals/s, log scale", xScale: .logarithmic,
            yScale: .logarithmic, series: lines)
    }

    /// The rate found, from top to bottom, as wide as its interval.
    private static func mark(_ answer: CapacitySearch.Answer, _ heights: [Double]) -> Chart.Series {
        let ends = [heights.min() ?? 1, heights.max() ?? 1]
        return Chart.Series(
            name: "capacity \(Text.significant(answer.rate))/s", style: 2, points: ends.map { (answer.rate, $0) },
            band: answer.high.map { answer.low...max($0, answer.low) })
    }
}
