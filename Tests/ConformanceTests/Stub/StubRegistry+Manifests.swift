import Foundation

extension StubRegistry {
    private static let known = [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.artifact.manifest.v1+json",
    ]

    /// GET, HEAD, PUT, DELETE of a manifest.
    func manifest(_ request: StubRequest, _ name: String, _ reference: String, _ user: String) -> StubResponse {
        let isTagged = !reference.contains(":")
        guard isTagged ? isTag(reference) : isDigest(reference) else {
            if has(.digestIs500) { return error(500, "UNKNOWN") }
            return error(
                has(.malformedManifestDigestIs404) ? 404 : 400, isTagged ? "MANIFEST_INVALID" : "DIGEST_INVALID")
        }
        switch request.method {
        case "PUT": return push(request, name, reference)
        case "DELETE": return deleteManifest(name, reference, isTagged)
        default: return pull(request, name, reference)
        }
    }

    private func find(_ name: String, _ reference: String) -> (digest: String, manifest: StubManifest)? {
        state.withLock { state in
            let repository = state.repositories[name]
            var reference = reference
            if has(.tagsFoldCase),
                let folded = repository?.tags.keys.sorted().first(where: { $0.lowercased() == reference.lowercased() })
            {
                reference = folded
            }
            if has(.hexTagsAreDigests), reference.utf8.count == 64 { reference = "sha256:" + reference }
            let digest = reference.contains(":") ? reference : repository?.tags[reference] ?? ""
            if let manifest = repository?.manifests[digest] { return (digest, manifest) }
            if has(.staleManifest), let old = state.graveyard[name + "@" + reference] {
                return (self.digest(old), StubManifest(bytes: old, type: Self.known[0]))
            }
            if has(.manifestsEverywhere) {
                for other in state.repositories.values {
                    if let manifest = other.manifests[other.tags[reference] ?? reference] {
                        return (reference, manifest)
                    }
                }
            }
            if has(.blobsAreManifests), let bytes = repository?.blobs[digest] {
                return (digest, StubManifest(bytes: bytes, type: Self.known[0]))
            }
            return nil
        }
    }

    private func pull(_ request: StubRequest, _ name: String, _ reference: String) -> StubResponse {
        if has(.oddNamesLost), isOdd(name) { return error(404, "MANIFEST_UNKNOWN") }
        guard let (digest, manifest) = find(name, reference) else {
            if has(.missingManifestMadeUp) {
                return StubResponse(200, [("Content-Type", Self.known[0])], Array("{}".utf8))
            }
            if request.method == "HEAD", has(.headManifestAlways) {
                return StubResponse(200, [("Content-Length", "2")])
            }
            let missing = state.withLock { $0.repositories[name] == nil }
            if missing, has(.unknownRepository500) { return error(500, "UNKNOWN") }
            var refused = error(404, has(.codesSwapped) ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN")
            if let accounts, accounts.leaks(faults, missing) { refused = error(403, "DENIED") }
            if request.method == "HEAD", has(.headErrorBody) { refused.bodyOnHead = true }
            return refused
        }
        let accepts = request.headers("Accept").flatMap { $0.split(separator: ",") }.map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        if has(.acceptFirstLine), let first = request.headers("Accept").first, !first.contains(manifest.type),
            first != "*/*"
        {
            return error(404, "MANIFEST_UNKNOWN")
        }
        if has(.acceptAnyIgnored), accepts == ["*/*"] { return error(404, "MANIFEST_UNKNOWN") }
        if has(.acceptNeeded), accepts.isEmpty { return error(404, "MANIFEST_UNKNOWN") }
        var bytes = manifest.bytes
        if has(.manifestRewritten), !accepts.contains(manifest.type), !accepts.isEmpty, !accepts.contains("*/*") {
            bytes = Array("{\"schemaVersion\":1}".utf8)
        }
        if has(.manifestReencoded) { bytes = reencoded(bytes) }
        if has(.unknownMembersDropped) {
            bytes = Array(String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "x-unknown", with: "x").utf8)
        }
        if has(.unicodeMangled) { bytes = bytes.map { $0 > 127 ? 63 : $0 } }
        var headers = [
            ("Content-Type", manifest.type), ("Docker-Content-Digest", digest),
            ("ETag", has(.etagBare) ? digest : "\"\(digest)\""),
        ]
        spoilType(&headers, manifest.type)
        if has(.manifestDigestMissing) || (has(.manifestDigestMissingByTag) && !reference.contains(":")) {
            headers.removeAll { $0.0 == "Docker-Content-Digest" }
        }
        if has(.manifestDigestWrong) { headers[1].1 = self.digest([7]) }
        if has(.namespaceLies), !request.query("ns").isEmpty { headers.append(("OCI-Namespace", "elsewhere.example")) }
        if request.method == "HEAD" {
            if has(.headManifest404) { return error(404, "MANIFEST_UNKNOWN") }
            if has(.headManifestNoDigest) { headers.removeAll { $0.0 == "Docker-Content-Digest" } }
            if has(.headManifestNoType) { headers.removeAll { $0.0 == "Content-Type" } }
            var head = StubResponse(
                200, headers + [("Content-Length", has(.headManifestLength) ? "7" : String(bytes.count))], bytes)
            head.bodyOnHead = has(.headBody)
            return head
        }
        if let early = conditional(request, digest, headers, isBlob: false) { return early }
        return StubResponse(has(.manifestGet203) ? 203 : 200, headers, bytes)
    }

    /// Names that a careless router takes for something else.
    private func isOdd(_ name: String) -> Bool {
        name.split(separator: "/").count > 8 || ["/x/y", "/0/1/2", "/tags/list"].contains { name.hasSuffix($0) }
    }

    private func spoilType(_ headers: inout [(String, String)], _ type: String) {
        if has(.typeIsJSON) { headers[0].1 = "application/json" }
        if has(.typeParameters) { headers[0].1 = type + "; charset=utf-8" }
        if has(.dockerTypesAsOCI), type.contains("docker") { headers[0].1 = Self.known[0] }
        if has(.indexAsManifest), type.contains("index") || type.contains("list") { headers[0].1 = Self.known[0] }
    }

    private func reencoded(_ bytes: [UInt8]) -> [UInt8] {
        do {
            let value = try JSONSerialization.jsonObject(with: Data(bytes))
            return Array(try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys]))
        } catch {
            return bytes
        }
    }

    private func push(_ request: StubRequest, _ name: String, _ reference: String) -> StubResponse {
        if request.wasCut, !has(.cutManifestStored) { return StubResponse(400) }
        if request.body.count > (has(.smallManifests) ? 1 << 20 : 8 << 20), !has(.anySizeTaken) {
            return error(has(.smallManifests) ? 400 : 413, "SIZE_INVALID")
        }
        var type = request.header("Content-Type") ?? ""
        if let mark = type.firstIndex(of: ";") {
            if has(.pushParametersRefused) { return error(415, "MANIFEST_INVALID") }
            type = String(type[..<mark])
        }
        if let refusal = refusal(request, name, type) { return refusal }
        let digest = self.digest(request.body, like: reference)
        if reference.contains(":"), digest != reference, !has(.manifestDigestUnchecked) {
            return error(400, has(.digestCodeWrong) ? "NAME_INVALID" : "DIGEST_INVALID")
        }
        if has(.manifestPutOnceOnly), find(name, reference) != nil { return error(409, "DENIED") }
        let key = has(.manifestDigestUnchecked) && reference.contains(":") ? reference : digest
        return store(request, name, reference, key, type)
    }

    private func refusal(_ request: StubRequest, _ name: String, _ type: String) -> StubResponse? {
        if refusesKind(type) { return error(400, "MANIFEST_INVALID") }
        let invalid = error(
            has(.invalidManifest500) ? 500 : 400, has(.manifestCodeWrong) ? "NAME_INVALID" : "MANIFEST_INVALID")
        if !Self.known.contains(type), !has(.anyTypeTaken) { return invalid }
        if request.wasCut || has(.anyBodyTaken) { return nil }
        let text = String(decoding: request.body.prefix(200), as: UTF8.self)
        if text.hasPrefix(String(repeating: "[", count: 100)) { return invalid }
        let parsed: Any
        do { parsed = try JSONSerialization.jsonObject(with: Data(request.body)) } catch { return invalid }
        guard let object = parsed as? [String: Any] else { return invalid }
        if let said = object["mediaType"] as? String, said != type, !has(.typeConfusionTaken) { return invalid }
        if object["manifests"] != nil, object["layers"] != nil, !has(.bothListsTaken) { return invalid }
        if object["layers"] != nil, !(object["layers"] is [Any]), !has(.wrongTypesTaken) { return invalid }
        if has(.mediaTypeNeeded), object["mediaType"] == nil { return invalid }
        if refusesSeldom(name, object) { return invalid }
        if has(.emptyListsRefused),
            (object["layers"] as? [Any])?.isEmpty == true || (object["manifests"] as? [Any])?.isEmpty == true
        {
            return invalid
        }
        if has(.nestedRefused), let children = object["manifests"] as? [[String: Any]],
            children.contains(where: { ($0["mediaType"] as? String)?.contains("index") == true })
        {
            return invalid
        }
        if has(.artifactsRefused), object["artifactType"] != nil, object["subject"] == nil { return invalid }
        if has(.manyLayersRefused), (object["layers"] as? [Any])?.count ?? 0 > 100 { return invalid }
        if has(.layerTypesChecked),
            text.contains("zstd") || String(decoding: request.body, as: UTF8.self).contains("tar+zstd")
        {
            return invalid
        }
        if has(.subjectChecked), let subject = object["subject"] as? [String: Any],
            let digest = subject["digest"] as? String, find(name, digest) == nil
        {
            return error(404, "MANIFEST_UNKNOWN")
        }
        return missing(object, name)
    }

    private func refusesKind(_ type: String) -> Bool {
        if type.contains("oci.image.manifest") { return has(.ociImagesRefused) }
        if type.contains("oci.image.index") { return has(.ociIndexesRefused) }
        if type.contains("manifest.list") { return has(.dockerListsRefused) }
        return type.contains("docker.distribution.manifest.v2") && has(.dockerImagesRefused)
    }

    private func missing(_ object: [String: Any], _ name: String) -> StubResponse? {
        if has(.blobsUnchecked) { return nil }
        var wanted: [(digest: String, isBlob: Bool)] = []
        let blobs =
            ([object["config"] as? [String: Any]].compactMap { $0 }) + (object["layers"] as? [[String: Any]] ?? [])
            + (object["blobs"] as? [[String: Any]] ?? [])
        for blob in blobs where has(.foreignLayersNeeded) || (blob["urls"] == nil) {
            if let digest = blob["digest"] as? String { wanted.append((digest, true)) }
        }
        for child in object["manifests"] as? [[String: Any]] ?? [] {
            if let digest = child["digest"] as? String { wanted.append((digest, false)) }
        }
        let absent = state.withLock { state -> [String] in
            wanted.filter { item in
                if has(.blobsEverywhere) || has(.otherBlobsCount),
                    state.repositories.values.contains(where: { $0.blobs[item.digest] != nil })
                {
                    return false
                }
                let repository = state.repositories[name]
                return item.isBlob ? repository?.blobs[item.digest] == nil : repository?.manifests[item.digest] == nil
            }.map(\.digest)
        }
        if absent.isEmpty { return nil }
        if has(.missingStoredAnyway) { return nil }
        let named = (has(.missingHalfNamed) ? Array(absent.prefix(1)) : absent).joined(separator: " ")
        return error(
            has(.missingIs404) ? 404 : 400, has(.missingCodeWrong) ? "MANIFEST_INVALID" : "MANIFEST_BLOB_UNKNOWN",
            detail: named)
    }

    private func store(
        _ request: StubRequest, _ name: String, _ reference: String, _ digest: String, _ type: String
    ) -> StubResponse {
        let isTagged = !reference.contains(":")
        var tags = isTagged ? [reference] : has(.tagQueryIgnored) ? [] : request.query("tag")
        if tags.contains(where: { !isTag($0) }) {
            if has(.tagQueryUnchecked) == false { return error(400, "MANIFEST_INVALID") }
        }
        if has(.tagQueryFive) { tags = Array(tags.prefix(5)) }
        let bytes = request.body
        // A fault: who finds the tag free takes it, however many do, and the sleep is between looking and taking.
        let wasFree = has(.firstWritersAll) && state.withLock { $0.repositories[name]?.tags[reference] == nil }
        if has(.firstWritersAll), wasFree, isTagged { Thread.sleep(forTimeInterval: 0.1) }
        let refused: Bool = state.withLock { state in
            var repository = state.repositories[name, default: Repository()]
            let current = isTagged ? repository.tags[reference] : nil
            if let wanted = request.header("If-Match"), !has(.putConditionsIgnored) {
                let fits =
                    current.map { wanted.contains($0) || has(.ifMatchAnything) } ?? has(.ifMatchMissingMakes)
                if !fits { return true }
            }
            if request.header("If-None-Match") == "*", current != nil, !has(.putConditionsIgnored),
                !has(.ifNoneMatchPutIgnored), !wasFree
            {
                if has(.conditionMovesAnyway) {
                    repository.tags[reference] = digest;
                    repository.manifests[digest] = StubManifest(bytes: bytes, type: type);
                    state.repositories[name] = repository
                }
                return true
            }
            if has(.movedTagLosesOld), let current, current != digest { repository.manifests[current] = nil }
            repository.manifests[digest] = StubManifest(bytes: bytes, type: type)
            if has(.pushByDigestTags), !isTagged { tags = ["latest"] }
            for tag in tags
            where !(has(.tagsNeverMove) && repository.tags[tag] != nil)
                && !(has(.tagRaceLost) && tag.hasPrefix("t1") && tag.count == 3)
            {
                if repository.tags[tag] == nil || has(.tagsListedTwice) { repository.order.append(tag) }
                repository.tags[tag] = digest
                if has(.oneTagAManifest) {
                    repository.tags = repository.tags.filter { $0.value != digest || $0.key == tag }
                }
            }
            state.repositories[name] = repository
            return false
        }
        if refused { return error(412, "DENIED") }
        return stored(request, name, reference, digest, tags)
    }

    private func stored(
        _ request: StubRequest, _ name: String, _ reference: String, _ digest: String, _ tags: [String]
    ) -> StubResponse {
        var headers = [
            ("Location", "/v2/\(name)/manifests/\(has(.manifestPutWrongLocation) ? "nowhere" : reference)"),
            ("Docker-Content-Digest", has(.manifestPutDigestWrong) ? self.digest([3]) : digest),
        ]
        if has(.manifestPutNoLocation) { headers.removeFirst() }
        if has(.manifestPutNoDigest) { headers.removeAll { $0.0 == "Docker-Content-Digest" } }
        if has(.sha512ManifestAsSha256), digest.hasPrefix("sha512:") { headers[1].1 = self.digest(request.body) }
        if reference.contains(":"), !tags.isEmpty, !has(.noTagHeader) || tags == ["good"] {
            headers.append(
                (
                    "OCI-Tag",
                    (has(.tagHeaderFirstOnly) ? Array(tags.prefix(1)) : has(.tagHeaderLies) ? tags + ["never"] : tags)
                        .joined(separator: ", ")
                ))
        }
        if let subject = subject(request.body), !has(.noReferrers), !has(.noSubjectHeader) {
            headers.append(("OCI-Subject", has(.subjectHeaderWrong) ? digest : subject))
        }
        return StubResponse(has(.manifestPut200) ? 200 : 201, headers)
    }

    func subject(_ bytes: [UInt8]) -> String? {
        // A list looks at every manifest, and most have none.
        guard Data(bytes).range(of: Data("\"subject\"".utf8)) != nil else { return nil }
        do {
            let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            return (object?["subject"] as? [String: Any])?["digest"] as? String
        } catch {
            return nil
        }
    }

    private func deleteManifest(_ name: String, _ reference: String, _ isTagged: Bool) -> StubResponse {
        if has(.latestUndeletable), reference == "latest" { return error(403, "DENIED") }
        if has(.manifestDelete500) { return error(500, "UNKNOWN") }
        if has(.deleteRefusedAndDone) {
            state.withLock { state in
                state.repositories[name]?.manifests.removeAll()
            }
            return error(405, "UNSUPPORTED", allow: "GET, HEAD, PUT")
        }
        if has(.tagDeleteRefusedByDone), isTagged { return error(501, "UNSUPPORTED") }
        guard let (digest, manifest) = find(name, reference) else {
            if state.withLock({ $0.repositories[name] == nil }), has(.deleteUnknownRepositoryIsFine) {
                return StubResponse(202)
            }
            return has(.deleteMissingIsFine) ? StubResponse(202) : error(404, "MANIFEST_UNKNOWN")
        }
        if has(.manifestDeleteDoesNothing) { return StubResponse(202) }
        state.withLock { state in
            state.graveyard[name + "@" + reference] = manifest.bytes
            state.graveyard[name + "@" + digest] = manifest.bytes
            if isTagged, !has(.tagDeleteTakesManifest) {
                if !has(.deletedTagsListed) { state.repositories[name]?.tags[reference] = nil }
                if has(.deletedTagsListed) { state.repositories[name]?.tags[reference] = "gone" }
                return
            }
            state.repositories[name]?.manifests[digest] = nil
            if has(.deleteTakesAllManifests) { state.repositories[name]?.manifests = [:] }
            if has(.deleteTakesBlobs) { state.repositories[name]?.blobs = [:] }
            if has(.deleteTakesMovedTags) { state.repositories[name]?.tags = [:] }
            if !has(.tagsOfDeletedListed) {
                for (tag, value) in state.repositories[name]?.tags ?? [:] where value == digest {
                    state.repositories[name]?.tags[tag] = nil
                }
            }
        }
        return StubResponse(has(.manifestDelete200) ? 200 : 202)
    }
}
