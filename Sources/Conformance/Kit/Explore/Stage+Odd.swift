import Vocabulary

/// Requests that are not as they should be.
extension Stage {
    func ask(_ oddity: Oddity, _ probe: Probe, _ at: Int) throws {
        switch oddity {
        case .version(let isHead):
            let answer = try isHead ? probe.head(.path("/v2/")) : probe.get(.path("/v2/"))
            try hold(.version) {
                try answer.expect(200)
                guard let told = answer.headers[HeaderName.dockerAPIVersion] else { return }
                try require(
                    told == "registry/2.0", "\(answer.request): \(HeaderName.dockerAPIVersion): registry/2.0", told,
                    answer)
            }
            try settleHeaders(isHead ? "HEAD of /v2/" : "GET of /v2/", answer)
        case .route(let path):
            let answer = try probe.get(.path("/v2/\(names[at])\(path)"))
            try hold(.oddRequest) { _ = try answer.expectClientError("for a path that is no endpoint") }
        case .method(let method, let endpoint): try askMethod(probe, at, method, endpoint)
        case .digest(let digest, let endpoint, let method): try askDigest(probe, at, digest, endpoint, method)
        case .tag(let tag, let isPut): try askTag(probe, at, tag, isPut)
        case .name(let name, let isGood): try askName(probe, at, name, isGood)
        case .upload(let method): try askUpload(probe, at, method)
        case .manifest(let bad): try pushBad(probe, at, bad)
        case .query(let endpoint, let query): try askQuery(probe, at, endpoint, query)
        case .raw(let form): try askRaw(probe, at, form)
        }
    }

    func path(_ endpoint: Oddity.Endpoint, _ at: Int, _ digest: String) -> Place {
        switch endpoint {
        case .version: .path("/v2/")
        case .blob: seats[0].blobPlace(digest, in: names[at])
        case .manifest: seats[0].manifestPlace(digest, in: names[at])
        case .uploads: seats[0].uploadsPlace(in: names[at])
        case .tags: seats[0].tagsPlace(in: names[at])
        case .referrers: seats[0].referrersPlace(digest, in: names[at])
        }
    }

    private func askMethod(_ probe: Probe, _ at: Int, _ method: String, _ endpoint: Oddity.Endpoint) throws {
        let digest = try cast.digest(BlobKey(number: 99_999, size: 9))
        let answer = try probe.send(Request(method, path(endpoint, at, digest)))
        try hold(.method) {
            try answer.expect(anyOf: [405, 404, 401, 403, 501, 400], "for a method that the endpoint has not")
        }
    }

    private func askDigest(
        _ probe: Probe, _ at: Int, _ digest: String, _ endpoint: Oddity.Endpoint, _ method: String
    ) throws {
        let answer = try probe.send(Request(method, path(endpoint, at, digest)))
        if endpoint == .referrers {
            guard habits["the referrers API"] == "200" else { return }
            return try hold(.referrersMalformed) { _ = try answer.expect(400) }
        }
        try hold(.oddRequest) { _ = try answer.expectClientError("for a malformed digest") }
    }

    private func askTag(_ probe: Probe, _ at: Int, _ tag: String, _ isPut: Bool) throws {
        guard isPut else {
            let answer = try probe.get(probe.manifestPlace(tag, in: names[at]), ("Accept", MediaTypes.all))
            return try hold(.tagRefused) { _ = try answer.expectClientError("for a tag outside the grammar") }
        }
        guard let plan = world.holdings[at].liveManifests.min(by: { $0.number < $1.number }) else { return }
        let manifest = try cast.manifest(plan)
        let answer = try probe.putManifest(manifest.content, tag, type: manifest.type, in: names[at])
        try hold(.tagRefused) { _ = try answer.expectClientError("for a tag outside the grammar") }
    }

    /// A name outside the grammar is never made; one at its limits is taken, or refused as a client's error.
    private func askName(_ probe: Probe, _ at: Int, _ name: String, _ isGood: Bool) throws {
        let repository = names[at] + "/" + name
        let content = try cast.content(BlobKey(number: 88_000 + name.utf8.count, size: 64))
        let answer = try probe.postUpload("digest=" + queryEscaped(content.digest), in: repository, body: content)
        guard isGood else {
            return try hold(.name) {
                // What merges, decodes or resolves paths on the way asks the registry for another name.
                let mayBeCleaned = name.contains("//") || name.contains("..") || name.contains("%2")
                if mayBeCleaned, answer.status < 300 { return }
                try require(
                    (300..<500).contains(answer.status), "\(answer.request): 4xx, or a redirect to a clean path",
                    "status \(answer.status)", answer)
            }
        }
        try hold(.push) {
            try require(
                [201, 202].contains(answer.status) || (400..<500).contains(answer.status),
                "\(answer.request): 201, 202 or 4xx", "status \(answer.status)", answer)
        }
        guard answer.status == 201 else { return }
        let pulled = try probe.get(probe.blobPlace(content.digest, in: repository))
        try hold(.blobBytes) {
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        }
        let outside = try probe.get(probe.blobPlace(content.digest, in: names[names.count - 1]))
        try hold(.blobMissing) { _ = try outside.expect(anyOf: [404], "in a repository that was never made") }
    }

    private func askUpload(_ probe: Probe, _ at: Int, _ method: String) throws {
        // A body that is long enough has to be read, or the client never gets to the refusal.
        let content = try cast.content(BlobKey(number: 77_777, size: at == 0 ? 1_500_000 : 50))
        let place = Place.path("/v2/\(names[at])/blobs/uploads/00000000-0000-4000-8000-00000000dead")
        let answer: Answer
        switch method {
        case "PATCH": answer = try probe.patch(place, content)
        case "PUT": answer = try put(probe, place, content.digest, at, body: content)
        default: answer = try probe.send(Request(method, place))
        }
        if method == "DELETE", answer.status == 204 { return }
        try hold(.ended) { _ = try answer.expectClientError("for an upload that never was") }
        // A registry may cancel no uploads at all.
        let off = method == "DELETE" ? ErrorCode.unsupported : ErrorCode.blobUploadUnknown
        try expectCode(answer, ErrorCode.blobUploadUnknown, ErrorCode.blobUploadInvalid, ErrorCode.nameUnknown, off)
    }

    private func pushBad(_ probe: Probe, _ at: Int, _ bad: Oddity.BadManifest) throws {
        guard let plan = world.holdings[at].liveManifests.first(where: { $0.form == .image }) else { return }
        let good = try cast.manifest(plan)
        let text = String(decoding: good.content.bytes, as: UTF8.self)
        var (content, reference, type) = (good.content, "bad-\(plan.number)", good.type)
        switch bad {
        case .text: content = Content("this is no JSON")
        case .cut: content = Content(String(text.dropLast(text.count / 2)))
        case .empty: content = Content("")
        case .array: content = Content("[1,2,3]")
        case .wrongTypes: content = Content("{\"schemaVersion\":2,\"config\":\"x\",\"layers\":7}")
        case .wrongDigest: reference = try cast.digest(BlobKey(number: 66_666, size: 40))
        case .otherType: type = MediaType.ociIndex
        case .bothLists:
            content = Content(String(text.trimmed.dropLast()) + ",\"manifests\":[\(good.descriptor().json)]}")
        case .huge: content = Content.padded("{\"schemaVersion\":2,\"a\":\"", count: 24 << 20, "\"}")
        case .big: return try pushBig(probe, at, plan)
        }
        let answer = try probe.putManifest(content, reference, type: type, in: names[at])
        try hold(.manifestRefused) { _ = try answer.expectClientError("for a body that is no such manifest (\(bad))") }
        let seen = try probe.get(probe.manifestPlace(reference, in: names[at]), ("Accept", MediaTypes.all))
        try hold(.manifestMissing) { _ = try seen.expect(anyOf: [404], "for a manifest that was refused") }
    }

    /// A manifest of nearly 4 MB has to fit.
    private func pushBig(_ probe: Probe, _ at: Int, _ plan: ManifestPlan) throws {
        guard let config = plan.config, world.holdings[at].blob(config, .sha256) == .there else { return }
        var big = ManifestPlan(number: 55_555, config: config)
        big.padding = 3_900_000
        let manifest = try cast.manifest(big)
        let answer = try probe.putManifest(manifest.content, manifest.digest, type: manifest.type, in: names[at])
        try hold(.manifestSize) { _ = try answer.expect(anyOf: [201], "for a manifest of less than 4 MB") }
        world.holdings[at].pushed(big, .sha256, tags: [])
        let seen = try probe.get(probe.manifestPlace(manifest.digest, in: names[at]), ("Accept", manifest.type))
        try hold(.manifestBytes) {
            try seen.expect(200)
            try seen.expectBody(manifest.content.bytes)
        }
    }
}
