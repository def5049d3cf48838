import Model

extension MetadataStore {
    /// Keeps a new session.
    package func begin(_ session: UploadSession) async throws(StoreError) {
        _ = try await database.write { (db) throws(StoreError) in
            try db.execute(
                """
                INSERT INTO upload_sessions
                    (id, repository, principal, storage_key, algorithm, received, hash_state, updated_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                """,
                [
                    .text(session.id), .text(session.repository.description), .text(session.principal),
                    .text(session.key.description), .text(session.hash.algorithm.rawValue),
                    .integer(session.received), .bytes(session.hash.state), .integer(Self.now()),
                ])
        }
    }

    /// The session, if it belongs to this repository and principal.
    package func session(
        _ id: String, in repository: RepositoryName, of principal: String
    ) async throws(StoreError) -> UploadSession? {
        let row = try await database.read { (db) throws(StoreError) in
            try db.rows(
                """
                SELECT storage_key, algorithm, received, hash_state FROM upload_sessions
                WHERE id = $1 AND repository = $2 AND principal = $3
                """, [.text(id), .text(repository.description), .text(principal)]
            ).first
        }
        guard let row else { return nil }
        guard let algorithm = Digest.Algorithm(rawValue: try row.text(1)),
            let hash = ContentHash(algorithm, state: try row.bytes(3))
        else { throw StoreError(.damaged, "the hash state of upload \(id) cannot be read") }
        return UploadSession(
            id: id, repository: repository, principal: principal, key: StorageKey(try row.text(0)),
            received: try row.integer(2), hash: hash)
    }

    /// Keeps what a session has received. False when it is gone, or was written to by someone else since `previous`.
    package func save(_ session: UploadSession, since previous: Int64) async throws(StoreError) -> Bool {
        try await database.write { (db) throws(StoreError) in
            try db.execute(
                """
                UPDATE upload_sessions SET received = $3, hash_state = $4, algorithm = $5, updated_at = $6
                WHERE id = $1 AND received = $2
                """,
                [
                    .text(session.id), .integer(previous), .integer(session.received), .bytes(session.hash.state),
                    .text(session.hash.algorithm.rawValue), .integer(Self.now()),
                ]) > 0
        }
    }

    /// Ends a session whose durable bytes are the blob `digest`: it becomes visible in the session's repository. The first
    /// to push a digest keeps its object and the bytes of the others go, unless that object is damaged or is `doubtful`.
    package func finish(
        _ session: UploadSession, as digest: Digest, stamp: String, replacing doubtful: StorageKey? = nil
    ) async throws(StoreError) -> UploadEnd {
        try await database.write { (db) throws(StoreError) in
            guard try db.execute("DELETE FROM upload_sessions WHERE id = $1", [.text(session.id)]) > 0 else {
                return .gone
            }
            let known = try db.location(of: digest)
            let end: UploadEnd
            switch known {
            case .some(let known) where !known.isDamaged && known.key != doubtful:
                try db.retire(session.key)
                end = .known
            case .some(let known):
                try db.retire(known.key)
                try db.execute(
                    "UPDATE blobs SET size = $2, storage_key = $3, stamp = $4, damaged_at = NULL WHERE digest = $1",
                    [
                        .text(digest.description), .integer(session.received), .text(session.key.description),
                        .text(stamp),
                    ])
                end = .replaced
            case .none:
                try db.execute(
                    "INSERT INTO blobs (digest, size, storage_key, stamp, created_at) VALUES ($1, $2, $3, $4, $5)",
                    [
                        .text(digest.description), .integer(session.received), .text(session.key.description),
                        .text(stamp), .integer(Self.now()),
                    ])
                end = .stored
            }
            try db.link(digest, to: session.repository)
            return end
        }
    }

    /// Ends a session without a blob. False when it is gone.
    package func cancel(_ session: UploadSession) async throws(StoreError) -> Bool {
        try await database.write { (db) throws(StoreError) in
            guard try db.execute("DELETE FROM upload_sessions WHERE id = $1", [.text(session.id)]) > 0 else {
                return false
            }
            try db.retire(session.key)
            return true
        }
    }

    /// Ends the sessions that nobody has written to for `idle`, but for those that are being written to; gives their
    /// number.
    package func expireSessions(idle: Duration, inUse: Set<String>) async throws(StoreError) -> Int {
        try await database.write { (db) throws(StoreError) in
            let oldest = Self.now() - idle.components.seconds * 1000
            let rows = try db.rows(
                "SELECT id, storage_key FROM upload_sessions WHERE updated_at < $1 ORDER BY updated_at LIMIT 1000",
                [.integer(oldest)])
            var count = 0
            for row in rows {
                let id = try row.text(0)
                if inUse.contains(id) { continue }
                try db.execute("DELETE FROM upload_sessions WHERE id = $1", [.text(id)])
                try db.retire(StorageKey(try row.text(1)))
                count += 1
            }
            return count
        }
    }
}
