import Model

extension MetadataStore {
    /// Where the blob is, if this repository has it: a digest known elsewhere is not found here.
    package func blob(_ digest: Digest, in repository: RepositoryName) async throws(StoreError) -> BlobLocation? {
        try await database.read { (db) throws(StoreError) in
            try db.rows(
                """
                SELECT b.storage_key, b.size, b.stamp, b.damaged_at
                FROM repositories r JOIN repository_blobs l ON l.repository_id = r.id JOIN blobs b ON b.digest = l.digest
                WHERE r.name = $1 AND l.digest = $2
                """, [.text(repository.description), .text(digest.description)]
            ).first?.location()
        }
    }

    /// Where the blob is, whichever repository has it. Never tell a client.
    package func blobAnywhere(_ digest: Digest) async throws(StoreError) -> BlobLocation? {
        try await database.read { (db) throws(StoreError) in try db.location(of: digest) }
    }

    /// Makes a blob of `source` visible in `target` too. False when `source` does not have it whole.
    package func mount(
        _ digest: Digest, from source: RepositoryName, to target: RepositoryName
    ) async throws(StoreError) -> Bool {
        try await database.write { (db) throws(StoreError) in
            let held = try db.rows(
                """
                SELECT 1 FROM repositories r JOIN repository_blobs l ON l.repository_id = r.id
                JOIN blobs b ON b.digest = l.digest WHERE r.name = $1 AND l.digest = $2 AND b.damaged_at IS NULL
                """, [.text(source.description), .text(digest.description)])
            guard !held.isEmpty else { return false }
            try db.link(digest, to: target)
            return true
        }
    }

    /// Takes the blob from the repository; the last one to have it gives up the bytes. False when it does not have it.
    package func removeBlob(_ digest: Digest, from repository: RepositoryName) async throws(StoreError) -> Bool {
        try await database.write { (db) throws(StoreError) in
            guard let id = try db.repositoryID(repository) else { return false }
            let removed = try db.execute(
                "DELETE FROM repository_blobs WHERE repository_id = $1 AND digest = $2",
                [.text(id), .text(digest.description)])
            guard removed > 0 else { return false }
            let others = try db.rows(
                "SELECT 1 FROM repository_blobs WHERE digest = $1 LIMIT 1", [.text(digest.description)])
            if others.isEmpty, let location = try db.location(of: digest) {
                try db.execute("DELETE FROM blobs WHERE digest = $1", [.text(digest.description)])
                try db.retire(location.key)
            }
            return true
        }
    }

    /// Notes that the bytes at `location` are still those of `digest`, though the object was touched.
    package func confirm(
        _ digest: Digest, at location: BlobLocation, stamp: String
    ) async throws(StoreError) {
        try await update(digest, location, "stamp = $3, damaged_at = NULL", .text(stamp))
    }

    /// Notes that the bytes at `location` are not those of `digest`, while the object is as `stamp` says.
    package func markDamaged(
        _ digest: Digest, at location: BlobLocation, stamp: String
    ) async throws(StoreError) {
        try await update(digest, location, "stamp = $3, damaged_at = $4", .text(stamp), .integer(Self.now()))
    }

    private func update(
        _ digest: Digest, _ location: BlobLocation, _ change: String, _ values: SQLValue...
    ) async throws(StoreError) {
        _ = try await database.write { (db) throws(StoreError) in
            try db.execute(
                "UPDATE blobs SET \(change) WHERE digest = $1 AND storage_key = $2",
                [.text(digest.description), .text(location.key.description)] + values)
        }
    }

    /// Keys of objects that nothing refers to any more, in their order: at most `limit` of those behind `last`.
    package func removals(after last: StorageKey? = nil, limit: Int) async throws(StoreError) -> [StorageKey] {
        try await database.read { (db) throws(StoreError) in
            try db.rows(
                "SELECT storage_key FROM removals WHERE storage_key > $1 ORDER BY storage_key LIMIT $2",
                [.text(last?.description ?? ""), .integer(Int64(limit))]
            ).texts()
        }.map(StorageKey.init)
    }

    /// Forgets keys whose objects have been removed.
    package func forget(_ keys: [StorageKey]) async throws(StoreError) {
        try await database.write { (db) throws(StoreError) in
            for key in keys {
                try db.execute("DELETE FROM removals WHERE storage_key = $1", [.text(key.description)])
            }
        }
    }
}

extension SQLTransaction {
    func location(of digest: Digest) throws(StoreError) -> BlobLocation? {
        try rows(
            "SELECT storage_key, size, stamp, damaged_at FROM blobs WHERE digest = $1", [.text(digest.description)]
        ).first?.location()
    }

    func link(_ digest: Digest, to repository: RepositoryName) throws(StoreError) {
        try execute(
            """
            INSERT INTO repository_blobs (repository_id, digest, linked_at) VALUES ($1, $2, $3)
            ON CONFLICT (repository_id, digest) DO NOTHING
            """,
            [.text(try makeRepository(repository)), .text(digest.description), .integer(MetadataStore.now())])
    }

    /// Puts an object on the list of what the sweeper removes.
    func retire(_ key: StorageKey) throws(StoreError) {
        try execute(
            "INSERT INTO removals (storage_key, added_at) VALUES ($1, $2) ON CONFLICT (storage_key) DO NOTHING",
            [.text(key.description), .integer(MetadataStore.now())])
    }
}

extension SQLRow {
    fileprivate func location() throws(StoreError) -> BlobLocation {
        BlobLocation(
            key: StorageKey(try text(0)), size: try integer(1), stamp: try text(2), isDamaged: !isNull(3))
    }
}
