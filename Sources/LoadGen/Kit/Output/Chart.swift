import Glibc

/// A line chart as SVG that takes its colours from the page.
struct Chart {
    /// One line.
    struct Series {
        let name: String
        /// Class of the stroke, `s0` … `s4`.
        let style: Int
        let points: [(x: Double, y: Double)]
        var isFilled = false
        var isDotted = false
        /// A stretch of the x axis that is tinted from top to bottom.
        var band: ClosedRange<Double>?
    }

    /// How an axis is spread and labelled.
    enum Scale {
        case linear
        /// Powers of ten.
        case logarithmic
        /// Percentiles: each further nine takes the same room.
        case nines
    }

    let title: String
    let unit: String
    var xTitle = "seconds"
    var xScale = Scale.linear
    var yScale = Scale.linear
    let series: [Series]

    private static let (width, height) = (520.0, 250.0)
    private static let (left, right, top, bottom) = (58.0, 26.0, 14.0, 46.0)

    /// The drawing with its title and legend; a sentence when there is nothing to draw.
    var html: String {
        let drawn = series.filter { !$0.points.isEmpty }
        let head =
            "<figure><figcaption>\(TextOutputs.xml(title)) <span class=\"unit\">\(TextOutputs.xml(unit))</span></figcaption>"
        guard !drawn.isEmpty else { return head + "<p class=\"none\">nothing was measured</p></figure>\n" }
        let legend = drawn.map { "<span class=\"key k\($0.style)\">\(TextOutputs.xml($0.name))</span>" }.joined()
        return head + "<div class=\"legend\">\(legend)</div>" + svg(drawn) + "</figure>\n"
    }

    private func svg(_ drawn: [Series]) -> String {
        let xs = drawn.flatMap { $0.points.map(\.x) }
        let ys = drawn.flatMap { $0.points.map(\.y) }
        let xRange = range(xs, xScale, isX: true)
        let yRange = range(ys, yScale, isX: false)
        var body = ""
        for (value, label) in ticks(yRange, yScale) {
            let y = place(value, yRange, yScale, isX: false)
            body +=
                "<line class=\"grid\" x1=\"\(n(Self.left))\" x2=\"\(n(Self.width - Self.right))\" y1=\"\(n(y))\" y2=\"\(n(y))\"/>"
            body += "<text x=\"\(n(Self.left - 6))\" y=\"\(n(y + 4))\" text-anchor=\"end\">\(label)</text>"
        }
        for (place, (value, label)) in ticks(xRange, xScale).enumerated() {
            let x = self.place(value, xRange, xScale, isX: true)
            body += "<line class=\"tick\" x1=\"\(n(x))\" x2=\"\(n(x))\" y1=\"\(n(Self.height - Self.bottom))\""
            body += " y2=\"\(n(Self.height - Self.bottom + 4))\"/>"
            body +=
                "<text\(place % 2 == 1 ? " class=\"odd\"" : "") x=\"\(n(x))\" y=\"\(n(Self.height - Self.bottom + 20))\" text-anchor=\"middle\">\(label)</text>"
        }
        body +=
            "<text x=\"\(n(Self.width - Self.right))\" y=\"\(n(Self.height - 3))\" text-anchor=\"end\">\(xTitle)</text>"
        for line in drawn { body += path(line, xRange, yRange) }
        let label = TextOutputs.xml(title)
        return
            "<svg viewBox=\"0 0 \(n(Self.width)) \(n(Self.height))\" role=\"img\" aria-label=\"\(label)\">\(body)</svg>"
    }

    private func path(_ line: Series, _ xRange: ClosedRange<Double>, _ yRange: ClosedRange<Double>) -> String {
        let places = line.points.map { point in
            (place(point.x, xRange, xScale, isX: true), place(point.y, yRange, yScale, isX: false))
        }
        if line.isDotted || places.count == 1 {
            return places.map {
                "<circle class=\"d\(line.style)\" cx=\"\(n($0.0))\" cy=\"\(n($0.1))\" r=\"\(line.isDotted ? 5 : 3)\"/>"
            }.joined()
        }
        var band = ""
        if let range = line.band {
            let (from, to) = (
                place(range.lowerBound, xRange, xScale, isX: true), place(range.upperBound, xRange, xScale, isX: true)
            )
            band = "<rect class=\"f\(line.style)\" opacity=\".18\" x=\"\(n(from))\" y=\"\(n(Self.top))\" "
            band += "width=\"\(n(max(to - from, 1)))\" height=\"\(n(Self.height - Self.top - Self.bottom))\"/>"
        }
        let steps = places.map { "\(n($0.0)),\(n($0.1))" }.joined(separator: " ")
        var drawn = band
        if line.isFilled, let first = places.first, let last = places.last {
            let base = n(Self.height - Self.bottom)
            drawn +=
                "<polygon class=\"f\(line.style)\" points=\"\(n(first.0)),\(base) \(steps) \(n(last.0)),\(base)\"/>"
        }
        return drawn + "<polyline class=\"s\(line.style)\" points=\"\(steps)\"/>"
    }

    private func range(_ values: [Double], _ scale: Scale, isX: Bool) -> ClosedRange<Double> {
        let (low, high) = (values.min() ?? 0, values.max() ?? 1)
        switch scale {
        case .nines: return 0...max(high, 99)
        case .logarithmic:
            let positive = values.filter { $0 > 0 }.min() ?? 1
            if isX { return positive * 0.8...max(high, positive) * 1.25 }
            let bottom = pow(10, log10(positive).rounded(.down))
            return bottom...max(pow(10, log10(max(high, positive)).rounded(.up)), bottom * 10)
        case .linear:
            if isX { return low...(high > low ? high : low + 1) }
            let step = Self.step(max(high, 1e-9) / 4)
            return 0...max((high * 1.02 / step).rounded(.up) * step, step)
        }
    }

    private func ticks(_ range: ClosedRange<Double>, _ scale: Scale) -> [(Double, String)] {
        switch scale {
        case .nines:
            return [0, 50, 90, 99, 99.9, 99.99, 99.999].filter { $0 <= range.upperBound }.map {
                ($0, "\($0 == 0 ? "0" : Self.number($0)) %")
            }
        case .logarithmic:
            let powers = Self.ticks(range, [1])
            let all = powers.count > 2 ? powers : Self.ticks(range, [1, 2, 5])
            return all.map { ($0, Self.number($0)) }
        case .linear:
            let step = Self.step((range.upperBound - range.lowerBound) / 5)
            var value = (range.lowerBound / step).rounded(.up) * step
            var ticks: [(Double, String)] = []
            while value <= range.upperBound + step * 1e-6, ticks.count < 16 {
                ticks.append((value, Self.number(value)))
                value += step
            }
            return ticks
        }
    }

    /// The numbers of a logarithmic axis that are one of `factors` times a power of ten.
    private static func ticks(_ range: ClosedRange<Double>, _ factors: [Double]) -> [Double] {
        var ticks: [Double] = []
        var power = pow(10, log10(max(range.lowerBound, 1e-12)).rounded(.down))
        while power <= range.upperBound * 1.001, ticks.count < 32 {
            ticks += factors.map { $0 * power }.filter {
                $0 >= range.lowerBound * 0.999 && $0 <= range.upperBound * 1.001
            }
            power *= 10
        }
        return ticks
    }

    private func place(_ value: Double, _ range: ClosedRange<Double>, _ scale: Scale, isX: Bool) -> Double {
        let share: Double
        switch scale {
        case .linear: share = (value - range.lowerBound) / max(range.upperBound - range.lowerBound, 1e-12)
        case .logarithmic:
            let (low, high) = (log10(range.lowerBound), log10(range.upperBound))
            share = (log10(max(value, range.lowerBound)) - low) / max(high - low, 1e-12)
        case .nines:
            let limit = min(range.upperBound, 99.9999)
            share = -log10(1 - min(value, limit) / 100) / -log10(1 - limit / 100)
        }
        let inside = min(max(share, 0), 1)
        return isX
            ? Self.left + inside * (Self.width - Self.left - Self.right)
            : Self.height - Self.bottom - inside * (Self.height - Self.top - Self.bottom)
    }

    private static func step(_ rough: Double) -> Double {
        let power = pow(10, log10(max(rough, 1e-12)).rounded(.down))
        for factor in [1.0, 2, 5] where rough <= factor * power * 1.0001 { return factor * power }
        return 10 * power
    }

    private static func number(_ value: Double) -> String {
        if value == 0 { return "0" }
        for (bound, name) in [(1e9, "G"), (1e6, "M"), (1e4, "k")] where abs(value) >= bound {
            return trimmed(value / (name == "k" ? 1e3 : bound)) + name
        }
        return trimmed(value)
    }

    private static func trimmed(_ value: Double) -> String {
        Text.plain((value * 1e4).rounded() / 1e4)
    }

    private func n(_ value: Double) -> String { Text.fixed(value, 1) }
}
