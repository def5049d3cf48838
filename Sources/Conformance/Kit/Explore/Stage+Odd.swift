import Vocabulary

/// Requests that are not as they should be.
extension Stage {
    func ask(_ oddity: Oddity, _ probe: Probe, _ at: Int) throws {
        switch oddity {
        case .version(let isHead):
            let answer = try isHead ? probe.head(.path("/v2/")) : probe.get(.path("/v2/"))
            try hold(.version) { _ = try answer.expect(200) }
            try settleHeaders(isHead ? "HEAD of /v2/" : "GET of /v2/", answer)
        case .route(let path):
            let answer = try probe.get(.path("/v2/\(names[at])\(path)"))
            try hold(.oddRequest) { _ = try answer.expectClientError("for a path that is no endpoint") }
        case .method(let method, let endpoint): try askMethod(probe, at, method, endpoint)
        case .digest(let digest, let endpoint, let method): try askDigest(probe, at, digest, endpoint, method)
        case .tag(let tag, let isPut): try askTag(probe, at, tag, isPut)
        case .name(let name, let isGood): try askName(probe, at, name, isGood)
        case .upload(let method): try askUpload(probe, at, method)
        case .manifest(let bad): try pushBad(probe, at, bad)
        case .raw(let form): try askRaw(probe, at, form)
        }
    }

    private func path(_ endpoint: Oddity.Endpoint, _ at: Int, _ digest: String) -> Place {
        switch endpoint {
        case .version: .path("/v2/")
        case .blob: seats[0].blobPlace(digest, in: names[at])
        case .manifest: seats[0].manifestPlace(digest, in: names[at])
        case .uploads: seats[0].uploadsPlace(in: names[at])
        case .tags: seats[0].tagsPlace(in: names[at])
        case .referrers: seats[0].referrersPlace(digest, in: names[at])
        }
    }

    private func askMethod(_ probe: Probe, _ at: Int, _ method: String, _ endpoint: Oddity.Endpoint) throws {
        let digest = try cast.digest(BlobKey(number: 99_999, size: 9))
        let answer = try probe.send(Request(method, path(endpoint, at, digest)))
        try hold(.method) {
            try answer.expect(anyOf: [405, 404, 401, 403, 501, 400], "for a method that the endpoint has not")
        }
    }

    private func askDigest(
        _ probe: Probe, _ at: Int, _ digest: String, _ endpoint: Oddity.Endpoint, _ method: String
    ) throws {
        let answer = try probe.send(Request(method, path(endpoint, at, digest)))
        if endpoint == .referrers {
            guard habits["the referrers API"] == "200" else { return }
            return try hold(.referrersMalformed) { _ = try answer.expect(400) }
        }
        try hold(.oddRequest) { _ = try answer.expectClientError("for a malformed digest") }
    }

    private func askTag(_ probe: Probe, _ at: Int, _ tag: String, _ isPut: Bool) throws {
        guard isPut else {
            let answer = try probe.get(probe.manifestPlace(tag, in: names[at]), ("Accept", MediaTypes.all))
            return try hold(.tagRefused) { _ = try answer.expectClientError("for a tag outside the grammar") }
        }
        guard let plan = world.holdings[at].liveManifests.min(by: { $0.number < $1.number }) else { return }
        let manifest = try cast.manifest(plan)
        let answer = try probe.putManifest(manifest.content, tag, type: manifest.type, in: names[at])
        try hold(.tagRefused) { _ = try answer.expectClientError("for a tag outside the grammar") }
    }

    /// A name outside the grammar is never made; one at its limits is taken, or refused as a client's error.
    private func askName(_ probe: Probe, _ at: Int, _ name: String, _ isGood: Bool) throws {
        let repository = names[at] + "/" + name
        let content = try cast.content(BlobKey(number: 88_000 + name.utf8.count, size: 64))
        let answer = try probe.postUpload("digest=" + queryEscaped(content.digest), in: repository, body: content)
        guard isGood else {
            return try hold(.name) {
                // What merges, decodes or resolves paths on the way asks the registry for another name.
                let mayBeCleaned = name.contains("//") || name.contains("..") || name.contains("%2")
                if mayBeCleaned, answer.status < 300 { return }
                try require(
                    (300..<500).contains(answer.status), "\(answer.request): 4xx, or a redirect to a clean path",
                    "status \(answer.status)", answer)
            }
        }
        try hold(.push) {
            try require(
                [201, 202].contains(answer.status) || (400..<500).contains(answer.status),
                "\(answer.request): 201, 202 or 4xx", "status \(answer.status)", answer)
        }
        guard answer.status == 201 else { return }
        let pulled = try probe.get(probe.blobPlace(content.digest, in: repository))
        try hold(.blobBytes) {
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        }
        let outside = try probe.get(probe.blobPlace(content.digest, in: names[names.count - 1]))
        try hold(.blobMissing) { _ = try outside.expect(anyOf: [404], "in a repository that was never made") }
    }

    private func askUpload(_ probe: Probe, _ at: Int, _ method: String) throws {
        let content = try cast.content(BlobKey(number: 77_777, size: 50))
        let place = Place.path("/v2/\(names[at])/blobs/uploads/00000000-0000-4000-8000-00000000dead")
        let answer: Answer
        switch method {
        case "PATCH": answer = try probe.patch(place, content)
        case "PUT": answer = try put(probe, place, content.digest, at, body: content)
        default: answer = try probe.send(Request(method, place))
        }
        if method == "DELETE", answer.status == 204 { return }
        try hold(.ended) { _ = try answer.expectClientError("for an upload that never was") }
        // A registry may cancel no uploads at all.
        let off = method == "DELETE" ? ErrorCode.unsupported : ErrorCode.blobUploadUnknown
        try expectCode(answer, ErrorCode.blobUploadUnknown, ErrorCode.blobUploadInvalid, ErrorCode.nameUnknown, off)
    }

    private func pushBad(_ probe: Probe, _ at: Int, _ bad: Oddity.BadManifest) throws {
        guard let plan = world.holdings[at].liveManifests.first(where: { $0.form == .image }) else { return }
        let good = try cast.manifest(plan)
        let text = String(decoding: good.content.bytes, as: UTF8.self)
        var (content, reference, type) = (good.content, "bad-\(plan.number)", good.type)
        switch bad {
        case .text: content = Content("this is no JSON")
        case .cut: content = Content(String(text.dropLast(text.count / 2)))
        case .empty: content = Content("")
        case .array: content = Content("[1,2,3]")
        case .wrongTypes: content = Content("{\"schemaVersion\":2,\"config\":\"x\",\"layers\":7}")
        case .wrongDigest: reference = try cast.digest(BlobKey(number: 66_666, size: 40))
        case .otherType: type = MediaType.ociIndex
        case .bothLists:
            content = Content(String(text.trimmed.dropLast()) + ",\"manifests\":[\(good.descriptor().json)]}")
        case .huge: content = Content.padded("{\"schemaVersion\":2,\"a\":\"", count: 24 << 20, "\"}")
        case .big: return try pushBig(probe, at, plan)
        }
        let answer = try probe.putManifest(content, reference, type: type, in: names[at])
        try hold(.manifestRefused) { _ = try answer.expectClientError("for a body that is no such manifest (\(bad))") }
        let seen = try probe.get(probe.manifestPlace(reference, in: names[at]), ("Accept", MediaTypes.all))
        try hold(.manifestMissing) { _ = try seen.expect(anyOf: [404], "for a manifest that was refused") }
    }

    /// A manifest of nearly 4 MB has to fit.
    private func pushBig(_ probe: Probe, _ at: Int, _ plan: ManifestPlan) throws {
        guard let config = plan.config, world.holdings[at].blob(config, .sha256) == .there else { return }
        var big = ManifestPlan(number: 55_555, config: config)
        big.padding = 3_900_000
        let manifest = try cast.manifest(big)
        let answer = try probe.putManifest(manifest.content, manifest.digest, type: manifest.type, in: names[at])
        try hold(.manifestSize) { _ = try answer.expect(anyOf: [201], "for a manifest of less than 4 MB") }
        world.holdings[at].pushed(big, .sha256, tags: [])
        let seen = try probe.get(probe.manifestPlace(manifest.digest, in: names[at]), ("Accept", manifest.type))
        try hold(.manifestBytes) {
            try seen.expect(200)
            try seen.expectBody(manifest.content.bytes)
        }
    }

    // MARK: Bytes of our own

    private func askRaw(_ probe: Probe, _ at: Int, _ form: Oddity.RawForm) throws {
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
}
