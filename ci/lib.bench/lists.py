"""Rows for ci/lib.bench/lists.sh, written into the database of a registry that does not run.

lists.py DATABASE COUNT words|rows: with `rows` so many users, repositories of theirs, tags of one repository and entries of the
audit; with `words` so many repositories and users alone, which the registry makes ready for search when it starts.
"""

import sqlite3
import sys
import time

WORDS = ["api", "web", "worker", "nginx", "proxy", "redis", "cache", "postgres", "backup", "metrics", "gateway", "auth", "mail",
         "queue", "search", "billing", "report", "agent", "operator", "dashboard"]
FIRST = 1 << 62


def repositories(db, namespaces, count, name, indexed):
    db.executemany(
        "INSERT INTO repositories (id, namespace_id, name, visibility, version, blobs, blob_bytes, manifests, manifest_bytes,"
        " created_at, begun_at, pushed_at, has_words) VALUES (?, ?, ?, 0, 0, 1, 1000, 1, 1000, 1, 1, 1, ?)",
        ((FIRST + 2 * n, namespaces(n), name(n), indexed) for n in range(count)))


def users(db, count, name, namespace, indexed):
    db.executemany(
        "INSERT INTO principals (id, kind, name, namespace_id, version, administrator, credentials_since, created_at, has_words)"
        " VALUES (?, 1, ?, ?, 0, 0, 1, 1, ?)", ((FIRST + 2 * n, name(n), namespace(n), indexed) for n in range(count)))


def main():
    path, count, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    accounts = count if kind == "rows" else 1000
    db.executemany(
        "INSERT INTO namespaces (id, name, access_version, repositories, blob_bytes, manifest_bytes, created_at, kind)"
        " VALUES (?, ?, 0, 1, 1000, 1000, 1, 1)", ((FIRST + 2 * n, f"team{n:07}") for n in range(accounts)))
    if kind == "words":
        repositories(
            db, lambda n: FIRST + 2 * (n % accounts), count,
            lambda n: f"team{n % accounts:07}/{WORDS[n % 20]}-{WORDS[n // 20 % 20]}-{n}", 0)
        users(db, count, lambda n: f"{WORDS[n % 20]}-{WORDS[n // 20 % 20]}-{n}", lambda n: FIRST + 2 * (n % accounts), 0)
    else:
        users(db, count, lambda n: f"team{n:07}", lambda n: FIRST + 2 * n, 1)
        repositories(db, lambda n: FIRST + 2 * n, count, lambda n: f"team{n:07}/app", 1)
        db.execute(
            "INSERT INTO manifests (id, repository_id, digest, media_type, size, edges, created_at, annotations, bytes)"
            " VALUES (?, ?, ?, 'application/vnd.oci.image.manifest.v1+json', 2, 0, 1, '{}', ?)",
            (FIRST, FIRST, b"\x01" + bytes(32), b"{}"))
        db.executemany(
            "INSERT INTO tags (repository_id, name, manifest_id, moves, updated_at) VALUES (?, ?, ?, 0, 1)",
            ((FIRST, f"v{n:07}", FIRST) for n in range(count)))
        db.executemany(
            "INSERT INTO audit (id, at, principal_id, address, request_id, action, subject, detail)"
            " VALUES (?, ?, ?, '10.0.0.1', 'x', 'user.create', 'somebody', '')",
            ((n + 1, int(time.time() * 1000), FIRST + 2 * n) for n in range(count)))
    db.execute("COMMIT")
    db.close()


main()
