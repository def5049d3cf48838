import Foundation

extension StubRegistry {
    private func quoted(_ text: String) -> String {
        do {
            let data = try JSONSerialization.data(withJSONObject: [text], options: [.withoutEscapingSlashes])
            return String(String(decoding: data, as: UTF8.self).dropFirst().dropLast())
        } catch {
            return "\"\""
        }
    }

    /// A page of sorted names: nil for an `n` that is no number.
    private func page(_ names: [String], _ request: StubRequest) -> (names: [String], more: Bool, size: Int)? {
        var names = names
        if let last = request.query("last").first, !has(.lastIgnored) {
            if has(.lastIsIndex), let index = Int(last) { names = Array(names.dropFirst(index)) }
            if has(.lastMustExist), !names.contains(last) { return ([], false, 0) }
            if has(.lastNeedsN), request.query("n").isEmpty { return (names, false, 0) }
            names = names.filter { has(.lastInclusive) ? $0 >= last : $0 > last }
        }
        guard let text = request.query("n").first else {
            return (names, false, names.count)
        }
        guard let size = Int(text), size >= 0, !text.contains("+") else { return nil }
        if has(.nIgnored) { return (names, false, names.count) }
        if has(.nZeroIsAll), size == 0 { return (names, false, names.count) }
        if has(.nZeroLinks), size == 0 { return ([], !names.isEmpty, 1) }
        if has(.nOneLess), size > 1, names.count >= size { return (Array(names.prefix(size - 1)), false, size) }
        if has(.nOneMore), size > 0 { return (Array(names.prefix(size + 1)), names.count > size + 1, size) }
        return (Array(names.prefix(size)), size > 0 && names.count > size, size)
    }

    private func link(_ path: String, _ size: Int, _ last: String) -> [(String, String)] {
        if has(.noLink) { return [] }
        let size = has(.linkForgetsN) ? 1_000 : size
        let last = has(.linkSkips) ? last + "~" : last
        let next =
            has(.linkLoops)
            ? "\(path)?n=\(size)"
            : "\(path)?n=\(size)&last=\(last.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? last)"
        if has(.linkForm) { return [("Link", next)] }
        return [("Link", "<\(next)>; rel=\"\(has(.linkRelation) ? "prev" : "next")\"")]
    }

    /// tags/list.
    func tags(_ request: StubRequest, _ name: String) -> StubResponse {
        guard let repository = state.withLock({ $0.repositories[name] }) else {
            if has(.unknownRepository500) { return error(500, "UNKNOWN") }
            return error(404, has(.codesSwapped) ? "BLOB_UNKNOWN" : "NAME_UNKNOWN")
        }
        var names = repository.tags.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        if has(.tagsUnsorted) { names = names.reversed() }
        if has(.tagsListedTwice) { names = (names + repository.order).sorted() }
        if has(.tagsInvented) { names.append("zz-invented") }
        if has(.tagListEmpty) { names = [] }
        if has(.tagsDropped), names.count > 2 { names.removeLast() }
        if has(.tagsOfPrefix) {
            let all = state.withLock {
                $0.repositories.filter { $0.key.hasPrefix(name) }.flatMap { $0.value.tags.keys }
            }
            names = Set(all).sorted()
        }
        if has(.digestsAreTags) { names += repository.manifests.keys.map { String($0.dropFirst(7)) } }
        guard let page = page(names, request) else { return error(has(.oddN500) ? 500 : 400, "UNSUPPORTED") }
        if has(.untaggedIs500), names.isEmpty { return error(500, "UNKNOWN") }
        var pageNames = page.names
        if has(.pagesUnsorted), !request.query("n").isEmpty { pageNames = pageNames.reversed() }
        let list = pageNames.map(quoted).joined(separator: ",")
        let shown = has(.tagsOtherName) ? "other/name" : name
        var text = "{\"name\":\(quoted(shown)),\"tags\":[\(list)]}"
        if has(.tagsNoJSON) { text = page.names.joined(separator: "\n") }
        if has(.tagsNotStrings) { text = "{\"name\":\(quoted(name)),\"tags\":{}}" }
        var response = StubResponse(
            has(.tags204) ? 204 : 200, [("Content-Type", has(.tagsPlainType) ? "text/plain" : "application/json")],
            Array(text.utf8))
        if page.more { response.headers += link("/v2/\(name)/tags/list", page.size, page.names.last ?? "") }
        return response
    }

    /// _catalog.
    func catalog(_ request: StubRequest, _ user: String) -> StubResponse {
        guard ["GET", "HEAD"].contains(request.method) || has(.methodIgnored) else {
            return error(405, "UNSUPPORTED", allow: "GET, HEAD")
        }
        var names = state.withLock { $0.repositories.keys.sorted() }
        if let accounts { names = names.filter { accounts.owns(user, $0) || has(.catalogTellsAll) } }
        if has(.catalogForgets) { names = names.filter { !$0.hasSuffix("-b") } }
        if has(.catalogTwice) { names = (names + names).sorted() }
        guard let page = page(names, request) else { return error(has(.oddN500) ? 500 : 400, "UNSUPPORTED") }
        let text = "{\"repositories\":[\(page.names.map(quoted).joined(separator: ","))]}"
        var response = StubResponse(200, [("Content-Type", "application/json")], Array(text.utf8))
        if page.more, !has(.catalogNoLink) {
            response.headers += link("/v2/_catalog", page.size, page.names.last ?? "")
        }
        return response
    }

    /// referrers.
    func referrers(_ request: StubRequest, _ name: String, _ digest: String) -> StubResponse {
        if has(.noReferrers) { return error(404, "NAME_UNKNOWN") }
        guard isDigest(digest) else {
            return has(.referrersMalformed404) ? StubResponse(404) : error(400, "DIGEST_INVALID")
        }
        if has(.referrersUnknown404), find2(name, digest) == nil { return error(404, "MANIFEST_UNKNOWN") }
        var entries = state.withLock { state -> [(String, StubManifest)] in
            let repositories =
                has(.referrersOfAll) ? Array(state.repositories.values) : [state.repositories[name]].compactMap { $0 }
            return repositories.flatMap { $0.manifests.map { ($0.key, $0.value) } }
        }.filter { has(.referrersUnfiltered) || subject($0.1.bytes) == digest }.sorted { $0.0 < $1.0 }
        if has(.referrersNeedSubject), find2(name, digest) == nil { entries = [] }
        if has(.referrersNoIndexes) { entries = entries.filter { !$0.1.type.contains("index") } }
        if has(.referrersFirstTen) { entries = Array(entries.prefix(10)) }
        if has(.referrersOverTwenty) { entries = Array(entries.prefix(20)) }
        if has(.referrersRaceLost), entries.count > 5 { entries.removeLast() }
        if has(.referrersTwice) { entries += entries }
        if has(.referrersHideTagged) {
            let tagged = state.withLock {
                Set(
                    $0.repositories[name]?.tags.keys.map { $0.replacingOccurrences(of: "sha256-", with: "sha256:") }
                        ?? [])
            }
            if tagged.contains(digest) { entries = [] }
        }
        if has(.deletedReferrersLinger) {
            let dead = state.withLock { $0.graveyard.filter { $0.key.hasPrefix(name + "@sha256") } }
            entries += dead.filter { subject($0.value) == digest }.map {
                (
                    self.digest($0.value),
                    StubManifest(bytes: $0.value, type: "application/vnd.oci.image.manifest.v1+json")
                )
            }
        }
        return referrersPage(request, name, digest, entries)
    }

    private func find2(_ name: String, _ digest: String) -> StubManifest? {
        state.withLock { $0.repositories[name]?.manifests[digest] }
    }

    private func referrersPage(
        _ request: StubRequest, _ name: String, _ digest: String, _ entries: [(String, StubManifest)]
    ) -> StubResponse {
        var descriptors = entries.compactMap { descriptor($0.0, $0.1) }
        var headers = [
            ("Content-Type", has(.referrersPlainType) ? "application/json" : "application/vnd.oci.image.index.v1+json")
        ]
        if let wanted = request.query("artifactType").first, !has(.referrersFilterIgnored) {
            if !has(.referrersFilterPretended) {
                descriptors = descriptors.filter {
                    fits($0, wanted) && !(has(.filterMissesConfig) && wanted.contains("config"))
                }
            }
            if !has(.referrersFilterUntold) { headers.append(("OCI-Filters-Applied", "artifactType")) }
        } else if has(.referrersFilterAlwaysTold) {
            headers.append(("OCI-Filters-Applied", "artifactType"))
        }
        let start = min(max(0, request.query("last").first.flatMap { Int($0) } ?? 0), descriptors.count)
        let page = Array(descriptors.dropFirst(start).prefix(5))
        if start + 5 < descriptors.count, !has(.referrersNoLink) {
            let filter = request.query("artifactType").first.map { "&artifactType=\($0)" } ?? ""
            let next = "/v2/\(name)/referrers/\(digest)?last=\(start + 5)\(filter)"
            headers.append(("Link", "<\(next)>; rel=\"\(has(.referrersLinkRelation) ? "more" : "next")\""))
        }
        var index: [String: Any] = [
            "schemaVersion": has(.referrersVersion) ? 1 : 2, "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": page,
        ]
        if has(.referrersNoList) { index["manifests"] = nil }
        if has(.referrersEmptyIs204), page.isEmpty { return StubResponse(204) }
        do {
            return StubResponse(200, headers, Array(try JSONSerialization.data(withJSONObject: index)))
        } catch {
            return StubResponse(500)
        }
    }

    private func fits(_ entry: [String: Any], _ wanted: String) -> Bool {
        let type = entry["artifactType"] as? String ?? ""
        if has(.filterBySubstring) { return type.contains(wanted) }
        if has(.filterPlusIsBlank) { return type == wanted.replacingOccurrences(of: "+", with: " ") }
        if has(.filterMissesIndexes), (entry["mediaType"] as? String)?.contains("index") == true { return false }
        return type == wanted
    }

    private func descriptor(_ digest: String, _ manifest: StubManifest) -> [String: Any]? {
        let object: [String: Any]
        do {
            guard let parsed = try JSONSerialization.jsonObject(with: Data(manifest.bytes)) as? [String: Any] else {
                return nil
            }
            object = parsed
        } catch {
            return nil
        }
        var entry: [String: Any] = [
            "mediaType": manifest.type, "digest": digest, "size": has(.referrersSizeWrong) ? 1 : manifest.bytes.count,
        ]
        let configType = (object["config"] as? [String: Any])?["mediaType"] as? String
        if let type = object["artifactType"] as? String, !has(.noArtifactType) {
            entry["artifactType"] = type
        } else if object["artifactType"] == nil, let configType, !has(.noConfigType) {
            entry["artifactType"] = configType
        } else if object["artifactType"] == nil, configType == nil, has(.indexTypeInvented) {
            entry["artifactType"] = "application/vnd.oci.image.index.v1+json"
        }
        if let annotations = object["annotations"], !has(.noAnnotations) { entry["annotations"] = annotations }
        if has(.artifactTypeFromConfigAlways), let configType { entry["artifactType"] = configType }
        if has(.manyAnnotationsLost), (object["annotations"] as? [String: Any])?.count ?? 0 > 2 {
            entry["annotations"] = [String: String]()
        }
        if has(.indexAnnotationsMissing), manifest.type.contains("index") { entry["annotations"] = nil }
        if has(.indexSizeWrong), manifest.type.contains("index") { entry["size"] = manifest.bytes.count + 1 }
        if has(.referrersDataWrong) { entry["data"] = "AAAA" }
        if has(.indexTypeDropped), manifest.type.contains("index") { entry["artifactType"] = nil }
        return entry
    }
}
