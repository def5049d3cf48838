/// When a run's figures may be the generator's own rather than the target's.
package enum Validity {
    /// Lag may reach this share of the reported p99 …
    package static let lagShare = 0.05
    /// … and always so many nanoseconds: whoever looks for less must look at the lag besides.
    package static let lagFloor = 1e6
    /// Share of its time that an event loop may be busy in an open-loop run.
    package static let busiest = 0.9
    /// Share of the requests that may wait for a free connection.
    package static let waitingShare = 0.001

    /// The doubts that the figures of `report` raise by themselves.
    package static func doubts(about report: RunReport) -> [String] {
        var doubts: [String] = []
        if report.arrivals.total == 0 { doubts.append("nothing was measured") }
        if report.missed + report.givenUp > 0 {
            doubts.append(
                "\(report.missed + report.givenUp) of \(report.asked) arrivals were never begun: lower the rate or raise --threads"
            )
        }
        if report.arrivals.failures[Failure.noLocalPort.name] != nil {
            doubts.append("the generator ran out of local ports or descriptors")
        }
        if let count = report.arrivals.failures[Failure.noConnection.name] {
            doubts.append("\(count) arrivals found no connection and no room to wait for one: raise --max-connections")
        }
        if waits(report) {
            doubts.append(
                "\(report.generator.waitedForConnection) requests waited for a free connection: raise --max-connections"
            )
        }
        guard report.isOpen else { return doubts }
        let (lag, p99) = (Double(report.lag.percentile(99)), Double(report.arrivals.latency.percentile(99)))
        if report.arrivals.latency.count > 0, lag > max(lagShare * p99, lagFloor) {
            doubts.append(
                "the generator was late by \(Text.milliseconds(lag / 1e6)) (p99), more than 5 % of the p99 of "
                    + Text.milliseconds(p99 / 1e6))
        }
        if let busy = busy(report) {
            doubts.append("an event loop was busy \(busy): raise --threads or lower the rate")
        }
        return doubts
    }

    /// Requests waited for a connection because the generator may have no more.
    static func waits(_ report: RunReport) -> Bool {
        let requests = report.operations.values.reduce(0) { $0 + $1.total }
        return Double(report.generator.waitedForConnection) > waitingShare * Double(max(requests, 1))
    }

    /// How busy a loop was that was too busy to read answers in time; `nil` where none was.
    static func busy(_ report: RunReport) -> String? {
        if let busy = report.generator.busy.max(), busy > busiest { return "\(percent(busy)) of the time" }
        if let busy = report.generator.busiestSecond, busy > busiest { return "\(percent(busy)) of a second" }
        return nil
    }

    private static func percent(_ share: Double) -> String { Text.fixed(share * 100, 0) + " %" }
}

/// Numbers for people.
package enum Text {
    /// `text` without what a terminal would obey: control characters but line ends and tabs become `?`.
    package static func harmless(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                    return isControl && scalar != "\n" && scalar != "\t" ? "?" : scalar
                }))
    }

    /// Three significant digits with a unit that fits.
    package static func milliseconds(_ value: Double) -> String {
        if value >= 1000 { return significant(value / 1000) + " s" }
        if value >= 1 || value == 0 { return significant(value) + " ms" }
        return significant(value * 1000) + " µs"
    }

    /// Nanoseconds, likewise.
    package static func time(_ value: Nanoseconds) -> String { milliseconds(Double(value) / 1e6) }

    /// A percentile of nanoseconds; a dash where there are none: what was not measured is no 0.
    package static func percentile(_ percent: Double, of times: SparseHistogram) -> String {
        times.count == 0 ? "–" : time(times.percentile(percent))
    }

    /// Bytes with a binary unit.
    package static func bytes(_ value: Double) -> String {
        var value = value
        for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
            if abs(value) < 1024 { return significant(value) + " " + unit }
            value /= 1024
        }
        return significant(value) + " PiB"
    }

    /// Three significant digits, without trailing zeros behind the point.
    package static func significant(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        if value == 0 { return "0" }
        let size = abs(value)
        return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
    }

    /// A percentile's name: `99`, `99.9`.
    package static func percent(_ value: Double) -> String {
        value == value.rounded() ? fixed(value, 0) : fixed(value, 1)
    }

    /// As few digits as tell the number, at most six behind the point.
    package static func plain(_ value: Double) -> String {
        var text = fixed(value, 6)
        while text.contains("."), text.hasSuffix("0") { text.removeLast() }
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    /// So many digits behind the point.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        guard value.isFinite, abs(value) < 9e18 / scale else { return "–" }
        let whole = Int((abs(value) * scale).rounded())
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return sign + String(whole) }
        let fraction = String(whole % Int(scale))
        return sign + String(whole / Int(scale)) + "." + String(repeating: "0", count: digits - fraction.count)
            + fraction
    }
}
