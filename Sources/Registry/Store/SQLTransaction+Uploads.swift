import Model
import Runtime

extension SQLTransaction {
    /// Keeps a new session.
    package func begin(_ session: UploadSession) throws(StoreError) {
        try execute(
            """
            INSERT INTO upload_sessions
                (id, repository_id, principal_id, address, storage_key, algorithm, received, hash_state, driver_state,
                lease_until, fence, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $10)
            """,
            [
                .text(session.id), SQLValue(session.repository.id), SQLValue(session.principal), .text(session.address),
                .text(session.key.description), .text(session.hash.algorithm.rawValue), .integer(session.received),
                .bytes(session.hash.state), .bytes([]), SQLValue(now),
            ])
    }

    /// The session, if it belongs to this repository and principal.
    package func session(
        _ id: String, in repository: Repository, of principal: PrincipalID
    ) throws(StoreError) -> UploadSession? {
        let row = try rows(
            """
            SELECT storage_key, algorithm, received, hash_state, address FROM upload_sessions
            WHERE id = $1 AND repository_id = $2 AND principal_id = $3
            """, [.text(id), SQLValue(repository.id), SQLValue(principal)]
        ).first
        guard let row else { return nil }
        guard let algorithm = Digest.Algorithm(rawValue: try row.text(1)),
            let hash = ContentHash(algorithm, state: try row.bytes(3))
        else { throw StoreError(.damaged, "the hash state of upload \(id) cannot be read") }
        return UploadSession(
            id: id, repository: repository, principal: principal, address: try row.text(4),
            key: StorageKey(try row.text(0)), received: try row.integer(2), hash: hash)
    }

    /// Keeps what a session has received. False when it is gone, or was written to by someone else since `previous`.
    package func save(_ session: UploadSession, since previous: Int64) throws(StoreError) -> Bool {
        try execute(
            """
            UPDATE upload_sessions SET received = $3, hash_state = $4, algorithm = $5, updated_at = $6
            WHERE id = $1 AND received = $2
            """,
            [
                .text(session.id), .integer(previous), .integer(session.received), .bytes(session.hash.state),
                .text(session.hash.algorithm.rawValue), SQLValue(now),
            ]) > 0
    }

    /// Ends a session whose durable bytes are the blob `digest`: it becomes visible in the session's repository. The first
    /// to push a digest keeps its object and the bytes of the others go, unless that object is damaged or is `doubtful`.
    package func finish(
        _ session: UploadSession, as digest: Digest, stamp: String, replacing doubtful: StorageKey? = nil
    ) throws(StoreError) -> UploadEnd {
        guard try removeSession(session.id) else { return .gone }
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

    /// Ends a session without a blob. False when it is gone.
    package func cancel(_ session: UploadSession) throws(StoreError) -> Bool {
        guard try removeSession(session.id) else { return false }
        try retire(session.key)
        return true
    }

    /// Ends the sessions that nobody has written to since `oldest`, but for those that are being written to; gives their
    /// number.
    package func expireSessions(idleSince oldest: Timestamp, inUse: Set<String>) throws(StoreError) -> Int {
        let found = try rows(
            "SELECT id, storage_key FROM upload_sessions WHERE updated_at < $1 ORDER BY updated_at LIMIT 1000",
            [SQLValue(oldest)])
        var count = 0
        for row in found {
            let id = try row.text(0)
            guard !inUse.contains(id), try removeSession(id) else { continue }
            try retire(StorageKey(try row.text(1)))
            count += 1
        }
        return count
    }

    private func removeSession(_ id: String) throws(StoreError) -> Bool {
        try execute("DELETE FROM upload_sessions WHERE id = $1", [.text(id)]) > 0
    }
}
