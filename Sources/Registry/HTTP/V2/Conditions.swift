import Model

/// Conditional requests (RFC 9110 section 13) on content whose entity tag is its digest in quotes.
enum Conditions {
    /// What a download's conditions ask for instead of the content: 304 or 412; nil when they hold.
    static func response(_ request: Request, _ digest: Digest) -> Response? {
        if let match = request.headers.joined("If-Match"), !includes(match, digest, isStrong: true) {
            return ErrorResponse.response(
                RegistryError(.preconditionFailed, "the content is \(digest), which If-Match does not list"))
        }
        if let noneMatch = request.headers.joined("If-None-Match"), includes(noneMatch, digest, isStrong: false) {
            return Response(304, [("ETag", tag(digest))])
        }
        return nil
    }

    /// Whether the request has any that `response` would look at.
    static func areMade(_ request: Request) -> Bool {
        request.headers.contains("If-Match") || request.headers.contains("If-None-Match")
    }

    /// The preconditions of a push.
    static func precondition(_ request: Request) -> Precondition {
        Precondition(
            match: request.headers.joined("If-Match").map { condition($0, isStrong: true) },
            noneMatch: request.headers.joined("If-None-Match").map { condition($0, isStrong: false) })
    }

    /// Whether a Range counts: no If-Range, or one with this content's tag. A date never matches, as none is sent.
    static func rangeHolds(_ request: Request, _ digest: Digest) -> Bool {
        guard let condition = request.headers["If-Range"] else { return true }
        return condition == tag(digest)
    }

    static func tag(_ digest: Digest) -> String { "\"\(digest)\"" }

    private static func includes(_ header: String, _ digest: Digest, isStrong: Bool) -> Bool {
        switch condition(header, isStrong: isStrong) {
        case .any: true
        case .digests(let digests): digests.contains(digest.description)
        }
    }

    /// A strong comparison matches no weak tag (RFC 9110 section 8.8.3.2).
    static func condition(_ header: String, isStrong: Bool) -> Precondition.Condition {
        let tags = header.split(separator: ",").map { $0.trimmed }
        if tags.contains("*") { return .any }
        return .digests(
            tags.filter { !isStrong || !$0.hasPrefix("W/") }.map { tag in
                var bare = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag
                if bare.count >= 2, bare.hasPrefix("\""), bare.hasSuffix("\"") { bare = bare.dropFirst().dropLast() }
                return String(bare)
            })
    }
}
