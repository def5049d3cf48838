import Vocabulary

/// An upload session: where it goes on, and the repository that it belongs to.
package struct Upload: Sendable {
    /// Where the next request goes.
    package let place: Place
    /// The repository.
    package let repository: String
    /// The answer that began it.
    package let opening: Answer

    /// Least size of a chunk but the last, in bytes, 64 MiB at most; 0 when the registry names none.
    package var leastChunk: Int {
        min(max(0, opening.headers[HeaderName.ociChunkMinLength].flatMap { Int($0) } ?? 0), 64 << 20)
    }
}

extension Probe {
    /// `/v2/<repository>/manifests/<reference>`.
    package func manifestPlace(_ reference: String, in repository: String? = nil) -> Place {
        .path("/v2/\(repository ?? self.repository)/manifests/\(reference)")
    }

    /// `/v2/<repository>/blobs/<digest>`.
    package func blobPlace(_ digest: String, in repository: String? = nil) -> Place {
        .path("/v2/\(repository ?? self.repository)/blobs/\(digest)")
    }

    /// `/v2/<repository>/blobs/uploads/`.
    package func uploadsPlace(_ query: String = "", in repository: String? = nil) -> Place {
        .path(Address.adding(query, to: "/v2/\(repository ?? self.repository)/blobs/uploads/"))
    }

    /// `/v2/<repository>/tags/list`.
    package func tagsPlace(_ query: String = "", in repository: String? = nil) -> Place {
        .path(Address.adding(query, to: "/v2/\(repository ?? self.repository)/tags/list"))
    }

    /// `/v2/<repository>/referrers/<digest>`.
    package func referrersPlace(_ digest: String, _ query: String = "", in repository: String? = nil) -> Place {
        .path(Address.adding(query, to: "/v2/\(repository ?? self.repository)/referrers/\(digest)"))
    }

    /// GET with headers.
    package func get(_ place: Place, _ headers: (String, String)...) throws -> Answer {
        var request = Request("GET", place)
        request.headers = headers
        return try send(request)
    }

    /// HEAD with headers.
    package func head(_ place: Place, _ headers: (String, String)...) throws -> Answer {
        var request = Request("HEAD", place)
        request.headers = headers
        return try send(request)
    }

    /// DELETE.
    package func delete(_ place: Place) throws -> Answer { try send(Request("DELETE", place)) }

    /// PUT of a manifest; what was made is deleted after the check.
    package func putManifest(
        _ content: Content, _ reference: String, type: String?, in repository: String? = nil, query: String = "",
        headers: [(String, String)] = [], access: Request.Access = .usual
    ) throws -> Answer {
        let repository = repository ?? self.repository
        var request = Request("PUT", manifestPlace(reference, in: repository).with(query))
        request.access = access
        request.headers = headers
        if let type { request.headers.append(("Content-Type", type)) }
        request.body = content
        let answer = try send(request)
        if headers.isEmpty || answer.status != 412 { try skipWhereTagsStay(answer, content, reference, repository) }
        if answer.status == 201 {
            ledger.add(.manifest(repository: repository, digest: content.digest))
            if reference.hasPrefix("sha512:") { ledger.add(.manifest(repository: repository, digest: reference)) }
            if !reference.contains(":") { ledger.add(.tag(repository: repository, name: reference)) }
        }
        return answer
    }

    /// Skips the check where the registry lets nobody move a tag: no sentence says that it can be moved. The tag has to
    /// be there, with other content.
    private func skipWhereTagsStay(
        _ answer: Answer, _ content: Content, _ reference: String, _ repository: String
    ) throws {
        let codes = Set(answer.errorCodes)  // None where the body is of another format.
        let isPolicy = answer.status == 400 && (codes.isEmpty || !codes.isDisjoint(with: ["DENIED", "TAG_INVALID"]))
        guard !reference.contains(":"), isPolicy || [403, 405, 409, 412].contains(answer.status) else { return }
        let now = try head(manifestPlace(reference, in: repository), ("Accept", MediaTypes.all))
        guard now.status == 200, let told = now.headers[HeaderNames.digest], told != content.digest else { return }
        throw Skip("the registry lets no tag be moved (status \(answer.status))")
    }

    /// POST that begins an upload or does more, by its query; an upload that it begins is cancelled after the check.
    package func postUpload(
        _ query: String = "", in repository: String? = nil, body: Content? = nil, headers: [(String, String)] = [],
        access: Request.Access = .usual, follows: Bool = true
    ) throws -> Answer {
        let repository = repository ?? self.repository
        var request = Request("POST", uploadsPlace(query, in: repository))
        request.follows = follows
        request.headers = headers
        request.body = body
        request.access = access
        if body != nil { request.headers.append(("Content-Type", MediaType.octetStream)) }
        let answer = try send(request)
        if answer.status == 202, let url = location(answer)?.url(on: base) { ledger.add(.upload(url)) }
        if answer.status == 201 { noteBlob(query, repository) }
        return answer
    }

    private func noteBlob(_ query: String, _ repository: String) {
        for pair in query.split(separator: "&") where pair.hasPrefix("digest=") || pair.hasPrefix("mount=") {
            let digest = pair.drop { $0 != "=" }.dropFirst().replacing("%3A", with: ":")
            ledger.add(.blob(repository: repository, digest: String(digest)))
        }
    }

    /// Where the `Location` of an answer points; nil when it has none.
    package func location(_ answer: Answer) -> Place? {
        guard let text = answer.headers["Location"], let from = Address(answer.url) else { return nil }
        let place = Place.follow(
            exchange: answer.exchange, header: "Location", url: from.resolving(text), query: "")
        places.append(place)
        return place
    }

    /// Where the `Location` of an answer points. Fails the check when there is none.
    package func expectLocation(_ answer: Answer) throws -> Place {
        try answer.expectHeader("Location")
        guard let place = location(answer) else {
            throw answer.failure("\(answer.request): a Location that is a URL", answer.headers["Location"] ?? "none")
        }
        return place
    }

    /// PATCH of a chunk; `range` is a `Content-Range` such as `0-99`.
    package func patch(
        _ place: Place, _ content: Content, range: String? = nil, framing: Outgoing.Framing = .length
    ) throws -> Answer {
        var request = Request("PATCH", place)
        request.headers = [("Content-Type", MediaType.octetStream)]
        if let range { request.headers.append(("Content-Range", range)) }
        request.body = content
        request.framing = framing
        return try send(request)
    }

    /// PUT that closes an upload, with a last chunk or without; the blob is deleted after the check.
    package func finish(
        _ place: Place, digest: String, in repository: String? = nil, body: Content? = nil, range: String? = nil,
        framing: Outgoing.Framing = .length
    ) throws -> Answer {
        var request = Request("PUT", place.adding("digest=" + queryEscaped(digest)))
        if body != nil { request.headers = [("Content-Type", MediaType.octetStream)] }
        if let range { request.headers.append(("Content-Range", range)) }
        request.body = body
        request.framing = framing
        let answer = try send(request)
        if answer.status == 201 { ledger.add(.blob(repository: repository ?? self.repository, digest: digest)) }
        return answer
    }
}

extension Place {
    fileprivate func with(_ query: String) -> Place { query.isEmpty ? self : adding(query) }
}
