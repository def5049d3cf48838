extension Schema {
    /// Uploads in progress, which store has the bytes, and objects that wait to be removed.
    static func uploads(_ dialect: SQLDialect) -> [String] {
        [
            // `fence` grows with every save: who has read an older one can change nothing any more.
            """
            CREATE TABLE upload_sessions (
                id TEXT PRIMARY KEY,
                repository_id BIGINT NOT NULL REFERENCES repositories (id),
                principal_id BIGINT NOT NULL,
                address TEXT NOT NULL,
                storage_key TEXT NOT NULL,
                algorithm TEXT NOT NULL,
                received BIGINT NOT NULL,
                hash_state BYTEA NOT NULL,
                driver_state BYTEA NOT NULL,
                fence BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL)
            """,
            "CREATE INDEX upload_sessions_age ON upload_sessions (updated_at, id)",
            "CREATE INDEX upload_sessions_address ON upload_sessions (address)",
            "CREATE INDEX upload_sessions_repository ON upload_sessions (repository_id)",
            "CREATE INDEX upload_sessions_principal ON upload_sessions (principal_id)",
            "CREATE TABLE blob_stores (id TEXT PRIMARY KEY, created_at BIGINT NOT NULL)",
            """
            CREATE TABLE removals (
                storage_key \(dialect.orderedText) PRIMARY KEY,
                added_at BIGINT NOT NULL)\(dialect.clustered)
            """,
        ]
    }
}
