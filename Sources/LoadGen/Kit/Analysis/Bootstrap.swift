/// Latencies of a run in blocks of time, ready to be drawn again and again.
///
/// Requests of one moment share their fate, so that single requests must not be drawn: blocks are.
struct Blocks {
    /// Bucket and count of each block.
    private let blocks: [[(index: Int, count: Int)]]
    private static let bucketCount = 1 << 14

    /// - Parameter least: intervals are joined until at least so many arrivals stand in a block.
    init(_ intervals: [Interval], least: Int = 1) {
        var blocks: [[(index: Int, count: Int)]] = []
        var gathered = Interval()
        var held = 0
        for interval in intervals {
            gathered.add(interval)
            held += interval.latencies.values.reduce(0) { $0 + Int($1) }
            guard held >= least else { continue }
            blocks.append(gathered.latencies.map { (Int($0.key), Int($0.value)) }.sorted { $0.index < $1.index })
            gathered = Interval()
            held = 0
        }
        self.blocks = blocks
    }

    var count: Int { blocks.count }

    /// Percentiles (nanoseconds) of all blocks together.
    func percentiles(_ percents: [Double]) -> [Double] {
        percentiles(percents, of: blocks.indices.map { $0 })
    }

    /// Percentiles of as many blocks drawn with replacement.
    func resampled(_ percents: [Double], _ random: inout SeededRandom) -> [Double] {
        percentiles(percents, of: blocks.indices.map { _ in Int(random.next() % UInt64(blocks.count)) })
    }

    private func percentiles(_ percents: [Double], of chosen: [Int]) -> [Double] {
        var counts = [Int](repeating: 0, count: Self.bucketCount)
        var total = 0
        for block in chosen {
            for entry in blocks[block] {
                counts[entry.index] += entry.count
                total += entry.count
            }
        }
        guard total > 0 else { return percents.map { _ in 0 } }
        var values: [Double] = []
        var seen = 0
        var index = -1
        for percent in percents {
            let rank = max(1, Int((Double(total) * percent / 100).rounded(.up)))
            while seen < rank, index + 1 < counts.count {
                index += 1
                seen += counts[index]
            }
            values.append(Double(LatencyBucket.value(of: UInt16(clamping: max(index, 0)))))
        }
        return values
    }
}

/// A value with the interval that holds the true one with the confidence asked for.
package struct Estimate: Codable, Equatable, Sendable {
    /// What was measured, and the bounds of the interval.
    package let value: Double
    package let low: Double
    package let high: Double
}

/// Functions of one or several numbers.
enum Statistics {
    /// The value below which `share` of `sorted` lie, between neighbours in a straight line; 0 when empty.
    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        guard let last = sorted.last else { return 0 }
        let place = min(max(share, 0), 1) * Double(sorted.count - 1)
        let low = Int(place)
        guard low + 1 < sorted.count else { return last }
        return sorted[low] + (sorted[low + 1] - sorted[low]) * (place - Double(low))
    }

    /// Median of the slopes between all pairs (Theil–Sen), and Kendall's tau (share of the pairs that rise less that of
    /// those that fall) with its z: all robust to outliers.
    static func trend(_ values: [Double]) -> (slope: Double, tau: Double, z: Double) {
        let count = values.count
        guard count >= 4 else { return (0, 0, 0) }
        var slopes: [Double] = []
        var score = 0.0
        for later in 1..<count {
            for earlier in 0..<later {
                let difference = values[later] - values[earlier]
                slopes.append(difference / Double(later - earlier))
                score += difference > 0 ? 1 : difference < 0 ? -1 : 0
            }
        }
        let n = Double(count)
        let deviation = (n * (n - 1) * (2 * n + 5) / 18).squareRoot()
        let z = score == 0 ? 0 : (score - (score > 0 ? 1 : -1)) / deviation
        return (quantile(slopes.sorted(), 0.5), score / (n * (n - 1) / 2), z)
    }
}
