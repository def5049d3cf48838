/// Conditions on the figures of a run: `p99<200ms,errors<0.1%,blob.get:p95<1s`.
package struct Objective: Equatable, Sendable, CustomStringConvertible {
    /// What is compared.
    package enum Measure: Equatable, Sendable {
        /// Latency at a percentile, 0 ... 100; bound in nanoseconds.
        case percentile(Double)
        /// Mean latency; bound in nanoseconds.
        case mean
        /// Greatest latency; bound in nanoseconds.
        case max
        /// Share of failures, 0 ... 1.
        case errors
        /// Successes a second.
        case rate
    }

    /// One condition.
    package struct Condition: Equatable, Sendable, CustomStringConvertible {
        /// An operation's name, `nil` for whole arrivals.
        package let operation: String?
        /// What is compared with the bound.
        package let measure: Measure
        /// The value must be below the bound, or else above it.
        package let isBelow: Bool
        /// The bound itself is good enough: `<=` and `>=`.
        package let isInclusive: Bool
        /// In the unit of the measure.
        package let bound: Double
        /// As it was written.
        package let description: String
    }

    /// All of them must hold.
    package let conditions: [Condition]

    /// Reads conditions joined by commas. Throws with what would be accepted.
    package init(parsing text: String) throws(QuantityError) {
        var conditions: [Condition] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            conditions.append(try Condition(parsing: String(part.filter { $0 != " " })))
        }
        self.conditions = conditions
    }

    /// The rate of whole arrivals that must be got: a search has nothing to look for below it. 0 without such a condition.
    package var leastRate: Double {
        conditions.filter { $0.measure == .rate && $0.operation == nil && !$0.isBelow }.map(\.bound).max() ?? 0
    }

    /// As it was written.
    package var description: String { conditions.map(\.description).joined(separator: ",") }
}

extension Objective.Condition {
    /// It keeps the latency of whole arrivals below a bound.
    var isOnLatency: Bool { operation == nil && isBoundOnLatency }

    /// It keeps a latency below a bound, be it of whole arrivals or of an operation.
    var isBoundOnLatency: Bool {
        switch measure {
        case .percentile, .mean, .max: isBelow
        case .errors, .rate: false
        }
    }

    /// Reads `[OPERATION:]MEASURE<BOUND`.
    package init(parsing text: String) throws(QuantityError) {
        let wanted = "a condition such as p99<200ms, errors<0.1%, mean<50ms, rate>990 or blob.get:p95<1s"
        guard let sign = text.firstIndex(where: { $0 == "<" || $0 == ">" }) else {
            throw QuantityError(text, wanted: wanted)
        }
        var left = text[..<sign]
        var right = text[text.index(after: sign)...]
        isInclusive = right.hasPrefix("=")
        if isInclusive { right = right.dropFirst() }
        var operation: String?
        if let colon = left.firstIndex(of: ":") {
            let name = String(left[..<colon])
            let known = ArrivalPart.allCases.map(\.rawValue) + Operation.allCases.map(\.name)
            guard known.contains(name) else {
                throw QuantityError(text, wanted: wanted + "; operations: " + known.joined(separator: ", "))
            }
            operation = name
            left = left[left.index(after: colon)...]
        }
        guard let measure = Objective.Measure(String(left)) else { throw QuantityError(text, wanted: wanted) }
        self.operation = operation
        self.measure = measure
        isBelow = text[sign] == "<"
        bound = try measure.bound(String(right))
        description = text
    }
}

extension Objective.Measure {
    init?(_ text: String) {
        switch text {
        case "mean": self = .mean
        case "max": self = .max
        case "errors": self = .errors
        case "rate": self = .rate
        default:
            guard text.hasPrefix("p"), let percent = Double(text.dropFirst()), (0...100).contains(percent) else {
                return nil
            }
            self = .percentile(percent)
        }
    }

    func bound(_ text: String) throws(QuantityError) -> Double {
        switch self {
        case .percentile, .mean, .max: return Double(try Quantity.duration(text).nanoseconds)
        case .errors:
            guard text.hasSuffix("%") else { return try Quantity.number(text, in: 0...1) }
            return try Quantity.number(String(text.dropLast()), in: 0...100) / 100
        case .rate: return try Quantity.number(text.hasSuffix("/s") ? String(text.dropLast(2)) : text, in: 0...1e9)
        }
    }
}
