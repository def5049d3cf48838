extension Schema {
    /// Who was asked into an organization, as what and by whom, and has not answered: one row for each of both.
    static func invitations(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE invitations (
                id \(dialect.key) PRIMARY KEY,
                namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
                principal_id BIGINT NOT NULL REFERENCES principals (id),
                role BIGINT NOT NULL,
                inviter_id BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                UNIQUE (namespace_id, principal_id))
            """,
            "CREATE INDEX invitations_principal ON invitations (principal_id, id)",
            "CREATE INDEX invitations_inviter ON invitations (inviter_id)",
            "CREATE INDEX invitations_expiry ON invitations (expires_at)",
        ]
    }
}
