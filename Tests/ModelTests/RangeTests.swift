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
        "what is no byte range is ignored",
        arguments: [
            "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-b", "bytes=5-2", "bytes=0-1,3-x", "bytes=,",
            "items=0-1",
            "0-1",
            "bytes=--1", "bytes=1--2", "bytes=+1-2", "bytes=1-2-3", "bytes=0x1-2", "bytes 0-1", "bytes=１-２",
            "bytes=1 -2 x",
        ])
    func ignored(header: String) {
        #expect(ByteRange.parse(header, size: 100) == .whole)
    }

    @Test(
        "several ranges are parts as asked for; those that overlap, touch or are near are one, where the first of them stood",
        arguments: [
            ("bytes=0-9,500-509", .parts([0..<10, 500..<510])), ("bytes=500-509,0-9", .parts([500..<510, 0..<10])),
            ("bytes=0-9 , 500-509 ,,", .parts([0..<10, 500..<510])), ("bytes=0-9,-10", .parts([0..<10, 990..<1000])),
            ("bytes=0-9,10-19", .part(0..<20)), ("bytes=0-9,5-30,-5", .parts([0..<31, 995..<1000])),
            ("bytes=300-,0-9", .parts([300..<1000, 0..<10])), ("bytes=0-9,137-140", .part(0..<141)),
            ("bytes=0-9,138-140", .parts([0..<10, 138..<141])), ("bytes=0-9,2000-3000", .part(0..<10)),
            ("bytes=600-700,0-0,550-610,1000-", .parts([550..<701, 0..<1])), ("bytes=1000-,2000-", .unsatisfiable),
            ("bytes=0-,0-,0-,-1", .part(0..<1000)), ("bytes=0-1,5-2", .whole), ("bytes=0-1,x", .whole),
        ] as [(String, ByteRange)])
    func several(header: String, expected: ByteRange) {
        #expect(ByteRange.parse(header, size: 1000) == expected)
    }

    @Test("past the most parts, or the most that may be asked for, it is the whole")
    func tooMany() {
        func header(_ count: Int, _ step: Int) -> String {
            "bytes=" + (0..<count).map { "\($0 * step)-\($0 * step)" }.joined(separator: ",")
        }
        guard case .parts(let parts) = ByteRange.parse(header(16, 1000), size: 1 << 20) else {
            Issue.record("16 parts are sent")
            return
        }
        #expect(parts.count == 16)
        #expect(ByteRange.parse(header(17, 1000), size: 1 << 20) == .whole)
        #expect(ByteRange.parse(header(64, 1), size: 1 << 20) == .part(0..<64))
        #expect(ByteRange.parse(header(65, 1), size: 1 << 20) == .whole)
        #expect(ByteRange.parse(header(100_000, 1), size: 1 << 20) == .whole)
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
