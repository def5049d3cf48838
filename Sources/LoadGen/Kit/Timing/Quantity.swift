/// Text that does not read as the quantity asked for.
package struct QuantityError: Error, Equatable, CustomStringConvertible {
    /// What was read, and what would have been accepted.
    package let description: String

    init(_ text: String, wanted: String) {
        description = "'\(text)' is not \(wanted)"
    }
}

/// Durations and sizes as people write them: `1m30s`, `200ms`, `64KiB`, `1.5GB`.
package enum Quantity {
    private static let timeUnits: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9, "d": 86_400e9,
    ]
    private static let byteUnits: [String: Double] = [
        "": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15,
        "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776, "k": 1e3, "K": 1024,
        "M": 1_048_576, "G": 1_073_741_824,
    ]

    /// Ten years and a little: no longer duration is read.
    static let longest = Duration.seconds(320_000_000)

    /// A duration: numbers each with a unit, added up (`1m30s`), at most ten years. A lone `0` needs no unit.
    package static func duration(_ text: String) throws(QuantityError) -> Duration {
        let wanted = "a duration such as 40s, 200ms or 1m30s"
        if text == "0" { return .zero }
        let total = try sum(of: text, units: timeUnits, wanted: wanted)
        guard total <= Double(longest.nanoseconds) else {
            throw QuantityError(text, wanted: wanted + " of at most ten years")
        }
        return .nanoseconds(Int64(total))
    }

    /// A number of bytes, at most 2^53: `4096`, `64KiB`, `1.5GB`. Decimal and binary units are what they say.
    package static func bytes(_ text: String) throws(QuantityError) -> Int {
        let wanted = "a size such as 4096, 64KiB or 1.5GB"
        let total = try sum(of: text, units: byteUnits, wanted: wanted)
        guard total <= 9e15 else { throw QuantityError(text, wanted: wanted) }
        return Int(total)
    }

    /// A number between two bounds, both included.
    package static func number(_ text: String, in range: ClosedRange<Double>) throws(QuantityError) -> Double {
        // Swift would read hexadecimal digits too, and "nan".
        let isPlain = text.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) }
        guard isPlain, let value = Double(text), value.isFinite, range.contains(value) else {
            throw QuantityError(
                text, wanted: "a number from \(Text.plain(range.lowerBound)) to \(Text.plain(range.upperBound))")
        }
        return value
    }

    private static func sum(
        of text: String, units: [String: Double], wanted: String
    ) throws(QuantityError) -> Double {
        var rest = Substring(text)
        var total = 0.0
        guard !rest.isEmpty else { throw QuantityError(text, wanted: wanted) }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(digits), let scale = units[String(unit)] else {
                throw QuantityError(text, wanted: wanted)
            }
            total += value * scale
        }
        guard total.isFinite else { throw QuantityError(text, wanted: wanted) }
        return total
    }
}
