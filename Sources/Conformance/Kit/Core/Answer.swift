/// An answer that a check looks at, with the number of the exchange that it came in.
package struct Answer: Sendable {
    /// The exchange, counted from 1 within the check.
    package let exchange: Int
    /// The request's method and path, for messages.
    package let request: String
    /// The URL that answered, after redirects.
    package let url: String
    /// The status code.
    package let status: Int
    /// Header lines.
    package let headers: Headers
    /// The body.
    package let body: [UInt8]
    /// Whether `100 Continue` came first.
    package let sawContinue: Bool
    /// The header lines of the redirect that led to whoever answered; nil where the registry itself did.
    package var redirect: Headers?

    /// A failure that this answer shows.
    package func failure(_ expected: String, _ got: String, _ assertion: Assertion = .described) -> CheckFailure {
        CheckFailure(expected: expected, got: got, exchange: exchange, assertion: assertion)
    }

    /// The status must be one of these.
    @discardableResult
    package func expect(_ statuses: Int...) throws -> Answer {
        try expect(anyOf: statuses)
    }

    /// The status must be one of these; `why` says to what end.
    @discardableResult
    package func expect(anyOf statuses: [Int], _ why: String = "") throws -> Answer {
        guard !statuses.contains(status) else { return self }
        let wanted = statuses.map(String.init).joined(separator: " or ")
        throw failure(
            "\(request): status \(wanted)\(why.isEmpty ? "" : ", " + why)", "status \(status)\(errorWords)",
            .status(statuses))
    }

    /// The status must be a client error.
    @discardableResult
    package func expectClientError(_ why: String = "") throws -> Answer {
        guard !(400..<500).contains(status) else { return self }
        throw failure(
            "\(request): a 4xx status\(why.isEmpty ? "" : ", " + why)", "status \(status)",
            .status(Array(400..<500)))
    }

    /// The header must be there; gives its value. Where a redirect led away, the redirect may bear it as well, and the
    /// check is skipped where neither does: the specification rules the status codes behind redirects, and nothing of
    /// what a place that is no registry says of itself.
    @discardableResult
    package func expectHeader(_ name: String) throws -> String {
        if let value = headers[name] ?? redirect?[name], !value.isEmpty { return value }
        if redirect != nil { throw Skip("a redirect led to an answer without \(name): see pull.blob.redirect") }
        throw failure("\(request): a \(name) header", "none", .headerPresent(name))
    }

    /// The header must be there with exactly this value.
    package func expectHeader(_ name: String, _ value: String) throws {
        let got = try expectHeader(name)
        guard got != value else { return }
        throw failure("\(request): \(name): \(value)", "\(name): \(got)", .header(name, value))
    }

    /// The header must be missing.
    package func expectNoHeader(_ name: String) throws {
        guard let value = headers[name] else { return }
        throw failure("\(request): no \(name) header", "\(name): \(value)", .headerAbsent(name))
    }

    /// The body must be these bytes.
    package func expectBody(_ bytes: [UInt8]) throws {
        guard body != bytes else { return }
        throw failure(
            "\(request): a body of \(bytes.count) bytes, \(Digests.sha256(bytes))",
            "\(body.count) bytes, \(Digests.sha256(body))", .bodyDigest(Digests.sha256(bytes)))
    }

    /// The body must be a JSON document.
    package func json() throws -> JSON {
        guard let json = JSON(parsing: body) else {
            throw failure("\(request): a JSON body", body.isEmpty ? "an empty body" : "a body that is no JSON", .form)
        }
        return json
    }

    /// Whether the body is a JSON document: one that is told as such, or an object or an array.
    package var hasJSON: Bool { Answer.holdsJSON(headers, body) }

    /// Whether a body is a JSON document. The words of a text/plain page are none, though `404` alone would parse.
    package static func holdsJSON(_ headers: Headers, _ body: [UInt8]) -> Bool {
        let isTold = headers["Content-Type"]?.lowercased().contains("json") ?? false
        let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return (isTold || first == UInt8(ascii: "{") || first == UInt8(ascii: "[")) && JSON(parsing: body) != nil
    }

    /// The `code` values of a JSON error body; empty for any other body.
    package var errorCodes: [String] {
        (JSON(parsing: body)?["errors"]?.array ?? []).compactMap { $0["code"]?.string }
    }

    /// `Docker-Content-Digest` must be there and tell the digest of `content`, by whatever algorithm it uses.
    package func expectDigestHeader(of content: [UInt8]) throws {
        let told = try expectHeader(HeaderNames.digest)
        let real = Digests.same(as: told, content)
        guard told != real else { return }
        throw failure(
            "\(request): Docker-Content-Digest \(real ?? Digests.sha256(content))", told,
            .header(HeaderNames.digest, real ?? Digests.sha256(content)))
    }

    private var errorWords: String {
        errorCodes.isEmpty ? "" : " (\(errorCodes.joined(separator: ", ")))"
    }

    /// Whether the registry says by this answer that nobody made the repository, and that a push makes none.
    package var saysNoRepository: Bool { status == 404 && errorCodes.contains("NAME_UNKNOWN") }

    /// Whether the registry says by this answer that it does not offer the operation.
    package var saysUnsupported: Bool {
        status == 405 || status == 501 || (status == 400 && errorCodes.contains("UNSUPPORTED"))
    }

    /// Whether it may say so: a 400 whose body is of a format of the registry's own tells no code.
    package var maySayUnsupported: Bool { saysUnsupported || (status == 400 && errorCodes.isEmpty) }
}

/// Header names in the runner's own words.
package enum HeaderNames {
    /// Digest of the content.
    package static let digest = "Docker-Content-Digest"
}

/// Fails the check with what was expected and what came.
package func require(_ holds: Bool, _ expected: String, _ got: @autoclosure () -> String, _ answer: Answer? = nil)
    throws
{
    guard !holds else { return }
    throw CheckFailure(expected: expected, got: got(), exchange: answer?.exchange)
}
