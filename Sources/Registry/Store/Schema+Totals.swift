extension Schema {
    /// How much there is of all: sums that are kept, in as many rows as writers at once hardly meet in. See `Totals`.
    static func totals(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE totals (
                bucket BIGINT PRIMARY KEY,
                users BIGINT NOT NULL,
                organizations BIGINT NOT NULL,
                repositories BIGINT NOT NULL,
                bytes BIGINT NOT NULL,
                uploads BIGINT NOT NULL)
            """,
            """
            INSERT INTO totals (bucket, users, organizations, repositories, bytes, uploads)
            WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(Totals.buckets - 1))
            SELECT n, 0, 0, 0, 0, 0 FROM numbers
            """,
            // All that was there before is in the first of them.
            """
            INSERT INTO totals (bucket, users, organizations, repositories, bytes, uploads)
            SELECT 0, COALESCE(SUM(CASE WHEN kind = 1 THEN 1 ELSE 0 END), 0),
                COALESCE(SUM(CASE WHEN kind = 2 THEN 1 ELSE 0 END), 0), COALESCE(SUM(repositories), 0),
                COALESCE(SUM(blob_bytes + manifest_bytes), 0), (SELECT COUNT(*) FROM upload_sessions)
            FROM namespaces WHERE deleted_at IS NULL
            """,
        ]
    }

    /// What users are found by, as repositories are, and the addresses that they want and have not confirmed yet.
    static func userListing(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE user_words (
                prefix \(dialect.orderedText) NOT NULL,
                name \(dialect.orderedText) NOT NULL,
                principal_id BIGINT NOT NULL,
                PRIMARY KEY (prefix, name, principal_id))\(dialect.clustered)
            """,
            "ALTER TABLE principals ADD COLUMN has_words BIGINT NOT NULL DEFAULT 0",
            "UPDATE principals SET has_words = 1 WHERE kind <> 1 OR deleted_at IS NOT NULL",
            "CREATE INDEX principals_without_words ON principals (id) WHERE has_words = 0",
            // `hash` is of the code that was sent last; null as long as none was.
            """
            CREATE TABLE address_changes (
                id \(dialect.key) PRIMARY KEY,
                principal_id BIGINT NOT NULL REFERENCES principals (id),
                email TEXT NOT NULL,
                hash BYTEA UNIQUE,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX address_changes_principal ON address_changes (principal_id, created_at)",
            "CREATE INDEX address_changes_expiry ON address_changes (expires_at)",
        ]
    }
}
