import Access
import Metrics
import Model
import Runtime
import Store

/// Manifests: pulling them. Pushing and deleting stand in files of their own.
///
/// What a reference points to can change and is cached under the repository's version; bytes by digest never change and
/// are cached apart, so that a push does not empty the repository's cache: here first, and then where all nodes look.
package final class Manifests: Sendable {
    struct PointerKey: Hashable {
        let repository: RepositoryID
        let reference: Reference
    }

    /// What one reading is for.
    private struct Reading: Hashable {
        let state: RepositoryState
        let reference: Reference
        let takesIndexes: Bool
    }

    /// Gives the memory that a reading takes, to be held as long as it lasts; of so many bytes, where that is known.
    package typealias Room = @Sendable (_ bytes: Int64?) async throws(RegistryError) -> (any Sendable)?

    /// A manifest of so many bytes is answered without being counted.
    private static let few = 16 << 10

    let store: MetadataStore
    let shared: SharedContent?
    let limits: Registry.Limits
    /// For what takes long to parse or to hash.
    let parsers = BlockingExecutor(name: "manifests", threads: 2, capacity: 4096)
    private let pointers: VersionedCache<PointerKey, ManifestPointer>
    private let contents: GenerationCache<Digest, [UInt8]>
    private let readings = SingleFlight<Reading, Result<StoredManifest, RegistryError>>(capacity: 1024)

    init(_ store: MetadataStore, _ shared: SharedContent?, limits: Registry.Limits) {
        self.store = store
        self.shared = shared
        self.limits = limits
        pointers = VersionedCache(capacity: 4 << 20, versions: store.versions)
        contents = GenerationCache(capacity: limits.manifestCache)
    }

    /// Its caches and threads.
    var metrics: [MetricFamily] {
        BlockingExecutor.metrics([parsers])
            + CacheUsage.metrics([("references", pointers.usage), ("manifests", contents.usage)])
    }

    /// A manifest. A tag that points to an index gives the index's linux/amd64 image to a client that takes images alone
    /// (content-negotiation.md). Throws `.manifestUnknown`, `.nameUnknown`.
    package func get(
        _ reference: Reference, takesIndexes: Bool = true, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> StoredManifest {
        try grant.demand(.pull)
        guard let found = try await lookUp(reference, in: grant.target) else {
            throw try await missing(reference, in: grant.target)
        }
        guard let image = Self.choice(found, reference, takesIndexes) else { return found }
        // A sparse index, or the image was deleted: the tag is there all the same.
        return try await lookUp(.digest(image), in: grant.target)?.substituted ?? found
    }

    /// The same, read once for all who ask at once, and with the room that `room` gives as long as it is read: a crowd that
    /// asks for what is not cached has one copy of it.
    package func get(
        _ reference: Reference, takesIndexes: Bool, _ grant: RepositoryGrant, room: @escaping Room
    ) async throws(RegistryError) -> StoredManifest {
        try grant.demand(.pull)
        // Who has heard of a change has a later version than those whose reading began before it.
        let version = try await store.versions.version(of: .repository(grant.target.id))
        let state = RepositoryState(repository: grant.target.id, version: version)
        if let found = try atOnce(reference, takesIndexes: takesIndexes, grant) { return found }
        let pointer = pointers[PointerKey(repository: grant.target.id, reference: reference), at: version]
        let known = pointer.flatMap { takesIndexes || $0.defaultImage == nil ? $0 : nil }
        // Few bytes need no room, and nodes ask for them once however many wait.
        if let known, known.size <= Self.few, let bytes = await elsewhere(known) { return StoredManifest(known, bytes) }
        let alone: @Sendable () async -> Result<StoredManifest, RegistryError> = { [self] in
            do throws(RegistryError) {
                let held = try await room(known?.size)
                let found = try await get(reference, takesIndexes: takesIndexes, grant)
                withExtendedLifetime(held) {}
                return .success(found)
            } catch { return .failure(error) }
        }
        let key = Reading(state: state, reference: reference, takesIndexes: takesIndexes)
        guard let outcome = await readings.value(for: key, patience: .seconds(30), alone) else {
            throw RegistryError(.unavailable, "the registry is busy with this manifest: try again in a moment")
        }
        // Who began it may have had no right to more room; that is nobody else's fault.
        if case .failure(let error) = outcome, error.code == .unavailable { return try await alone().get() }
        return try outcome.get()
    }

    /// The same, if it is in memory; else nil.
    package func atOnce(
        _ reference: Reference, takesIndexes: Bool = true, _ grant: RepositoryGrant
    ) throws(RegistryError) -> StoredManifest? {
        try grant.demand(.pull)
        guard let found = cached(reference, in: grant.target) else { return nil }
        guard let image = Self.choice(found, reference, takesIndexes) else { return found }
        // That the image is gone is for `get` to find out.
        return cached(.digest(image), in: grant.target)?.substituted
    }

    /// The repository's state, if it is known without waiting.
    package func state(_ grant: RepositoryGrant) throws(RegistryError) -> RepositoryState? {
        try grant.demand(.pull)
        let scope = VersionScope.repository(grant.target.id)
        return store.versions.atOnce(scope).map { RepositoryState(repository: grant.target.id, version: $0) }
    }

    private static func choice(_ found: StoredManifest, _ reference: Reference, _ takesIndexes: Bool) -> Digest? {
        guard !takesIndexes, case .tag = reference else { return nil }
        return found.defaultImage
    }

    private func cached(_ reference: Reference, in repository: Repository) -> StoredManifest? {
        let key = PointerKey(repository: repository.id, reference: reference)
        guard let pointer = pointers[key, .repository(repository.id)], let bytes = contents[pointer.digest] else {
            return nil
        }
        return StoredManifest(pointer, bytes)
    }

    private func lookUp(
        _ reference: Reference, in repository: Repository
    ) async throws(RegistryError) -> StoredManifest? {
        let key = PointerKey(repository: repository.id, reference: reference)
        let version = try await store.versions.version(of: .repository(repository.id))
        if let pointer = pointers[key, at: version], let bytes = contents[pointer.digest] {
            return StoredManifest(pointer, bytes)
        }
        let last = pointers[key, at: version]
        if let last, let bytes = await elsewhere(last) { return StoredManifest(last, bytes) }
        guard let (known, read) = try await read(reference, in: repository, whole: last != nil) else { return nil }
        let pointer = ManifestPointer(
            digest: known.digest, mediaType: known.mediaType, size: known.size, defaultImage: known.defaultImage)
        pointers.insert(pointer, for: key, at: version)
        if let bytes = contents[known.digest] { return StoredManifest(pointer, bytes) }
        if read == nil, let bytes = await elsewhere(pointer) { return StoredManifest(pointer, bytes) }
        var bytes = read
        if bytes == nil {
            bytes = try await store.look { (db) throws(StoreError) in try db.intactBytes(of: known, in: repository) }
        }
        guard let bytes else { return nil }
        shared?.keep(bytes, of: known.digest)
        return StoredManifest(pointer, contents.keep(bytes, for: known.digest))
    }

    /// What the database has; without the bytes where they are at hand, or where another place may have them and it need not be
    /// `whole`.
    private func read(
        _ reference: Reference, in repository: Repository, whole isWhole: Bool
    ) async throws(RegistryError) -> (KnownManifest, [UInt8]?)? {
        typealias Found = (KnownManifest, [UInt8]?)
        let body: @Sendable (SQLTransaction) throws(StoreError) -> Found? = {
            [contents, shared] (db) throws(StoreError) in
            guard let known = try db.find(reference, in: repository) else { return nil }
            if contents[known.digest] != nil { return (known, nil) }
            if !isWhole, shared?.holds(known.size) == true { return (known, nil) }
            guard let bytes = try db.intactBytes(of: known, in: repository) else { return nil }
            return (known, bytes)
        }
        let found = try await store.look(body)
        guard let known = found?.0, known.isMarked else { return found }
        // It was about to be collected.
        return try await storing { () throws(StoreError) in
            try await store.erase { (db) throws(StoreError) in
                try db.renew(known.digest, in: repository)
                return try body(db)
            }
        }
    }

    /// Bytes that other nodes have read or got, which are kept here then.
    private func elsewhere(_ pointer: ManifestPointer) async -> [UInt8]? {
        guard let bytes = await shared?.bytes(of: pointer.digest, size: pointer.size, parsers) else { return nil }
        return contents.keep(bytes, for: pointer.digest)
    }

    /// The 404 for a manifest, which also says when the repository itself is not there.
    func missing(_ reference: Reference, in repository: Repository) async throws(RegistryError) -> RegistryError {
        guard try await store.look({ (db) throws(StoreError) in try db.hasBegun(repository) }) else {
            return .unknown(repository.name)
        }
        return RegistryError(
            .manifestUnknown,
            "\(repository.name) has no manifest \(reference): check the tag or digest, or push it first",
            detail: ["name": repository.name.description, "reference": reference.description])
    }

    static let moved = RegistryError(
        .preconditionFailed,
        "the content is not what the conditions ask for: pull it again, and name its digest in If-Match")
}

extension SQLTransaction {
    /// The bytes of a manifest; nil when it is gone. Throws `.damaged` where they are others.
    fileprivate func intactBytes(
        of known: KnownManifest, in repository: Repository
    ) throws(StoreError) -> [UInt8]? {
        guard let bytes = try bytes(of: known.id) else { return nil }
        guard ContentHash.digest(known.digest.algorithm, of: bytes) == known.digest else {
            throw StoreError(.damaged, "\(known.digest) of \(repository.name) has other bytes in the database")
        }
        return bytes
    }
}

extension ManifestPointer: Weighted {
    package var weight: Int { 2 * digest.description.utf8.count + mediaType.utf8.count + 100 }
}

extension [UInt8]: Weighted {
    package var weight: Int { count }
}
