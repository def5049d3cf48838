import Harness
import LoadKit
import Testing

/// Keeps all that a parser finds.
final class Collector: ResponseSink {
    var heads: [ResponseHead] = []
    var body: [UInt8] = []

    func take(head: ResponseHead) { heads.append(head) }
    func take(body: UnsafeRawBufferPointer) { self.body += body }
}

@Suite("HTTP/1.1 answers")
struct WireTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let text: String
        var isHEAD = false
        let status: Int
        let body: String
        var keepsAlive = true
        var endsWithConnection = false
        var testDescription: String { text.replacing("\r\n", with: "|") }
    }

    static let cases = [
        Case(text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello"),
        Case(text: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, body: ""),
        Case(text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", status: 304, body: ""),
        Case(text: "HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\n", isHEAD: true, status: 200, body: ""),
        Case(
            text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", status: 201,
            body: ""),
        Case(
            text:
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
            status: 200, body: "hello0123456789"),
        Case(
            text: "HTTP/1.1 404 Not Found\r\nCONNECTION: close\r\nContent-Length: 1\r\n\r\n.", status: 404, body: ".",
            keepsAlive: false),
        Case(text: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", keepsAlive: false),
        Case(
            text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok"),
        Case(
            text: "HTTP/1.1 200 OK\r\n\r\nall of it", status: 200, body: "all of it", keepsAlive: false,
            endsWithConnection: true),
    ]

    @Test("reads the same however the bytes are cut", arguments: cases)
    func cuts(example: Case) throws {
        let bytes = Array(example.text.utf8)
        for cut in 0...bytes.count {
            var parser = ResponseParser()
            let sink = Collector()
            parser.expectAnswer(hasNoBody: example.isHEAD, keepsHeaders: true)
            let first = try bytes[..<cut].withUnsafeBytes { try parser.read($0, into: sink) }
            #expect(!first || cut == bytes.count)
            let isComplete = try bytes[cut...].withUnsafeBytes { try parser.read($0, into: sink) }
            #expect(isComplete || example.endsWithConnection)
            #expect(parser.endsWithConnection == example.endsWithConnection)
            #expect(sink.heads.map(\.status) == [example.status])
            #expect(String(decoding: sink.body, as: UTF8.self) == example.body)
            #expect(parser.head.keepsAlive == example.keepsAlive)
        }
    }

    @Test(
        "broken answers are told apart",
        arguments: [
            ("HTTP/2 200 OK\r\n\r\n......", WireError.statusLine), ("HTTP/1.1 20x OK\r\n\r\n", .statusLine),
            ("HTTP/1.1 099 No\r\n\r\n", .statusLine), ("SSH-2.0-OpenSSH_9\r\n\r\n", .statusLine),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", .chunk),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", .chunk),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", .chunk),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", .unasked),
        ])
    func broken(text: String, error: WireError) {
        var parser = ResponseParser()
        parser.expectAnswer(hasNoBody: false, keepsHeaders: false)
        let sink = Collector()
        let bytes = Array((text + (error == .chunk ? "\r\n\r\n" : "")).utf8)
        #expect(throws: error) { try bytes.withUnsafeBytes { try parser.read($0, into: sink) } }
    }

    @Test("a head without end is refused at 64 KiB")
    func endlessHead() {
        var parser = ResponseParser()
        parser.expectAnswer(hasNoBody: false, keepsHeaders: false)
        let sink = Collector()
        let line = Array("X-Filler: 0123456789012345678901234567890123456789\r\n".utf8)
        #expect(throws: WireError.headTooLong) {
            _ = try Array("HTTP/1.1 200 OK\r\n".utf8).withUnsafeBytes { try parser.read($0, into: sink) }
            for _ in 0..<2000 { _ = try line.withUnsafeBytes { try parser.read($0, into: sink) } }
        }
        #expect(sink.heads.isEmpty)
    }

    @Test("damaged answers never stop the program and never yield more body than was sent")
    func damage() {
        var random = SeededRandom(seed: 11)
        var refused = 0
        for round in 0..<20_000 {
            var bytes = Array(Self.cases[round % Self.cases.count].text.utf8)
            for _ in 0..<(1 + Int(random.next() % 4)) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            var parser = ResponseParser()
            let sink = Collector()
            parser.expectAnswer(hasNoBody: false, keepsHeaders: true)
            do {
                for half in [bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...]] where !parser.isComplete {
                    _ = try half.withUnsafeBytes { try parser.read($0, into: sink) }
                }
            } catch {
                refused += 1
            }
            #expect(sink.body.count <= bytes.count)
        }
        #expect(refused > 1000)
    }

    @Test("header fields are found whatever their case")
    func fields() throws {
        var parser = ResponseParser()
        let sink = Collector()
        parser.expectAnswer(hasNoBody: true, keepsHeaders: true)
        let text = "HTTP/1.1 200 OK\r\nLOCATION:  /a:b \r\nLink: one\r\nlink: two\r\n\r\n"
        _ = try Array(text.utf8).withUnsafeBytes { try parser.read($0, into: sink) }
        #expect(parser.head.value("location") == "/a:b")
        #expect(parser.head.values("Link") == ["one", "two"])
        #expect(parser.head.value("Absent") == nil)
    }

    @Test(
        "URLs are read with their port and path",
        arguments: [
            ("http://a", "a", 80, "/"), ("https://A.b/c?d#e", "a.b", 443, "/c?d"),
            ("http://[::1]:5000/v2/", "::1", 5000, "/v2/"),
            ("http://h:1?x=y", "h", 1, "/?x=y"),
        ])
    func targets(text: String, host: String, port: Int, path: String) throws {
        let target = try Target(parsing: text)
        #expect(target.endpoint.host == host)
        #expect(target.endpoint.port == port)
        #expect(target.path == path)
    }

    @Test(
        "URLs that cannot be aimed at are refused",
        arguments: [
            "", "a:80", "ftp://a", "http://", "http://a:0", "http://a:65536", "http://u:p@a/", "http://[::1",
            "http://a/ b",
        ])
    func badTargets(text: String) {
        #expect(throws: TargetError.self) { try Target(parsing: text) }
    }

    @Test(
        "locations are resolved against the request",
        arguments: [
            ("/x", "http://h:1/x"), ("y?z", "http://h:1/v2/a/y?z"), ("?q", "http://h:1/v2/a/b?q"),
            ("//o/p", "http://o/p"),
            ("https://o:2/p", "https://o:2/p"), ("/x#y", "http://h:1/x"), ("../c", "http://h:1/v2/c"),
            ("./c/../d/.", "http://h:1/v2/a/d/"), ("../../../../x", "http://h:1/x"), ("/a//b/..", "http://h:1/a//"),
            ("/a/.b/...?x=/../y", "http://h:1/a/.b/...?x=/../y"), ("http://o/a/../b#c", "http://o/b"),
        ])
    func locations(reference: String, result: String) {
        let endpoint = Endpoint(isTLS: false, host: "h", port: 1)
        #expect(Location.resolve(reference, against: endpoint, path: "/v2/a/b?c=d")?.description == result)
    }

    @Test(
        "locations that could smuggle a header are none",
        arguments: ["/a b", "/a\r\nX: y", "", "http://", "file:///etc/passwd"])
    func badLocations(reference: String) {
        #expect(Location.resolve(reference, against: Endpoint(isTLS: false, host: "h", port: 1), path: "/") == nil)
    }

    @Test(
        "percent-escapes are two hexadecimal digits, and nothing else is one",
        arguments: [
            ("a%2Fb%2fc", "a/b/c"), ("%+f", "%+f"), ("%-0", "%-0"), ("% 1", "% 1"), ("%4", "%4"), ("%", "%"),
            ("%zz%41", "%zzA"),
        ])
    func escapes(text: String, result: String) {
        #expect(queryUnescaped(text) == result)
    }

    @Test("challenges are read with quotes, commas and either case, in one field or several")
    func challenges() {
        let bearer = LoginWay.bearer(realm: "http://a/t?x=1,2", service: "s \"q\"")
        let text = "Bearer realm=\"http://a/t?x=1,2\",service=\"s \\\"q\\\"\", scope=\"repository:a:pull,push\""
        #expect(LoginWay([text]) == bearer)
        #expect(LoginWay(["Basic realm=\"a\"", text]) == bearer)
        #expect(LoginWay(["Basic realm=\"a, Bearer b\", charset = UTF-8, " + text]) == bearer)
        #expect(LoginWay(["Negotiate YWJj/+==, " + text + " , Digest"]) == bearer)
        #expect(LoginWay(["BASIC realm=x"]) == .basic)
        #expect(LoginWay(["Bearer service=x, basic"]) == .basic)
        #expect(LoginWay(["Bearer service=x"]) == nil)
        #expect(LoginWay(["Negotiate"]) == nil)
        let odd = ["=,\"", "", "a=\"", "Bearer realm=\"", "Bearer realm"]
        #expect(LoginWay(odd) == .bearer(realm: "", service: nil))
    }

    @Test(
        "a host that may be spoken to is meant with its port, the scheme's own where there is none",
        arguments: [
            ("h", "http://h/", true), ("h", "https://h/", true), ("h", "http://h:81/", false),
            ("h:80", "http://h/", true), ("h:80", "https://h/", false), ("H:443", "https://h/", true),
            ("h:81", "http://h:81/", true), ("[::1]:5000", "http://[::1]:5000/", true), ("h", "http://hh/", false),
        ])
    func hostRules(rule: String, url: String, allows: Bool) throws {
        #expect(try HostRule(parsing: rule).allows(try Target(parsing: url).endpoint) == allows)
    }

    @Test(
        "what is no host and port is refused", arguments: ["", ":80", "h:x", "h:+80", "h/", "http://h", "[::1", "a b"])
    func badHostRules(rule: String) {
        #expect(throws: TargetError.self) { try HostRule(parsing: rule) }
    }
}
