import HTTPServer
import NIOCore
import Testing

@Suite("Reading requests")
struct ParserTests {
    /// What a parser made of some bytes: a line a request, and why it stopped.
    private struct Reading: Equatable {
        var requests: [String] = []
        var isRefused = false
    }

    /// Feeds `bytes` in pieces that end at `cuts`.
    private static func read(_ bytes: [UInt8], cuts: [Int] = []) -> Reading {
        var (parser, reading, body) = (RequestParser(), Reading(), [UInt8]())
        var start = 0
        for end in cuts.sorted() + [bytes.count] {
            parser.feed(ByteBuffer(bytes: bytes[start..<end]))
            start = end
            loop: while true {
                switch parser.next() {
                case .none: break loop
                case .head(let head):
                    let length = head.length.map { "\($0)" } ?? "chunked"
                    let seen =
                        "\(head.method.name) \(head.target) \(length) \(head.keepsAlive) \(head.headers["x-a"] ?? "-")"
                    reading.requests.append(seen)
                    body = []
                case .body(let part): body += Array(part.readableBytesView)
                case .end: reading.requests[reading.requests.count - 1] += " \(String(decoding: body, as: UTF8.self))"
                case .refused: reading.isRefused = true
                }
            }
            parser.settle()
        }
        return reading
    }

    private static func read(_ text: String) -> Reading { read(Array(text.utf8)) }

    private static let session = """
        \r\nPOST /v2/a?b=c HTTP/1.1\r\nHost: h\r\nX-A:\t one two \t\r\nContent-Length: 5\r\n\r\nhello\
        PATCH /x HTTP/1.1\r\nhost:h\r\ntransfer-encoding: Chunked\r\n\r\n3 \t;a="b\tc"\r\nabc\r\n00a\r\n0123456789\r\n0\r\nT: u\r\n\r\n\
        GET http://h/y HTTP/1.0\r\nX-a: z\r\n\r\nDELETE * HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n
        """

    private static let expected = Reading(requests: [
        "POST /v2/a?b=c 5 true one two hello", "PATCH /x chunked true - abc0123456789", "GET http://h/y 0 false z",
        "DELETE * 0 false -",
    ])

    @Test("requests of every framing are read one after the other")
    func session() {
        #expect(Self.read(Self.session) == Self.expected)
    }

    @Test("a control character is refused wherever it stands in a value, of whatever length")
    func controls() {
        for length in 1...50 {
            for place in 0..<length {
                // At the ends a tab is no part of the value.
                for byte: UInt8 in [0, 1, 0x1f, 0x7f, 0x09, 0x20, 0x7e, 0x80, 0xff] {
                    var value = [UInt8](repeating: 0x61, count: length)
                    value[place] = byte
                    let read = Self.read(
                        Array("GET / HTTP/1.1\r\nHost: h\r\nY: ".utf8) + value + Array("\r\n\r\n".utf8))
                    #expect(read.isRefused == [0, 1, 0x1f, 0x7f].contains(byte), "\(byte) at \(place) of \(length)")
                }
            }
        }
    }

    @Test("however the bytes are cut on their way, the same requests are read")
    func cuts() {
        let bytes = Array(Self.session.utf8)
        for cut in 0...bytes.count { #expect(Self.read(bytes, cuts: [cut]) == Self.expected, "cut at \(cut)") }
        #expect(Self.read(bytes, cuts: Array(0..<bytes.count)) == Self.expected, "byte by byte")
    }

    @Test("damaged requests are read the same way however they are cut, and never crash the parser")
    func damage() {
        var random = SystemRandomNumberGenerator()
        let bytes = Array(Self.session.utf8)
        let spice: [UInt8] = [0, 9, 10, 13, 32, 48, 58, 59, 255]
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<damaged.count, using: &random)
                let byte = Bool.random() ? spice.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: damaged[at] = byte
                case 1: damaged.insert(byte, at: at)
                default: damaged.remove(at: at)
                }
            }
            let cuts = (0..<3).map { _ in Int.random(in: 0...damaged.count, using: &random) }
            let (whole, cut) = (Self.read(damaged), Self.read(damaged, cuts: cuts))
            #expect(whole == cut, "\(String(decoding: damaged, as: UTF8.self).debugDescription) cut at \(cuts)")
        }
    }

    @Test(
        "what two readers could take differently is refused",
        arguments: [
            "GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nHost: h\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n A: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "GET / http/1.1\r\nHost: h\r\n\r\n",
            "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "GET / HTTP/1.10\r\nHost: h\r\n\r\n",
            "GET a HTTP/1.1\r\nHost: h\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775808\r\n\r\na",
            "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000001\r\na\r\n0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;\(String(repeating: "x", count: 2000))\r\na",
        ])
    func refused(text: String) {
        #expect(Self.read(text).isRefused)
    }

    @Test("trailers without end are refused")
    func trailers() {
        let head = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        #expect(!Self.read(head + String(repeating: "A: b\r\n", count: 50)).isRefused)
        #expect(Self.read(head + String(repeating: "A: b\r\n", count: 500)).isRefused)
    }

    @Test("what waits to be read pins no more memory than it has")
    func memory() {
        var parser = RequestParser()
        var large = ByteBufferAllocator().buffer(capacity: 128 << 10)
        large.writeString("GET / HTTP/1.1\r\nHo")
        parser.feed(large)
        guard case .none = parser.next() else { return #expect(Bool(false), "half a head is none") }
        parser.settle()
        #expect(parser.waiting == 18)
        #expect(parser.pinned < 2048)
    }
}
