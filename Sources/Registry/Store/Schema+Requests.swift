extension Schema {
    /// Answers that are kept for requests which their clients may send again: for a day, sealed by what the client alone has.
    static func requests(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE kept_answers (
                id BYTEA PRIMARY KEY,
                principal_id BIGINT NOT NULL,
                fingerprint BYTEA NOT NULL,
                sealed BYTEA NOT NULL,
                created_at BIGINT NOT NULL)
            """,
            "CREATE INDEX kept_answers_principal ON kept_answers (principal_id, created_at)",
            "CREATE INDEX kept_answers_age ON kept_answers (created_at)",
        ]
    }
}
