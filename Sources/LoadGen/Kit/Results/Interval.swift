/// What happened to the arrivals meant for one stretch of time.
package struct Interval: Codable, Equatable, Sendable {
    /// Arrivals that the schedule asked for.
    package var asked = 0
    /// Arrivals that succeeded.
    package var succeeded = 0
    /// Arrivals that failed.
    package var failed = 0
    /// Requests answered.
    package var requests = 0
    /// Bytes of bodies received and sent.
    package var bytesIn = 0
    package var bytesOut = 0
    /// Latencies of arrivals by bucket of ``LatencyBucket``.
    var latencies: [UInt16: UInt32] = [:]

    /// Nothing yet.
    package init() {}

    /// Latencies of arrivals, within 0.4 %.
    package var histogram: SparseHistogram {
        SparseHistogram(latencies.map { .init(value: LatencyBucket.value(of: $0.key), count: UInt64($0.value)) })
    }

    /// Counts one arrival's latency.
    package mutating func record(latency: Nanoseconds) {
        latencies[LatencyBucket.index(of: latency), default: 0] &+= 1
    }

    /// Adds another stretch's counts.
    package mutating func add(_ other: Interval) {
        asked += other.asked
        succeeded += other.succeeded
        failed += other.failed
        requests += other.requests
        bytesIn += other.bytesIn
        bytesOut += other.bytesOut
        latencies.merge(other.latencies) { $0 &+ $1 }
    }

    private enum CodingKeys: String, CodingKey {
        case asked, succeeded, failed, requests, bytesIn, bytesOut, latencies
    }

    /// Reads what ``encode(to:)`` writes.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        asked = try fields.decode(Int.self, forKey: .asked)
        succeeded = try fields.decode(Int.self, forKey: .succeeded)
        failed = try fields.decode(Int.self, forKey: .failed)
        requests = try fields.decode(Int.self, forKey: .requests)
        bytesIn = try fields.decode(Int.self, forKey: .bytesIn)
        bytesOut = try fields.decode(Int.self, forKey: .bytesOut)
        for bucket in try fields.decode(SparseHistogram.self, forKey: .latencies).buckets {
            latencies[LatencyBucket.index(of: bucket.value), default: 0] &+= UInt32(clamping: bucket.count)
        }
    }

    /// Writes the latencies as nanoseconds and counts.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(asked, forKey: .asked)
        try fields.encode(succeeded, forKey: .succeeded)
        try fields.encode(failed, forKey: .failed)
        try fields.encode(requests, forKey: .requests)
        try fields.encode(bytesIn, forKey: .bytesIn)
        try fields.encode(bytesOut, forKey: .bytesOut)
        try fields.encode(histogram, forKey: .latencies)
    }
}

extension [Interval] {
    /// Half as many of twice the length; an odd one at the end stays alone.
    func paired() -> [Interval] {
        stride(from: 0, to: count, by: 2).map { start in
            var pair = self[start]
            if start + 1 < count { pair.add(self[start + 1]) }
            return pair
        }
    }
}

/// Log-linear buckets of 0.4 %: 256 to each power of two.
package enum LatencyBucket {
    private static let bits = 8

    /// The bucket of a number of nanoseconds; all above 2^60 share the last.
    @inline(__always)
    package static func index(of value: Nanoseconds) -> UInt16 {
        let value = min(value, 1 << 60)
        guard value >= 1 << bits else { return UInt16(truncatingIfNeeded: value) }
        let exponent = 63 - value.leadingZeroBitCount - bits
        return UInt16(truncatingIfNeeded: (exponent + 1) << bits | Int((value >> UInt64(exponent)) & 0xFF))
    }

    /// The middle of a bucket, nanoseconds.
    package static func value(of index: UInt16) -> Nanoseconds {
        let row = Int(index) >> bits
        guard row > 0 else { return Nanoseconds(index) }
        let exponent = UInt64(min(row - 1, 55))
        let low = (Nanoseconds(index & 0xFF) | 0x100) << exponent
        return low + (1 << exponent) / 2
    }
}
