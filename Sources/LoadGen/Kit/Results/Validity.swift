/// When a run's figures are the generator's own rather than the target's.
package enum Validity {
    /// Lag may reach this share of the reported p99.
    package static let lagShare = 0.05
    /// Share of its time that an event loop may be busy in an open-loop run.
    package static let busiest = 0.9
    /// Share of the requests that may wait for a free connection.
    package static let waitingShare = 0.001

    /// The doubts that the figures of `report` raise by themselves.
    package static func doubts(about report: RunReport, isOpen: Bool) -> [String] {
        var doubts: [String] = []
        if report.arrivals.total == 0 { doubts.append("nothing was measured") }
        if report.missed > 0 {
            doubts.append(
                "\(report.missed) arrivals could not be sent: too many were under way or no connection was free")
        }
        if report.arrivals.failures["no-local-port"] != nil {
            doubts.append("the generator ran out of local ports or descriptors")
        }
        if let count = report.arrivals.failures["no-connection"] {
            doubts.append("\(count) arrivals found no connection and no room to wait for one: raise --max-connections")
        }
        let requests = report.operations.values.reduce(0) { $0 + $1.total }
        if Double(report.generator.waitedForConnection) > waitingShare * Double(max(requests, 1)) {
            doubts.append(
                "\(report.generator.waitedForConnection) requests waited for a free connection: raise --max-connections, "
                    + "or --threads where many are made at once"
            )
        }
        guard isOpen else { return doubts }
        let lag = Double(report.lag.percentile(99)) / 1e6
        let p99 = Double(report.arrivals.latency.percentile(99)) / 1e6
        if report.arrivals.latency.count > 0, lag > lagShare * p99 {
            doubts.append(
                "p99 of the generator's own lag is \(Text.milliseconds(lag)), more than 5 % of the p99 of \(Text.milliseconds(p99))"
            )
        }
        if let busy = report.generator.busy.max(), busy > busiest {
            doubts.append("an event loop was busy \(Int(busy * 100)) % of the time: raise --threads or lower the rate")
        } else if let busy = report.generator.busiestSecond, busy > busiest {
            doubts.append("an event loop was busy \(Int(busy * 100)) % of a second: raise --threads or lower the rate")
        }
        return doubts
    }
}

/// Numbers for people.
package enum Text {
    /// Three significant digits with a unit that fits.
    package static func milliseconds(_ value: Double) -> String {
        if value >= 1000 { return significant(value / 1000) + " s" }
        if value >= 1 || value == 0 { return significant(value) + " ms" }
        return significant(value * 1000) + " µs"
    }

    /// Nanoseconds, likewise.
    package static func time(_ value: Nanoseconds) -> String { milliseconds(Double(value) / 1e6) }

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
