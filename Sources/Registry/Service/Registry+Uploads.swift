import Access
import Model
import Runtime
import Store

/// A body as it arrives.
package protocol ByteSource: Sendable {
    /// What has arrived since the last call, at least a byte; nil at the end. Throws `.requestTimeout` or
    /// `.connectionCut` when the rest will not come.
    func next() async throws(RegistryError) -> [any ByteChunk]?
    /// Bytes that the sender has announced; nil when it has not.
    var length: Int64? { get }
}

/// How far an upload is.
package struct UploadStatus: Sendable {
    package let id: String
    /// Bytes that are kept.
    package let received: Int64
}

extension Registry {
    /// Fewest bytes that every chunk of an upload but its last should have; 1 where it does not matter.
    package var smallestChunk: Int64 { blobs.smallestChunk }

    /// Begins an upload (end-4a, end-4c). Throws `.tooManyUploads`.
    package func beginUpload(
        algorithm: Digest.Algorithm, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> UploadStatus {
        try grant.demand(.push)
        let session = UploadSession(
            id: store.ids.uuid(), repository: grant.target, principal: grant.caller.principal.id,
            address: grant.caller.address, key: blobs.newKey(), received: 0, hash: ContentHash(algorithm))
        let bounds = limits.uploads
        let isTaken = try await store.change(grant) { (db) throws(StoreError) in
            try db.begin(session, limits: bounds, anonymous: Principal.anonymous.id)
        }
        guard isTaken else {
            throw RegistryError(
                .tooManyUploads, "too many uploads are in progress: finish or cancel some, or wait for them to expire")
        }
        activity.touch(session.id)
        return UploadStatus(id: session.id, received: 0)
    }

    /// How far an upload is (end-13). Throws `.blobUploadUnknown`.
    package func upload(
        _ id: String, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> UploadStatus {
        // A sender that was cut off a moment ago may still be handing in its last bytes: these count.
        if await locks.acquire(id, for: grant.caller.address, patience: .seconds(2)) { locks.release(id) }
        return UploadStatus(id: id, received: try await session(id, grant).received)
    }

    /// Appends a chunk (end-5). What arrived stays, also when the connection is cut.
    /// Throws `.blobUploadUnknown`, `.chunkOutOfOrder`, `.sizeInvalid`, `.storageFull`.
    package func append(
        _ body: some ByteSource, at range: ChunkRange?, to id: String, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> UploadStatus {
        try await exclusively(id, grant) { () throws(RegistryError) in
            var session = try await session(id, grant)
            try await receive(body, at: range, into: &session)
            return UploadStatus(id: id, received: session.received)
        }
    }

    /// Ends an upload, with a last chunk or without: the bytes become the blob `digest` (end-6).
    /// Throws as `append` does, and `.digestInvalid` when they are other bytes; the upload is over then.
    package func finishUpload(
        _ id: String, with body: some ByteSource, at range: ChunkRange?, as digest: Digest,
        _ grant: RepositoryGrant
    ) async throws(RegistryError) {
        try await exclusively(id, grant) { () throws(RegistryError) in
            var session = try await session(id, grant)
            if session.received == 0, session.hash.algorithm != digest.algorithm {
                session.hash = ContentHash(digest.algorithm)
            }
            let witness = try await receiveLast(body, at: range, into: &session)
            try await finish(session, as: digest, witness: witness, grant)
        }
    }

    /// Ends an upload without a blob (end-14). Throws `.blobUploadUnknown`.
    package func cancelUpload(
        _ id: String, _ grant: RepositoryGrant
    ) async throws(RegistryError) {
        try await exclusively(id, grant) { () throws(RegistryError) in
            let session = try await session(id, grant)
            try await discard(session)
        }
    }

    /// Ends an upload of which the client was never told. One that cannot be ended is left to expire: pushes that fail on a
    /// full disk must not use up the reserve that is for deletions.
    package func abandonUpload(_ id: String, _ grant: RepositoryGrant) async {
        do throws(RegistryError) {
            try await exclusively(id, grant) { () throws(RegistryError) in
                let session = try await session(id, grant)
                let leftovers = try await leftovers(session)
                let ended = try await store.change(session.repository) { (db) throws(StoreError) in
                    try db.cancel(session, leaving: leftovers)
                }
                try discarded(session, ended)
            }
        } catch {
            log.warning("an upload is left to expire", metadata: ["upload": "\(id)", "cause": "\(error.message)"])
        }
    }

    private func finish(
        _ session: UploadSession, as digest: Digest, witness: String, _ grant: RepositoryGrant
    ) async throws(RegistryError) {
        let actual = try await digestOf(session, as: digest.algorithm)
        guard actual == digest else {
            try await discard(session)
            throw RegistryError(
                .digestInvalid,
                "the digest of the bytes that arrived is \(actual), not \(digest): upload the blob again",
                detail: ["digest": actual.description, "size": "\(session.received)"])
        }
        let doubtful = try await doubtful(digest)
        let leftovers = try await leftovers(session, isFinished: true)
        let ended = try await store.change(grant) { (db) throws(StoreError) in
            try db.finish(session, as: digest, stamp: witness, replacing: doubtful, leaving: leftovers)
        }
        activity.end(session.id)
        switch ended {
        case .gone: throw try await overtaken(session)
        case .stored: if !leftovers.isEmpty { sweeper.request() }
        case .known, .replaced: sweeper.request()
        }
    }

    /// The object that a digest has already, unless it is as it was left: bytes that have just been hashed take the place of
    /// some that would have to be read, or cannot be.
    private func doubtful(_ digest: Digest) async throws(RegistryError) -> StorageKey? {
        let older = try await store.look { (db) throws(StoreError) in try db.blobAnywhere(digest) }
        guard let older else { return nil }
        do throws(RegistryError) {
            return try await open(digest, at: older).witness == older.stamp ? nil : older.key
        } catch {
            return older.key
        }
    }

    /// The digest of a session's bytes; read again only where the client ends with another algorithm than it began with.
    private func digestOf(
        _ session: UploadSession, as algorithm: Digest.Algorithm
    ) async throws(RegistryError) -> Digest {
        guard session.hash.algorithm != algorithm else { return session.hash.digest }
        return try await storing { () throws(StoreError) in
            try await blobs.open(session.key).digest(algorithm)
        }
    }

    private func discard(_ session: UploadSession) async throws(RegistryError) {
        let leftovers = try await leftovers(session)
        let cancelled = try await store.remove(from: session.repository) { (db) throws(StoreError) in
            try db.cancel(session, leaving: leftovers)
        }
        try discarded(session, cancelled)
    }

    private func leftovers(
        _ session: UploadSession, isFinished: Bool = false
    ) async throws(RegistryError) -> [StorageKey] {
        try await storing { () throws(StoreError) in
            try blobs.leftovers(session.key, session.driver, isFinished: isFinished)
        }
    }

    private func discarded(_ session: UploadSession, _ isEnded: Bool) throws(RegistryError) {
        activity.end(session.id)
        guard isEnded else { throw Self.unknownUpload(session.id) }
        sweeper.request()
    }

    func session(
        _ id: String, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> UploadSession {
        try grant.demand(.push)
        let (repository, principal) = (grant.target, grant.caller.principal.id)
        do throws(StoreError) {
            let session = try await store.read { (db) throws(StoreError) in
                try db.session(id, in: repository, of: principal)
            }
            if let session { return session }
        } catch {
            // Whatever else is wrong with the store says nothing of the upload.
            guard error.code == .unusable else { throw RegistryError(error) }
            log.error("an upload cannot be gone on with", metadata: ["upload": "\(id)", "cause": "\(error.cause)"])
        }
        throw Self.unknownUpload(id)
    }

    private func exclusively<T>(
        _ id: String, _ grant: RepositoryGrant, _ body: () async throws(RegistryError) -> T
    ) async throws(RegistryError) -> T {
        guard await locks.acquire(id, for: grant.caller.address, patience: .seconds(10)) else {
            throw RegistryError(
                .blobUploadBusy, "another request is writing to this upload: wait for it, or begin a new upload")
        }
        defer { locks.release(id) }
        return try await body()
    }

    private static func unknownUpload(_ id: String) -> RegistryError {
        RegistryError(
            .blobUploadUnknown, "there is no such upload: it has ended, expired or never was; begin a new one",
            detail: ["upload": id.excerpt])
    }
}
