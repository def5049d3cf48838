import Model
import Runtime

extension SQLTransaction {
    /// Keeps a new session. False, and nothing is kept, where its address, its principal or all together have as many as
    /// they may; of a principal that is nobody in particular nothing is counted.
    package func begin(
        _ session: UploadSession, limits: UploadLimits = UploadLimits(), anonymous: PrincipalID? = nil
    ) throws(StoreError) -> Bool {
        guard try count("address = $2", .text(session.address), below: limits.ofAddress) else { return false }
        if session.principal != anonymous {
            let principal = SQLValue(session.principal)
            guard try count("principal_id = $2", principal, below: limits.ofPrincipal) else { return false }
        }
        guard try count("updated_at >= $2", .integer(0), below: limits.inAll) else { return false }
        try execute(
            """
            INSERT INTO upload_sessions
                (id, repository_id, principal_id, address, storage_key, algorithm, received, hash_state, driver_state, fence,
                created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
            """,
            [
                .text(session.id), SQLValue(session.repository.id), SQLValue(session.principal), .text(session.address),
                .text(session.key.description), .text(session.hash.algorithm.rawValue), .integer(session.received),
                .bytes(session.sealedHash), .bytes(session.driver), .integer(session.fence), SQLValue(now),
            ])
        try addUploads(1)
        return true
    }

    /// Whether fewer sessions than `limit` meet a condition; counts no further than that.
    private func count(_ condition: String, _ value: SQLValue, below limit: Int) throws(StoreError) -> Bool {
        let row = try rows(
            "SELECT COUNT(*) FROM (SELECT 1 AS one FROM upload_sessions WHERE \(condition) LIMIT $1) AS found",
            [SQLValue(limit), value]
        ).first
        return try row?.integer(0) ?? 0 < Int64(limit)
    }

    /// The session, if it belongs to this repository and principal. Throws `.unusable` for one whose hash or driver state is
    /// not what was saved with it.
    package func session(
        _ id: String, in repository: Repository, of principal: PrincipalID
    ) throws(StoreError) -> UploadSession? {
        let row = try rows(
            """
            SELECT storage_key, algorithm, received, hash_state, address, driver_state, fence FROM upload_sessions
            WHERE id = $1 AND repository_id = $2 AND principal_id = $3
            """, [.text(id), SQLValue(repository.id), SQLValue(principal)]
        ).first
        guard let row else { return nil }
        let sealed = try row.bytes(3)
        guard let algorithm = Digest.Algorithm(rawValue: try row.text(1)),
            let hash = ContentHash(algorithm, state: Array(sealed.dropLast(UploadSession.sealLength)))
        else { throw StoreError(.unusable, "the hash state of upload \(id) cannot be read") }
        var session = UploadSession(
            id: id, repository: repository, principal: principal, address: try row.text(4),
            key: StorageKey(try row.text(0)), received: try row.integer(2), hash: hash)
        session.driver = try row.bytes(5)
        session.fence = try row.integer(6)
        guard session.sealedHash == sealed, hash.count == session.received else {
            throw StoreError(.unusable, "the state of upload \(id) is not what was saved")
        }
        return session
    }

    /// Keeps what a session has received, under the next fence. False when it is gone, or somebody else saved it meanwhile.
    package func save(_ session: UploadSession) throws(StoreError) -> Bool {
        try execute(
            """
            UPDATE upload_sessions SET received = $3, hash_state = $4, driver_state = $5, algorithm = $6,
                fence = fence + 1, updated_at = $7
            WHERE id = $1 AND fence = $2
            """,
            [
                .text(session.id), .integer(session.fence), .integer(session.received), .bytes(session.sealedHash),
                .bytes(session.driver), .text(session.hash.algorithm.rawValue), SQLValue(now),
            ]) > 0
    }

    /// Ends a session whose durable bytes are the blob `digest`: it becomes visible in the session's repository. The first
    /// to push a digest keeps its object and the bytes of the others go, unless that object is damaged or is `doubtful`.
    /// `leftovers`: what the session has besides its object, to be removed.
    package func finish(
        _ session: UploadSession, as digest: Digest, stamp: String, replacing doubtful: StorageKey? = nil,
        leaving leftovers: [StorageKey] = []
    ) throws(StoreError) -> UploadEnd {
        guard try removeSession(session) else { return .gone }
        try retire(leftovers)
        let object: [SQLValue] = [
            SQLValue(digest), .integer(session.received), .text(session.key.description), .text(stamp),
        ]
        let end: UploadEnd
        switch try blobAnywhere(digest) {
        case .some(let known) where !known.isDamaged && known.key != doubtful:
            try retire(session.key)
            end = .known
        case .some(let known):
            try retire(known.key)
            try execute(
                "UPDATE blobs SET size = $2, storage_key = $3, witness = $4, damaged_at = NULL WHERE digest = $1",
                object)
            end = .replaced
        case .none:
            let id: BlobID = newID()
            try execute(
                "INSERT INTO blobs (digest, size, storage_key, witness, id, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
                object + [SQLValue(id), SQLValue(now)])
            end = .stored
        }
        try link(digest, to: session.repository)
        return end
    }

    /// Ends a session without a blob. False when it is gone. `leftovers`: what it has besides its object, to be removed too.
    package func cancel(
        _ session: UploadSession, leaving leftovers: [StorageKey] = []
    ) throws(StoreError) -> Bool {
        guard try removeSession(session) else { return false }
        try retire([session.key] + leftovers)
        return true
    }

    /// Ids of sessions that nobody has saved since `oldest`, oldest first, and where the list goes on; nil at its end.
    package func idleSessions(
        since oldest: Timestamp, after cursor: SessionCursor?, limit: Int
    ) throws(StoreError) -> (ids: [String], next: SessionCursor?) {
        let found = try rows(
            """
            SELECT id, updated_at FROM upload_sessions
            WHERE updated_at < $1 AND (updated_at, id) > ($2, $3) ORDER BY updated_at, id LIMIT $4
            """,
            [SQLValue(oldest), .integer(cursor?.updatedAt ?? .min), .text(cursor?.id ?? ""), SQLValue(limit)])
        guard found.count == limit, let last = found.last else { return (try found.texts(), nil) }
        return (try found.texts(), SessionCursor(updatedAt: try last.integer(1), id: try last.text(0)))
    }

    /// Ends those of the sessions that still nobody has saved since `oldest`; gives their number. `leftovers` tells what one of
    /// this object and state of its driver has besides the object; where that cannot be read, nothing is known of it.
    package func expireSessions(
        _ ids: [String], idleSince oldest: Timestamp,
        leaving leftovers: (StorageKey, [UInt8], Bool) throws(StoreError) -> [StorageKey] = { _, _, _ in [] }
    ) throws(StoreError) -> Int {
        let ended = try rows(for: ids, shared: [SQLValue(oldest)]) {
            [.text($0)]
        } _: { list in
            """
            DELETE FROM upload_sessions WHERE updated_at < $1 AND id IN (VALUES \(list))
            RETURNING storage_key, driver_state
            """
        }
        var keys: [StorageKey] = []
        for row in ended {
            let key = StorageKey(try row.text(0))
            keys.append(key)
            do throws(StoreError) {
                keys += try leftovers(key, try row.bytes(1), false)
            } catch {
                guard error.code == .unusable else { throw error }
            }
        }
        try retire(keys)
        try addUploads(-ended.count)
        return ended.count
    }

    private func removeSession(_ session: UploadSession) throws(StoreError) -> Bool {
        let gone = try execute(
            "DELETE FROM upload_sessions WHERE id = $1 AND fence = $2", [.text(session.id), .integer(session.fence)])
        try addUploads(-gone)
        return gone > 0
    }
}

extension UploadSession {
    fileprivate static let sealLength = 32

    /// The hash's state, and behind it a digest over everything that has to fit together for it to be gone on with: a state
    /// that was changed, or is another session's, is refused before it is used.
    fileprivate var sealedHash: [UInt8] {
        var seal = ContentHash(.sha256)
        let parts = [
            Array("upload 1".utf8), Array(id.utf8), Array(key.description.utf8), Array(String(received).utf8),
            Array(hash.algorithm.rawValue.utf8), hash.state, driver,
        ]
        for part in parts {
            Array("\(part.count):".utf8).withUnsafeBytes { seal.update($0) }
            part.withUnsafeBytes { seal.update($0) }
        }
        return hash.state + seal.digest.compact.dropFirst()
    }
}
