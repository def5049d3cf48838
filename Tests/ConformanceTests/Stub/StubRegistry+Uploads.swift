import Foundation

extension StubRegistry {
    /// POST: mount, single POST or a new upload.
    func begin(_ request: StubRequest, _ name: String, _ user: String) -> StubResponse {
        if has(.uploadNeedsLength), request.header("Content-Length") == nil { return error(411, "SIZE_INVALID") }
        if let mounted = mount(request, name, user) { return mounted }
        if let digest = request.query("digest").first {
            if has(.singlePostIgnored) { return newUpload(name, user, "sha256") }
            return single(request, name, digest)
        }
        let algorithm = request.query("digest-algorithm").first ?? "sha256"
        guard ["sha256", "sha512"].contains(algorithm) || has(.algorithm500) else {
            return error(400, "DIGEST_INVALID")
        }
        if has(.algorithm500), !["sha256", "sha512"].contains(algorithm) { return error(500, "UNKNOWN") }
        return newUpload(name, user, algorithm)
    }

    private func newUpload(_ name: String, _ user: String, _ algorithm: String) -> StubResponse {
        let id = has(.uploadIdShared) ? "00000000-0000-4000-8000-0000000000aa" : UUID().uuidString.lowercased()
        state.withLock { state in
            if !has(.uploadIdShared) || state.uploads[id] == nil {
                state.uploads[id] = StubUpload(repository: name, owner: user, algorithm: algorithm)
            }
            _ = state.repositories[name, default: Repository()]
        }
        var response = StubResponse(has(.uploadPost200) ? 200 : 202, location(name, id))
        if has(.uploadNoLocation) { response.set("Location", nil) }
        if has(.uploadNoUUID) {
            response.set("Location", "/v2/\(name)/blobs/uploads/\(id.replacingOccurrences(of: "-", with: "x"))")
        }
        if has(.minimumChunkLarge) { response.set("OCI-Chunk-Min-Length", "8192") }
        if has(.minimumChunkText) { response.set("OCI-Chunk-Min-Length", "many") }
        return response
    }

    private func location(_ name: String, _ id: String) -> [(String, String)] {
        [("Location", "/v2/\(name)/blobs/uploads/\(id)?_state=secretstate\(id.prefix(8))")]
    }

    private func mount(_ request: StubRequest, _ name: String, _ user: String) -> StubResponse? {
        guard let digest = request.query("mount").first else { return nil }
        if !isDigest(digest), has(.mountMalformed500) { return error(500, "UNKNOWN") }
        if has(.mountNeverMade) { return stored(name, digest, [0]) }
        if has(.mountMissingIs404),
            request.query("from").first.map({ from in state.withLock { $0.repositories[from]?.blobs[digest] == nil } })
                == true
        {
            return error(404, "BLOB_UNKNOWN")
        }
        let from = request.query("from").first
        if let from, has(.mountEscaped404), request.target.contains("from=" + from) {
            return error(404, "NAME_UNKNOWN")
        }
        if from == nil, !has(.mountWithoutFromUnchecked) {
            return has(.mountWithoutFrom500) ? error(500, "UNKNOWN") : nil
        }
        if let from, let accounts, !accounts.mayRead(request, from, faults) { return nil }
        let bytes: [UInt8]? = state.withLock { state in
            if let from { return state.repositories[from]?.blobs[digest] }
            return state.repositories.values.lazy.compactMap { $0.blobs[digest] }.first
        }
        guard let bytes else { return nil }
        if has(.mountSaysButDoesNot) { return StubResponse(201, [("Location", "/v2/\(name)/blobs/\(digest)")]) }
        if has(.mountMoves), let from {
            state.withLock { _ = $0.repositories[from]?.blobs.removeValue(forKey: digest) }
        }
        var response = stored(name, digest, bytes)
        if has(.mountNoLocation) { response.set("Location", nil) }
        return response
    }

    /// Stores a blob: 201 with its Location.
    private func stored(_ name: String, _ digest: String, _ bytes: [UInt8]) -> StubResponse {
        if has(.lostUpdates) {
            var repository = state.withLock { $0.repositories[name, default: Repository()] }
            // The fault itself: what others store meanwhile is lost.
            Thread.sleep(forTimeInterval: 0.1)
            repository.blobs[digest] = bytes
            state.withLock { $0.repositories[name] = repository }
        }
        state.withLock { state in
            if has(.lostUpdates) { return }
            var bytes = bytes
            if has(.storeLosesTail), bytes.count > 100_000 { bytes.removeLast() }
            if has(.emptyBlobLost), bytes.isEmpty { return }
            if has(.concurrentLost), state.repositories[name]?.blobs[digest] != nil { bytes = [] }
            state.repositories[name, default: Repository()].blobs[digest] = bytes
        }
        var response = StubResponse(
            has(.blobPut200) ? 200 : 201,
            [("Location", "/v2/\(name)/blobs/\(digest)"), ("Docker-Content-Digest", digest)])
        if has(.blobPutNoLocation) { response.set("Location", nil) }
        if has(.blobPutWrongLocation) { response.set("Location", "/v2/\(name)/blobs/\(self.digest([9]))") }
        if has(.blobPutNoDigest) { response.set("Docker-Content-Digest", nil) }
        return response
    }

    private func single(_ request: StubRequest, _ name: String, _ digest: String) -> StubResponse {
        if request.wasCut, !has(.cutSingleStored) { return StubResponse(400) }
        guard isDigest(digest) else {
            return has(.digestBadIs404) ? error(404, "DIGEST_INVALID") : error(400, "DIGEST_INVALID")
        }
        guard self.digest(request.body, like: digest) == digest || has(.singleUnchecked) else {
            return error(400, "DIGEST_INVALID")
        }
        return stored(name, digest, request.body)
    }

    /// GET, PATCH, PUT, DELETE of an upload.
    func session(_ request: StubRequest, _ name: String, _ id: String, _ user: String) -> StubResponse {
        guard let upload = state.withLock({ $0.uploads[id] }),
            upload.repository == name || has(.sessionsUnbound), upload.owner == user || has(.sessionsOfAnybody)
        else {
            if has(.unknownUploadIsFine) {
                return StubResponse(request.method == "GET" ? 204 : 202, location(name, id) + [("Range", "0-0")])
            }
            if has(.unknownUpload500) { return error(500, "UNKNOWN") }
            if has(.unknownUploadHangs), request.body.count > 1_000_000 {
                var silent = StubResponse(404)
                silent.silent = true
                return silent
            }
            return error(404, has(.codesSwapped) ? "BLOB_UNKNOWN" : "BLOB_UPLOAD_UNKNOWN")
        }
        if has(.minimumChunkLarge), upload.isShort, !request.body.isEmpty { return error(400, "SIZE_INVALID") }
        if has(.minimumChunkLarge), request.method == "PATCH", request.body.count < 8_192,
            request.header("Content-Range") != nil
        {
            state.withLock { $0.uploads[id]?.isShort = true }
        }
        switch request.method {
        case "GET": return status(name, id, upload)
        case "PATCH": return chunk(request, name, id, upload)
        case "PUT": return finish(request, name, id, upload)
        default:
            if has(.cancelUnsupported500) { return error(500, "UNKNOWN") }
            if !has(.cancelDoesNothing) { state.withLock { _ = $0.uploads.removeValue(forKey: id) } }
            return StubResponse(has(.cancel200) ? 200 : 204)
        }
    }

    private func status(_ name: String, _ id: String, _ upload: StubUpload) -> StubResponse {
        var headers = location(name, id)
        let end = has(.statusTooFar) ? upload.bytes.count : upload.bytes.count - 1
        headers.append(("Range", upload.bytes.isEmpty ? "0-0" : has(.statusRangeUnit) ? "bytes=0-\(end)" : "0-\(end)"))
        if has(.statusEndless) { headers[1].1 = "0-\(Int.max)" }
        if has(.statusGrows) {
            state.withLock { $0.counter += 1 }
            headers[1].1 = "0-\(state.withLock { $0.counter })"
        }
        if has(.statusNoLocation) { headers.removeFirst() }
        if has(.statusWrongLocation) { headers[0].1 = "/v2/\(name)/blobs/uploads/\(UUID().uuidString.lowercased())" }
        return StubResponse(has(.status200) ? 200 : 204, headers)
    }

    /// The offset that `Content-Range` tells, checked against the body; a refusal when it is wrong.
    private func offset(_ request: StubRequest, _ upload: StubUpload) -> StubResponse? {
        guard let text = request.header("Content-Range") else { return nil }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else {
            return has(.oddRangeTaken) ? nil : error(has(.oddRange500) ? 500 : 400, "BLOB_UPLOAD_INVALID")
        }
        if last - first + 1 != request.body.count, !request.wasCut, !has(.rangeLengthUnchecked) {
            return error(400, "SIZE_INVALID")
        }
        if first == upload.bytes.count { return nil }
        if has(.outOfOrderTaken) || (has(.gapsTaken) && first > upload.bytes.count && !upload.bytes.isEmpty)
            || (has(.overlapTaken) && first < upload.bytes.count && first > 0)
            || (has(.repeatTaken) && first == 0) || (has(.firstChunkAnywhere) && upload.bytes.isEmpty)
        {
            return nil
        }
        if request.method == "PUT", has(.putOutOfOrderTaken) { return nil }
        if has(.outOfOrderKills) {
            state.withLock { $0.uploads = $0.uploads.filter { $0.value.repository != upload.repository } }
        }
        return error(has(.outOfOrder400) ? 400 : 416, has(.rangeCodeWrong) ? "MANIFEST_INVALID" : "BLOB_UPLOAD_INVALID")
    }

    private func chunk(_ request: StubRequest, _ name: String, _ id: String, _ upload: StubUpload) -> StubResponse {
        if has(.patchNeedsType), request.header("Content-Type") == nil { return error(415, "UNSUPPORTED") }
        if has(.patchNeedsRange), request.header("Content-Range") == nil { return error(400, "BLOB_UPLOAD_INVALID") }
        if has(.patchNeedsLength), request.header("Content-Length") == nil { return error(411, "SIZE_INVALID") }
        if has(.emptyPatch500), request.body.isEmpty { return error(500, "UNKNOWN") }
        if let refusal = offset(request, upload) { return refusal }
        if request.wasCut, has(.cutPatchDropsAll) { return StubResponse(400) }
        if request.wasCut, has(.cutPatchKillsSession) {
            state.withLock { _ = $0.uploads.removeValue(forKey: id) }
            return StubResponse(400)
        }
        // The fault itself: two who come meanwhile are both taken.
        if has(.raceTwice) { Thread.sleep(forTimeInterval: 0.15) }
        let count: Int = state.withLock { state in
            if has(.chunksOverwrite) { state.uploads[id]?.bytes = [] }
            guard
                has(.raceTwice) || state.uploads[id]?.bytes.count == upload.bytes.count
                    || request.header("Content-Range") == nil
            else {
                return -1
            }
            state.uploads[id]?.bytes += request.body
            if request.wasCut, has(.cutPatchPads) {
                state.uploads[id]?.bytes += [UInt8](repeating: 0, count: 1_500_000)
            }
            if request.wasCut, has(.cutPatchCorrupts), state.uploads[id]?.bytes.isEmpty == false {
                state.uploads[id]?.bytes[0] ^= 1
            }
            if has(.sessionsMix) {
                for key in state.uploads.keys where key != id && state.uploads[key]?.repository == name {
                    state.uploads[key]?.bytes += request.body
                }
            }
            if has(.slowChunkLost), request.body.count > 3_000_000 { state.uploads[id]?.bytes.removeLast() }
            return state.uploads[id]?.bytes.count ?? 0
        }
        if count < 0 { return error(416, "BLOB_UPLOAD_INVALID") }
        var headers = location(name, id)
        headers.append(
            (
                "Range",
                has(.patchRangeUnit)
                    ? "bytes=0-\(count - 1)" : has(.patchRangeOff) ? "0-\(count)" : "0-\(max(0, count - 1))"
            ))
        if has(.patchNoRange) { headers.removeLast() }
        if has(.patchNoLocation) { headers.removeFirst() }
        return StubResponse(has(.patch204) ? 204 : 202, headers)
    }

    private func finish(_ request: StubRequest, _ name: String, _ id: String, _ upload: StubUpload) -> StubResponse {
        if request.wasCut, !has(.cutPutStored) { return StubResponse(400) }
        if has(.putChunkedLost), request.header("Transfer-Encoding") != nil { return error(500, "UNKNOWN") }
        guard let digest = request.query("digest").first else {
            return has(.digestNotNeeded) ? StubResponse(201, [("Location", "/")]) : error(400, "DIGEST_INVALID")
        }
        if has(.plainDigestRefused), !request.target.contains("%3A") { return error(400, "DIGEST_INVALID") }
        guard isDigest(digest) else {
            if has(.digestFormUnchecked) { return stored(name, digest, upload.bytes + request.body) }
            return error(has(.digestBadIs404) ? 404 : 400, has(.digestCodeWrong) ? "NAME_INVALID" : "DIGEST_INVALID")
        }
        if let refusal = offset(request, upload) { return refusal }
        let bytes = has(.putForgetsBody) && !upload.bytes.isEmpty ? upload.bytes : upload.bytes + request.body
        if has(.cutPutStored), request.wasCut { return stored(name, digest, bytes) }
        if self.digest(bytes, like: digest) != digest, !has(.digestUnchecked) {
            if has(.sha512Unchecked), digest.hasPrefix("sha512:") { return stored(name, digest, bytes) }
            if has(.lastChunkDigest), self.digest(Array(bytes.suffix(1_000))) == digest {
                return stored(name, digest, bytes)
            }
            if has(.wrongDigestKept) { _ = stored(name, self.digest(bytes), bytes) }
            return error(
                has(.digestMismatchIs404) ? 404 : 400, has(.digestCodeWrong) ? "NAME_INVALID" : "DIGEST_INVALID")
        }
        if !has(.sessionsStayOpen) { state.withLock { _ = $0.uploads.removeValue(forKey: id) } }
        if has(.sha512AsSha256), digest.hasPrefix("sha512:") { return stored(name, self.digest(bytes), bytes) }
        if has(.pushAgainRefused), state.withLock({ $0.repositories[name]?.blobs[digest] != nil }) {
            return error(409, "DENIED")
        }
        return stored(name, digest, bytes)
    }
}
