/// Measurements of one name, as a monitoring system asks for them.
package struct MetricFamily: Sendable {
    /// What its numbers are (OpenMetrics section 5).
    package enum Kind: String, Sendable {
        /// What only grows; its name ends in `_total`.
        case counter
        case gauge
        case histogram
    }

    /// One number.
    package struct Sample: Sendable {
        /// Behind the family's name: `_bucket`, `_sum` or `_count` of a histogram.
        let suffix: String
        let labels: [Label]
        let value: Double
    }

    /// A name with a value, which may be any text.
    package typealias Label = (name: String, value: String)

    let name: String
    let kind: Kind
    let help: String
    private(set) var samples: [Sample] = []

    /// A family without numbers, which is not told. `name` ends in its unit, `help` is a sentence.
    package init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// A family of one number.
    package init(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        self.init(name, kind, help)
        add(value)
    }

    /// A family of one whole number.
    package init(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        self.init(name, kind, help, Double(value))
    }

    /// Adds a number under these labels, under which it has none yet.
    package mutating func add(_ value: Double, _ labels: Label...) { add(value, labels) }

    /// The same for a list of labels.
    package mutating func add(_ value: Double, _ labels: [Label]) {
        samples.append(Sample(suffix: "", labels: labels, value: value))
    }

    /// Adds a histogram under these labels: how many there were up to each of `bounds`, not counting those before, and last those
    /// beyond all of them; and what they make together.
    package mutating func add(bounds: [Double], counts: some Collection<Int>, sum: Double, _ labels: [Label]) {
        var all = 0
        for (bound, count) in zip(bounds + [.infinity], counts) {
            all += count
            let label: Label = ("le", MetricText.number(bound))
            samples.append(Sample(suffix: "_bucket", labels: labels + [label], value: Double(all)))
        }
        samples.append(Sample(suffix: "_sum", labels: labels, value: sum))
        samples.append(Sample(suffix: "_count", labels: labels, value: Double(all)))
    }

    /// With the numbers of another family of the same name behind its own.
    func merged(with other: MetricFamily) -> MetricFamily {
        var family = self
        family.samples += other.samples
        return family
    }
}
