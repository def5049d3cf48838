extension Schema {
    /// E-mail addresses, which are the same in either case of their letters, and what is done through them: `email_key` is an
    /// address with its letters made small. Of two accounts with one address, which could be made before, the older has it.
    static func mail(_ dialect: SQLDialect) -> [String] {
        [
            "ALTER TABLE principals ADD COLUMN email_key TEXT",
            """
            UPDATE principals SET email_key = lower(email) WHERE email IS NOT NULL AND deleted_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM principals o WHERE o.id < principals.id AND o.deleted_at IS NULL
                    AND lower(o.email) = lower(principals.email))
            """,
            "DROP INDEX principals_email",
            "CREATE UNIQUE INDEX principals_email_key ON principals (email_key) WHERE email_key IS NOT NULL",
            // `letter_id`: of the row of the outbox by which it was sent.
            """
            CREATE TABLE password_resets (
                hash BYTEA PRIMARY KEY,
                principal_id BIGINT NOT NULL REFERENCES principals (id),
                letter_id BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX password_resets_principal ON password_resets (principal_id)",
            "CREATE INDEX password_resets_expiry ON password_resets (expires_at)",
            // `hash` is of the code that was sent last; null as long as none was.
            """
            CREATE TABLE registrations (
                id \(dialect.key) PRIMARY KEY,
                name TEXT NOT NULL,
                email TEXT NOT NULL,
                password TEXT NOT NULL,
                hash BYTEA UNIQUE,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX registrations_expiry ON registrations (expires_at)",
        ]
    }
}
