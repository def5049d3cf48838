extension Schema {
    /// What lists and searches are answered from, and what the tags of a repository refer to: kept where it changes.
    static func listing(_ dialect: SQLDialect) -> [String] {
        [
            // Of itself, and of each blob and child that it refers to, once. Never changes: what is counted by it is taken off by it.
            "ALTER TABLE manifests ADD COLUMN logical_bytes BIGINT NOT NULL DEFAULT 0",
            // Of what its tags point to, each tag for itself.
            "ALTER TABLE repositories ADD COLUMN logical_bytes BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE namespaces ADD COLUMN logical_bytes BIGINT NOT NULL DEFAULT 0",
            """
            UPDATE manifests SET logical_bytes = size + COALESCE((SELECT SUM(b.size) FROM blobs b
                WHERE b.digest IN (SELECT e.digest FROM manifest_edges e WHERE e.manifest_id = manifests.id AND e.role <= 1)
                    AND EXISTS (SELECT 1 FROM repository_blobs l
                        WHERE l.repository_id = manifests.repository_id AND l.blob_id = b.id)), 0)
            """,
            """
            UPDATE manifests SET logical_bytes = logical_bytes + COALESCE((SELECT SUM(c.logical_bytes) FROM manifests c
                WHERE c.repository_id = manifests.repository_id AND c.digest IN
                    (SELECT e.digest FROM manifest_edges e WHERE e.manifest_id = manifests.id AND e.role = 2)), 0)
            WHERE EXISTS (SELECT 1 FROM manifest_edges e WHERE e.manifest_id = manifests.id AND e.role = 2)
            """,
            """
            UPDATE repositories SET logical_bytes = COALESCE((SELECT SUM(m.logical_bytes) FROM tags t
                JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = repositories.id), 0)
            """,
            """
            UPDATE namespaces SET logical_bytes = COALESCE((SELECT SUM(r.logical_bytes) FROM repositories r
                WHERE r.namespace_id = namespaces.id), 0)
            """,
            // A row for each beginning of each word of a name, see `NameWords`.
            """
            CREATE TABLE repository_words (
                prefix \(dialect.orderedText) NOT NULL,
                name \(dialect.orderedText) NOT NULL,
                repository_id BIGINT NOT NULL,
                PRIMARY KEY (prefix, name, repository_id))\(dialect.clustered)
            """,
            // Of a repository that was there before its words were kept: they are written when the registry starts.
            "ALTER TABLE repositories ADD COLUMN has_words BIGINT NOT NULL DEFAULT 0",
            "CREATE INDEX repositories_without_words ON repositories (id) WHERE has_words = 0",
        ]
    }
}
