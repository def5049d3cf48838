extension Schema {
    /// Who owns what. The counters are kept in the transactions that change what they count.
    static func tenants(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE namespaces (
                id \(dialect.key) PRIMARY KEY,
                name \(dialect.orderedText) NOT NULL,
                access_version BIGINT NOT NULL,
                repositories BIGINT NOT NULL,
                blob_bytes BIGINT NOT NULL,
                manifest_bytes BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                deleted_at BIGINT)
            """,
            "CREATE UNIQUE INDEX namespaces_name ON namespaces (name) WHERE deleted_at IS NULL",
            // `begun_at`: when the first content came. A repository that never had any is in no list.
            """
            CREATE TABLE repositories (
                id \(dialect.key) PRIMARY KEY,
                namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
                name \(dialect.orderedText) NOT NULL,
                visibility BIGINT NOT NULL,
                version BIGINT NOT NULL,
                blobs BIGINT NOT NULL,
                blob_bytes BIGINT NOT NULL,
                manifests BIGINT NOT NULL,
                manifest_bytes BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                begun_at BIGINT,
                deleted_at BIGINT)
            """,
            "CREATE UNIQUE INDEX repositories_name ON repositories (name) WHERE deleted_at IS NULL",
            "CREATE INDEX repositories_namespace ON repositories (namespace_id)",
            "CREATE INDEX repositories_empty ON repositories (created_at) WHERE begun_at IS NULL AND deleted_at IS NULL",
            // What the store says of itself, such as the id of its data directory.
            "CREATE TABLE properties (name \(dialect.orderedText) PRIMARY KEY, value TEXT NOT NULL)\(dialect.clustered)",
        ]
    }
}
