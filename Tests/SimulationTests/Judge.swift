import Model
import Runtime
import Store

/// Holds what is there against what has to be.
struct Judge {
    let world: World

    private func violate(_ text: String) {
        world.ledger.withLock { $0.violate("turn \(world.schedule.turns): \(text)") }
    }

    private func expectNone(_ what: String, _ sql: String) {
        let count = world.number("SELECT COUNT(*) FROM (\(sql)) AS found")
        if count != 0 { violate("\(count) \(what)") }
    }

    /// What holds at every moment: whatever a manifest needs can be pulled.
    func look() {
        expectNone(
            "blobs that a manifest names are not there",
            """
            SELECT 1 FROM manifest_edges e JOIN manifests m ON m.id = e.manifest_id
                JOIN repositories r ON r.id = m.repository_id AND r.deleted_at IS NULL
            WHERE e.role <= 1 AND NOT EXISTS (SELECT 1 FROM blobs b JOIN repository_blobs l ON l.blob_id = b.id
                WHERE b.digest = e.digest AND l.repository_id = e.repository_id)
            """)
        let (objects, kept) = (world.objects.objects, world.rows("SELECT digest, storage_key FROM blobs"))
        for row in kept {
            guard let digest = digest(row, 0), let key = text(row, 1), let bytes = objects[StorageKey(key)],
                ContentHash.digest(.sha256, of: bytes) == digest
            else {
                violate("a blob has lost its object")
                continue
            }
        }
    }

    /// What holds when clients have done their work.
    func atRest() {
        look()
        children()
        promises()
        counters()
    }

    /// What holds when enough time has passed: nothing dead is left, and nothing alive has gone.
    func atEnd() {
        atRest()
        expectNone(
            "blobs are linked that nothing names",
            """
            SELECT 1 FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id
            WHERE NOT EXISTS (SELECT 1 FROM manifest_edges e JOIN manifests m ON m.id = e.manifest_id
                WHERE e.repository_id = l.repository_id AND e.digest = b.digest AND e.role <= 2)
            """)
        if world.limits.collection.untagged != nil {
            expectNone(
                "manifests are there that nothing holds",
                """
                SELECT 1 FROM manifests m WHERE NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)
                    AND NOT EXISTS (SELECT 1 FROM manifest_edges e JOIN manifests p ON p.id = e.manifest_id
                        WHERE e.repository_id = m.repository_id AND e.digest = m.digest AND e.role = 2)
                    AND NOT EXISTS (SELECT 1 FROM manifests s
                        WHERE s.repository_id = m.repository_id AND s.digest = m.subject)
                """)
        }
        expectNone(
            "blobs are in no repository",
            "SELECT 1 FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id)")
        expectNone("things are still up for review", "SELECT 1 FROM reviews WHERE look_at < \(Int64.max)")
        expectNone("objects wait to be removed", "SELECT 1 FROM removals")
        expectNone("uploads are left", "SELECT 1 FROM upload_sessions")
        expectNone(
            "edges have no manifest",
            "SELECT 1 FROM manifest_edges e WHERE NOT EXISTS (SELECT 1 FROM manifests m WHERE m.id = e.manifest_id)"
        )
        let objects = Int64(world.objects.objects.count)
        if objects != world.number("SELECT COUNT(*) FROM blobs") { violate("\(objects) objects, not as many blobs") }
    }

    /// Children of indexes are there, unless somebody deleted them.
    private func children() {
        for row in world.rows(
            """
            SELECT r.name, e.digest FROM manifest_edges e JOIN manifests m ON m.id = e.manifest_id
                JOIN repositories r ON r.id = m.repository_id AND r.deleted_at IS NULL
            WHERE e.role = 2 AND NOT EXISTS
                (SELECT 1 FROM manifests c WHERE c.repository_id = e.repository_id AND c.digest = e.digest)
            """)
        {
            guard let place = place(row) else { continue }
            if world.ledger.withLock({ $0.isSpared(place) }) { violate("an index lacks \(place.digest)") }
        }
    }

    /// What was acknowledged, and nobody took away, is there.
    private func promises() {
        let there = Set(
            world.rows(
                "SELECT r.name, m.digest FROM manifests m JOIN repositories r ON r.id = m.repository_id"
            ).compactMap(place))
        let ledger = world.ledger.withLock { $0 }
        let goods = Dictionary(uniqueKeysWithValues: Goods.all.manifests.map { ($0.digest, $0) })
        for (place, push) in ledger.pushes where ledger.isOwed(place, since: push.begin) && !there.contains(place) {
            if let untagged = world.limits.collection.untagged {
                let isYoung = world.schedule.now - push.at < untagged.components.seconds * 1000
                // A subject that came back may have been away for long enough.
                let subject = goods[place.digest]?.subject.map { digest in
                    Ledger.Place(repository: place.repository, digest: digest)
                }
                let isReferrer =
                    subject.map { there.contains($0) && ledger.attempts[$0, default: .max] < push.begin } ?? false
                guard isYoung || isReferrer else { continue }
            }
            violate("\(place.repository) has lost \(place.digest)")
        }
        for repository in World.repositories {
            for tag in World.tags {
                guard let target = ledger.target(of: "\(repository):\(tag)", in: repository) else { continue }
                let points = world.number(
                    """
                    SELECT COUNT(*) FROM tags t JOIN repositories r ON r.id = t.repository_id
                        JOIN manifests m ON m.id = t.manifest_id
                    WHERE r.name = '\(repository)' AND t.name = '\(tag)' AND hex(m.digest) = '\(Self.hex(target))'
                    """)
                if points != 1 { violate("\(repository):\(tag) does not point to \(target)") }
            }
        }
    }

    private static func hex(_ digest: Digest) -> String {
        digest.compact.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }.joined()
    }

    private func digest(_ row: SQLRow, _ column: Int) -> Digest? {
        do throws(StoreError) { return try row.digest(column) } catch { return nil }
    }

    private func text(_ row: SQLRow, _ column: Int) -> String? {
        do throws(StoreError) { return try row.text(column) } catch { return nil }
    }

    private func place(_ row: SQLRow) -> Ledger.Place? {
        guard let name = text(row, 0), let digest = digest(row, 1) else { return nil }
        return Ledger.Place(repository: name, digest: digest)
    }
}

extension Judge {
    /// Counters are what rows say.
    private func counters() {
        expectNone(
            "repositories count wrong",
            """
            SELECT 1 FROM repositories r WHERE r.deleted_at IS NULL AND (
                r.blobs <> (SELECT COUNT(*) FROM repository_blobs l WHERE l.repository_id = r.id)
                OR r.blob_bytes <> (SELECT COALESCE(SUM(b.size), 0) FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id
                    WHERE l.repository_id = r.id)
                OR r.manifests <> (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = r.id)
                OR r.manifest_bytes <> (SELECT COALESCE(SUM(m.size), 0) FROM manifests m WHERE m.repository_id = r.id)
                OR r.tags <> (SELECT COUNT(*) FROM tags t WHERE t.repository_id = r.id)
                OR r.logical_bytes <> (SELECT COALESCE(SUM(m.logical_bytes), 0) FROM tags t
                    JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = r.id))
            """)
        expectNone(
            "namespaces count wrong",
            """
            SELECT 1 FROM namespaces n WHERE
                n.repositories <> (SELECT COUNT(*) FROM repositories r WHERE r.namespace_id = n.id)
                OR n.blob_bytes <> (SELECT COALESCE(SUM(b.size), 0) FROM blobs b WHERE EXISTS
                    (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id AND l.namespace_id = n.id))
                OR n.manifest_bytes <> (SELECT COALESCE(SUM(m.size), 0) FROM manifests m
                    JOIN repositories r ON r.id = m.repository_id WHERE r.namespace_id = n.id)
            """)
        expectNone(
            "totals are wrong",
            """
            SELECT 1 WHERE (SELECT SUM(bytes) FROM totals)
                    <> (SELECT COALESCE(SUM(blob_bytes + manifest_bytes), 0) FROM namespaces)
                OR (SELECT SUM(repositories) FROM totals) <> (SELECT COUNT(*) FROM repositories)
                OR (SELECT SUM(uploads) FROM totals) <> (SELECT COUNT(*) FROM upload_sessions)
            """)
    }
}
