import Model
import Runtime

/// A blob that is to be taken from a repository: its row, bytes and object.
package struct LinkedBlob: Sendable {
    let id: BlobID
    package let size: Int64
    let key: StorageKey
}

extension SQLTransaction {
    /// Where the blob is, if this repository has it: a digest known elsewhere is not found here.
    package func blob(_ digest: Digest, in repository: Repository) throws(StoreError) -> BlobLocation? {
        try rows(
            """
            SELECT b.storage_key, b.size, b.witness, b.damaged_at, v.is_marked
            FROM blobs b JOIN repository_blobs l ON l.blob_id = b.id AND l.repository_id = $1
                LEFT JOIN reviews v ON v.repository_id = $1 AND v.digest = b.digest AND v.is_marked = 1
            WHERE b.digest = $2
            """, [SQLValue(repository.id), SQLValue(digest)]
        ).first?.location(isMarkedAt: 4)
    }

    /// Where the blob is, whichever repository has it. Never tell a client.
    package func blobAnywhere(_ digest: Digest) throws(StoreError) -> BlobLocation? {
        try rows("SELECT storage_key, size, witness, damaged_at FROM blobs WHERE digest = $1", [SQLValue(digest)])
            .first?.location()
    }

    /// Makes a blob of `source` visible in `target` too. False when `source` does not have it whole.
    package func mount(_ digest: Digest, from source: Repository, to target: Repository) throws(StoreError) -> Bool {
        guard let found = try blob(digest, in: source), !found.isDamaged else { return false }
        try link(digest, to: target)
        return true
    }

    /// Takes the blob from the repository; the last one to have it gives up the bytes. False when it does not have it.
    package func removeBlob(_ digest: Digest, from repository: Repository) throws(StoreError) -> Bool {
        var usage = UsageChange(begins: false)
        guard try unlink(digest, from: repository, counting: &usage) else { return false }
        try change(repository, usage)
        return true
    }

    /// The same, where it is for the caller to note that the repository has changed.
    func unlink(
        _ digest: Digest, from repository: Repository, counting usage: inout UsageChange
    ) throws(StoreError) -> Bool {
        guard let blob = try blobRow(digest) else { return false }
        return try unlink([blob], from: repository, counting: &usage) > 0
    }

    /// The same for several. Gives how many the repository had.
    func unlink(
        _ blobs: [LinkedBlob], from repository: Repository, counting usage: inout UsageChange
    ) throws(StoreError) -> Int {
        let sizes = Dictionary(blobs.map { ($0.id.value, $0.size) }) { first, _ in first }
        var removed: [LinkedBlob] = []
        let found = try rows(for: blobs, shared: [SQLValue(repository.id)], { [SQLValue($0.id)] }) { list in
            "DELETE FROM repository_blobs WHERE repository_id = $1 AND blob_id IN (VALUES \(list)) RETURNING blob_id"
        }
        for row in found {
            let id = try row.integer(0)
            usage.blobs -= 1
            usage.blobBytes -= sizes[id] ?? 0
            if let blob = blobs.first(where: { $0.id.value == id }) { removed.append(blob) }
        }
        let inNamespace = try held(removed, "AND l.namespace_id = $1", [SQLValue(repository.namespace)])
        for blob in removed where !inNamespace.contains(blob.id.value) { usage.namespaceBlobBytes -= blob.size }
        let anywhere = try held(removed, "", [])
        let dead = removed.filter { !anywhere.contains($0.id.value) }
        try execute(for: dead, { [SQLValue($0.id)] }) { list in "DELETE FROM blobs WHERE id IN (VALUES \(list))" }
        try retire(dead.map(\.key))
        return removed.count
    }

    /// Those of the blobs that repositories which meet a condition still have.
    private func held(
        _ blobs: [LinkedBlob], _ condition: String, _ shared: [SQLValue]
    ) throws(StoreError) -> Set<Int64> {
        let found = try rows(for: blobs, shared: shared, { [SQLValue($0.id)] }) { list in
            """
            SELECT c.column1 FROM (VALUES \(list)) AS c
            WHERE EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = c.column1 \(condition))
            """
        }
        return Set(try found.map { (row) throws(StoreError) in try row.integer(0) })
    }

    /// Makes a blob that the store has visible in the repository, and puts it up for review: nothing may ever refer to it. One
    /// that it has already is no change besides. Throws `.missing` when the store does not have it.
    package func link(_ digest: Digest, to repository: Repository) throws(StoreError) {
        guard let blob = try blobRow(digest) else { throw StoreError(.missing, "there is no blob \(digest)") }
        try review([digest], in: repository.id)
        let isFirst = try !isHeld(blob.id, by: repository.namespace)
        let added = try execute(
            """
            INSERT INTO repository_blobs (repository_id, blob_id, namespace_id, linked_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (repository_id, blob_id) DO NOTHING
            """, [SQLValue(repository.id), SQLValue(blob.id), SQLValue(repository.namespace), SQLValue(now)])
        guard added > 0 else { return }
        var usage = UsageChange(begins: true)
        usage.blobs = 1
        usage.blobBytes = blob.size
        if isFirst { usage.namespaceBlobBytes = blob.size }
        try change(repository, usage)
    }

    /// Notes that the bytes at `location` are still those of `digest`, though the object was touched.
    package func confirm(_ digest: Digest, at location: BlobLocation, stamp: String) throws(StoreError) {
        try execute(
            """
            UPDATE blobs SET witness = $3, damaged_at = NULL, checked_at = $4 WHERE digest = $1 AND storage_key = $2
            """, [SQLValue(digest), .text(location.key.description), .text(stamp), SQLValue(now)])
    }

    /// Notes that the bytes at `location` are not those of `digest`, while the object is as `stamp` says. Where they were
    /// taken for whole until now, the repositories that have the blob move on, so that nobody serves it from what is cached.
    package func condemn(_ digest: Digest, at location: BlobLocation, stamp: String) throws(StoreError) {
        let object: [SQLValue] = [SQLValue(digest), .text(location.key.description)]
        let having = try rows(
            """
            UPDATE repositories SET version = version + 1 WHERE id IN (
                SELECT l.repository_id FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id
                WHERE b.digest = $1 AND b.storage_key = $2 AND b.damaged_at IS NULL)
            RETURNING id
            """, object)
        for row in having { moved.insert(.repository(try row.id(0))) }
        try execute(
            """
            UPDATE blobs SET witness = $3, damaged_at = $4, checked_at = $4 WHERE digest = $1 AND storage_key = $2
            """, object + [.text(stamp), SQLValue(now)])
    }

    /// Blobs behind `last`, in the order of their keys, at most `limit` of them.
    package func blobs(after last: BlobID?, limit: Int) throws(StoreError) -> [StoredBlob] {
        let found = try rows(
            """
            SELECT storage_key, size, witness, damaged_at, id, digest, created_at, checked_at FROM blobs
            WHERE id > $1 ORDER BY id LIMIT $2
            """, [.integer(last?.value ?? .min), SQLValue(limit)])
        var blobs: [StoredBlob] = []
        for row in found {
            blobs.append(
                StoredBlob(
                    id: try row.id(4), digest: try row.digest(5), location: try row.location(),
                    createdAt: Timestamp(milliseconds: try row.integer(6)),
                    checkedAt: row.isNull(7) ? nil : Timestamp(milliseconds: try row.integer(7))))
        }
        return blobs
    }

    private func isHeld(_ blob: BlobID, by namespace: NamespaceID) throws(StoreError) -> Bool {
        try !rows(
            "SELECT 1 FROM repository_blobs WHERE blob_id = $1 AND namespace_id = $2 LIMIT 1",
            [SQLValue(blob), SQLValue(namespace)]
        ).isEmpty
    }

    private func blobRow(_ digest: Digest) throws(StoreError) -> LinkedBlob? {
        let row = try rows("SELECT id, size, storage_key FROM blobs WHERE digest = $1", [SQLValue(digest)]).first
        guard let row else { return nil }
        return LinkedBlob(id: try row.id(0), size: try row.integer(1), key: StorageKey(try row.text(2)))
    }
}

extension SQLRow {
    fileprivate func location(isMarkedAt mark: Int? = nil) throws(StoreError) -> BlobLocation {
        BlobLocation(
            key: StorageKey(try text(0)), size: try integer(1), stamp: try text(2), isDamaged: !isNull(3),
            isMarked: mark.map { !isNull($0) } ?? false)
    }
}
