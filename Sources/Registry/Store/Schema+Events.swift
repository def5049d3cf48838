extension Schema {
    /// What happened, for people and for other systems; rows commit with what they are about.
    static func events(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE audit (
                id \(dialect.key) PRIMARY KEY,
                at BIGINT NOT NULL,
                principal_id BIGINT NOT NULL,
                address TEXT NOT NULL,
                request_id TEXT NOT NULL,
                action TEXT NOT NULL,
                namespace_id BIGINT,
                repository_id BIGINT,
                subject TEXT NOT NULL,
                detail TEXT NOT NULL)
            """,
            "CREATE INDEX audit_namespace ON audit (namespace_id, id)",
            """
            CREATE TABLE outbox (
                id \(dialect.key) PRIMARY KEY,
                kind TEXT NOT NULL,
                payload TEXT NOT NULL,
                attempts BIGINT NOT NULL,
                due_at BIGINT NOT NULL,
                created_at BIGINT NOT NULL)
            """,
            "CREATE INDEX outbox_due ON outbox (due_at)",
        ]
    }
}
