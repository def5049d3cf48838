extension Schema {
    /// What may have become unneeded: a digest in a repository, whatever the repository has by it. Fed by the transactions that
    /// could make something dead, so that nobody ever has to look for it.
    static func reviews(_ dialect: SQLDialect) -> [String] {
        [
            // `since`: when something was last heard of it. `look_at`: half a grace behind that it is looked at.
            // `is_marked`: nothing referred to it when it was; it goes at the next look. `referrer`: how far those are put up
            // for review that refer to a manifest which is gone.
            """
            CREATE TABLE reviews (
                repository_id BIGINT NOT NULL,
                digest BYTEA NOT NULL,
                since BIGINT NOT NULL,
                look_at BIGINT NOT NULL,
                is_marked BIGINT NOT NULL,
                referrer BYTEA NOT NULL,
                PRIMARY KEY (repository_id, digest))\(dialect.clustered)
            """,
            "CREATE INDEX reviews_look ON reviews (look_at)",
            // One row: which node collects and until when, how far the walk over rows is that nobody has put up for review,
            // and by which rule untagged manifests were last judged.
            """
            CREATE TABLE collector (
                id BIGINT PRIMARY KEY,
                holder TEXT NOT NULL,
                held_until BIGINT NOT NULL,
                step BIGINT NOT NULL,
                step_repository BIGINT NOT NULL,
                step_row BIGINT NOT NULL,
                walked_at BIGINT NOT NULL,
                rule BIGINT NOT NULL)
            """,
            """
            INSERT INTO collector (id, holder, held_until, step, step_repository, step_row, walked_at, rule)
            VALUES (1, '', 0, 0, 0, 0, 0, -1)
            """,
        ]
    }
}
