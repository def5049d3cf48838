/// Measurements as text.
package enum MetricText {
    /// How they are written.
    package enum Format: Sendable {
        /// Prometheus's own, version 0.0.4.
        case prometheus
        /// OpenMetrics 1.0.
        case openMetrics

        /// What a client that accepts these types gets: OpenMetrics if it names it, else what all understand.
        package init(accepting accept: String?) {
            self = accept?.contains("application/openmetrics-text") == true ? .openMetrics : .prometheus
        }

        /// The value of Content-Type.
        package var type: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    /// All families that have numbers, by name: those of one name are one.
    package static func write(_ families: [MetricFamily], as format: Format) -> [UInt8] {
        var byName: [String: MetricFamily] = [:]
        for family in families { byName[family.name] = byName[family.name]?.merged(with: family) ?? family }
        var text = ""
        for family in byName.values.sorted(by: { $0.name < $1.name }) where !family.samples.isEmpty {
            write(family, as: format, into: &text)
        }
        if format == .openMetrics { text += "# EOF\n" }
        return Array(text.utf8)
    }

    private static func write(_ family: MetricFamily, as format: Format, into text: inout String) {
        // OpenMetrics says `_total` of a counter's number, not of the family (section 5.1.3).
        let isBare = format == .openMetrics && family.kind == .counter && family.name.hasSuffix("_total")
        let title = isBare ? String(family.name.dropLast("_total".count)) : family.name
        text += "# HELP \(title) \(escaped(family.help, quotes: format == .openMetrics))\n"
        text += "# TYPE \(title) \(family.kind.rawValue)\n"
        for sample in family.samples {
            text += family.name + sample.suffix
            if !sample.labels.isEmpty {
                text += "{"
                text += sample.labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
                    .joined(separator: ",")
                text += "}"
            }
            text += " \(number(sample.value))\n"
        }
    }

    /// A number as both formats have it.
    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value.isNaN { return "NaN" }
        if value == -.infinity { return "-Inf" }
        return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    /// With backslashes, ends of lines and, in labels, quotes escaped; nothing else is special.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5c || $0 == 0x0a || $0 == 0x22 }) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += #"\\"#
            case "\n": out += #"\n"#
            case "\"" where quotes: out += #"\""#
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
