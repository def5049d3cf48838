import Access
import Model
import Service
import Vocabulary

/// `/v2/<name>/manifests/<reference>` (end-3, -7, -9).
enum Manifests {
    static let operations = [
        Operation(
            .get, path, .repository(.pull), answers: [200, 304],
            failures: [.manifestUnknown, .digestInvalid, .preconditionFailed], rate: .read, spec: "end-3",
            atOnce: cached, get),
        Operation(
            .put, path, .repository(.push), body: .manifest, answers: [201],
            failures: [
                .manifestInvalid, .manifestTooLarge, .manifestBlobUnknown, .digestInvalid, .tagInvalid, .tooManyTags,
                .preconditionFailed, .storageFull,
            ], rate: .write, spec: "end-7a, end-7b", put),
        Operation(
            .delete, path, .repository(.delete), answers: [202],
            failures: [.manifestUnknown, .digestInvalid, .preconditionFailed, .denied], rate: .write, spec: "end-9",
            removesContent: true, delete),
    ]

    private static let path = "/v2/{name}/manifests/{reference}"

    @Sendable private static func cached(_ call: Call) throws(RegistryError) -> Response? {
        guard let grant = try call.grantIfThere() else { return nil }
        // Asked for first: what is read later holds for this state, or is not used.
        let state = try call.registry.manifests.state(grant)
        let reference = try call.existingReference()
        return try call.registry.manifests.atOnce(reference, takesIndexes: takesIndexes(call.request), grant)
            .map { response(call, $0, reference, grant, at: state) }
    }

    @Sendable private static func get(_ call: Call) async throws(RegistryError) -> Response {
        let (memory, limit, remote) = (call.answerMemory, call.registry.limits.manifest, call.request.remote)
        let (reference, grant) = (try call.existingReference(), try call.grant())
        let manifest = try await call.registry.manifests.get(
            reference, takesIndexes: takesIndexes(call.request), grant
        ) { bytes throws(RegistryError) in try await memory.room(for: bytes.map { Int($0) } ?? limit, remote) }
        return response(call, manifest, reference, grant)
    }

    private static func response(
        _ call: Call, _ manifest: StoredManifest, _ reference: Reference, _ grant: RepositoryGrant,
        at state: RepositoryState? = nil
    ) -> Response {
        if var other = Conditions.response(call.request, manifest.digest) {
            other.headers.append(("Vary", "Accept"))
            return other
        }
        let lines = HeaderLines([
            ("Content-Type", manifest.mediaType), (HeaderName.dockerContentDigest, manifest.digest.description),
            ("ETag", manifest.entityTag), ("Vary", "Accept"),
        ])
        let pulls = call.registry.pulls.counter(grant.target, reference)
        if call.request.method == .get { pulls.note() }
        call.prepare(lines, manifest, at: state, counting: pulls)
        return Response(200, lines, .bytes(manifest.bytes))
    }

    /// False only for a client that lists types of images and none of an index (content-negotiation.md).
    private static func takesIndexes(_ request: Request) -> Bool {
        var hasImage = false
        let hasIndex = request.headers.hasElement("Accept") { type in
            if type.equals("*/*") || type.equals("application/*") || type.equals("application/json") { return true }
            guard let kind = kinds.first(where: { $0.type.withUnsafeBytes(type.equals) })?.kind else { return false }
            hasImage = hasImage || kind == .image
            return kind == .index
        }
        return hasIndex || !hasImage
    }

    private static let kinds = Manifest.taken.map { (type: Array($0.key.utf8), kind: $0.value) }

    @Sendable private static func put(_ call: Call) async throws(RegistryError) -> Response {
        let request = call.request
        let reference = try parsing { () throws(ParseError) in try Reference.parse(call.parameters[.reference]) }
        var tags: [Tag] = []
        for text in request.query.all("tag") {
            let tag = try parsing { () throws(ParseError) in try Tag.parse(text) }
            if !tags.contains(tag) { tags.append(tag) }
        }
        let grant = try await call.grantMaking()
        let name = grant.target.name
        let share = call.manifestMemory.share(for: request.remote)
        let bytes = try await request.body.collect(upTo: call.registry.limits.manifest, in: share)
        let pushed = try await call.registry.manifests.push(
            bytes, as: reference, tags: tags, contentType: request.headers["Content-Type"],
            if: Conditions.precondition(request), grant)
        // The memory is its own as long as the bytes are worked on.
        withExtendedLifetime(share) {}
        var headers = [
            call.location("/v2/\(name)/manifests/\(pushed.digest)"),
            (HeaderName.dockerContentDigest, pushed.digest.description), ("ETag", Conditions.tag(pushed.digest)),
        ]
        if let subject = pushed.subject { headers.append((HeaderName.ociSubject, subject.description)) }
        // Proxies limit the length of a header line: ten tags on each.
        for start in stride(from: 0, to: tags.count, by: 10) {
            let line = tags[start..<min(start + 10, tags.count)].map(\.description).joined(separator: ", ")
            headers.append((HeaderName.ociTag, line))
        }
        return Response(201, headers)
    }

    @Sendable private static func delete(_ call: Call) async throws(RegistryError) -> Response {
        try await call.registry.manifests.delete(
            call.existingReference(), if: Conditions.precondition(call.request), call.grant())
        return Response(202)
    }
}

extension Call {
    /// The path's reference for content that should be there: of what is no tag there can be none.
    fileprivate func existingReference() throws(RegistryError) -> Reference {
        do throws(ParseError) {
            return try Reference.parse(parameters[.reference])
        } catch {
            guard error.subject == .tag else { throw RegistryError(error) }
            throw RegistryError(.manifestUnknown, error.message)
        }
    }
}
