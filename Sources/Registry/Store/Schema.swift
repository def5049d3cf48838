/// The tables. Text is UTF-8 and compared byte by byte; times are milliseconds since 1970; ids are made here, not there.
package enum Schema {
    /// All migrations, in order.
    package static let migrations = [
        Migration(
            number: 1,
            statements: [
                """
                CREATE TABLE repositories (
                    id TEXT PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE,
                    created_at BIGINT NOT NULL)
                """,
                """
                CREATE TABLE blobs (
                    digest TEXT PRIMARY KEY,
                    size BIGINT NOT NULL,
                    storage_key TEXT NOT NULL,
                    stamp TEXT NOT NULL,
                    damaged_at BIGINT,
                    created_at BIGINT NOT NULL)
                """,
                """
                CREATE TABLE repository_blobs (
                    repository_id TEXT NOT NULL REFERENCES repositories (id),
                    digest TEXT NOT NULL REFERENCES blobs (digest),
                    linked_at BIGINT NOT NULL,
                    PRIMARY KEY (repository_id, digest))
                """,
                "CREATE INDEX repository_blobs_digest ON repository_blobs (digest)",
                """
                CREATE TABLE manifests (
                    repository_id TEXT NOT NULL REFERENCES repositories (id),
                    digest TEXT NOT NULL,
                    media_type TEXT NOT NULL,
                    size BIGINT NOT NULL,
                    subject TEXT,
                    artifact_type TEXT,
                    annotations TEXT NOT NULL,
                    created_at BIGINT NOT NULL,
                    bytes BYTEA NOT NULL,
                    PRIMARY KEY (repository_id, digest))
                """,
                "CREATE INDEX manifests_subject ON manifests (repository_id, subject, digest) WHERE subject IS NOT NULL",
                """
                CREATE TABLE tags (
                    repository_id TEXT NOT NULL,
                    name TEXT NOT NULL,
                    digest TEXT NOT NULL,
                    updated_at BIGINT NOT NULL,
                    PRIMARY KEY (repository_id, name),
                    FOREIGN KEY (repository_id, digest) REFERENCES manifests (repository_id, digest))
                """,
                "CREATE INDEX tags_digest ON tags (repository_id, digest)",
                """
                CREATE TABLE upload_sessions (
                    id TEXT PRIMARY KEY,
                    repository TEXT NOT NULL,
                    principal TEXT NOT NULL,
                    storage_key TEXT NOT NULL,
                    algorithm TEXT NOT NULL,
                    received BIGINT NOT NULL,
                    hash_state BYTEA NOT NULL,
                    updated_at BIGINT NOT NULL)
                """,
                "CREATE INDEX upload_sessions_age ON upload_sessions (updated_at)",
                "CREATE TABLE removals (storage_key TEXT PRIMARY KEY, added_at BIGINT NOT NULL)",
            ])
    ]
}
