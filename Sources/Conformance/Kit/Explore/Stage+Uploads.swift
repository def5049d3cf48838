import Vocabulary

/// Upload sessions, a request at a time.
extension Stage {
    /// Begins an upload that later acts go on with.
    func begin(_ probe: Probe, _ number: Int, _ at: Int, _ key: BlobKey, _ algorithm: Algorithm) throws {
        guard world.sessions[number] == nil, let upload = try open(probe, at, algorithm) else { return }
        let total = try cast.content(key).count
        world.sessions[number] = Session(repository: at, key: key, algorithm: algorithm, total: total)
        places[number] = upload.place
        leastChunk[number] = upload.leastChunk
    }

    /// The session, if it was begun and its state is known.
    private func session(_ number: Int, _ wanted: Session.State) -> (Session, Place)? {
        guard let session = world.sessions[number], let place = places[number] else { return nil }
        return session.state == wanted ? (session, place) : nil
    }

    /// Sends the next bytes of an upload, rightly or not.
    func chunk(_ probe: Probe, _ number: Int, _ count: Int, _ form: ChunkForm) throws {
        guard let (session, place) = session(number, .open), let least = leastChunk[number] else { return }
        let content = try cast.content(session.key)
        let start = session.received
        let end = min(session.total, start + max(count, least))
        // A smaller chunk than the registry asks for may only be the last one, which comes with the closing PUT.
        guard end > start, end - start >= least else { return }
        let part = content[start..<end]
        if form.isRight {
            places[number] = try patch(
                probe, place, content, start..<end, ranged: form == .ranged, streamed: form == .streamed)
            world.sessions[number]?.received = end
            return
        }
        let wrong: Range<Int>
        switch form {
        case .gap: wrong = start + 7..<start + 7 + part.count
        case .repeated:
            guard start > 0 else { return }
            wrong = 0..<part.count
        case .longer: wrong = start..<end + 5
        default: wrong = start..<end
        }
        let range = form == .malformed ? "bytes \(start)" : "\(wrong.lowerBound)-\(wrong.upperBound - 1)"
        let answer = try probe.patch(
            place, form == .empty ? Content([]) : part, range: form == .empty ? nil : range)
        try judgeWrong(probe, number, form, answer)
    }

    private func judgeWrong(_ probe: Probe, _ number: Int, _ form: ChunkForm, _ answer: Answer) throws {
        // Until the answer is the right one, nobody knows what the upload holds.
        world.sessions[number]?.state = .lost
        switch form {
        case .gap, .repeated:
            try hold(.order) { _ = try answer.expect(416) }
            try expectCode(
                answer, ErrorCode.blobUploadInvalid, ErrorCode.sizeInvalid, ErrorCode.blobUploadUnknown, "RANGE_INVALID"
            )
        case .empty:
            try hold(.oddUpload) {
                try require(
                    answer.status == 202 || (400..<500).contains(answer.status),
                    "\(answer.request): 202 or 4xx for a PATCH of no bytes", "status \(answer.status)", answer)
            }
            try settle("a PATCH of no bytes", "\(answer.status)", answer)
            if answer.status == 202, let place = probe.location(answer) { places[number] = place }
        default:
            try hold(.oddUpload) { _ = try answer.expectClientError("for a Content-Range that does not fit") }
        }
        world.sessions[number]?.state = .open
    }

    /// Asks how far an upload is.
    func askSession(_ probe: Probe, _ number: Int) throws {
        guard let (session, place) = session(number, .open) else { return }
        let answer = try probe.get(place)
        let next = try hold(.status) {
            try answer.expect(204)
            if session.received > 0 { try answer.expectHeader("Range", "0-\(session.received - 1)") }
            return try probe.expectLocation(answer)
        }
        try settleHeaders("the status of an upload\(session.received > 0 ? "" : " of nothing")", answer)
        places[number] = next
    }

    /// Ends an upload, rightly or with a last chunk in the wrong place.
    func finish(_ probe: Probe, _ number: Int, _ form: FinishForm) throws {
        guard let (session, place) = session(number, .open) else { return }
        let content = try cast.content(session.key)
        let rest = session.received < session.total ? content[session.received..<session.total] : nil
        let at = session.repository
        switch form {
        case .wrongPlace:
            guard let rest, session.received > 0 else { return }
            let start = session.received + 11
            let answer = try put(
                probe, place, try cast.digest(session.key, session.algorithm), at, body: rest,
                range: "\(start)-\(start + rest.count - 1)")
            world.sessions[number]?.state = .lost
            try hold(.order) { _ = try answer.expect(416) }
            world.sessions[number]?.state = .open
        case .patchThenPut where rest.map { $0.count >= leastChunk[number] ?? 0 } ?? true:
            var next = place
            if let rest {
                next = try patch(
                    probe, place, content, session.received..<session.received + rest.count, ranged: true,
                    streamed: false)
            }
            world.sessions[number]?.state = .lost
            let isPatched = session.received > 0 || rest != nil
            guard try close(probe, next, at, session.key, session.algorithm, patched: isPatched) else { return }
            world.sessions[number]?.state = .ended
        case .rest, .patchThenPut:
            world.sessions[number]?.state = .lost
            let isRanged = form == .rest(ranged: true) && rest != nil && session.received > 0
            let isClosed = try close(
                probe, place, at, session.key, session.algorithm, body: rest,
                range: isRanged ? "\(session.received)-\(session.total - 1)" : nil, patched: session.received > 0)
            if isClosed { world.sessions[number]?.state = .ended }
        }
    }

    /// Cancels an upload.
    func cancel(_ probe: Probe, _ number: Int) throws {
        guard let (_, place) = session(number, .open) else { return }
        let answer = try probe.delete(place)
        world.sessions[number]?.state = .lost
        if answer.maySayUnsupported || [403, 404].contains(answer.status) {
            return try settle("the cancelling of an upload", "\(answer.status)", answer)
        }
        try settle(.cancel, "the cancelling of an upload", answer, [202, 204])
        world.sessions[number]?.state = .ended
    }

    /// Nobody can go on with an upload that ended.
    func touchEnded(_ probe: Probe, _ number: Int, _ method: String) throws {
        guard let (session, place) = session(number, .ended) else { return }
        let content = try cast.content(session.key)
        let answer: Answer
        switch method {
        case "PATCH": answer = try probe.patch(place, content)
        case "PUT":
            answer = try put(
                probe, place, try cast.digest(session.key, session.algorithm), session.repository, body: content)
        default: answer = try probe.send(Request(method, place))
        }
        try hold(.ended) { _ = try answer.expectClientError("for an upload that has ended") }
        let off = method == "DELETE" ? ErrorCode.unsupported : ErrorCode.blobUploadUnknown
        try expectCode(answer, ErrorCode.blobUploadUnknown, ErrorCode.blobUploadInvalid, off)
    }

    /// An upload of one repository is not there under another's name.
    func touchForeign(_ probe: Probe, _ number: Int, _ at: Int, _ method: String) throws {
        guard let (session, place) = session(number, .open), session.repository != at else { return }
        let url = place.url(on: probe.base)
        let home = "/v2/\(names[session.repository])/"
        guard url.contains(home), session.total > session.received else { return }
        let content = try cast.content(session.key)[session.received..<session.total]
        var request = Request(method, .url(url.replacing(home, with: "/v2/\(names[at])/")))
        if method == "PUT" { request.place = request.place.adding("digest=" + queryEscaped(content.digest)) }
        if method == "PUT" || method == "PATCH" {
            (request.body, request.headers) = (content, [("Content-Type", MediaType.octetStream)])
        }
        let answer = try probe.send(request)
        // A deletion of what is not there may be done: the upload itself has to be there behind it.
        if method == "DELETE", answer.status == 204 { return }
        try hold(.foreign) { _ = try answer.expectClientError("for an upload of another repository") }
    }

    /// Cuts a request in the middle of a body: what was promised is not there, and the blob can be pushed anew.
    func cut(_ probe: Probe, _ at: Int, _ key: BlobKey, _ patch: Bool) throws {
        let content = try cast.content(key)
        guard content.count > 1, let upload = try open(probe, at, .sha256) else { return }
        var request = Request(
            patch ? "PATCH" : "PUT",
            patch ? upload.place : upload.place.adding("digest=" + queryEscaped(content.digest)))
        request.headers = [("Content-Type", MediaType.octetStream)]
        (request.body, request.cutUploadAfter) = (content, content.count / 2)
        do {
            let answer = try probe.send(request)
            try hold(.cutPush) {
                try require(answer.status != 201, "\(answer.request): no 201 before the whole body came", "201", answer)
            }
        } catch let failure as TransportFailure where failure.kind == .cutByRunner || failure.kind == .cut {
            // The connection is gone, as it was meant to be.
        }
        for part in [content, content[0..<content.count / 2]] {
            let isThere = part.digest == content.digest && world.holdings[at].blob(key, .sha256) != .gone
            if isThere { continue }
            let answer = try probe.get(probe.blobPlace(part.digest, in: names[at]))
            try hold(.cutPush) { _ = try answer.expect(anyOf: [404], "for a blob whose push was cut") }
        }
    }
}
