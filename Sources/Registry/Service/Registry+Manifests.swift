import Access
import Model
import Store
import Vocabulary

extension StoredManifest: Weighted {
    var weight: Int { bytes.count + mediaType.utf8.count + 100 }
}

/// What a push of a manifest did.
package struct PushedManifest: Sendable {
    package let digest: Digest
    /// The manifest's subject, for the `OCI-Subject` header.
    package let subject: Digest?
}

extension Registry {
    /// A manifest's bytes. A tag that points to an index gives the index's linux/amd64 image to a client that takes
    /// images alone (content-negotiation.md). Throws `.manifestUnknown`, `.nameUnknown`.
    package func manifest(
        _ reference: Reference, in repository: RepositoryName, takesIndexes: Bool = true, _ grant: Grant
    ) async throws(RegistryError) -> StoredManifest {
        let found = try await lookUp(reference, in: repository)
        guard Self.isToChoose(found, reference, takesIndexes) else { return found }
        let index: Manifest
        do {
            index = try Manifest.parse(found.bytes, contentType: found.mediaType)
        } catch {
            return found
        }
        let choice = index.platforms.first { $0.os == "linux" && $0.architecture == "amd64" }
        guard let choice else { return found }
        do throws(RegistryError) {
            return try await lookUp(.digest(choice.digest), in: repository)
        } catch  where error.code == .manifestUnknown {
            // A sparse index, or the image was deleted: the tag is there all the same.
            return found
        }
    }

    /// The same, if it is in memory and nothing is to be chosen from an index; else nil.
    package func cachedManifest(
        _ reference: Reference, in repository: RepositoryName, takesIndexes: Bool = true, _ grant: Grant
    ) -> StoredManifest? {
        manifests[repository, reference.description].flatMap {
            Self.isToChoose($0, reference, takesIndexes) ? nil : $0
        }
    }

    private static func isToChoose(_ found: StoredManifest, _ reference: Reference, _ takesIndexes: Bool) -> Bool {
        guard !takesIndexes, case .tag = reference else { return false }
        return Manifest.taken[found.mediaType] == .index
    }

    private func lookUp(
        _ reference: Reference, in repository: RepositoryName
    ) async throws(RegistryError) -> StoredManifest {
        let item = reference.description
        if let cached = manifests[repository, item] { return cached }
        let version = manifests.version(of: repository)
        let found = try await storing { () throws(StoreError) in try await metadata.manifest(reference, in: repository)
        }
        guard let found else { throw try await missing(reference, in: repository) }
        manifests.insert(found, for: repository, item, version: version)
        return found
    }

    /// Keeps a manifest under its digest and these tags. With a tag as reference the precondition is that tag's.
    /// Throws `.manifestInvalid`, `.manifestTooLarge`, `.digestInvalid`, `.manifestBlobUnknown`, `.preconditionFailed`.
    package func push(
        _ bytes: [UInt8], as reference: Reference, tags: [Tag] = [], contentType: String?,
        to repository: RepositoryName,
        if precondition: TagPrecondition = TagPrecondition(), _ grant: Grant
    ) async throws(RegistryError) -> PushedManifest {
        guard tags.count <= limits.tagsPerPush else {
            throw RegistryError(.tooManyTags, "send at most \(limits.tagsPerPush) tag parameters with one push")
        }
        let (manifest, stored) = try await read(bytes, reference, contentType)
        var targets = tags
        if case .tag(let tag) = reference { targets.append(tag) }
        let isSparse = manifest.kind == .index && limits.sparseIndexes
        let outcome = try await storing { [targets] () throws(StoreError) in
            try await metadata.push(
                stored, manifest, tags: targets, in: repository, requiring: isSparse ? [] : manifest.required,
                if: precondition)
        }
        switch outcome {
        case .stored:
            manifests.invalidate(repository)
            return PushedManifest(digest: stored.digest, subject: manifest.subject)
        case .missing(let digests):
            throw Self.unknownReferences(digests)
        case .preconditionFailed:
            throw Self.moved
        }
    }

    /// Parses and hashes where blocking is allowed.
    private func read(
        _ bytes: [UInt8], _ reference: Reference, _ contentType: String?
    ) async throws(RegistryError) -> (Manifest, StoredManifest) {
        let parsed = try await storing { () throws(StoreError) in
            try await parsers.run { () throws(StoreError) in
                Result { () throws(ParseError) in
                    let algorithm =
                        if case .digest(let digest) = reference { digest.algorithm } else { Digest.Algorithm.sha256 }
                    return (
                        try Manifest.parse(bytes, contentType: contentType), ContentHash.digest(algorithm, of: bytes)
                    )
                }
            }
        }
        do {
            let (manifest, digest) = try parsed.get()
            if case .digest(let wanted) = reference, wanted != digest {
                throw RegistryError(
                    .digestInvalid, "the manifest's digest is \(digest), not \(wanted): push it under its own",
                    detail: ["digest": digest.description])
            }
            return (manifest, StoredManifest(digest: digest, mediaType: manifest.mediaType, bytes: bytes))
        } catch let error as RegistryError {
            throw error
        } catch let error as ParseError {
            throw RegistryError(error)
        } catch {
            throw RegistryError(.internalError, "the manifest could not be read", cause: "\(error)")
        }
    }

    /// Removes a tag, or a manifest with its tags. Throws `.manifestUnknown`, `.nameUnknown`, `.unsupported`,
    /// `.preconditionFailed`.
    package func delete(
        _ reference: Reference, from repository: RepositoryName, if precondition: TagPrecondition = TagPrecondition(),
        _ grant: Grant
    ) async throws(RegistryError) {
        try checkDeletes()
        let outcome = try await storing { () throws(StoreError) in
            try await metadata.remove(reference, from: repository, if: precondition)
        }
        manifests.invalidate(repository)
        switch outcome {
        case .removed: return
        case .missing: throw try await missing(reference, in: repository)
        case .preconditionFailed: throw Self.moved
        }
    }

    private static let moved = RegistryError(
        .preconditionFailed,
        "the content is not what the conditions ask for: pull it again, and name its digest in If-Match")

    func checkDeletes() throws(RegistryError) {
        guard limits.deletes else {
            throw RegistryError(.methodNotAllowed, "this registry does not delete: its operator has switched it off")
        }
    }

    /// The 404 for a manifest, which also says when the repository itself is not there.
    private func missing(
        _ reference: Reference, in repository: RepositoryName
    ) async throws(RegistryError) -> RegistryError {
        let isKnown = try await storing { () throws(StoreError) in try await metadata.hasRepository(repository) }
        guard isKnown else { return Self.unknownRepository(repository) }
        return RegistryError(
            .manifestUnknown, "\(repository) has no manifest \(reference): check the tag or digest, or push it first",
            detail: ["name": repository.description, "reference": reference.description])
    }

    static func unknownRepository(_ repository: RepositoryName) -> RegistryError {
        RegistryError(
            .nameUnknown, "there is no repository \(repository): check the name, or push to it first",
            detail: ["name": repository.description])
    }

    private static func unknownReferences(_ digests: [Digest]) -> RegistryError {
        var errors = digests.map { digest in
            RegistryError(
                .manifestBlobUnknown,
                "the manifest names \(digest), which this repository lacks: push or mount it first",
                detail: ["digest": digest.description])
        }
        var first = errors.removeFirst()
        first.others = errors
        return first
    }
}
