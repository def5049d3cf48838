import Vocabulary

/// Whether a client can live with an answer, given the answer that it had when it was recorded.
struct ReplayJudge {
    private let exchange: RecordedExchange
    private let answer: Answer

    init(_ exchange: RecordedExchange, _ answer: Answer) {
        self.exchange = exchange
        self.answer = answer
    }

    /// The same status, or one that clients treat alike.
    func status(also more: [Int] = []) throws {
        guard let recorded = exchange.status else { return }
        var good = Set([recorded] + more)
        switch recorded {
        case 206: good.insert(200)
        case 301, 302, 307, 308: good.insert(200)
        case 400..<500 where recorded != 404 && exchange.method != "GET" && exchange.method != "HEAD":
            good.formUnion(400..<500)
        default: break
        }
        if recorded == 202, exchange.method == "DELETE" { good.formUnion([200, 204]) }
        guard !good.contains(answer.status) else { return }
        throw answer.failure("status \(recorded)\(more.isEmpty ? "" : " or \(more)")", "status \(answer.status)")
    }

    /// What clients read: digest, type, length, Location, as far as they were there.
    func headers(of content: Content? = nil, _ digest: (String) -> String) throws {
        let recorded = exchange.answerHeaders
        if let old = recorded["docker-content-digest"]?.first {
            try answer.expectHeader(HeaderName.dockerContentDigest, digest(old))
        }
        if let type = recorded["content-type"]?.first, type.contains("manifest") || type.contains("index") {
            try PullManifestChecks.requireType(answer, type.prefix { $0 != ";" }.trimmed)
        }
        if exchange.method == "HEAD", recorded["content-length"] != nil {
            let length = try answer.expectHeader("Content-Length")
            let real = content.map { String($0.count) } ?? length
            try require(length == real, "Content-Length: \(real)", length, answer)
        }
        if recorded["location"] != nil, [201, 202].contains(answer.status) { try answer.expectHeader("Location") }
        if let subject = recorded["oci-subject"]?.first {
            try answer.expectHeader(HeaderName.ociSubject, digest(subject))
        }
    }

    /// The bytes, where they are known; of a list, the same members.
    func body(expected: Content?, isList: Bool) throws {
        guard exchange.method == "GET", exchange.cut != true else { return }
        if isList, let text = exchange.answerBody?.text {
            let old = JSON(parsing: Array(text.utf8))?["tags"]?.strings ?? []
            let new = try answer.json()["tags"]?.strings ?? []
            return try require(Set(old) == Set(new), "the tags \(old.sorted())", "\(new.sorted())", answer)
        }
        guard let expected else { return }
        if answer.status == 206 {
            let range = try answer.expectHeader("Content-Range")
            let ends = range.drop { !$0.isNumber }.prefix { $0 != "/" }.split(separator: "-").compactMap { Int($0) }
            guard ends.count == 2, ends[0] <= ends[1], ends[1] < expected.count else {
                throw answer.failure("Content-Range within \(expected.count) bytes", range)
            }
            if let told = exchange.answerHeaders["content-range"]?.first {
                let (start, end) = (told.prefix { $0 != "-" }, range.prefix { $0 != "-" })
                try require(start == end, "Content-Range: \(start)-…", range, answer)
            }
            return try answer.expectBody(Array(expected.bytes[ends[0]...ends[1]]))
        }
        try answer.expectBody(expected.bytes)
    }
}
