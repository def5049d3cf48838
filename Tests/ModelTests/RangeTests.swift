import Model
import Testing

@Suite("ByteRange")
struct ByteRangeTests {
    @Test(
        "a single range becomes the bytes that it means",
        arguments: [
            ("bytes=0-0", 0..<1), ("bytes=0-99", 0..<100), ("bytes=0-", 0..<100), ("bytes=99-", 99..<100),
            ("bytes=10-19", 10..<20), ("bytes=10-1000", 10..<100), ("bytes=99-99", 99..<100), ("bytes=-1", 99..<100),
            ("bytes=-100", 0..<100), ("bytes=-1000", 0..<100), ("BYTES=1-2", 1..<3), ("bytes= 1-2", 1..<3),
            ("bytes=1-2 ", 1..<3), ("bytes=5-99999999999999999999999", 5..<100),
            ("bytes=-99999999999999999999999", 0..<100), ("bytes=00-09", 0..<10),
        ])
    func part(header: String, bytes: Range<Int64>) {
        #expect(ByteRange.parse(header, size: 100) == .part(bytes))
    }

    @Test(
        "a range past the end is unsatisfiable",
        arguments: [
            "bytes=100-", "bytes=100-100", "bytes=1000-2000", "bytes=-0", "bytes=9223372036854775807-",
            "bytes=99999999999999999999-", "bytes=99999999999999999999-99999999999999999999",
        ])
    func pastTheEnd(header: String) {
        #expect(ByteRange.parse(header, size: 100) == .unsatisfiable)
    }

    @Test(
        "what is no single byte range is ignored",
        arguments: [
            "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-b", "bytes=5-2", "bytes=0-1,3-4", "items=0-1",
            "0-1",
            "bytes=--1", "bytes=1--2", "bytes=+1-2", "bytes=1-2-3", "bytes=0x1-2", "bytes 0-1", "bytes=１-２",
            "bytes=1 -2 x",
        ])
    func ignored(header: String) {
        #expect(ByteRange.parse(header, size: 100) == .whole)
    }

    @Test("without a header it is the whole")
    func none() {
        #expect(ByteRange.parse(nil, size: 100) == .whole)
        #expect(ByteRange.parse(nil, size: 0) == .whole)
    }

    @Test("of nothing no range can be had", arguments: ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"])
    func empty(header: String) {
        #expect(ByteRange.parse(header, size: 0) == .unsatisfiable)
    }

    @Test("a part always lies within the content", arguments: 0..<4)
    func property(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("bytes=0123456789--,, ")
        for _ in 0..<3000 {
            let size = Int64.random(in: 0...20, using: &random)
            let tail = String(
                (0..<Int.random(in: 0...8, using: &random)).compactMap { _ in alphabet.randomElement(using: &random) })
            if case .part(let range) = ByteRange.parse("bytes=" + tail, size: size) {
                #expect(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= size, "\(tail) of \(size)")
            }
        }
    }
}

@Suite("ChunkRange")
struct ChunkRangeTests {
    @Test(
        "a chunk's range has both ends and a count",
        arguments: [
            ("0-0", 0, 0, 1), ("0-9", 0, 9, 10), ("10-19", 10, 19, 10), ("bytes 0-9/100", 0, 9, 10),
            ("bytes 0-9/*", 0, 9, 10), ("bytes=5-6", 5, 6, 2), (" 0-9 ", 0, 9, 10),
            ("0-9223372036854775806", 0, .max - 1, .max),
        ] as [(String, Int64, Int64, Int64)])
    func good(text: String, first: Int64, last: Int64, count: Int64) throws {
        let range = try ChunkRange.parse(text)
        #expect(range.first == first)
        #expect(range.last == last)
        #expect(range.count == count)
    }

    @Test(
        "what is no chunk's range is refused",
        arguments: [
            "", "-", "0-", "-9", "9-0", "a-b", "0", "0-9-19", "0 9", "+0-9", "0x0-9", "0--9", "bytes */100",
            "0-9,10-19",
            "0-9223372036854775807", "0-99999999999999999999", "99999999999999999999-0", "0-９",
        ])
    func bad(text: String) {
        let error = #expect(throws: ParseError.self) { try ChunkRange.parse(text) }
        #expect(error?.subject == .contentRange)
    }
}
