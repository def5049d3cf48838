import Vocabulary

/// RFC 9112 and beyond: bytes that no library sends, over a connection of their own.
enum RobustnessChecks {
    static let checks: [Check] = framing + floods + slow + bodies

    /// A head with the usual lines, credentials among them.
    private static func head(_ probe: Probe, _ line: String, _ more: String = "") -> [UInt8] {
        let words = line.split(separator: " ")
        let path = words.count > 1 ? String(words[1]) : "/v2/"
        let known = probe.run.authorizer.known(
            probe.run.target.identity, method: words.first.map(String.init) ?? "GET", path: path)
        let credentials = known.map { "Authorization: \($0)\r\n" } ?? ""
        return Array("\(line)\r\nHost: \(probe.base.hostHeader)\r\n\(credentials)\(more)\r\n".utf8)
    }

    /// One of these statuses, or, where `mayClose`, a closed connection; and the server still answers.
    private static func expect(
        _ probe: Probe, _ reply: RawReply, _ statuses: [Int], mayClose: Bool, _ what: String
    ) throws {
        if let status = reply.status {
            guard !statuses.contains(status) else { return try stillUp(probe, what) }
            throw CheckFailure(
                expected: "\(what): status \(describe(statuses))\(mayClose ? ", or a closed connection" : "")",
                got: "status \(status)", exchange: reply.exchange, assertion: .status(statuses))
        }
        try require(
            reply.closed && mayClose,
            "\(what): status \(describe(statuses))\(mayClose ? ", or a closed connection" : "")",
            reply.closed ? "a closed connection without an answer" : "silence")
        try stillUp(probe, what)
    }

    private static func describe(_ statuses: [Int]) -> String {
        statuses.count > 20 ? "4xx" : statuses.map(String.init).joined(separator: " or ")
    }

    private static func stillUp(_ probe: Probe, _ what: String) throws {
        let answer = try probe.get(.path("/v2/"))
        try require(
            (200..<500).contains(answer.status), "the registry still answers after \(what)", "\(answer.status)", answer)
    }

    private static let clientErrors = Array(400..<500)
    /// Any request may be answered by one; the runner follows none here.
    private static let redirects = [301, 302, 303, 307, 308]

    /// A request line and lines of its own, the statuses that may answer it.
    private static func odd(
        _ name: String, _ level: Level, _ section: String, _ gist: String, _ statement: String, _ statuses: [Int],
        mayClose: Bool = true, _ bytes: @escaping @Sendable (Probe) -> [UInt8]
    ) -> Check {
        Check("robust.\(name)", level, section, gist, [statement], needs: []) { probe in
            let reply = try probe.raw([bytes(probe)])
            if reply.status == 401 { return try stillUp(probe, name) }
            try expect(probe, reply, statuses, mayClose: mayClose, gist)
        }
    }

    private static let framing: [Check] = [
        odd("no-host", .must, "RFC 9112 §3.2: Request target", "a request without Host is 400", "http-host", [400]) {
            _ in
            Array("GET /v2/ HTTP/1.1\r\n\r\n".utf8)
        },
        odd("two-hosts", .must, "RFC 9112 §3.2: Request target", "a request with two Hosts is 400", "http-host", [400])
        { probe in
            Array("GET /v2/ HTTP/1.1\r\nHost: a.example\r\nHost: \(probe.base.hostHeader)\r\n\r\n".utf8)
        },
        odd(
            "blank-before-colon", .must, "RFC 9112 §5.1: Field line parsing", "a blank before a header's colon is 400",
            "http-colon", [400]
        ) {
            head($0, "GET /v2/ HTTP/1.1", "X-Odd : 1\r\n")
        },
        odd(
            "garbage", .should, "RFC 9112 §3: Request line", "a line that is no request is a client error",
            "http-request-line", clientErrors + [505]
        ) {
            _ in Array("\u{1}\u{2}nonsense\r\n\r\n".utf8)
        },
        odd("version", .should, "RFC 9110 §15.6.6: 505", "HTTP/9.9 is refused", "http-semantics", clientErrors + [505])
        {
            head($0, "GET /v2/ HTTP/9.9")
        },
        odd(
            "length-text", .must, "RFC 9112 §6.3: Message body length", "Content-Length that is no number is 400",
            "http-length-valid", [400]
        ) {
            head($0, "POST /v2/\($0.repository)/blobs/uploads/ HTTP/1.1", "Content-Length: ten\r\n")
        },
        odd(
            "length-negative", .must, "RFC 9112 §6.3: Message body length", "a negative Content-Length is 400",
            "http-length-valid", [400]
        ) {
            head($0, "POST /v2/\($0.repository)/blobs/uploads/ HTTP/1.1", "Content-Length: -1\r\n")
        },
        odd(
            "length-twice", .must, "RFC 9112 §6.3: Message body length", "two different Content-Lengths are 400",
            "http-length-valid", [400]
        ) {
            head($0, "POST /v2/\($0.repository)/blobs/uploads/ HTTP/1.1", "Content-Length: 0\r\nContent-Length: 5\r\n")
                + Array("hello".utf8)
        },
        odd(
            "coding-unknown", .must, "RFC 9112 §6.3: Message body length",
            "a body whose last transfer coding is not chunked has no length: 400 or 501",
            "http-coding-last", clientErrors + [501]
        ) { head($0, "POST /v2/\($0.repository)/blobs/uploads/ HTTP/1.1", "Transfer-Encoding: nonsense\r\n") },
        odd(
            "escape-cut", .should, "RFC 3986 §2.1: Percent-encoding",
            "a cut percent-escape is a client error, or led elsewhere", "opinion", clientErrors + redirects
        ) {
            head($0, "GET /v2/a/manifests/%zz HTTP/1.1")
        },
        odd(
            "8-bit-target", .should, "RFC 9112 §3.2: Request target",
            "8-bit bytes in the target are a client error, or led elsewhere", "opinion", clientErrors + redirects
        ) {
            _ in Array("GET /v2/".utf8) + [0xFF, 0xFE] + Array("/tags/list HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        },
        Check(
            "robust.dots", .should, "RFC 3986 §5.2.4: Dot segments", "a path that climbs with .. is never served",
            ["opinion"], needs: []
        ) { probe in
            let reply = try probe.raw([
                head(probe, "GET /v2/../../../../etc/passwd HTTP/1.1", "Connection: close\r\n")
            ])
            // What stands outside of the API may be a page or a redirect; a file of the server is none.
            let holdsFile = reply.bytes.holds(Array("root:".utf8))
            try require(!holdsFile, "no file of the server", "a body with root:")
            try expect(probe, reply, clientErrors + [200] + redirects, mayClose: true, "a path that climbs")
        },
    ]

    private static let floods: [Check] = [
        odd(
            "header-huge", .should, "RFC 6585 §5: 431", "a header of 1 MiB is answered or refused as a client error",
            "opinion", clientErrors + [200]
        ) {
            head($0, "GET /v2/ HTTP/1.1", "X-Flood: \(String(repeating: "a", count: 1 << 20))\r\n")
        },
        odd(
            "header-flood", .should, "RFC 6585 §5: 431", "20,000 headers are answered or refused as a client error",
            "opinion", clientErrors + [200]
        ) { probe in
            head(
                probe, "GET /v2/ HTTP/1.1", (0..<20_000).map { "X-F\($0): aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" }.joined()
            )
        },
        odd(
            "target-huge", .should, "RFC 9110 §15.5.15: 414",
            "a target of 1 MiB is answered or refused as a client error",
            "opinion", clientErrors + [200]
        ) {
            head($0, "GET /v2/\(String(repeating: "a", count: 1 << 20))/tags/list HTTP/1.1")
        },
    ]

    private static let slow: [Check] = [
        Check(
            "robust.slow-body", .must, "RFC 9112 §6: Message body",
            "an upload whose body comes in pieces with pauses is taken whole", ["upload-put-201"]
        ) { probe in
            let content = try probe.random(300)
            let upload = try probe.beginUpload()
            let url = upload.place.adding("digest=" + content.digest).url(on: probe.base)
            guard let address = Address(url), address.origin == probe.base.origin else {
                throw Skip("uploads go to another host")
            }
            let start = head(
                probe, "PUT \(address.target) HTTP/1.1",
                "Content-Length: 300\r\nContent-Type: \(MediaType.octetStream)\r\n")
            let pieces = [start, content[0..<100].bytes, content[100..<200].bytes, content[200..<300].bytes]
            let reply = try probe.raw(pieces, pause: .milliseconds(60))
            if reply.status == 401 { throw Skip("raw requests carry no credentials here") }
            try require(reply.status == 201, "201", reply.status.map { "status \($0)" } ?? "no answer")
            probe.ledger.add(.blob(repository: probe.repository, digest: content.digest))
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "robust.slow-head", .should, "RFC 9112 §3: Request line",
            "a request whose head comes in pieces is answered", ["opinion"], needs: []
        ) { probe in
            let bytes = head(probe, "GET /v2/ HTTP/1.1", "Connection: close\r\n")
            let pieces = [Array(bytes.prefix(7)), Array(bytes[7..<20]), Array(bytes.dropFirst(20))]
            let reply = try probe.raw(pieces, pause: .milliseconds(60))
            try require(
                reply.status == 200 || reply.status == 401, "200 (or 401)",
                reply.status.map { "status \($0)" } ?? "no answer")
        },
        Check(
            "robust.pipelined", .must, "RFC 9112 §9.3.2: Pipelining",
            "two requests sent at once are answered one after the other", ["http-pipelining"], needs: []
        ) { probe in
            let first = head(probe, "GET /v2/ HTTP/1.1")
            let second = head(probe, "GET /v2/ HTTP/1.1", "Connection: close\r\n")
            let reply = try probe.raw([first + second], answers: 2)
            let statuses = reply.statuses.filter { $0 >= 200 }
            let wanted = statuses.first ?? 0
            // RFC 9112 §9.3: whoever closes after an answer, and says so by the header or by its version, need not
            // answer what came behind it.
            let (headers, _) = RawReader.firstFinal(reply.bytes)
            let saysClose = headers.list("Connection").contains { $0.lowercased() == "close" }
            if statuses.count == 1, wanted == 200 || wanted == 401, reply.closed,
                saysClose || reply.bytes.starts(with: Array("HTTP/1.0".utf8))
            {
                throw Skip("the registry closes the connection after each answer")
            }
            try require(
                statuses.filter { $0 == wanted }.count == 2 && (wanted == 200 || wanted == 401),
                "two answers", "statuses \(reply.statuses)")
        },
    ]

    private static let bodies: [Check] = [
        Check(
            "robust.head-without-body", .must, "RFC 9110 §9.3.2: HEAD",
            "the answer to HEAD has no body, also where the answer is an error", ["http-head-empty"]
        ) { probe in
            let image = try probe.newTaggedImage()
            for path in ["/v2/\(probe.repository)/manifests/latest", "/v2/\(probe.repository)/manifests/none"] {
                let bytes = head(probe, "HEAD \(path) HTTP/1.1", "Accept: \(image.type)\r\nConnection: close\r\n")
                let reply = try probe.raw([bytes])
                let (_, rest) = RawReader.firstFinal(reply.bytes)
                try require(rest.isEmpty, "HEAD \(path): no bytes behind the head", "\(rest.count) bytes")
            }
        },
        Check(
            "robust.chunk-size", .should, "RFC 9112 §7.1: Chunked transfer coding",
            "a chunk whose size is no number is refused, and nothing of it makes a blob", ["http-semantics"]
        ) { probe in
            let upload = try probe.beginUpload()
            guard let address = Address(upload.place.url(on: probe.base)), address.origin == probe.base.origin else {
                throw Skip("uploads go to another host")
            }
            let start = head(probe, "PATCH \(address.target) HTTP/1.1", "Transfer-Encoding: chunked\r\n")
            let reply = try probe.raw([start + Array("zz\r\nhello\r\n0\r\n\r\n".utf8)])
            if reply.status == 401 { throw Skip("raw requests carry no credentials here") }
            try expect(probe, reply, clientErrors, mayClose: true, "a chunk size that is no number")
        },
        Check(
            "robust.drained", .should, "Docker V2: what clients need",
            "an early refusal of a large body still reaches the client: ctr hangs otherwise", ["opinion"]
        ) { probe in
            let content = try probe.random(3_000_000)
            _ = try probe.newBlob()
            let path = "/v2/\(probe.repository)/blobs/uploads/00000000-0000-4000-8000-00000000dead"
            let answer = try probe.finish(.path(path), digest: content.digest, body: content)
            try answer.expectClientError("for an upload that does not exist")
        },
        Check(
            "robust.kept-alive", .must, "RFC 9112 §9.3: Persistence",
            "after errors on a connection the next answers are those of the next requests", ["manifest-get-200"]
        ) { probe in
            let image = try probe.newTaggedImage()
            for _ in 0..<5 {
                _ = try probe.get(probe.manifestPlace("none"), ("Accept", image.type))
                _ = try probe.head(probe.manifestPlace("none"), ("Accept", image.type))
                let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", image.type))
                try answer.expect(200)
                try answer.expectBody(image.content.bytes)
            }
        },
    ]
}
