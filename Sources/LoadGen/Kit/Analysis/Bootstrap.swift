import Glibc

/// Latencies of a run in blocks of time, ready to be drawn again and again.
///
/// Requests of one moment share their fate, so that single requests must not be drawn: blocks are.
struct Blocks {
    /// Place in ``values`` and count, of each block.
    private let blocks: [[(place: Int, count: Int)]]
    /// The latencies that there are, rising, nanoseconds.
    private let values: [Double]
    /// Arrivals in all.
    let total: Int

    /// - Parameter width: so many intervals make a block; what is left over at the end is joined to the last.
    init(_ intervals: [Interval], width: Int = 1) {
        var joined: [Interval] = []
        for (place, interval) in intervals.filter({ !$0.latencies.isEmpty }).enumerated() {
            if place % width == 0 { joined.append(Interval()) }
            joined[joined.count - 1].add(interval)
        }
        let buckets = Set(joined.flatMap(\.latencies.keys)).sorted()
        let places = Dictionary(uniqueKeysWithValues: buckets.enumerated().map { ($0.element, $0.offset) })
        values = buckets.map { Double(LatencyBucket.value(of: $0)) }
        blocks = joined.map { block in block.latencies.map { (places[$0.key] ?? 0, Int($0.value)) } }
        total = blocks.joined().reduce(0) { $0 + $1.count }
    }

    var count: Int { blocks.count }

    /// Percentiles (nanoseconds) of all blocks together.
    func percentiles(_ percents: [Double]) -> [Double] {
        percentiles(percents, of: blocks.indices.map { $0 })
    }

    /// Percentiles of as many blocks drawn with replacement.
    private func resampled(_ percents: [Double], _ random: inout SeededRandom) -> [Double] {
        percentiles(percents, of: blocks.indices.map { _ in Int(random.next() % UInt64(blocks.count)) })
    }

    /// The variances of the percentiles' logarithms, as drawing again and again tells them, with n / (n - 1) for few blocks.
    func variances(_ percents: [Double], draws: Int, _ random: inout SeededRandom) -> [Double] {
        guard count > 1 else { return percents.map { _ in .infinity } }
        var (sums, squares) = (percents.map { _ in 0.0 }, percents.map { _ in 0.0 })
        for _ in 0..<draws {
            for (place, value) in resampled(percents, &random).enumerated() {
                let logarithm = log(max(value, 1))
                sums[place] += logarithm
                squares[place] += logarithm * logarithm
            }
        }
        return zip(sums, squares).map { sum, square in
            let mean = sum / Double(draws)
            return max(square / Double(draws) - mean * mean, 0) * Double(count) / Double(count - 1)
        }
    }

    private func percentiles(_ percents: [Double], of chosen: [Int]) -> [Double] {
        var counts = [Int](repeating: 0, count: values.count)
        var total = 0
        for block in chosen {
            for entry in blocks[block] {
                counts[entry.place] += entry.count
                total += entry.count
            }
        }
        guard total > 0 else { return percents.map { _ in 0 } }
        var found: [Double] = []
        var (seen, place) = (0, -1)
        for percent in percents {
            let rank = max(1, Int((Double(total) * percent / 100).rounded(.up)))
            while seen < rank, place + 1 < counts.count {
                place += 1
                seen += counts[place]
            }
            found.append(values[max(place, 0)])
        }
        return found
    }
}

/// A value with the interval that holds the true one with the confidence asked for.
package struct Estimate: Codable, Equatable, Sendable {
    /// What was measured, and the bounds of the interval.
    package let value: Double
    package let low: Double
    package let high: Double
}
