extension Schema {
    /// Who there is, how they prove it, and what they may. Users, robots and teams have keys from one source, so that a
    /// permission's `grantee_id` says which of them is meant. `version` counts what could make a remembered credential or
    /// right wrong; a namespace's `access_version` does that for its members, teams and permissions.
    static func accounts(_ dialect: SQLDialect) -> [String] {
        people(dialect) + organizations(dialect) + credentials(dialect) + [
            "ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT 'done'",
            "ALTER TABLE audit ADD COLUMN credential TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX audit_principal ON audit (principal_id, id)",
            "ALTER TABLE repositories ADD COLUMN description TEXT NOT NULL DEFAULT ''",
        ]
    }

    /// `namespace_id`: a user's own, or that of a robot's organization.
    private static func people(_ dialect: SQLDialect) -> [String] {
        [
            "ALTER TABLE namespaces ADD COLUMN kind BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE namespaces ADD COLUMN description TEXT NOT NULL DEFAULT ''",
            """
            CREATE TABLE principals (
                id \(dialect.key) PRIMARY KEY,
                kind BIGINT NOT NULL,
                name \(dialect.orderedText) NOT NULL,
                namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
                version BIGINT NOT NULL,
                administrator BIGINT NOT NULL,
                email TEXT,
                password TEXT,
                credentials_since BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                last_login_at BIGINT,
                disabled_at BIGINT,
                deleted_at BIGINT)
            """,
            "CREATE UNIQUE INDEX principals_name ON principals (kind, namespace_id, name) WHERE deleted_at IS NULL",
            "CREATE INDEX principals_order ON principals (kind, name)",
            "CREATE UNIQUE INDEX principals_email ON principals (email) WHERE deleted_at IS NULL AND email IS NOT NULL",
        ]
    }

    private static func organizations(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE members (
                namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
                principal_id BIGINT NOT NULL REFERENCES principals (id),
                role BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (namespace_id, principal_id))\(dialect.clustered)
            """,
            "CREATE INDEX members_principal ON members (principal_id)",
            """
            CREATE TABLE teams (
                id \(dialect.key) PRIMARY KEY,
                namespace_id BIGINT NOT NULL REFERENCES namespaces (id),
                name \(dialect.orderedText) NOT NULL,
                created_at BIGINT NOT NULL,
                UNIQUE (namespace_id, name))
            """,
            """
            CREATE TABLE team_members (
                principal_id BIGINT NOT NULL REFERENCES principals (id),
                namespace_id BIGINT NOT NULL,
                team_id BIGINT NOT NULL REFERENCES teams (id),
                created_at BIGINT NOT NULL,
                PRIMARY KEY (principal_id, namespace_id, team_id))\(dialect.clustered)
            """,
            "CREATE INDEX team_members_team ON team_members (team_id)",
            """
            CREATE TABLE permissions (
                repository_id BIGINT NOT NULL REFERENCES repositories (id),
                grantee_id BIGINT NOT NULL,
                grantee_kind BIGINT NOT NULL,
                rights BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                PRIMARY KEY (repository_id, grantee_id))\(dialect.clustered)
            """,
            "CREATE INDEX permissions_grantee ON permissions (grantee_id)",
        ]
    }

    /// Secrets are kept as hashes. Of a key that was rotated the older secret lives on until `older_until`.
    private static func credentials(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE api_keys (
                id \(dialect.key) PRIMARY KEY,
                principal_id BIGINT NOT NULL REFERENCES principals (id),
                name TEXT NOT NULL,
                hint TEXT NOT NULL,
                hash BYTEA NOT NULL UNIQUE,
                older_hash BYTEA UNIQUE,
                older_until BIGINT,
                scope TEXT,
                created_at BIGINT NOT NULL,
                created_by BIGINT NOT NULL,
                expires_at BIGINT,
                last_used_at BIGINT)
            """,
            "CREATE INDEX api_keys_principal ON api_keys (principal_id, id)",
            """
            CREATE TABLE logins (
                id \(dialect.key) PRIMARY KEY,
                principal_id BIGINT NOT NULL REFERENCES principals (id),
                hash BYTEA NOT NULL UNIQUE,
                api_key_id BIGINT,
                client TEXT NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX logins_principal ON logins (principal_id)",
            "CREATE INDEX logins_expiry ON logins (expires_at)",
            """
            CREATE TABLE signing_keys (
                kid TEXT PRIMARY KEY,
                purpose TEXT NOT NULL,
                secret BYTEA NOT NULL,
                created_at BIGINT NOT NULL,
                retires_at BIGINT)
            """,
        ]
    }
}
