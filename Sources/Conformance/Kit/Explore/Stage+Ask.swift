import Vocabulary

/// What is asked for and how it has to be told, of blobs and of manifests alike.
struct Asked {
    /// The same thing in every answer: repository, kind and reference.
    let what: String
    /// `a blob`, `an index` and so on, for habits.
    let kind: String
    let place: Place
    let content: Content
    let presence: Presence
    /// The media type; nil where it is not held to any.
    var type: String?
    var accept: [(String, String)] = []
    let rules: (there: PlayRule, bytes: PlayRule, missing: PlayRule, headers: PlayRule)
    let codes: [String]
}

extension Stage {
    /// Asks for a blob.
    func askBlob(_ probe: Probe, _ at: Int, _ key: BlobKey, _ algorithm: Algorithm, _ question: Question) throws {
        let digest = try cast.digest(key, algorithm)
        try ask(
            probe,
            Asked(
                what: "blob \(at) \(key) \(algorithm)", kind: "a blob", place: probe.blobPlace(digest, in: names[at]),
                content: try cast.content(key), presence: world.holdings[at].blob(key, algorithm),
                rules: (.blobThere, .blobBytes, .blobMissing, .blobHeaders),
                codes: [ErrorCode.blobUnknown, ErrorCode.nameUnknown]), question)
    }

    /// Asks for a manifest by tag or digest.
    func askManifest(_ probe: Probe, _ at: Int, _ reference: Reference, _ question: Question) throws {
        let holding = world.holdings[at]
        let text: String
        switch reference {
        case .tag(let tag): text = tag
        case .digest(let plan, let algorithm): text = try cast.digest(plan, algorithm)
        }
        let plan = holding.named(reference)
        try ask(
            probe,
            Asked(
                what: "manifest \(at) \(text)", kind: plan?.form.isIndex == true ? "an index" : "a manifest",
                place: probe.manifestPlace(text, in: names[at]),
                content: try plan.map { try cast.manifest($0).content } ?? Content([]),
                presence: holding.presence(reference), type: plan?.type, accept: [("Accept", MediaTypes.all)],
                rules: (.manifestThere, .manifestBytes, .manifestMissing, .manifestHeaders),
                codes: [ErrorCode.manifestUnknown, ErrorCode.nameUnknown]), question)
    }

    /// A blob's digest is no manifest.
    func blobAsManifest(_ probe: Probe, _ at: Int, _ key: BlobKey) throws {
        let answer = try probe.get(probe.manifestPlace(try cast.digest(key), in: names[at]))
        try hold(.manifestMissing) { _ = try answer.expect(anyOf: [404], "for a blob's digest as a manifest's") }
    }

    /// A manifest asked for as a blob is the manifest or 404, nothing else.
    func manifestAsBlob(_ probe: Probe, _ at: Int, _ plan: ManifestPlan) throws {
        let answer = try probe.get(probe.blobPlace(try cast.digest(plan), in: names[at]))
        let content = try cast.manifest(plan).content
        try hold(.blobMissing) {
            try answer.expect(anyOf: [200, 404], "for a manifest's digest as a blob's")
            if answer.status == 200 { try answer.expectBody(content.bytes) }
        }
        guard world.holdings[at].manifest(plan, .sha256) == .there else { return }
        try settle("a manifest's digest as a blob's", "\(answer.status)", answer)
    }

    private func send(_ probe: Probe, _ method: String, _ asked: Asked, _ more: [(String, String)] = []) throws
        -> Answer
    {
        var request = Request(method, asked.place)
        request.headers = asked.accept + more
        return try probe.send(request)
    }

    private func ask(_ probe: Probe, _ asked: Asked, _ question: Question) throws {
        switch asked.presence {
        case .unsure:
            let answer = try send(probe, "GET", asked)
            if answer.status == 200 { try hold(asked.rules.bytes) { try requireDigested(answer) } }
        case .gone: try askMissing(probe, asked, question)
        case .open(let situation):
            let answer = try send(probe, "GET", asked)
            try settle(asked.rules.there, situation, answer, [200, 404])
            if answer.status == 200 { try hold(asked.rules.bytes) { try answer.expectBody(asked.content.bytes) } }
        case .there: try askThere(probe, asked, question)
        }
    }

    /// Whatever comes, its digest is the one that is told.
    private func requireDigested(_ answer: Answer) throws {
        guard let told = answer.headers[HeaderName.dockerContentDigest],
            let real = Digests.same(as: told, answer.body)
        else { return }
        try require(told == real, "\(answer.request): a body of the digest that is told, \(told)", real, answer)
    }

    private func askMissing(_ probe: Probe, _ asked: Asked, _ question: Question) throws {
        var answers: [Answer] = []
        switch question {
        case .head: answers = [try send(probe, "HEAD", asked)]
        case .both: answers = [try send(probe, "HEAD", asked), try send(probe, "GET", asked)]
        case .range: answers = [try send(probe, "GET", asked, [("Range", "bytes=0-0")])]
        default: answers = [try send(probe, "GET", asked)]
        }
        // An algorithm that a registry does not take may be told from one that it does.
        let statuses = asked.place.url(on: probe.base).contains("/sha512:") ? [404, 400] : [404]
        for answer in answers {
            try hold(asked.rules.missing) {
                try answer.expect(anyOf: statuses, "for \(asked.kind) that is not there")
            }
            if answer.status == 404 { try expectCode(answer, asked.codes) }
        }
    }

    private func askThere(_ probe: Probe, _ asked: Asked, _ question: Question) throws {
        switch question {
        case .get: try expectWhole(try send(probe, "GET", asked), asked)
        case .head: try expectHead(try send(probe, "HEAD", asked), asked)
        case .both:
            let whole = try send(probe, "GET", asked)
            let head = try send(probe, "HEAD", asked)
            try expectWhole(whole, asked)
            try expectHead(head, asked)
            if head.url == whole.url { try expectAlike(head, whole) }
        case .range(let first, let last): try askRange(probe, asked, first, last)
        case .oddRange(let value): try askOddRange(probe, asked, value)
        case .notModified(let form): try askNotModified(probe, asked, form)
        case .otherTag: try askOtherTag(probe, asked)
        case .ifRange(let same): try askIfRange(probe, asked, same)
        case .accept(let form): try askAccept(probe, asked, form)
        }
    }

    /// 200 with the very bytes, and what has to be said of them.
    func expectWhole(_ answer: Answer, _ asked: Asked) throws {
        try hold(asked.rules.there) { _ = try answer.expect(anyOf: [200], "for \(asked.kind) that is there") }
        try hold(asked.rules.bytes) {
            try answer.expectBody(asked.content.bytes)
            let coding = answer.headers.list("Content-Encoding")
            try require(
                coding.isEmpty || coding == ["identity"], "\(answer.request): no Content-Encoding",
                coding.joined(separator: ", "), answer)
        }
        try expectHeaders(answer, asked, "GET")
    }

    private func expectHead(_ answer: Answer, _ asked: Asked) throws {
        try hold(asked.rules.there) { _ = try answer.expect(anyOf: [200], "for \(asked.kind) that is there") }
        try hold(asked.rules.headers) { try answer.expectHeader("Content-Length", "\(asked.content.count)") }
        try expectHeaders(answer, asked, "HEAD")
    }

    private func expectHeaders(_ answer: Answer, _ asked: Asked, _ method: String) throws {
        // What a store behind a redirect sends is its own affair.
        guard answer.url == asked.place.url(on: seats[0].base) else { return }
        try hold(asked.rules.headers) { try answer.expectDigestHeader(of: asked.content.bytes) }
        if let type = asked.type {
            try hold(.manifestType) { try PullManifestChecks.requireType(answer, type) }
        }
        try hold(.validator) {
            guard let tag = answer.headers["ETag"] else { return }
            let strong = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
            try require(
                strong.count >= 2 && strong.first == "\"" && strong.last == "\""
                    && !strong.dropFirst().dropLast().contains("\""), "\(answer.request): ETag: \"…\"", tag, answer)
        }
        try settleHeaders("\(method) of \(asked.kind)", answer)
        try remember(asked.what + " " + asked.content.digest, answer)
        if let told = answer.headers["Accept-Ranges"] { try settle("Accept-Ranges of \(asked.kind)", told, answer) }
    }

    /// HEAD tells of a thing what GET tells.
    private func expectAlike(_ head: Answer, _ whole: Answer) throws {
        try hold(.headAlike) {
            for field in whole.headers.fields where !Stage.isOfTheMoment(field.name) {
                guard let told = head.headers[field.name] else { continue }
                let wanted = whole.headers.all(field.name).joined(separator: ", ")
                guard head.headers.all(field.name).joined(separator: ", ") != wanted else { continue }
                throw head.failure(
                    "\(head.request): \(field.name): \(wanted), as GET tells", told, .header(field.name, wanted))
            }
        }
    }

    /// Headers that say something of the exchange, or of the moment, and not of what was asked for.
    private static func isOfTheMoment(_ name: String) -> Bool {
        let name = name.lowercased()
        return [
            "date", "age", "expires", "connection", "keep-alive", "transfer-encoding", "set-cookie", "via",
            "server-timing", "alt-svc", "trailer", "location", "link",
        ].contains(name)
            || ["request", "trace", "time", "ratelimit", "rate-limit", "correlation", "amz", "cache", "served"]
                .contains { name.contains($0) }
    }
}

extension Stage {
    /// An error code among these, where any is told.
    func expectCode(_ answer: Answer, _ codes: [String]) throws {
        guard (400..<500).contains(answer.status), !answer.errorCodes.isEmpty else { return }
        try hold(.errorCode) {
            try require(
                answer.errorCodes.contains(where: codes.contains),
                "\(answer.request): error code \(codes.joined(separator: " or "))",
                answer.errorCodes.joined(separator: ", "), answer)
        }
    }

    // MARK: Ranges

    private func askRange(_ probe: Probe, _ asked: Asked, _ first: Int?, _ last: Int?) throws {
        let count = asked.content.count
        let text = "bytes=\(first.map(String.init) ?? "")-\(last.map(String.init) ?? "")"
        let answer = try send(probe, "GET", asked, [("Range", text)])
        let part: Range<Int>?
        if let first {
            part = first < count ? first..<max(first, min(count - 1, last ?? count - 1)) + 1 : nil
        } else {
            part = count > 0 && (last ?? 0) > 0 ? max(0, count - (last ?? 0))..<count : nil
        }
        guard let part else { return try expectUnsatisfiable(answer, asked) }
        try settle(.range, "a Range of \(asked.kind)", answer, [200, 206])
        if let told = answer.headers["Accept-Ranges"] ?? habits["Accept-Ranges of \(asked.kind)"] {
            try hold(.range) {
                try require(
                    told.lowercased() == (answer.status == 206 ? "bytes" : "none"),
                    "\(answer.request): Accept-Ranges: bytes exactly where ranges work",
                    "\(told), and \(answer.status)",
                    answer)
            }
        }
        if answer.status == 200 { return try expectWhole(answer, asked) }
        try hold(.range) {
            let told = try answer.expectHeader("Content-Range")
            let wanted = "bytes \(part.lowerBound)-\(part.upperBound - 1)/"
            try require(
                told == wanted + "\(count)" || told == wanted + "*", "Content-Range: \(wanted)\(count)", told, answer)
            try answer.expectBody(Array(asked.content.bytes[part]))
            if answer.headers[HeaderName.dockerContentDigest] != nil {
                try answer.expectDigestHeader(of: asked.content.bytes)
            }
        }
        try expectKnownTag(asked.what + " " + asked.content.digest, answer)
        try settleHeaders("a part of \(asked.kind)", answer)
    }

    private func expectUnsatisfiable(_ answer: Answer, _ asked: Asked) throws {
        try settle(.range, "a Range past the end of \(asked.kind)", answer, [416, 200])
        if answer.status == 200 { return try expectWhole(answer, asked) }
        try hold(.range) { try answer.expectHeader("Content-Range", "bytes */\(asked.content.count)") }
    }

    private func askOddRange(_ probe: Probe, _ asked: Asked, _ value: String) throws {
        let answer = try send(probe, "GET", asked, [("Range", value)])
        try hold(.range) {
            try answer.expect(200, 206, 416, 400)
            guard answer.status == 206 else { return }
            try require(value.contains(","), "\(answer.request): no part for Range: \(value)", "206", answer)
            try expectParts(answer, asked)
        }
        if answer.status == 200 { try expectWhole(answer, asked) }
    }

    /// Some of several ranges: one part that is what it says, or a multipart body that holds the first.
    private func expectParts(_ answer: Answer, _ asked: Asked) throws {
        let type = answer.headers["Content-Type"]?.lowercased() ?? ""
        if type.hasPrefix("multipart/byteranges") {
            return try require(
                answer.body.holds(Array(asked.content.bytes.prefix(1))),
                "\(answer.request): the first part in the body",
                "another body", answer)
        }
        let told = try answer.expectHeader("Content-Range")
        let ends = told.dropFirst("bytes ".count).prefix { $0 != "/" }.split(separator: "-").compactMap { Int($0) }
        guard ends.count == 2, ends[0] <= ends[1], ends[1] < asked.content.count else {
            throw answer.failure("\(answer.request): a Content-Range within the content", told)
        }
        try answer.expectBody(Array(asked.content.bytes[ends[0]...ends[1]]))
    }

    // MARK: Conditions

    private func etag(_ probe: Probe, _ asked: Asked) throws -> String? {
        let answer = try send(probe, "GET", asked)
        try expectWhole(answer, asked)
        return answer.headers["ETag"]
    }

    private func askNotModified(_ probe: Probe, _ asked: Asked, _ form: Int) throws {
        guard let tag = try etag(probe, asked) else { return }
        let forms = [tag, "\"other\", \(tag)", "W/" + tag.replacing("W/", with: ""), "*"]
        for method in ["GET", "HEAD"] {
            let answer = try send(probe, method, asked, [("If-None-Match", forms[form % forms.count])])
            // Of the star nothing is asked that a client would need.
            let statuses = form % forms.count == 3 || method == "HEAD" ? [304, 200] : [304]
            try settle(
                .conditional, "\(method) of \(asked.kind) with If-None-Match, form \(form % forms.count)", answer,
                statuses)
            guard answer.status == 304 else { continue }
            try hold(.conditional) {
                try answer.expectBody([])
                try answer.expectHeader("ETag", tag)
                let length = answer.headers["Content-Length"] ?? "\(asked.content.count)"
                try require(
                    length == "\(asked.content.count)", "\(answer.request): the length of the 200, or none",
                    "Content-Length: \(length)", answer)
            }
            try settleHeaders("304 of \(asked.kind)", answer)
        }
    }

    private func askOtherTag(_ probe: Probe, _ asked: Asked) throws {
        let new = try send(probe, "GET", asked, [("If-None-Match", "\"something-else\"")])
        try hold(.conditional) { _ = try new.expect(anyOf: [200], "for If-None-Match with another ETag") }
        try expectWhole(new, asked)
        let stale = try send(probe, "GET", asked, [("If-Match", "\"something-else\"")])
        try settle(.conditional, "GET of \(asked.kind) with If-Match of another ETag", stale, [412, 200])
    }

    private func askIfRange(_ probe: Probe, _ asked: Asked, _ same: Bool) throws {
        guard asked.content.count > 4, let tag = try etag(probe, asked), !tag.hasPrefix("W/"),
            habits["a Range of \(asked.kind)"] != "200"
        else { return }
        let answer = try send(
            probe, "GET", asked, [("Range", "bytes=1-2"), ("If-Range", same ? tag : "\"something-else\"")])
        try hold(.conditional) {
            let isPart = habits["a Range of \(asked.kind)"] == "206"
            let statuses = same ? (isPart ? [206] : [200, 206]) : [200]
            try answer.expect(anyOf: statuses, "for If-Range with \(same ? "the" : "another") ETag")
            if answer.status == 206 { try answer.expectBody(Array(asked.content.bytes[1...2])) }
        }
        if same { try settle("If-Range with the ETag of \(asked.kind)", "\(answer.status)", answer) }
        if answer.status == 200 { try expectWhole(answer, asked) }
    }

    // MARK: Negotiation

    private func askAccept(_ probe: Probe, _ asked: Asked, _ form: Int) throws {
        guard let type = asked.type else { return try expectWhole(try send(probe, "GET", asked), asked) }
        let other = type == MediaType.dockerManifestList ? MediaType.ociManifest : MediaType.dockerManifestList
        let forms: [[(String, String)]] = [
            [("Accept", type)], [("Accept", "*/*")], [],
            [("Accept", other), ("Accept", type), ("Accept", "*/*;q=0.1")], [("Accept", "\(other), \(type)")],
            [("Accept", other)],
        ]
        var asked = asked
        let number = form % forms.count
        asked.accept = forms[number]
        let answer = try send(probe, "GET", asked)
        if [1, 2, 5].contains(number) {
            try settle(
                .accept, "\(asked.kind) for Accept: \(asked.accept.map(\.1).joined(separator: ", "))", answer,
                number == 5 ? [200, 404, 406] : [200])
            if answer.status != 200 { return }
        }
        if number == 5, !asked.what.contains("sha") { return }
        try expectWhole(answer, asked)
    }
}
