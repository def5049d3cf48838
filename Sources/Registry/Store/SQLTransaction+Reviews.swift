import Model
import Runtime

/// What is reviewed: whatever a repository has by a digest.
package struct ReviewKey: Sendable, Hashable {
    package let repository: RepositoryID
    package let digest: Digest

    /// The key of what a repository has by a digest.
    package init(repository: RepositoryID, digest: Digest) {
        self.repository = repository
        self.digest = digest
    }
}

/// A row of the reviews, with all that decides what becomes of what it is about, read at one moment.
package struct Review: Sendable {
    /// A manifest of the repository.
    package struct Manifest: Sendable {
        package let id: ManifestID
        package let size: Int64
        package let edges: Int64
        package let isTagged: Bool
        /// Whether it refers to a manifest that the repository has.
        package let hasSubject: Bool
    }

    package let digest: Digest
    /// When something was last heard of it: it came, or what referred to it went.
    package let since: Timestamp
    /// Half a grace behind that it is looked at; nil where that would be of no use under the rule of the last look.
    package let lookAt: Timestamp?
    /// Nothing referred to it at the last look.
    package let isMarked: Bool
    /// How far the manifests are put up for review that refer to this one.
    let referrer: [UInt8]
    package let manifest: Manifest?
    /// Nil where the repository has no such blob.
    package let blob: LinkedBlob?
    /// Whether a manifest of the repository, one that is to come or one whose edges are still to go, names it as a config, a
    /// layer or a child.
    package let isNamed: Bool
    /// Whether manifests refer to it as their subject that are not yet put up for review.
    package let hasReferrers: Bool
}

// MARK: What feeds them

extension SQLTransaction {
    /// Where a row stands that no look would change.
    private static let never = Int64.max

    /// A row that is there starts again: what was heard last counts.
    private static let again = """
        ON CONFLICT (repository_id, digest) DO UPDATE SET
            since = CASE WHEN excluded.since > reviews.since THEN excluded.since ELSE reviews.since END,
            look_at = CASE WHEN excluded.since > reviews.since THEN excluded.since ELSE reviews.since END,
            is_marked = 0, referrer = excluded.referrer
        """

    /// Puts up for review what may be unneeded from now on, or from `since` on.
    func review(
        _ digests: some Collection<Digest>, in repository: RepositoryID, since: Timestamp? = nil
    ) throws(StoreError) {
        try insert(digests, in: repository, since: since ?? now, Self.again)
    }

    /// The same for what nobody has put up yet.
    package func reviewOlder(
        _ digests: some Collection<Digest>, in repository: RepositoryID
    ) throws(StoreError) {
        try insert(digests, in: repository, since: now, "ON CONFLICT (repository_id, digest) DO NOTHING")
    }

    private func insert(
        _ digests: some Collection<Digest>, in repository: RepositoryID, since: Timestamp, _ conflict: String
    ) throws(StoreError) {
        var seen: Set<Digest> = []
        let shared = [SQLValue(repository), SQLValue(since), .bytes([])]
        try execute(for: digests.filter { seen.insert($0).inserted }, shared: shared, { [SQLValue($0)] }) { list in
            """
            INSERT INTO reviews (repository_id, digest, since, look_at, is_marked, referrer)
            SELECT $1, d.column1, $2, $2, 0, $3 FROM (VALUES \(list)) AS d WHERE true \(conflict)
            """
        }
    }

    /// Puts up for review what the edges of a manifest name.
    func reviewEdges(of manifest: ManifestID, since: Timestamp) throws(StoreError) {
        try execute(
            """
            INSERT INTO reviews (repository_id, digest, since, look_at, is_marked, referrer)
            SELECT DISTINCT e.repository_id, e.digest, $2, $2, 0, $3 FROM manifest_edges e
            WHERE e.manifest_id = $1 AND e.role <= \(ManifestEdge.Role.child.rawValue) \(Self.again)
            """, [SQLValue(manifest), SQLValue(since), .bytes([])])
    }

    /// Puts up for review a part of the manifests that refer to one which is gone; false when that was the last part.
    package func reviewReferrers(of review: Review, in repository: Repository) throws(StoreError) -> Bool {
        let found = try rows(
            """
            SELECT digest FROM manifests WHERE repository_id = $1 AND subject = $2 AND digest > $3
            ORDER BY digest LIMIT $4
            """,
            [SQLValue(repository.id), SQLValue(review.digest), .bytes(review.referrer), SQLValue(Self.setLimit)])
        let digests = try found.map { (row) throws(StoreError) in try row.digest(0) }
        try self.review(digests, in: repository.id, since: review.since)
        if let last = digests.last {
            try execute(
                "UPDATE reviews SET referrer = $3 WHERE repository_id = $1 AND digest = $2",
                [SQLValue(repository.id), SQLValue(review.digest), SQLValue(last)])
        }
        return found.count == Self.setLimit
    }

    /// Takes the mark from something that was asked for: who asked may count on it for half a grace at least.
    package func renew(_ digest: Digest, in repository: Repository) throws(StoreError) {
        try execute(
            """
            UPDATE reviews SET since = $3, look_at = $3, is_marked = 0
            WHERE repository_id = $1 AND digest = $2 AND is_marked = 1
            """, [SQLValue(repository.id), SQLValue(digest), SQLValue(now)])
    }
}

// MARK: Looking

extension SQLTransaction {
    /// What is to be looked at that stands before `moment`, the oldest first.
    package func dueReviews(before moment: Timestamp, limit: Int) throws(StoreError) -> [ReviewKey] {
        try rows(
            "SELECT repository_id, digest FROM reviews WHERE look_at <= $1 ORDER BY look_at LIMIT $2",
            [SQLValue(moment), SQLValue(limit)]
        ).map { (row) throws(StoreError) in ReviewKey(repository: try row.id(0), digest: try row.digest(1)) }
    }

    /// What is up for review behind `last`, by repository and digest.
    package func reviewKeys(after last: ReviewKey?, limit: Int) throws(StoreError) -> [ReviewKey] {
        try rows(
            """
            SELECT repository_id, digest FROM reviews WHERE (repository_id, digest) > ($1, $2)
            ORDER BY repository_id, digest LIMIT $3
            """,
            [.integer(last?.repository.value ?? .min), .bytes(last?.digest.compact ?? []), SQLValue(limit)]
        ).map { (row) throws(StoreError) in ReviewKey(repository: try row.id(0), digest: try row.digest(1)) }
    }

    /// Those of the digests that are up for review, with what decides on them.
    package func reviews(of digests: [Digest], in repository: RepositoryID) throws(StoreError) -> [Review] {
        var reviews: [Digest: Review] = [:]
        let found = try rows(for: digests, shared: [SQLValue(repository)], { [SQLValue($0)] }, Self.facts)
        for row in found {
            let digest = try row.digest(0)
            let lookAt = try row.integer(2)
            reviews[digest] = Review(
                digest: digest, since: Timestamp(milliseconds: try row.integer(1)),
                lookAt: lookAt == Self.never ? nil : Timestamp(milliseconds: lookAt),
                isMarked: try row.integer(3) != 0, referrer: try row.bytes(4),
                manifest: row.isNull(5)
                    ? nil
                    : Review.Manifest(
                        id: try row.id(5), size: try row.integer(6), edges: try row.integer(7),
                        isTagged: try row.integer(8) != 0, hasSubject: try row.integer(9) != 0),
                blob: row.isNull(10)
                    ? nil
                    : LinkedBlob(id: try row.id(11), size: try row.integer(12), key: StorageKey(try row.text(13))),
                isNamed: try row.integer(14) != 0, hasReferrers: try row.integer(15) != 0)
        }
        return digests.compactMap { reviews[$0] }
    }

    /// All of it by keys: what it costs does not grow with what the registry has.
    package static func facts(_ list: String) -> String {
        """
        SELECT v.digest, v.since, v.look_at, v.is_marked, v.referrer, m.id, m.size, m.edges,
            CASE WHEN EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id) THEN 1 ELSE 0 END,
            CASE WHEN EXISTS (SELECT 1 FROM manifests s
                WHERE s.repository_id = v.repository_id AND s.digest = m.subject) THEN 1 ELSE 0 END,
            l.blob_id, b.id, b.size, b.storage_key,
            CASE WHEN EXISTS (SELECT 1 FROM manifest_edges e WHERE e.repository_id = v.repository_id
                AND e.digest = v.digest AND e.role <= \(ManifestEdge.Role.child.rawValue)) THEN 1 ELSE 0 END,
            CASE WHEN EXISTS (SELECT 1 FROM manifests r WHERE r.repository_id = v.repository_id
                AND r.subject = v.digest AND r.digest > v.referrer) THEN 1 ELSE 0 END
        FROM reviews v
            LEFT JOIN manifests m ON m.repository_id = v.repository_id AND m.digest = v.digest
            LEFT JOIN blobs b ON b.digest = v.digest
            LEFT JOIN repository_blobs l ON l.repository_id = v.repository_id AND l.blob_id = b.id
        WHERE v.repository_id = $1 AND v.digest IN (VALUES \(list))
        """
    }

    /// Takes from the list what is needed, or no more.
    package func dropReviews(_ digests: [Digest], in repository: RepositoryID) throws(StoreError) {
        try execute(for: digests, shared: [SQLValue(repository)], { [SQLValue($0)] }) { list in
            "DELETE FROM reviews WHERE repository_id = $1 AND digest IN (VALUES \(list))"
        }
    }

    /// Marks what nothing refers to. It is for the caller to note that the repository has changed, so that nobody answers for
    /// it from what is cached.
    package func mark(_ digests: [Digest], in repository: RepositoryID) throws(StoreError) {
        try set("is_marked = 1, look_at = $2", SQLValue(now), of: digests, in: repository)
    }

    /// Puts a look off until so long behind what was last heard; nil for as long as nothing is heard.
    package func postpone(
        _ digests: [Digest], in repository: RepositoryID, by time: Duration?
    ) throws(StoreError) {
        guard let time else {
            return try set("is_marked = 0, look_at = $2", .integer(Self.never), of: digests, in: repository)
        }
        try set("is_marked = 0, look_at = since + $2", .integer(time.milliseconds), of: digests, in: repository)
    }

    /// Begins anew with what belongs to a repository that was deleted and may be restored.
    package func reviewLater(_ digests: [Digest], in repository: RepositoryID) throws(StoreError) {
        try set("is_marked = 0, look_at = $2", SQLValue(now), of: digests, in: repository)
    }

    private func set(
        _ change: String, _ value: SQLValue, of digests: [Digest], in repository: RepositoryID
    ) throws(StoreError) {
        try execute(for: digests, shared: [SQLValue(repository), value], { [SQLValue($0)] }) { list in
            "UPDATE reviews SET \(change) WHERE repository_id = $1 AND digest IN (VALUES \(list))"
        }
    }

    /// Whether there is a row of the repository, deleted or not.
    package func isKept(_ repository: RepositoryID) throws(StoreError) -> Bool {
        try !rows("SELECT 1 FROM repositories WHERE id = $1", [SQLValue(repository)]).isEmpty
    }

    /// Has all looked at again that was put off, a part of it; false when nothing is left.
    package func hasten() throws(StoreError) -> Bool {
        try execute(
            """
            UPDATE reviews SET look_at = since WHERE (repository_id, digest) IN
                (SELECT repository_id, digest FROM reviews WHERE look_at > $1 AND look_at > since
                    ORDER BY look_at DESC LIMIT \(Self.setLimit))
            """, [SQLValue(now)]) > 0
    }
}

// MARK: Collecting

extension SQLTransaction {
    /// Takes from the repository blobs and manifests that nothing refers to, and what they were up for review as; all at once.
    package func collect(
        blobs: [Review], manifests: [Review], from repository: Repository, counting usage: inout UsageChange
    ) throws(StoreError) {
        _ = try unlink(blobs.compactMap(\.blob), from: repository, counting: &usage)
        try dropReviews(blobs.map(\.digest), in: repository.id)
        for review in manifests {
            guard let manifest = review.manifest else { continue }
            try execute("DELETE FROM manifests WHERE id = $1", [SQLValue(manifest.id)])
            try removeEdges(of: manifest.id, count: manifest.edges, since: review.since)
            usage.manifests -= 1
            usage.manifestBytes -= manifest.size
        }
        // What referred to them, and a blob of the same digest, is looked at next.
        let followed = manifests.filter { $0.hasReferrers || $0.blob != nil }
        try dropReviews(manifests.filter { !$0.hasReferrers && $0.blob == nil }.map(\.digest), in: repository.id)
        for review in followed { try self.review([review.digest], in: repository.id, since: review.since) }
    }
}
