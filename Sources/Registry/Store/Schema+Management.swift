extension Schema {
    /// What people want to know of what they have: kept where it changes, never counted when it is asked for.
    static func management(_ dialect: SQLDialect) -> [String] {
        [
            "ALTER TABLE repositories ADD COLUMN tags BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE repositories ADD COLUMN pushed_at BIGINT",
            // Pulls are noted in parts, some seconds late; see `PullLedger`.
            "ALTER TABLE repositories ADD COLUMN pulls BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE repositories ADD COLUMN pulled_at BIGINT",
            "UPDATE repositories SET tags = (SELECT COUNT(*) FROM tags t WHERE t.repository_id = repositories.id)",
            "UPDATE repositories SET pushed_at = begun_at",
            "CREATE INDEX repositories_deleted ON repositories (name) WHERE deleted_at IS NOT NULL",
            "CREATE INDEX repositories_in_namespace ON repositories (namespace_id, name)",
            "ALTER TABLE namespaces ADD COLUMN display_name TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE namespaces ADD COLUMN website TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE namespaces ADD COLUMN avatar TEXT NOT NULL DEFAULT ''",
            // A login at the management API: the secret that it is used by, until then.
            "ALTER TABLE logins ADD COLUMN session_hash BYTEA",
            "ALTER TABLE logins ADD COLUMN session_until BIGINT",
            "CREATE UNIQUE INDEX logins_session ON logins (session_hash) WHERE session_hash IS NOT NULL",
            "ALTER TABLE tags ADD COLUMN pulled_at BIGINT",
            "CREATE INDEX audit_action ON audit (action, id)",
            // Of what it refers to: config and layers, as it tells them.
            "ALTER TABLE manifests ADD COLUMN content_bytes BIGINT NOT NULL DEFAULT 0",
            """
            UPDATE manifests SET content_bytes = COALESCE(
                (SELECT SUM(size) FROM manifest_edges e WHERE e.manifest_id = manifests.id AND e.role <= 1), 0)
            """,
        ]
    }
}
