import HTTP
import Testing
import Vocabulary

@Suite("Bad input over a raw socket", .takesTurns)
struct FramingTests {
    private static let host = "Host: a\r\n"

    /// Sends bytes on a connection of their own, reads the one answer, then sees that the server still serves.
    private func exchange(_ bytes: [UInt8], halfClose: Bool = false) async throws -> Answer {
        let server = try await TestServer.shared()
        let wire = try server.wire()
        try await wire.send(bytes)
        if halfClose { wire.finishSending() }
        let answer = try await wire.answer(to: "GET")
        #expect(try await server.client().get("/v2/").status == 200, "still up")
        return answer
    }

    private func exchange(_ text: String, halfClose: Bool = false) async throws -> Answer {
        try await exchange(Array(text.utf8), halfClose: halfClose)
    }

    @Test(
        "what is not HTTP is 400, as an error body, and ends the connection",
        arguments: [
            "\r\n\r\nnonsense\r\n\r\n", "GET\r\n\r\n", "GET /v2/\r\n\r\n", "GET /v2/ HTTP/9.9\r\n\r\n",
            "GET /v2/ HTTP/1.1 x\r\n\r\n",
            "GET /v2/ FTP/1.1\r\n\r\n", "G\u{0}T /v2/ HTTP/1.1\r\n\r\n", "NOMETHOD /v2/ HTTP/1.1\r\n\r\n",
            "GET v2/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /v2/ HTTP/1.1\r\nHost : a\r\n\r\n", "GET /v2/ HTTP/1.1\r\nno colon\r\n\r\n",
            "GET /v2/ HTTP/1.1\r\n: empty\r\n\r\n",
            "GET /v2/ HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", "GET /v2/ HTTP/1.1\r\nHost: a\r\nX: a\u{1}\r\n\r\n",
            "GET /v2/ HTTP/1.1\r\n\r\n", "GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET /v2/ HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}",
        ])
    func notHTTP(text: String) async throws {
        let answer = try await exchange(text)
        #expect((400..<500).contains(answer.status), "\(answer.status)")
        #expect(answer["Connection"] == "close")
        _ = try APIError.parse(answer)
    }

    @Test(
        "a length that cannot be relied on is 400: nothing behind it can be taken for a request",
        arguments: [
            "Content-Length: 3\r\nContent-Length: 2", "Content-Length: 2\r\nContent-Length: 3", "Content-Length: 2, 3",
            "Content-Length: -2", "Content-Length: +2", "Content-Length: 0x2", "Content-Length: 2 2",
            "Content-Length: two", "Content-Length:",
            "Content-Length: 99999999999999999999", "Content-Length: 2\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 2",
        ])
    func lengths(headers: String) async throws {
        let server = try await TestServer.shared()
        let wire = try server.wire()
        try await wire.send(
            "PUT /v2/a/manifests/t HTTP/1.1\r\n\(Self.host)\(headers)\r\n\r\n{}GET /healthz HTTP/1.1\r\n\(Self.host)\r\n"
        )
        let answer = try await wire.answer(to: "PUT")
        #expect(answer.status == 400)
        #expect(answer["Connection"] == "close")
        #expect(try await wire.rest().isEmpty, "no second answer")
    }

    @Test(
        "a transfer coding other than chunked is refused", arguments: ["gzip", "xchunked", "chunked, gzip", "identity"])
    func codings(coding: String) async throws {
        let server = try await TestServer.shared()
        let wire = try server.wire()
        try await wire.send(
            "PUT /v2/a/manifests/t HTTP/1.1\r\n\(Self.host)Transfer-Encoding: \(coding)\r\n\r\n{}GET /healthz HTTP/1.1\r\n\(Self.host)\r\n"
        )
        wire.finishSending()
        let answer = try await wire.answer(to: "PUT")
        #expect((400..<500).contains(answer.status) || answer.status == 501)
        #expect(answer["Connection"] == "close")
        #expect(try await wire.rest().isEmpty, "no second answer")
    }

    @Test(
        "a malformed chunk ends the upload's request with 4xx, and the connection",
        arguments: [
            "zz\r\nabc\r\n", "-1\r\nabc\r\n", "0x3\r\nabc\r\n", "ffffffffffffffffff\r\nabc\r\n",
            "3\r\nabcdef\r\n0\r\n\r\n", " 3\r\nabc\r\n", ";\r\n",
        ])
    func chunks(body: String) async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        let location = try await client.begin(repository)
        let wire = try server.wire()
        try await wire.send(
            "PATCH \(location) HTTP/1.1\r\n\(Self.host)Transfer-Encoding: chunked\r\n\r\n\(body)GET /healthz HTTP/1.1\r\n\(Self.host)\r\n"
        )
        let answer = try await wire.answer(to: "PATCH")
        #expect((400..<500).contains(answer.status))
        #expect(answer["Connection"] == "close")
        #expect(try await wire.rest().isEmpty, "no second answer")
        #expect(try await client.get(location).status == 204, "the session lives")
    }

    @Test("header floods are 431", arguments: [(1, 20_000), (90, 1000), (200, 1), (50_000, 100), (1, 5_000_000)])
    func headers(count: Int, length: Int) async throws {
        let server = try await TestServer.shared()
        let wire = try server.wire()
        try await wire.send("GET /v2/ HTTP/1.1\r\n\(Self.host)")
        let value = String(repeating: "y", count: length)
        var lines = ""
        for index in 0..<count { lines += "X-\(index): \(value)\r\n" }
        let isTaken = try await wire.send(lines + "\r\n")
        do {
            #expect(try await wire.answer().status == 431)
        } catch is WireError {
            #expect(!isTaken || lines.utf8.count > 100_000, "who is still sending may be cut off before it reads")
        }
        #expect(try await server.client().get("/v2/").status == 200, "still up")
    }

    @Test(
        "a long path is 414 or 431, a long query no more than that",
        arguments: [2048, 3000, 17_000, 100_000, 3_000_000])
    func longTargets(count: Int) async throws {
        let server = try await TestServer.shared()
        let long = String(repeating: "a", count: count)
        for target in ["/v2/\(long)/manifests/t", "/v2/a/manifests/\(long)", "/v2/_catalog?last=\(long)"] {
            let wire = try server.wire()
            try await wire.send("GET \(target) HTTP/1.1\r\n\(Self.host)\r\n")
            do {
                let answer = try await wire.answer()
                let isQuery = target.contains("?") && answer.status == 200
                #expect([414, 431].contains(answer.status) || isQuery, "\(answer.status)")
            } catch is WireError where count > 50_000 {
                // Cut off while it was still sending.
            }
            #expect(try await server.client().get("/v2/").status == 200, "still up")
        }
    }

    @Test(
        "8-bit bytes, NUL and blanks in a path are 4xx",
        arguments: [[0xff], [0xc3, 0xa4], [0x00], [0x80, 0x80], [0x20], [0x09], [0x7f], [0x0a]] as [[UInt8]])
    func bytesInPaths(bytes: [UInt8]) async throws {
        for (before, after) in [
            ("GET /v2/a", "b/manifests/t"), ("GET /v2/a/manifests/t", ""), ("GET /v2/_catalog?last=", "x&n=x"),
        ] {
            let answer = try await exchange(
                Array(before.utf8) + bytes + Array("\(after) HTTP/1.1\r\n\(Self.host)\r\n".utf8))
            #expect((400..<500).contains(answer.status), "\(answer.status)")
            _ = try APIError.parse(answer)
        }
    }

    @Test(
        "the target may be in absolute form, of any scheme in any case (RFC 9112 section 3.2.2)",
        arguments: [
            ("http://localhost/v2/", 200), ("https://localhost/v2/", 200), ("HTTP://LOCALHOST:80/v2/", 200),
            ("hTTpS://[::1]:5000/v2/", 200), ("coap+tcp://h/v2/", 200), ("http://localhost?x=/v2/", 404),
            ("https://localhost", 404), ("http:///v2/", 400), ("https://", 400), ("://h/v2/", 400), ("1x://h/v2/", 400),
            ("http:/v2/", 400), ("https://user@h/v2/", 400), ("ht_tp://h/v2/", 400),
        ])
    func absoluteForm(target: String, status: Int) async throws {
        #expect(try await exchange("GET \(target) HTTP/1.1\r\n\(Self.host)\r\n").status == status)
    }

    @Test("a Host that is no host and port is 400", arguments: ["a b", "a/b", "u@h", "a?b", "<a>", "\u{e9}"])
    func hosts(host: String) async throws {
        #expect(try await exchange("GET /v2/ HTTP/1.1\r\nHost: \(host)\r\n\r\n").status == 400)
    }

    @Test("a target that begins with no slash is nowhere")
    func asterisk() async throws {
        #expect(try await exchange("OPTIONS * HTTP/1.1\r\n\(Self.host)\r\n").status == 404)
        let answer = try await exchange("GET *v2/ HTTP/1.1\r\n\(Self.host)\r\n")
        #expect((400..<500).contains(answer.status))
    }

    @Test("bodies that nobody asked for do not pile up on a connection that is kept")
    func unreadBodies() async throws {
        let wire = try await TestServer.shared().wire()
        let request = Array("GET /v2/a/manifests/t HTTP/1.1\r\n\(Self.host)Content-Length: 20000\r\n\r\n".utf8)
        for _ in 0..<120 {
            try await wire.send(request + Content.bytes(20_000))
            #expect(try await wire.answer().status == 404)
        }
    }

    @Test("of requests that came before a half-close the whole ones are answered, the cut one at once")
    func cutBehind() async throws {
        let server = try await TestServer.shared()
        let location = try await server.client().begin(TestServer.repository())
        let wire = try server.wire()
        let cut = "PATCH \(location) HTTP/1.1\r\n\(Self.host)Content-Length: 10\r\n\r\nab"
        try await wire.send("GET /v2/a/tags/list HTTP/1.1\r\n\(Self.host)\r\n" + cut)
        wire.finishSending()
        #expect(try await wire.answer().status == 404)
        #expect(try await wire.answer(to: "PATCH").status == 408)
    }

    @Test("requests that come together are answered in order")
    func pipelining() async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        try await client.pushImage(repository, "t")
        let location = try await client.begin(repository)
        let wire = try server.wire()
        let blob = Content.digest(Content.config)
        var text = ""
        for index in 0..<20 {
            text += "GET /healthz HTTP/1.1\r\n\(Self.host)\r\n"
            text += "HEAD /v2/\(repository)/manifests/t HTTP/1.1\r\n\(Self.host)\r\n"
            text += "GET /v2/\(repository)/blobs/\(blob) HTTP/1.1\r\n\(Self.host)\r\n"
            text += "PATCH \(location) HTTP/1.1\r\n\(Self.host)Content-Length: 5\r\n\r\nhello"
            text += "GET /v2/\(repository)/manifests/none\(index) HTTP/1.1\r\n\(Self.host)\r\n"
        }
        try await wire.send(text)
        for index in 0..<20 {
            #expect(try await wire.answer().text == "alive\n")
            #expect(try await wire.answer(to: "HEAD").status == 200)
            #expect(try await wire.answer().body == Content.config)
            #expect(try await wire.answer(to: "PATCH")["Range"] == "0-\(index * 5 + 4)")
            #expect(try await wire.answer().text.contains("none\(index)"))
        }
    }

    @Test("tens of thousands of requests that come together do not bring the server down")
    func deepPipelining() async throws {
        let server = try await TestServer.shared()
        let wire = try server.wire()
        // The first of each burst has to wait for the database, so that the others wait behind it.
        let slow = "GET /v2/none/manifests/t HTTP/1.1\r\nHost:a\r\n\r\n"
        let quick = "GET /healthz HTTP/1.1\r\nHost:a\r\n\r\n"
        let burst = slow + String(repeating: quick, count: 9000)
        let bursts = Array(String(repeating: burst, count: 6).utf8)
        async let isSent = wire.send(bursts)
        let text = try await wire.read(answers: 6 * 9001)
        #expect(try await isSent)
        #expect(text == 6 * 9001)
        #expect(try await server.client().get("/v2/").status == 200, "still up")
    }

    @Test("a client that has closed its side still gets its answer", arguments: ["/v2/", "/v2/_catalog"])
    func halfClosed(target: String) async throws {
        #expect(try await exchange("GET \(target) HTTP/1.1\r\n\(Self.host)\r\n", halfClose: true).status == 200)
    }

    @Test("a client that has closed its side gets the answers to all it had asked")
    func halfClosedPipeline() async throws {
        let wire = try await TestServer.shared().wire()
        try await wire.send(String(repeating: "GET /v2/none/manifests/t HTTP/1.1\r\n\(Self.host)\r\n", count: 5))
        wire.finishSending()
        let text = String(decoding: try await wire.rest(), as: UTF8.self)
        #expect(text.components(separatedBy: "HTTP/1.1 404").count - 1 == 5)
    }

    @Test("Connection: close is kept to, and HTTP/1.0 gets an answer that ends")
    func close() async throws {
        let server = try await TestServer.shared()
        for request in ["GET /v2/ HTTP/1.1\r\n\(Self.host)Connection: close\r\n\r\n", "GET /v2/ HTTP/1.0\r\n\r\n"] {
            let wire = try server.wire()
            try await wire.send(request)
            let answer = try await wire.answer()
            #expect(answer.status == 200)
            #expect(answer["Connection"] == "close")
            #expect(try await wire.rest().isEmpty)
        }
    }

    @Test("an HTTP/1.0 client that asks to keep the connection is told that it is not kept")
    func oldKeepAlive() async throws {
        let answer = try await exchange("GET /v2/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(answer["Connection"] == "close")
    }

    @Test(
        "a large answer comes whole to a slow reader that asked to close (as docker and podman do)",
        arguments: [true, false])
    func slowReader(closes: Bool) async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        let manifest = Content.image(padding: (4 << 20) - 1000)
        try await client.push(Content.config, to: repository)
        try await client.put(manifest, repository, "t")
        let wire = try server.wire(receiveBuffer: 4096)
        try await wire.send(
            "GET /v2/\(repository)/manifests/t HTTP/1.1\r\n\(Self.host)\(closes ? "Connection: close\r\n" : "")\r\n")
        // The server has written what it can once another request, sent later, has been answered.
        for _ in 0..<20 { _ = try await client.get("/v2/\(repository)/tags/list") }
        #expect(try await wire.answer().body == manifest)
    }

    @Test("an answer to HEAD, 204 and 304 has no body, whatever its length says")
    func noBodies() async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        let digest = try await client.pushImage(repository, "t")
        let blob = Content.digest(Content.config)
        let location = try await client.begin(repository)
        let wire = try server.wire()
        for (method, target, header) in [
            ("HEAD", "/v2/", ""), ("HEAD", "/v2/\(repository)/manifests/t", ""),
            ("HEAD", "/v2/\(repository)/blobs/\(blob)", ""),
            ("HEAD", "/v2/\(repository)/manifests/none", ""), ("HEAD", "/nowhere", ""),
            ("HEAD", "/v2/A/manifests/t", ""),
            ("HEAD", "/v2/\(repository)/blobs/uploads/", ""),
            ("GET", "/v2/\(repository)/manifests/t", "If-None-Match: \"\(digest)\"\r\n"),
            ("GET", location, ""), ("HEAD", location, ""), ("HEAD", "/v2/_catalog", ""),
            ("HEAD", "/v2/\(repository)/tags/list", ""),
        ] {
            try await wire.send("\(method) \(target) HTTP/1.1\r\n\(Self.host)\(header)\r\n")
            #expect(try await wire.answer(to: method).body.isEmpty)
        }
        try await wire.send("GET /healthz HTTP/1.1\r\n\(Self.host)\r\n")
        #expect(try await wire.answer().text == "alive\n")
    }

    @Test(
        "the body of a request that is refused is read to its end",
        arguments: [
            ("POST", "/v2/"), ("PUT", "/nowhere"), ("PUT", "/v2/A/manifests/t"), ("PATCH", "/v2/a/blobs/uploads/none"),
            ("GET", "/v2/none/manifests/t"),
            ("POST", "/v2/a/blobs/uploads/?digest=nonsense"), ("DELETE", "/v2/none/manifests/t"),
        ])
    func drained(method: String, target: String) async throws {
        let wire = try await TestServer.shared().wire()
        let body = Content.bytes(3_000_000)
        for _ in 0..<2 {
            try await wire.send("\(method) \(target) HTTP/1.1\r\n\(Self.host)Content-Length: \(body.count)\r\n\r\n")
            #expect(try await wire.send(body))
            let answer = try await wire.answer(to: method)
            #expect((400..<500).contains(answer.status))
            #expect(answer["Connection"] == nil)
        }
    }

    @Test("a GET may have a body, which is not taken for the next request")
    func bodyOfGet() async throws {
        let wire = try await TestServer.shared().wire()
        let smuggled = "GET /nowhere HTTP/1.1\r\n\(Self.host)\r\n"
        try await wire.send(
            "GET /healthz HTTP/1.1\r\n\(Self.host)Content-Length: \(smuggled.utf8.count)\r\n\r\n\(smuggled)GET /v2/ HTTP/1.1\r\n\(Self.host)Connection: close\r\n\r\n"
        )
        #expect(try await wire.answer().text == "alive\n")
        #expect(try await wire.answer().text == "{}")
        #expect(try await wire.rest().isEmpty)
    }

    @Test("text of a request cannot make headers of the answer")
    func injection() async throws {
        let client = try await TestServer.shared().client()
        for text in ["a%0d%0aX-Evil:%20yes", "%0d%0a%0d%0aHTTP/1.1%20200%20OK"] {
            for target in [
                "/v2/\(text)/manifests/t", "/v2/a/manifests/\(text)", "/v2/_catalog?n=1&last=\(text)",
                "/v2/a/blobs/uploads/\(text)",
            ] {
                #expect(try await client.get(target)["X-Evil"] == nil)
            }
        }
    }
}

@Suite("Expect: 100-continue", .takesTurns)
struct ExpectTests {
    @Test("a client that waits is asked for the body, once")
    func accepted() async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        let location = try await client.begin(repository)
        let wire = try server.wire()
        for round in 0..<2 {
            try await wire.send(
                "PATCH \(location) HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
            #expect(try await wire.answer(to: "PATCH").status == 100)
            try await wire.send("hello")
            let answer = try await wire.answer(to: "PATCH")
            #expect(answer.status == 202)
            #expect(answer["Range"] == "0-\(round * 5 + 4)")
        }
    }

    @Test(
        "a request that fails anyway is refused before its body",
        arguments: [
            ("PUT", "/v2/a/manifests/t", 5_000_000, 413), ("PATCH", "/v2/a/blobs/uploads/none", 5, 404),
            ("POST", "/v2/", 5, 405), ("PUT", "/v2/A/manifests/t", 5, 400),
        ])
    func refused(method: String, target: String, length: Int, status: Int) async throws {
        let wire = try await TestServer.shared().wire()
        try await wire.send(
            "\(method) \(target) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(length)\r\n\r\n")
        let answer = try await wire.answer(to: method)
        #expect(answer.status == status)
        #expect(answer["Connection"] == "close", "what comes next could be the body")
    }

    @Test("an HTTP/1.0 client gets no 100 (RFC 9110 section 10.1.1)")
    func old() async throws {
        let wire = try await TestServer.shared().wire()
        try await wire.send("PUT /v2/a/manifests/t HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
        let answer = try await wire.answer(to: "PUT")
        #expect(answer.status == 400)
    }
}
