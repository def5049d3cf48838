extension Schema {
    /// What was pushed.
    static func content(_ dialect: SQLDialect) -> [String] {
        blobs(dialect) + manifests(dialect) + tags(dialect)
    }

    /// Bytes, once in the registry, and which repository has them.
    private static func blobs(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE blobs (
                id \(dialect.key) PRIMARY KEY,
                digest BYTEA NOT NULL UNIQUE,
                size BIGINT NOT NULL,
                storage_key TEXT NOT NULL,
                witness TEXT NOT NULL,
                checked_at BIGINT,
                damaged_at BIGINT,
                created_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE repository_blobs (
                repository_id BIGINT NOT NULL REFERENCES repositories (id),
                blob_id BIGINT NOT NULL REFERENCES blobs (id),
                namespace_id BIGINT NOT NULL,
                linked_at BIGINT NOT NULL,
                PRIMARY KEY (repository_id, blob_id))\(dialect.clustered)
            """,
            "CREATE INDEX repository_blobs_blob ON repository_blobs (blob_id, namespace_id)",
        ]
    }

    /// Manifests, and an edge for each thing that one refers to. Edges count while their manifest is there; those of a large
    /// one come before it and go after it, in parts (`loose_edges`), so that no transaction is long.
    private static func manifests(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE manifests (
                id \(dialect.key) PRIMARY KEY,
                repository_id BIGINT NOT NULL REFERENCES repositories (id),
                digest BYTEA NOT NULL,
                media_type TEXT NOT NULL,
                size BIGINT NOT NULL,
                subject BYTEA,
                artifact_type TEXT,
                default_image BYTEA,
                edges BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                annotations TEXT NOT NULL,
                bytes BYTEA NOT NULL,
                UNIQUE (repository_id, digest))
            """,
            "CREATE INDEX manifests_subject ON manifests (repository_id, subject, digest) WHERE subject IS NOT NULL",
            """
            CREATE TABLE manifest_edges (
                manifest_id BIGINT NOT NULL,
                position BIGINT NOT NULL,
                repository_id BIGINT NOT NULL,
                role BIGINT NOT NULL,
                digest BYTEA NOT NULL,
                size BIGINT NOT NULL,
                os TEXT,
                architecture TEXT,
                variant TEXT,
                PRIMARY KEY (manifest_id, position))\(dialect.clustered)
            """,
            "CREATE INDEX manifest_edges_digest ON manifest_edges (repository_id, digest)",
            "CREATE TABLE loose_edges (manifest_id \(dialect.key) PRIMARY KEY, added_at BIGINT NOT NULL)",
        ]
    }

    /// Tags, and for each what it pointed to before: the last moves, in a ring.
    private static func tags(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE tags (
                repository_id BIGINT NOT NULL,
                name \(dialect.orderedText) NOT NULL,
                manifest_id BIGINT NOT NULL REFERENCES manifests (id),
                moves BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                PRIMARY KEY (repository_id, name))\(dialect.clustered)
            """,
            "CREATE INDEX tags_manifest ON tags (manifest_id)",
            // `digest` is null where the tag was deleted.
            """
            CREATE TABLE tag_history (
                repository_id BIGINT NOT NULL,
                name \(dialect.orderedText) NOT NULL,
                slot BIGINT NOT NULL,
                digest BYTEA,
                principal_id BIGINT NOT NULL,
                changed_at BIGINT NOT NULL,
                PRIMARY KEY (repository_id, name, slot))\(dialect.clustered)
            """,
        ]
    }
}
