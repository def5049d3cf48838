import Foundation

/// Faults that remember: answers kept too long, and deeds that reach further than what was asked.
extension StubRegistry {
    private typealias Keeping = (fault: Fault, kind: String, method: String, status: Int)

    /// Answers of this kind, method and status are given again for ever.
    private static let keepings: [Keeping] = [
        (.missingBlobHeadKept, "blobs", "HEAD", 404), (.missingBlobGetKept, "blobs", "GET", 404),
        (.missingManifestHeadKept, "manifests", "HEAD", 404), (.missingManifestGetKept, "manifests", "GET", 404),
        (.missingTagsKept, "tags", "GET", 404), (.blobHeadKept, "blobs", "HEAD", 200),
        (.manifestHeadKept, "manifests", "HEAD", 200), (.tagHeadKept, "manifests", "HEAD", 200),
        (.rangesKept, "blobs", "GET", 206), (.pagedTagsKept, "tags", "GET", 200),
        (.referrersKept, "referrers", "GET", 200),
    ]

    private func keeps(_ keeping: Keeping, _ request: StubRequest, _ aim: Aim) -> Bool {
        guard has(keeping.fault), aim.kind == keeping.kind, request.method == keeping.method else { return false }
        switch keeping.fault {
        case .tagHeadKept: return aim.isTag
        case .pagedTagsKept: return !request.query("n").isEmpty
        case .rangesKept: return request.header("Range") != nil
        default: return true
        }
    }

    private func key(_ request: StubRequest) -> String {
        "\(request.method) \(request.target) \(request.header("Range") ?? "")"
    }

    /// The answer that a fault kept for this request.
    func kept(_ request: StubRequest) -> StubResponse? {
        let aim = Aim(request)
        if request.method == "HEAD", state.withLock({ $0.marks["dead " + request.path] != nil }) {
            if has(.blobHeadTombstone), aim.kind == "blobs" { return error(404, "BLOB_UNKNOWN") }
            if has(.manifestHeadTombstone), aim.kind == "manifests" { return error(404, "MANIFEST_UNKNOWN") }
        }
        guard Self.keepings.contains(where: { keeps($0, request, aim) }) else { return nil }
        return state.withLock { $0.kept[key(request)] }
    }

    /// Keeps an answer where a fault is to give it again.
    func keep(_ response: StubResponse, _ request: StubRequest) {
        let aim = Aim(request)
        guard Self.keepings.contains(where: { $0.status == response.status && keeps($0, request, aim) }) else { return }
        if has(.referrersKept), String(decoding: response.body, as: UTF8.self).contains("\"manifests\":[]") { return }
        state.withLock { $0.kept[key(request)] = response }
    }

    /// Deeds of faults that reach further than what was asked.
    func remember(_ response: StubResponse, _ request: StubRequest) {
        let aim = Aim(request)
        switch (request.method, aim.kind) {
        case ("DELETE", "manifests"), ("DELETE", "blobs"):
            guard response.status == 202 else { return }
            state.withLock { state in
                state.marks["dead " + request.path] = []
                if aim.kind == "manifests" { reach(&state, aim) }
            }
        case ("DELETE", "uploads"):
            guard has(.cancelEndsOthers) else { return }
            state.withLock { $0.uploads = $0.uploads.filter { $0.value.repository != aim.repository } }
        case ("PUT", "manifests"):
            state.withLock { pushed(&$0, aim, request, response.status) }
        case ("PUT", "uploads"):
            guard has(.wrongDigestTakesBlob), response.status == 400 else { return }
            let digest = request.query("digest").first ?? ""
            state.withLock { _ = $0.repositories[aim.repository]?.blobs.removeValue(forKey: digest) }
        default: break
        }
    }

    private func pushed(_ state: inout State, _ aim: Aim, _ request: StubRequest, _ status: Int) {
        let real = digest(request.body)
        if status == 201 {
            let text = String(decoding: request.body, as: UTF8.self)
            for key in ["manifests", "subject"] where text.contains("\"\(key)\"") {
                state.marks["\(key) \(aim.repository) \(real)"] = named(request.body, key)
            }
            if aim.isTag { state.marks["tag \(aim.repository) \(aim.reference)"] = [real] }
            state.marks["pushed \(aim.repository) \(aim.reference)", default: []].append(real)
        } else if status == 400, !aim.isTag {
            if has(.refusedPutTakesManifest) { drop(&state, aim.repository, real) }
            if has(.wrongDigestStoredAsRight) {
                let type = request.header("Content-Type") ?? ""
                state.repositories[aim.repository]?.manifests[real] = StubManifest(bytes: request.body, type: type)
            }
        }
    }

    /// Digests that a manifest names as children or as its subject.
    private func named(_ bytes: [UInt8], _ key: String) -> [String] {
        do {
            let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            let entries = object?[key] as? [[String: Any]] ?? [object?[key] as? [String: Any] ?? [:]]
            return entries.compactMap { $0["digest"] as? String }
        } catch {
            return []
        }
    }

    private func drop(_ state: inout State, _ repository: String, _ digest: String) {
        state.repositories[repository]?.manifests[digest] = nil
        let tags = state.repositories[repository]?.tags.filter { $0.value != digest }
        state.repositories[repository]?.tags = tags ?? [:]
    }

    /// What a deletion of `aim` takes along by a fault.
    private func reach(_ state: inout State, _ aim: Aim) {
        let name = aim.repository
        let marks = state.marks
        func owners(_ key: String) -> [String] {
            marks.filter { $0.key.hasPrefix("\(key) \(name) ") && $0.value.contains(aim.reference) }.keys.map {
                String($0.split(separator: " ")[2])
            }
        }
        var taken: [String] = []
        if has(.indexDeleteTakesChildren) { taken += state.marks["manifests \(name) \(aim.reference)"] ?? [] }
        if has(.childDeleteTakesIndex) { taken += owners("manifests") }
        if has(.referrerDeleteTakesSubject) { taken += state.marks["subject \(name) \(aim.reference)"] ?? [] }
        if has(.subjectDeleteTakesReferrers) { taken += owners("subject") }
        if has(.lastTagTakesManifest), aim.isTag {
            let digest = state.marks["tag \(name) \(aim.reference)"] ?? []
            if !(state.repositories[name]?.tags.values.contains { digest.contains($0) } ?? false) { taken += digest }
        }
        for digest in taken { drop(&state, name, digest) }
    }

    // MARK: lists

    /// Faults of lists, and of what a deletion left of them.
    func spoilLists(_ response: inout StubResponse, _ request: StubRequest) {
        let aim = Aim(request)
        if has(.headOfLists500), request.method == "HEAD", ["tags", "referrers"].contains(aim.kind) {
            response = StubResponse(500)
        }
        if has(.referrersGoneWithSubject), aim.kind == "referrers" {
            let path = "/v2/\(aim.repository)/manifests/\(aim.reference)"
            if state.withLock({ $0.marks["dead " + path] != nil }) { response = error(404, "MANIFEST_UNKNOWN") }
        }
        if aim.kind == "uploads", request.method == "POST", response.status == 202, has(.deletedBlobsMounted),
            let digest = request.query("mount").first, let from = request.query("from").first,
            state.withLock({ $0.graveyard[from + digest] != nil })
        {
            response = StubResponse(201, [("Location", "/v2/\(aim.repository)/blobs/\(digest)")])
        }
        guard response.status == 200 else { return }
        if aim.kind == "tags" { spoilTags(&response, request, aim) }
        if aim.kind == "catalog" { spoilCatalog(&response, request) }
    }

    private func list(_ response: StubResponse, _ key: String) -> [String] {
        do {
            let object = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
            return object?[key] as? [String] ?? []
        } catch {
            return []
        }
    }

    private func text(_ names: [String]) -> String { "[" + names.map { "\"\($0)\"" }.joined(separator: ",") + "]" }

    private func spoilTags(_ response: inout StubResponse, _ request: StubRequest, _ aim: Aim) {
        let paged = !request.query("n").isEmpty
        guard
            has(.tagsCut20) || has(.tagsCut100) || (paged && (has(.pagedTagsTwice) || has(.pagedTagsOtherName)))
        else { return }
        var tags = list(response, "tags")
        if response["Link"] == nil, has(.tagsCut20) { tags = Array(tags.prefix(20)) }
        if response["Link"] == nil, has(.tagsCut100) { tags = Array(tags.prefix(100)) }
        if paged, has(.pagedTagsTwice) {
            let marks = state.withLock { $0.marks }
            tags = tags.flatMap { tag in (marks["pushed \(aim.repository) \(tag)"] ?? [""]).map { _ in tag } }
        }
        let name = paged && has(.pagedTagsOtherName) ? "x" : aim.repository
        response.body = Array("{\"name\":\"\(name)\",\"tags\":\(text(tags))}".utf8)
    }

    private func spoilCatalog(_ response: inout StubResponse, _ request: StubRequest) {
        if has(.catalogType) { response.set("Content-Type", "text/html") }
        let known: [Fault] = [
            .catalogUnsorted, .catalogZeroIsAll, .catalogLastInclusive, .catalogHidesNested, .catalogCut,
        ]
        guard known.contains(where: has) else { return }
        var names = list(response, "repositories")
        if has(.catalogUnsorted) { names.reverse() }
        if has(.catalogZeroIsAll), request.query("n") == ["0"] {
            names = state.withLock { $0.repositories.keys.sorted() }
        }
        if has(.catalogLastInclusive), request.query("n").isEmpty { names = request.query("last") + names }
        if has(.catalogHidesNested) { names = names.filter { $0.split(separator: "/").count < 4 } }
        if has(.catalogCut), request.query("n").isEmpty { names = Array(names.prefix(3)) }
        response.body = Array("{\"repositories\":\(text(names))}".utf8)
    }

    // MARK: what an answer says of itself

    /// Faults of validators, lengths and parts.
    func spoilParts(_ response: inout StubResponse, _ request: StubRequest) {
        let aim = Aim(request)
        if has(.allowLies), response.status == 405 { response.set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE") }
        if has(.noContentLength), response.status == 204 { response.set("Content-Length", "0") }
        if response.status == 304 {
            if has(.notModifiedNoETag) { response.set("ETag", nil) }
            if has(.notModifiedLength) { response.set("Content-Length", "10") }
        }
        if has(.headETagOther), request.method == "HEAD", let tag = response["ETag"] {
            response.set("ETag", "\"head-" + tag.dropFirst())
        }
        if has(.rangesEverywhere), aim.kind == "blobs", request.header("Range") != nil, response.status == 404 {
            let blob = state.withLock { state in
                state.repositories.values.lazy.compactMap { $0.blobs[aim.reference] }.first
            }
            if let blob {
                response = StubResponse(206, [("Content-Range", "bytes 0-9/\(blob.count)")], Array(blob.prefix(10)))
            }
        }
        if has(.manifestRangesWrong), aim.kind == "manifests", request.header("Range") != nil, response.status == 200 {
            (response.status, response.body) = (206, Array(response.body.prefix(10)))
            response.set("Content-Range", "bytes 0-9/1")
        }
        guard response.status == 206, aim.kind == "blobs", let told = response["Content-Range"] else { return }
        let numbers = told.split { !"0123456789".contains($0) }.compactMap { Int($0) }
        guard numbers.count == 3 else { return }
        if has(.farRangesOff), numbers[0] > 1 << 20 { response.body = Array(response.body.dropFirst()) + [0] }
        if has(.largeRangesWrong), numbers[2] > 1_000 {
            response.set("Content-Range", "bytes 0-\(response.body.count - 1)/\(response.body.count)")
        }
        if has(.longRangesEnd), response.body.count > 65_536 {
            response.set("Content-Range", "bytes \(numbers[0])-\(numbers[1] - 1)/\(numbers[2])")
        }
        if has(.partETagOther) { response.set("ETag", "\"other\"") }
        if has(.partNoDigest) { response.set("Docker-Content-Digest", nil) }
        if has(.partDigestOfPart) { response.set("Docker-Content-Digest", digest(response.body)) }
    }
}
