import Vocabulary

/// Pushing, mounting and refusing blobs.
extension Stage {
    /// Pushes a blob; it has to be taken in every form, whether it is there already or not.
    func pushBlob(
        _ probe: Probe, _ at: Int, _ key: BlobKey, _ form: PushForm, _ algorithm: Algorithm
    ) throws {
        let content = try cast.content(key)
        let digest = try cast.digest(key, algorithm)
        if case .single = form, algorithm == .sha256 {
            let answer = try probe.postUpload("digest=" + queryEscaped(digest), in: names[at], body: content)
            try settle(.push, "a single POST of a blob", answer, [201, 202])
            if answer.status == 201 { return try pushed(probe, at, key, algorithm, answer, "a single POST") }
            let place = try hold(.push) { try probe.expectLocation(answer) }
            _ = try close(probe, place, at, key, algorithm, body: content)
            return
        }
        guard let upload = try open(probe, at, algorithm) else { return }
        switch form {
        case .single:
            try close(probe, upload.place, at, key, algorithm, body: content)
        case .put(let streamed, let escaped):
            try close(
                probe, upload.place, at, key, algorithm, body: content,
                framing: streamed ? .chunked : .length, escaped: escaped)
        case .stream where content.count < upload.leastChunk:
            try close(probe, upload.place, at, key, algorithm, body: content)
        case .stream:
            let place = try patch(probe, upload.place, content, 0..<content.count, ranged: false, streamed: true)
            try close(probe, place, at, key, algorithm, patched: true)
        case .chunks(let sizes, let ranged, let restInPut):
            try pushChunks(probe, upload, at, key, algorithm, sizes, ranged: ranged, restInPut: restInPut)
        }
    }

    private func pushChunks(
        _ probe: Probe, _ upload: Upload, _ at: Int, _ key: BlobKey, _ algorithm: Algorithm, _ sizes: [Int],
        ranged: Bool, restInPut: Bool
    ) throws {
        let content = try cast.content(key)
        var place = upload.place
        var start = 0
        for size in sizes where content.count - start > size && size >= upload.leastChunk {
            place = try patch(probe, place, content, start..<start + size, ranged: ranged, streamed: false)
            start += size
        }
        if !restInPut, content.count - start >= max(1, upload.leastChunk) {
            place = try patch(probe, place, content, start..<content.count, ranged: ranged, streamed: false)
            start = content.count
        }
        let rest = start < content.count ? start..<content.count : nil
        try close(
            probe, place, at, key, algorithm, body: rest.map { content[$0] },
            range: rest.flatMap { ranged && start > 0 ? "\($0.lowerBound)-\($0.upperBound - 1)" : nil },
            patched: start > 0)
    }

    /// Begins an upload; nil where the registry takes no uploads by this algorithm.
    func open(_ probe: Probe, _ at: Int, _ algorithm: Algorithm) throws -> Upload? {
        let answer = try probe.postUpload(
            algorithm == .sha256 ? "" : "digest-algorithm=\(algorithm.rawValue)", in: names[at])
        if algorithm == .sha512, (400..<500).contains(answer.status) {
            try settle("an upload by sha512", "\(answer.status)", answer)
            return nil
        }
        let place = try hold(.begin) {
            try answer.expect(202)
            if let told = answer.headers[HeaderName.ociChunkMinLength] {
                try require(Int(told).map { $0 > 0 } ?? false, "OCI-Chunk-Min-Length: a number of bytes", told, answer)
            }
            let place = try probe.expectLocation(answer)
            let name = try answer.expectHeader("Location").firstMatch(of: UUIDForm.pattern).map { String($0.output) }
            guard let name else {
                throw answer.failure("a Location with a UUID", answer.headers["Location"] ?? "none")
            }
            try require(
                sessionNames.insert(name.lowercased()).inserted, "\(answer.request): a session of its own",
                "the UUID \(name) for the second time", answer)
            return place
        }
        try settleHeaders("the answer to POST of an upload", answer)
        return Upload(place: place, repository: names[at], opening: answer)
    }

    /// Sends a chunk that has to be taken; gives the place to go on at.
    func patch(
        _ probe: Probe, _ place: Place, _ content: Content, _ part: Range<Int>, ranged: Bool, streamed: Bool
    ) throws -> Place {
        // A chunk need not say what type it is: docker's do not.
        var request = Request("PATCH", place)
        if !streamed { request.headers = [("Content-Type", MediaType.octetStream)] }
        if ranged { request.headers.append(("Content-Range", "\(part.lowerBound)-\(part.upperBound - 1)")) }
        (request.body, request.framing) = (content[part], streamed ? .chunked : .length)
        let answer = try probe.send(request)
        return try hold(.chunk) {
            try answer.expect(202)
            if part.upperBound > 0 { try answer.expectHeader("Range", "0-\(part.upperBound - 1)") }
            return try probe.expectLocation(answer)
        }
    }

    /// Closes an upload that has to be taken; false where it need not be, and was not.
    @discardableResult
    func close(
        _ probe: Probe, _ place: Place, _ at: Int, _ key: BlobKey, _ algorithm: Algorithm, body: Content? = nil,
        range: String? = nil, framing: Outgoing.Framing = .length, escaped: Bool = true, patched: Bool = false
    ) throws -> Bool {
        let digest = try cast.digest(key, algorithm)
        let answer = try put(
            probe, place, digest, at, body: body, range: range, framing: framing, escaped: escaped)
        if framing == .chunked, answer.status == 411 {
            try settle("a PUT in chunked transfer coding", "411", answer)
            return false
        }
        if algorithm == .sha512, (400..<500).contains(answer.status) {
            try settle("a blob by sha512", "\(answer.status)", answer)
            return false
        }
        let closing = (body?.count ?? 0) == 0 ? "an empty PUT" : "PUT"
        try pushed(probe, at, key, algorithm, answer, (patched ? "PATCH and " : "") + closing)
        return true
    }

    /// PUT of an upload, with a digest written in one way or the other.
    func put(
        _ probe: Probe, _ place: Place, _ digest: String, _ at: Int, body: Content?, range: String? = nil,
        framing: Outgoing.Framing = .length, escaped: Bool = true
    ) throws -> Answer {
        if escaped {
            return try probe.finish(place, digest: digest, in: names[at], body: body, range: range, framing: framing)
        }
        var request = Request("PUT", place.adding("digest=" + digest))
        request.headers = [("Content-Type", MediaType.octetStream)] + (range.map { [("Content-Range", $0)] } ?? [])
        (request.body, request.framing) = (body, framing)
        let answer = try probe.send(request)
        if answer.status == 201 { probe.ledger.add(.blob(repository: names[at], digest: digest)) }
        return answer
    }

    /// What has to hold of the answer that ends a push; the blob is there from now on.
    private func pushed(
        _ probe: Probe, _ at: Int, _ key: BlobKey, _ algorithm: Algorithm, _ answer: Answer, _ how: String
    ) throws {
        let content = try cast.content(key)
        try hold(.push) {
            try answer.expect(201)
            let place = try probe.expectLocation(answer)
            if answer.headers[HeaderName.dockerContentDigest] != nil, algorithm == .sha256 {
                try answer.expectDigestHeader(of: content.bytes)
            }
            let pulled = try probe.head(place)
            try pulled.expect(anyOf: [200], "at the Location of the blob")
        }
        try settleHeaders("the answer to a blob pushed by \(how)", answer)
        world.holdings[at].pushed(key, algorithm)
        forget("blob \(at) \(key)")
    }

    /// A push that has to be refused, and that stores nothing.
    func pushWrong(_ probe: Probe, _ at: Int, _ key: BlobKey, _ wrong: Wrong, _ other: BlobKey) throws {
        let content = try cast.content(key)
        guard let upload = try open(probe, at, .sha256) else { return }
        var place = upload.place
        var digest = try cast.digest(other)
        var body: Content? = content
        switch wrong {
        case .digest, .digestOfAnother: break
        case .sha512: digest = try cast.digest(other, .sha512)
        case .single: return try pushWrongAtOnce(probe, at, content, digest)
        case .streamed:
            guard content.count >= upload.leastChunk else { return }
            place = try patch(probe, place, content, 0..<content.count, ranged: false, streamed: true)
            body = nil
        case .malformed: digest = "sha256:" + String(repeating: "xyz", count: key.number % 30 + 1)
        case .none:
            var request = Request("PUT", place)
            (request.body, request.headers) = (content, [("Content-Type", MediaType.octetStream)])
            let answer = try probe.send(request)
            return try hold(.refused) { _ = try answer.expectClientError("for a PUT without a digest") }
        case .lastChunk:
            let half = content.count / 2
            guard half > 0, half >= upload.leastChunk else { return }
            place = try patch(probe, place, content, 0..<half, ranged: true, streamed: false)
            place = try patch(probe, place, content, half..<content.count, ranged: true, streamed: false)
            digest = content[half..<content.count].digest
            body = nil
        }
        let answer = try put(probe, place, digest, at, body: body)
        if wrong == .sha512 {
            // Who knows no sha512 says so in its own way.
            return try hold(.refused) { _ = try answer.expectClientError("for content of another digest by sha512") }
        }
        if content.digest == digest { return try pushed(probe, at, key, .sha256, answer, "PUT") }
        try hold(.refused) { _ = try answer.expect(anyOf: [400], "for content of another digest") }
        try settle("a push of \(wrong)", "\(answer.status)", answer)
        try expectCode(
            answer, ErrorCode.digestInvalid, ErrorCode.blobUploadInvalid, ErrorCode.sizeInvalid)
    }

    /// A single POST of other content than its digest says.
    private func pushWrongAtOnce(_ probe: Probe, _ at: Int, _ content: Content, _ digest: String) throws {
        let answer = try probe.postUpload("digest=" + queryEscaped(digest), in: names[at], body: content)
        // Who takes no blobs in a single POST begins an upload.
        if content.digest == digest || answer.status == 202 { return }
        try hold(.refused) { _ = try answer.expect(anyOf: [400], "for content of another digest") }
        try settle("a single POST of other content", "\(answer.status)", answer)
        try expectCode(answer, ErrorCode.digestInvalid, ErrorCode.blobUploadInvalid, ErrorCode.sizeInvalid)
    }

    /// A mount: 201 only where the source has the blob (or, without a source, anybody), else an upload begins.
    func mount(_ probe: Probe, _ at: Int, _ from: Int?, _ key: BlobKey, _ escaped: Bool) throws {
        let digest = try cast.digest(key)
        let write: (String) -> String = { escaped ? queryEscaped($0) : $0 }
        let source = from.map { "from=" + write(names[$0]) }
        let parts = ["mount=" + write(digest)] + (source.map { [$0] } ?? [])
        let answer = try probe.postUpload((escaped ? parts : parts.reversed()).joined(separator: "&"), in: names[at])
        let presence =
            from.map { world.holdings[$0].blob(key, .sha256) }
            ?? (world.isKnownAnywhere(key) ? .unsure : .gone)
        let isHere = world.holdings[at].blob(key, .sha256) != .gone
        switch presence {
        case .there:
            let source = at == from ? "its own repository" : "its source"
            try settle(.mount, "a mount of a blob that \(source) has", answer, [201, 202])
        case .unsure, .open:
            try hold(.mount) { _ = try answer.expect(201, 202) }
        case .gone where isHere || world.isKnownAnywhere(key):
            // A registry may find the blob elsewhere.
            try hold(.mount) { _ = try answer.expect(201, 202) }
        case .gone:
            try hold(.mountFallback) {
                try require(answer.status != 201, "no 201 for a blob that is nowhere", "201", answer)
                try answer.expect(anyOf: [202], "for a blob that the source lacks: an upload begins")
            }
        }
        let place = try hold(.mount) { try probe.expectLocation(answer) }
        if answer.status == 201 {
            try hold(.mount) {
                let pulled = try probe.head(place)
                try pulled.expect(anyOf: [200], "at the Location of the mounted blob")
                if answer.headers[HeaderName.dockerContentDigest] != nil {
                    try answer.expectDigestHeader(of: try cast.content(key).bytes)
                }
            }
            world.holdings[at].pushed(key, .sha256)
            forget("blob \(at) \(key)")
        } else if key.number % 2 == 0 {
            try close(probe, place, at, key, .sha256, body: try cast.content(key))
        }
    }
}
