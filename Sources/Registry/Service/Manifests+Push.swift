import Access
import Model
import Runtime
import Store

/// What a push of a manifest did.
package struct PushedManifest: Sendable {
    package let digest: Digest
    /// The manifest's subject, for the `OCI-Subject` header.
    package let subject: Digest?
}

extension Manifests {
    /// A manifest of up to this many bytes is parsed where it is; the others off the loop.
    private static let small = 4 << 10
    /// So many references are looked up while the writer is held; more of them before that.
    private static let few = 64

    /// Keeps a manifest under its digest and these tags. With a tag as reference the precondition is that tag's.
    /// Throws `.manifestInvalid`, `.manifestTooLarge`, `.digestInvalid`, `.manifestBlobUnknown`, `.preconditionFailed`.
    package func push(
        _ bytes: [UInt8], as reference: Reference, tags: [Tag] = [], contentType: String?,
        if precondition: Precondition = Precondition(), _ grant: RepositoryGrant
    ) async throws(RegistryError) -> PushedManifest {
        try grant.demand(.push)
        guard tags.count <= limits.tagsPerPush else {
            throw RegistryError(.tooManyTags, "send at most \(limits.tagsPerPush) tag parameters with one push")
        }
        let (manifest, stored) = try await read(bytes, reference, contentType)
        var targets = tags
        if case .tag(let tag) = reference, !tags.contains(tag) { targets.append(tag) }
        let push = ManifestPush(
            manifest: stored, manifest, tags: targets, isSparse: manifest.kind == .index && limits.sparseIndexes,
            precondition: precondition, repository: grant.target, principal: grant.caller.principal.id)
        switch try await carryOut(push, grant) {
        case .stored:
            shared?.keep(bytes, of: stored.digest)
            return PushedManifest(digest: stored.digest, subject: manifest.subject)
        case .missing(let digests): throw Self.unknownReferences(digests)
        case .disagrees(let disagreements): throw Self.refused(disagreements)
        case .preconditionFailed: throw Self.moved
        }
    }

    /// What takes long for a large manifest is done before it holds the writer: its references are looked up on a reader
    /// (the writer sees by the version whether that still holds) and its edges are written in parts.
    private func carryOut(
        _ push: ManifestPush, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> ManifestPush.Outcome {
        var looked: (look: ManifestPush.Look, version: Int64?)?
        var isKnown = false
        if push.content.required.count > Self.few {
            let version: Int64?
            let look: ManifestPush.Look
            (version, look, isKnown) = try await store.look { (db) throws(StoreError) in
                let known = try db.find(.digest(push.manifest.digest), in: push.repository)
                return (try db.version(of: push.repository), try push.look(db), known != nil)
            }
            if let refusal = look.refusal { return refusal }
            looked = (look, version)
        }
        let isLarge = push.manifest.edges.count > SQLTransaction.setLimit
        let staged = isLarge && !isKnown ? try await stage(push) : nil
        return try await store.change(grant) { [looked] (db) throws(StoreError) in
            try push.carryOut(db, looked: looked, staged: staged)
        }
    }

    /// Writes the edges of a manifest that is to come, a part a transaction, so that others get their turns.
    private func stage(_ push: ManifestPush) async throws(RegistryError) -> ManifestID {
        let id: ManifestID = store.ids.next()
        let edges = push.manifest.edges
        for first in stride(from: 0, to: edges.count, by: SQLTransaction.setLimit) {
            let part = edges[first..<min(first + SQLTransaction.setLimit, edges.count)]
            try await store.change(push.repository) { (db) throws(StoreError) in
                try db.addLoose(part, from: first, to: id, in: push.repository)
            }
        }
        return id
    }

    /// Removes what large manifests that are no more, or never came, have left; in parts.
    func removeLooseEdges() async throws(StoreError) {
        while try await store.read({ (db) throws(StoreError) in try db.hasLooseEdges() }) {
            _ = try await store.write { (db) throws(StoreError) in try db.removeLooseEdges() }
        }
    }

    /// Parses and hashes, off the loop where that takes long.
    private func read(
        _ bytes: [UInt8], _ reference: Reference, _ contentType: String?
    ) async throws(RegistryError) -> (Manifest, NewManifest) {
        let algorithm = if case .digest(let digest) = reference { digest.algorithm } else { Digest.Algorithm.sha256 }
        let body: @Sendable () -> Result<(Manifest, NewManifest), ParseError> = {
            Result { () throws(ParseError) in
                let manifest = try Manifest.parse(bytes, contentType: contentType)
                return (manifest, NewManifest(manifest, ContentHash.digest(algorithm, of: bytes), bytes))
            }
        }
        let parsed: Result<(Manifest, NewManifest), ParseError>
        if bytes.count <= Self.small {
            parsed = body()
        } else {
            parsed = try await storing { () throws(StoreError) in
                try await parsers.run { () throws(StoreError) in body() }
            }
        }
        switch parsed {
        case .failure(let error): throw RegistryError(error)
        case .success((let manifest, let stored)):
            if case .digest(let wanted) = reference, wanted != stored.digest {
                throw RegistryError(
                    .digestInvalid, "the manifest's digest is \(stored.digest), not \(wanted): push it under its own",
                    detail: ["digest": stored.digest.description])
            }
            return (manifest, stored)
        }
    }

    private static func unknownReferences(_ digests: [Digest]) -> RegistryError {
        RegistryError(each: digests) { digest in
            RegistryError(
                .manifestBlobUnknown,
                "the manifest names \(digest), which this repository lacks: push or mount it first",
                detail: ["digest": digest.description])
        }
    }

    private static func refused(_ disagreements: [Disagreement]) -> RegistryError {
        RegistryError(each: disagreements) { disagreement in
            RegistryError(
                .manifestInvalid, disagreement.message, detail: ["digest": disagreement.digest.description])
        }
    }
}
