import Vocabulary

/// Bytes that no library sends.
extension Stage {
    func askRaw(_ probe: Probe, _ at: Int, _ form: Oddity.RawForm) throws {
        guard probe.base.scheme == "http" else { return }
        let host = "Host: \(probe.base.hostHeader)\r\n"
        let post = "POST /v2/\(names[at])/blobs/uploads/ HTTP/1.1\r\n" + host
        let get = "GET /v2/ HTTP/1.1\r\n"
        let close = "Connection: close\r\n\r\n"
        let text: String
        switch form {
        case .noHost: text = get + "\r\n"
        case .twoHosts: text = get + "Host: a.example\r\n" + host + "\r\n"
        case .blankBeforeColon: text = get + host + "X-Odd : 1\r\n\r\n"
        case .garbage: text = "\u{1}\u{2}nonsense\r\n\r\n"
        case .lengthText: text = post + "Content-Length: ten\r\n\r\n"
        case .lengthNegative: text = post + "Content-Length: -1\r\n\r\n"
        case .lengthTwice: text = post + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello"
        case .bothFramings: text = post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" + close + "0\r\n\r\n"
        case .unknownCoding: text = post + "Transfer-Encoding: nonsense\r\n\r\n"
        case .badChunk: return try sendBadChunk(probe, at)
        case .noLength: text = post + close
        case .eightBits: text = "GET /v2/\u{80}\u{ff}/tags/list HTTP/1.1\r\n" + host + "\r\n"
        case .badEscape: text = "GET /v2/a/manifests/%zz HTTP/1.1\r\n" + host + "\r\n"
        case .headOfNothing:
            text = "HEAD /v2/\(names[at])/manifests/no-such-tag HTTP/1.1\r\n" + host + close
        case .slowly: return try pushSlowly(probe, at)
        case .pieces: return try askPieces(probe, [get, host, close])
        case .two: return try askTwo(probe, get + host + "\r\n" + get + host + close)
        case .oldVersion: text = "GET /v2/ HTTP/9.1\r\n" + host + close
        case .dots: return try climb(probe, host + close)
        case .manyHeaders:
            text = get + host + (0..<20_000).map { "X-H\($0): a\r\n" }.joined() + close
        case .hugeHeader: text = get + host + "X-Flood: \(String(repeating: "a", count: 1 << 20))\r\n" + close
        case .hugeTarget:
            text = "GET /v2/\(String(repeating: "a", count: 1 << 17))/tags/list HTTP/1.1\r\n" + host + close
        case .headOfSomething: return try askHead(probe, at, host + close)
        }
        let reply = try probe.raw([Array(text.utf8)], wait: .seconds(2))
        if let location = RawReader.firstFinal(reply.bytes).0["Location"] {
            probe.ledger.add(.upload(probe.base.resolving(location)))
        }
        if reply.status == 401 || form == .bothFramings && reply.status == 202 { return }
        if form == .noLength {
            return try hold(.begin) {
                // 411 is what RFC 9110 has for who wants a length.
                try require(
                    [202, 411, 307, 308].contains(reply.status ?? 0), "POST without a body or a length: 202",
                    reply.status.map { "status \($0)" } ?? "no answer")
            }
        }
        if form == .headOfNothing {
            let rest = RawReader.firstFinal(reply.bytes).1
            return try hold(.headAlike) {
                try require(rest.isEmpty, "HEAD of a manifest that is not there: no body", "\(rest.count) bytes")
            }
        }
        try hold(.rawRequest) {
            guard let status = reply.status else {
                return try require(reply.closed, "\(form): a client error, or a closed connection", "silence")
            }
            let mayBeTaken = [.manyHeaders, .hugeHeader, .hugeTarget].contains(form) && status == 200
            if mayBeTaken { return }
            // A redirect leaves it to another server to refuse what this one did not look at.
            try require(
                (300..<500).contains(status) || status == 501 || status == 505,
                "\(form): a client error, or a closed connection", "status \(status)")
        }
        let after = try probe.get(.path("/v2/"))
        try hold(.version) { _ = try after.expect(200) }
    }

    /// A chunk of a body that has to be read, whose size is no number.
    private func sendBadChunk(_ probe: Probe, _ at: Int) throws {
        guard let upload = try open(probe, at, .sha256), let address = Address(upload.place.url(on: probe.base)),
            address.origin == probe.base.origin
        else { return }
        let head =
            "PATCH \(address.target) HTTP/1.1\r\nHost: \(probe.base.hostHeader)\r\n"
            + "Content-Type: \(MediaType.octetStream)\r\nTransfer-Encoding: chunked\r\n\r\n"
        let reply = try probe.raw([Array((head + "zz\r\nhello\r\n0\r\n\r\n").utf8)], wait: .seconds(2))
        guard let status = reply.status, status != 401 else { return }
        try hold(.rawRequest) {
            try require(
                (400..<500).contains(status), "a chunk whose size is no number: a client error", "status \(status)")
        }
    }

    /// A push whose body comes in pieces with pauses is taken whole.
    private func pushSlowly(_ probe: Probe, _ at: Int) throws {
        let key = BlobKey(number: 44_444, size: 300)
        let content = try cast.content(key)
        guard let upload = try open(probe, at, .sha256),
            let address = Address(upload.place.adding("digest=" + content.digest).url(on: probe.base)),
            address.origin == probe.base.origin
        else { return }
        let head = "PUT \(address.target) HTTP/1.1\r\nHost: \(probe.base.hostHeader)\r\nContent-Length: 300\r\n\r\n"
        let pieces = [Array(head.utf8), content[0..<100].bytes, content[100..<300].bytes]
        let reply = try probe.raw(pieces, pause: .milliseconds(30))
        if reply.status == 401 { return }
        try hold(.push) {
            try require(
                reply.status == 201, "a PUT in pieces: 201", reply.status.map { "status \($0)" } ?? "no answer")
        }
        probe.ledger.add(.blob(repository: names[at], digest: content.digest))
        world.holdings[at].pushed(key, .sha256)
        try askBlob(probe, at, key, .sha256, .get)
    }

    private func askPieces(_ probe: Probe, _ pieces: [String]) throws {
        let reply = try probe.raw(pieces.map { Array($0.utf8) }, pause: .milliseconds(20))
        try hold(.rawRequest) {
            try require(
                reply.status == 200 || reply.status == 401, "a request in pieces: 200",
                reply.status.map { "status \($0)" } ?? "no answer")
        }
    }

    /// Two requests at once get two answers, unless the first says that it is the last.
    private func askTwo(_ probe: Probe, _ text: String) throws {
        let reply = try probe.raw([Array(text.utf8)], answers: 2, wait: .seconds(2))
        let (headers, _) = RawReader.firstFinal(reply.bytes)
        let saysClose = headers.list("Connection").contains { $0.lowercased() == "close" }
        if saysClose || reply.bytes.starts(with: Array("HTTP/1.0".utf8)) { return }
        try hold(.rawRequest) {
            try require(
                reply.statuses.count { $0 >= 200 } == 2, "two requests at once: two answers", "\(reply.statuses)")
        }
    }

    /// No path climbs out of the API to a file of the server.
    private func climb(_ probe: Probe, _ rest: String) throws {
        for path in ["/v2/../../../../etc/passwd", "/v2/%2e%2e/%2e%2e/etc/passwd"] {
            let reply = try probe.raw([Array("GET \(path) HTTP/1.1\r\n\(rest)".utf8)], wait: .seconds(2))
            try hold(.rawRequest) {
                try require(!reply.bytes.holds(Array("root:".utf8)), "GET \(path): no file of the server", "root:")
            }
        }
    }

    /// An answer to HEAD ends with its head, whatever GET would bring.
    private func askHead(_ probe: Probe, _ at: Int, _ rest: String) throws {
        let holding = world.holdings[at]
        let places =
            try holding.liveBlobs.suffix(1).map { "blobs/" + (try cast.digest($0)) }
            + holding.liveTags.keys.sorted().prefix(1).map { "manifests/" + $0 } + ["tags/list"]
        for place in places {
            let text = "HEAD /v2/\(names[at])/\(place) HTTP/1.1\r\nAccept: \(MediaTypes.all)\r\n" + rest
            let reply = try probe.raw([Array(text.utf8)], wait: .seconds(2))
            let body = RawReader.firstFinal(reply.bytes).1
            try hold(.headAlike) {
                try require(body.isEmpty, "HEAD of \(place): no bytes behind the head", "\(body.count) bytes")
            }
        }
    }
}
