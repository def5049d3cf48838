import Glibc

/// How large layers are.
package enum SizeDistribution: Equatable, Codable, Sendable {
    case fixed(Int)
    /// Evenly on a logarithmic scale between two sizes.
    case between(Int, Int)
    /// Points of a cumulative distribution, joined on a logarithmic scale of size.
    case curve([Point], name: String)

    /// One point: `share` of all layers are at most `size` bytes.
    package struct Point: Equatable, Codable, Sendable {
        /// Bytes, and 0 ... 1 of all layers.
        package let size: Double
        package let share: Double

        /// A point of the curve.
        package init(size: Double, share: Double) {
            self.size = size
            self.share = share
        }
    }

    /// IBM's registries, as published at FAST '18: 65 % of the layers are smaller than 1 MB, 80 % than 10 MB.
    ///
    /// Those two points are the publication's. The ends (256 B, 1 GB) and the point at 100 MB are this program's own,
    /// and between the points the logarithm of the size is spread evenly.
    package static let fast18 = SizeDistribution.curve(
        [
            Point(size: 256, share: 0), Point(size: 1e6, share: 0.65), Point(size: 10e6, share: 0.80),
            Point(size: 100e6, share: 0.97), Point(size: 1e9, share: 1),
        ], name: "fast18")

    /// The size that `share` (0 ... 1) of all layers do not exceed, bytes.
    package func size(at share: Double) -> Int {
        switch self {
        case .fixed(let size): return size
        case .between(let low, let high):
            let (low, high) = (max(Double(low), 1), max(Double(high), 1))
            return Int(exp(log(low) + (log(high) - log(low)) * min(max(share, 0), 1)))
        case .curve(let points, _):
            guard let first = points.first, let last = points.last else { return 0 }
            if share <= first.share { return Int(first.size) }
            for (lower, upper) in zip(points, points.dropFirst()) where share <= upper.share {
                let within = (share - lower.share) / (upper.share - lower.share)
                return Int(exp(log(lower.size) + (log(upper.size) - log(lower.size)) * within))
            }
            return Int(last.size)
        }
    }

    /// Share of layers of at most `size` bytes.
    package func share(atOrBelow size: Double) -> Double {
        switch self {
        case .fixed(let fixed): return size >= Double(fixed) ? 1 : 0
        case .between(let low, let high):
            guard low < high else { return size >= Double(low) ? 1 : 0 }
            let share = (log(max(size, 1)) - log(Double(max(low, 1)))) / (log(Double(high)) - log(Double(max(low, 1))))
            return min(max(share, 0), 1)
        case .curve(let points, _):
            guard let first = points.first, size >= first.size else { return 0 }
            for (lower, upper) in zip(points, points.dropFirst()) where size < upper.size {
                let within = (log(size) - log(lower.size)) / (log(upper.size) - log(lower.size))
                return lower.share + (upper.share - lower.share) * within
            }
            return 1
        }
    }

    /// `count` sizes that follow the distribution as closely as so few can: one from the middle of each of `count` equal
    /// parts, in an order drawn with `random`. Larger ones than `limit` become `limit`.
    package func sizes(_ count: Int, limit: Int?, random: inout SeededRandom) -> [Int] {
        (0..<count).map { place in
            let size = size(at: (Double(place) + 0.5) / Double(count))
            return max(min(size, limit ?? size), BlobContent.trailerLength)
        }.shuffled(using: &random)
    }

    /// Greatest distance between the distribution and the sizes found (Kolmogorov–Smirnov), 0 ... 1.
    package func distance(to sizes: [Int]) -> Double {
        let sorted = sizes.sorted()
        var distance = 0.0
        for (place, size) in sorted.enumerated() {
            let wanted = share(atOrBelow: Double(size))
            let below = Double(place) / Double(sorted.count)
            let above = Double(place + 1) / Double(sorted.count)
            distance = max(distance, max(abs(wanted - below), abs(above - wanted)))
        }
        return distance
    }
}

/// Which of several things is asked for: rank `k` in proportion to `1 / k^exponent`.
package struct Popularity: Sendable {
    private let upTo: [Double]

    /// - Parameters:
    ///   - count: how many there are.
    ///   - exponent: 0 asks for all alike; 1 is Zipf's law.
    package init(count: Int, exponent: Double) {
        var total = 0.0
        upTo = (0..<max(count, 1)).map { rank in
            total += pow(Double(rank + 1), -exponent)
            return total
        }
    }

    /// An index in `0 ..< count`; 0 is the most popular.
    package func draw(_ random: inout SeededRandom) -> Int {
        let wanted = random.unit() * (upTo.last ?? 1)
        var (low, high) = (0, upTo.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if upTo[middle] > wanted { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
