import Model
import Runtime

/// How far the walk is over rows that nobody has put up for review: those that are older than the reviews, and those that a node
/// of an older version has left.
package struct CollectorWalk: Sendable, Equatable {
    /// What it is at.
    package enum Step: Int64, Sendable {
        case blobs = 0
        case manifests = 1
        case done = 2
    }

    package var step: Step
    /// The last row that was seen: of a repository, and of a blob or a manifest.
    var repository: Int64
    var row: Int64
    /// When it was done last, or begun where it is not.
    package var walkedAt: Timestamp

    /// A walk at its beginning.
    package init(from moment: Timestamp) { (step, repository, row, walkedAt) = (.blobs, 0, 0, moment) }

    fileprivate init(_ row: SQLRow) throws(StoreError) {
        step = Step(rawValue: try row.integer(0)) ?? .done
        repository = try row.integer(1)
        self.row = try row.integer(2)
        walkedAt = try row.time(3)
    }
}

extension SQLTransaction {
    /// Makes this node the one that collects, until `end`, unless another one is. False then.
    package func lead(_ holder: String, until end: Timestamp) throws(StoreError) -> Bool {
        try execute(
            """
            UPDATE collector SET holder = $1, held_until = $2 WHERE id = 1 AND (holder = $1 OR held_until < $3)
            """, [.text(holder), SQLValue(end), SQLValue(now)]) > 0
    }

    /// Whether another node collects.
    package func isLed(butBy holder: String) throws(StoreError) -> Bool {
        try !rows(
            "SELECT 1 FROM collector WHERE id = 1 AND holder <> $1 AND held_until >= $2",
            [.text(holder), SQLValue(now)]
        ).isEmpty
    }

    /// How far the walk is.
    package func walk() throws(StoreError) -> CollectorWalk {
        let row = try rows("SELECT step, step_repository, step_row, walked_at FROM collector WHERE id = 1", []).first
        guard let row else { throw StoreError(.damaged, "there is no row of the collector") }
        return try CollectorWalk(row)
    }

    /// Keeps how far the walk is.
    package func keep(_ walk: CollectorWalk) throws(StoreError) {
        try execute(
            "UPDATE collector SET step = $1, step_repository = $2, step_row = $3, walked_at = $4 WHERE id = 1",
            [
                .integer(walk.step.rawValue), .integer(walk.repository), .integer(walk.row), SQLValue(walk.walkedAt),
            ])
    }

    /// The rule for untagged manifests that reviews were last looked at by; nil for keeping them.
    package func untaggedRule() throws(StoreError) -> Duration? {
        let days = try rows("SELECT rule FROM collector WHERE id = 1", []).first?.integer(0)
        return days.flatMap { $0 < 0 ? nil : .milliseconds($0) }
    }

    /// Keeps that rule.
    package func keepUntaggedRule(_ rule: Duration?) throws(StoreError) {
        try execute("UPDATE collector SET rule = $1 WHERE id = 1", [.integer(rule?.milliseconds ?? -1)])
    }

    /// Rows behind where the walk is, at most `limit`: those that seem to be unneeded, and where the walk is behind them.
    package func stroll(
        _ walk: CollectorWalk, limit: Int
    ) throws(StoreError) -> (found: [ReviewKey], next: CollectorWalk) {
        var next = walk
        let rows =
            switch walk.step {
            case .blobs: try unnamedBlobs(walk, limit)
            case .manifests: try untaggedManifests(walk, limit)
            case .done: [SQLRow]()
            }
        if rows.count == limit, let last = rows.last {
            (next.repository, next.row) = (try last.integer(0), try last.integer(1))
        } else {
            next.step = walk.step == .blobs ? .manifests : .done
            (next.repository, next.row) = (0, 0)
            if next.step == .done { next.walkedAt = now }
        }
        var found: [ReviewKey] = []
        for row in rows where try row.integer(3) == 0 {
            found.append(ReviewKey(repository: try row.id(0), digest: try row.digest(2)))
        }
        return (found, next)
    }

    private func unnamedBlobs(_ walk: CollectorWalk, _ limit: Int) throws(StoreError) -> [SQLRow] {
        try rows(
            """
            SELECT l.repository_id, l.blob_id, b.digest, CASE WHEN EXISTS (SELECT 1 FROM manifest_edges e
                WHERE e.repository_id = l.repository_id AND e.digest = b.digest
                    AND e.role <= \(ManifestEdge.Role.child.rawValue)) THEN 1 ELSE 0 END
            FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id
            WHERE (l.repository_id, l.blob_id) > ($1, $2) ORDER BY l.repository_id, l.blob_id LIMIT $3
            """, [.integer(walk.repository), .integer(walk.row), SQLValue(limit)])
    }

    private func untaggedManifests(_ walk: CollectorWalk, _ limit: Int) throws(StoreError) -> [SQLRow] {
        try rows(
            """
            SELECT m.repository_id, m.id, m.digest,
                CASE WHEN EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id) THEN 1 ELSE 0 END
            FROM manifests m WHERE m.id > $1 ORDER BY m.id LIMIT $2
            """, [.integer(walk.row), SQLValue(limit)])
    }
}

extension Duration {
    /// In whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
