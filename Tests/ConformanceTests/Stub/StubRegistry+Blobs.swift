import Foundation

extension StubRegistry {
    /// GET, HEAD, DELETE of a blob.
    func blob(_ request: StubRequest, _ name: String, _ digest: String, _ user: String) -> StubResponse {
        guard isDigest(digest) else {
            if has(.digestIs500) { return error(500, "UNKNOWN") }
            return error(400, "DIGEST_INVALID")
        }
        if has(.deletedInPlace), request.method == "GET" { waitForDelete(name + digest) }
        let found: [UInt8]? = state.withLock { state in
            if let here = state.repositories[name]?.blobs[digest] { return here }
            if has(.deletedBlobsLinger), let old = state.graveyard[name + digest] { return old }
            if has(.staleAfterOther), let old = state.graveyard[name + digest],
                state.repositories.values.contains(where: { $0.blobs[digest] != nil })
            {
                return old
            }
            if has(.manifestsAreBlobs), state.repositories[name]?.manifests[digest] != nil { return [1, 2, 3] }
            if has(.unfinishedVisible) {
                for upload in state.uploads.values where self.digest(upload.bytes) == digest { return upload.bytes }
            }
            guard has(.blobsEverywhere) || (has(.blobsEverywhereKnown) && state.repositories[name] != nil) else {
                return nil
            }
            return state.repositories.values.lazy.compactMap { $0.blobs[digest] }.first
        }
        if request.method == "DELETE" { return deleteBlob(name, digest, found != nil) }
        if found == nil, has(.missingBlobEmpty) { return StubResponse(200) }
        guard var bytes = found else {
            if request.method == "HEAD", has(.headBlobAlways) { return StubResponse(200, [("Content-Length", "1234")]) }
            let missing = has(.unknownRepository500) && state.withLock { $0.repositories[name] == nil }
            return missing
                ? error(500, "UNKNOWN") : error(404, has(.codesSwapped) ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN")
        }
        if has(.blobCut), bytes.count > 1 { bytes.removeLast() }
        if has(.blobFlipped), bytes.count > 2_000 { bytes[1_500] ^= 1 }
        if has(.largeBlobsCut), bytes.count > 4_000_000 { bytes.removeLast(1_000) }
        if has(.oneByteBlobsCut), bytes.count == 1 { bytes = [] }
        var headers = [
            ("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", digest),
            ("ETag", has(.etagBare) ? digest : "\"\(digest)\""), ("Accept-Ranges", "bytes"),
        ]
        if has(.blobDigestMissing) { headers.removeAll { $0.0 == "Docker-Content-Digest" } }
        if has(.blobDigestWrong) { headers[1].1 = self.digest([7]) }
        if request.method == "HEAD" {
            if has(.headsLeadNowhere) { return StubResponse(307, [("Location", "/store/x?signed-for=GET")]) }
            if has(.headBlob404) { return error(404, "BLOB_UNKNOWN") }
            if has(.headBlobRange), request.header("Range") != nil {
                return StubResponse(206, headers + [("Content-Length", "10")])
            }
            if has(.headBlobNoDigest) { headers.removeAll { $0.0 == "Docker-Content-Digest" } }
            return StubResponse(
                200, headers + [("Content-Length", has(.headBlobLength) ? "1234" : String(bytes.count))], bytes)
        }
        if let early = conditional(request, digest, headers, isBlob: true) { return early }
        return ranged(request, bytes, headers, digest)
    }

    /// Holds a pull back until the blob is being deleted, a second at most, so that the two always meet.
    private func waitForDelete(_ key: String) {
        for _ in 0..<100 where !state.withLock({ $0.halfDeleted.contains(key) }) { Thread.sleep(forTimeInterval: 0.01) }
    }

    private func deleteBlob(_ name: String, _ digest: String, _ exists: Bool) -> StubResponse {
        if has(.blobDeleteRefusedAndDone) {
            state.withLock { _ = $0.repositories[name]?.blobs.removeValue(forKey: digest) }
            return error(405, "UNSUPPORTED", allow: "GET, HEAD")
        }
        if has(.blobDelete500) { return error(500, "UNKNOWN") }
        guard exists else { return has(.deleteMissingBlobIsFine) ? StubResponse(202) : error(404, "BLOB_UNKNOWN") }
        if has(.blobDeleteDoesNothing) { return StubResponse(202) }
        if has(.deletedInPlace) {
            state.withLock { state in
                let whole = state.repositories[name]?.blobs[digest] ?? []
                state.repositories[name]?.blobs[digest] = Array(whole.dropLast(100_000))
                state.halfDeleted.insert(name + digest)
            }
            // The fault itself: so long the blob is half there.
            Thread.sleep(forTimeInterval: 1)
        }
        state.withLock { state in
            state.graveyard[name + digest] = state.repositories[name]?.blobs.removeValue(forKey: digest)
            if has(.blobDeleteEverywhere) {
                for key in state.repositories.keys { state.repositories[key]?.blobs.removeValue(forKey: digest) }
            }
        }
        return StubResponse(has(.blobDelete200) ? 200 : 202)
    }

    /// 304 and 412, by RFC 9110 section 13.
    func conditional(
        _ request: StubRequest, _ digest: String, _ headers: [(String, String)], isBlob: Bool
    ) -> StubResponse? {
        if let wanted = request.header("If-Match"), wanted != "*", !wanted.contains(digest) {
            return has(.ifMatch500) ? error(500, "UNKNOWN") : error(412, "UNSUPPORTED")
        }
        if let known = request.header("If-None-Match") {
            if has(.ifNoneMatchAlways) { return StubResponse(304, headers) }
            if has(.ifNoneMatchNever) { return nil }
            if known == "*" || known.contains(digest) { return StubResponse(304, headers) }
        }
        return nil
    }

    private func ranged(
        _ request: StubRequest, _ bytes: [UInt8], _ headers: [(String, String)], _ digest: String
    ) -> StubResponse {
        let whole = StubResponse(200, headers, bytes)
        guard let text = request.header("Range"), !has(.rangesIgnored) else { return whole }
        if let condition = request.header("If-Range"), !has(.ifRangeIgnored), condition != "\"\(digest)\"" {
            return whole
        }
        if request.header("If-Range") != nil, has(.ifRangeRefused) { return whole }
        if has(.rangeOdd206),
            !text.hasPrefix("bytes=") || text.contains("a") || text == "bytes=9-5" || text == "bytes="
                || text == "bytes=-" || text.count > 24
        {
            return StubResponse(
                206, headers + [("Content-Range", "bytes 0-0/\(bytes.count)")],
                Array(bytes.prefix(1)))
        }
        guard text.lowercased().hasPrefix("bytes="), has(.unitCaseSensitive) == false || text.hasPrefix("bytes=") else {
            return has(.unitCaseSensitive)
                ? StubResponse(206, headers + [("Content-Range", "bytes 0-0/9")], [0]) : whole
        }
        let specs = text.dropFirst(6).split(separator: ",")
        if specs.count > 1 {
            return has(.severalRangesWrong)
                ? StubResponse(206, headers + [("Content-Type", "multipart/byteranges")], [1]) : whole
        }
        guard let spec = specs.first, let range = span(String(spec), bytes.count) else { return whole }
        if range.isEmpty {
            if has(.unsatisfiable200Cut) {
                return StubResponse(206, headers + [("Content-Range", "bytes */\(bytes.count)")], [])
            }
            var refused = error(416, "SIZE_INVALID")
            if !has(.unsatisfiableNoSize) { refused.set("Content-Range", "bytes */\(bytes.count)") }
            if has(.unsatisfiableFullLength) { refused.announced = bytes.count }
            return refused
        }
        var part = Array(bytes[range])
        if has(.rangeOffByOne), part.count > 1 { part.removeLast() }
        if has(.rangeContentRangeWrong) {
            return StubResponse(
                206, headers + [("Content-Range", "bytes 0-\(bytes.count - 1)/\(bytes.count + 1)")], part)
        }
        return StubResponse(
            206, headers + [("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes.count)")], part
        )
    }

    /// The bytes of one range; empty when unsatisfiable, nil when malformed.
    private func span(_ spec: String, _ count: Int) -> Range<Int>? {
        let ends = spec.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }) else { return nil }
        if ends[0].isEmpty {
            guard let length = Int(ends[1]) else { return nil }
            if has(.suffixFromStart) { return 0..<min(length, count) }
            if has(.suffixTooLong416), length > count { return 0..<0 }
            return max(0, count - length)..<count
        }
        guard let first = Int(ends[0]) else { return nil }
        guard first < count else { return 0..<0 }
        if ends[1].isEmpty { return first..<count }
        let end = Int(ends[1]) ?? Int.max
        guard end >= first else { return nil }
        if has(.endNotClamped), end >= count { return 0..<0 }
        return first..<min(count, end == Int.max ? count : end + 1)
    }
}
