import Histogram

/// The histogram that totals are kept in: 64 ns to 1 h, three significant digits.
package typealias LatencyHistogram = Histogram<UInt64>

extension Histogram where Count == UInt64 {
    /// An empty one with this program's bounds.
    package static func latencies() -> LatencyHistogram {
        LatencyHistogram(
            lowestDiscernibleValue: 64, highestTrackableValue: 3_600_000_000_000, numberOfSignificantValueDigits: .three
        )
    }

    /// Records nanoseconds; more than an hour counts as an hour, so that nothing is lost.
    @inline(__always)
    package mutating func recordCapped(_ value: Nanoseconds) {
        _ = record(Swift.min(value, 3_600_000_000_000))
    }

    /// Value and count of every bucket in use, smallest first.
    package var buckets: [SparseHistogram.Bucket] {
        recordedValues().map { SparseHistogram.Bucket(value: $0.value, count: $0.count) }
    }
}

/// A histogram as it stands in a file or crosses the network: exact counts, no empty buckets.
package struct SparseHistogram: Codable, Equatable, Sendable {
    /// One bucket.
    package struct Bucket: Equatable, Sendable {
        /// Highest value of the bucket, nanoseconds.
        package let value: UInt64
        /// How many values lie in it.
        package let count: UInt64

        /// A bucket with its count.
        package init(value: UInt64, count: UInt64) {
            self.value = value
            self.count = count
        }
    }

    /// In rising order of value, each value once.
    package private(set) var buckets: [Bucket]

    /// Takes any buckets; equal values are added up.
    package init(_ buckets: [Bucket] = []) {
        self.buckets = []
        self.buckets.reserveCapacity(buckets.count)
        for bucket in buckets.sorted(by: { $0.value < $1.value }) where bucket.count > 0 {
            if let last = self.buckets.last, last.value == bucket.value {
                self.buckets[self.buckets.count - 1] = Bucket(value: last.value, count: last.count &+ bucket.count)
            } else {
                self.buckets.append(bucket)
            }
        }
    }

    /// The counts of a full histogram.
    package init(_ histogram: LatencyHistogram) {
        self.init(histogram.buckets)
    }

    /// Values in all.
    package var count: UInt64 { buckets.reduce(0) { $0 &+ $1.count } }

    /// Least value, 0 when empty.
    package var min: UInt64 { buckets.first?.value ?? 0 }

    /// Greatest value, 0 when empty.
    package var max: UInt64 { buckets.last?.value ?? 0 }

    /// Mean of the buckets' values, 0 when empty.
    package var mean: Double {
        let total = Double(count)
        guard total > 0 else { return 0 }
        return buckets.reduce(0) { $0 + Double($1.value) * Double($1.count) } / total
    }

    /// The smallest value that at least `percent` of all are at or below; 0 when empty.
    package func percentile(_ percent: Double) -> UInt64 {
        let total = count
        guard total > 0 else { return 0 }
        let rank = Swift.max(1, (Double(total) * Swift.min(Swift.max(percent, 0), 100) / 100 - 1e-9).rounded(.up))
        var seen: UInt64 = 0
        for bucket in buckets {
            seen &+= bucket.count
            if Double(seen) >= rank { return bucket.value }
        }
        return max
    }

    /// Share of the values at or below `value`, 0 ... 1; 1 when empty.
    package func share(atOrBelow value: UInt64) -> Double {
        let total = count
        guard total > 0 else { return 1 }
        return Double(buckets.prefix { $0.value <= value }.reduce(0) { $0 &+ $1.count }) / Double(total)
    }

    /// Both together, loss-free.
    package mutating func add(_ other: SparseHistogram) {
        self = SparseHistogram(buckets + other.buckets)
    }

    private enum CodingKeys: String, CodingKey {
        case count, mean = "mean_ms", p50 = "p50_ms", p90 = "p90_ms", p95 = "p95_ms", p99 = "p99_ms", p999 = "p999_ms"
        case max = "max_ms", buckets = "buckets_ns"
    }

    /// Reads the buckets alone: `[value, count, value, count, …]`. Throws for an odd number of entries.
    package init(from decoder: any Decoder) throws {
        var list = try decoder.container(keyedBy: CodingKeys.self).nestedUnkeyedContainer(forKey: .buckets)
        var buckets: [Bucket] = []
        while !list.isAtEnd {
            let value = try list.decode(UInt64.self)
            buckets.append(Bucket(value: value, count: try list.decode(UInt64.self)))
        }
        self.init(buckets)
    }

    /// Writes the buckets, and what is mostly asked of them: milliseconds, null where there are none.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(count, forKey: .count)
        let isEmpty = buckets.isEmpty
        try fields.encode(isEmpty ? nil : mean / 1e6, forKey: .mean)
        for (percent, key) in [(50.0, CodingKeys.p50), (90, .p90), (95, .p95), (99, .p99), (99.9, .p999), (100, .max)] {
            try fields.encode(isEmpty ? nil : Double(percentile(percent)) / 1e6, forKey: key)
        }
        var list = fields.nestedUnkeyedContainer(forKey: .buckets)
        for bucket in buckets {
            try list.encode(bucket.value)
            try list.encode(bucket.count)
        }
    }
}
