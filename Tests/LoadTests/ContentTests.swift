import Crypto
import LoadKit
import Testing

@Suite("Content from a seed")
struct ContentTests {
    @Test("any part of a blob reads as in the whole", arguments: [(0.0, 1000), (0.4, 20_000), (0, 32), (0.99, 5000)])
    func parts(compressibility: Double, size: Int) {
        let blob = BlobContent(seed: 3, id: 4, size: size, compressibility: compressibility)
        let whole = blob.bytes()
        var random = SeededRandom(seed: 5)
        for _ in 0..<200 {
            let start = Int(random.next() % UInt64(size))
            let length = Int(random.next() % UInt64(size - start)) + 1
            var part = [UInt8](repeating: 0xEE, count: length)
            part.withUnsafeMutableBytes { blob.fill($0, at: start) }
            #expect(part == Array(whole[start..<(start + length)]))
        }
    }

    @Test("what lies past a blob's end is left alone")
    func end() {
        let blob = BlobContent(seed: 3, id: 4, size: 100)
        var buffer = [UInt8](repeating: 0xEE, count: 60)
        buffer.withUnsafeMutableBytes { blob.fill($0, at: 70) }
        #expect(buffer[30...] == Array(repeating: 0xEE, count: 30)[...])
        #expect(Array(buffer[..<30]) == Array(blob.bytes()[70...]))
    }

    @Test("a library's quick digest is the digest of the bytes", arguments: [32, 33, 64, 1000, 4096, 300_001])
    func digests(size: Int) {
        let library = ContentLibrary(seed: 8, compressibility: 0.25, sizes: [32, 33, 64, 1000, 4096, 300_001])
        for id in [0, 1, UInt64.max] {
            let blob = library.blob(id: id, size: size)
            #expect(library.digest(of: blob) == "sha256:" + Hex.text(SHA256.hash(data: blob.bytes())))
        }
        let stranger = BlobContent(seed: 9, id: 1, size: 777)
        #expect(library.digest(of: stranger) == "sha256:" + Hex.text(SHA256.hash(data: stranger.bytes())))
    }

    @Test("blobs differ by id, size and seed, and repeat with all three")
    func identity() {
        let library = ContentLibrary(seed: 8, compressibility: 0, sizes: [500, 501])
        let digests = [library.blob(id: 1, size: 500), library.blob(id: 2, size: 500), library.blob(id: 1, size: 501)]
            .map(library.digest)
        #expect(Set(digests).count == 3)
        #expect(library.digest(of: library.blob(id: 1, size: 500)) == digests[0])
        #expect(BlobContent(seed: 9, id: 1, size: 500).bytes() != library.blob(id: 1, size: 500).bytes())
    }

    @Test("random bytes are evenly spread, and the zeros are as many as asked for")
    func compressibility() {
        for share in [0.0, 0.3, 0.75] {
            let bytes = BlobContent(seed: 1, id: 1, size: 1 << 20, compressibility: share).bytes()
            var counts = [Int](repeating: 0, count: 256)
            for byte in bytes { counts[Int(byte)] += 1 }
            let random = Double(bytes.count) * (1 - share)
            #expect(abs((Double(counts[0]) - random / 256) / Double(bytes.count) - share) < 0.01)
            // Chi-squared of the 255 other values: mean 254, deviation 22.5; five deviations.
            let expected = random / 256
            let squares = counts[1...].reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
            #expect(squares < 254 + 5 * 22.6)
        }
    }

    @Test("few sizes follow the published distribution", arguments: [64, 200, 1000])
    func sizes(count: Int) {
        var random = SeededRandom(seed: 2)
        let sizes = SizeDistribution.fast18.sizes(count, limit: nil, random: &random)
        #expect(SizeDistribution.fast18.distance(to: sizes) <= 0.5 / Double(count) + 0.002)
        let small = Double(sizes.filter { $0 < 1_000_000 }.count) / Double(count)
        #expect(abs(small - 0.65) <= 1 / Double(count))
        let limited = SizeDistribution.fast18.sizes(count, limit: 1_000_000, random: &random)
        #expect(limited.max() == 1_000_000)
    }

    @Test("sizes are not all alike, and a wrong distribution is told")
    func distance() {
        #expect(SizeDistribution.fast18.distance(to: [1000, 1000, 1000]) > 0.5)
        #expect(abs(SizeDistribution.between(1000, 100_000).share(atOrBelow: 10_000) - 0.5) < 1e-9)
    }

    @Test("popularity follows Zipf's law")
    func zipf() {
        let popularity = Popularity(count: 10, exponent: 1)
        var random = SeededRandom(seed: 6)
        var counts = [Double](repeating: 0, count: 10)
        for _ in 0..<200_000 { counts[popularity.draw(&random)] += 1 }
        let total = (1...10).reduce(0.0) { $0 + 1 / Double($1) }
        for rank in 1...10 { #expect(abs(counts[rank - 1] / 200_000 - 1 / Double(rank) / total) < 0.005) }
    }

    @Test("pushed images have the share of known bytes asked for", arguments: [0.0, 0.3, 0.7, 0.95])
    func dedupe(share: Double) {
        var scenario = Scenario()
        scenario.choices = [.init(action: .client(.push), weight: 1)]
        scenario.images.layers = 8
        scenario.images.dedupe = share
        scenario.images.sizes = .between(1024, 1_048_576)
        let plan = ContentPlan(scenario: scenario, seed: 5)
        var seen = Set(plan.baseImages().flatMap { $0.layers.map(\.digest) })
        var total = 0, known = 0
        for index in 0..<80 {
            for layer in plan.pushedImage(UInt64(index)).layers {
                total += layer.size
                if !seen.insert(layer.digest).inserted { known += layer.size }
            }
        }
        #expect(abs(Double(known) / Double(total) - share) <= 0.01)
    }
}
