#!/usr/bin/env python3
"""Fills the database of a registry that is not running with a crowd, straight, as nobody has the time to do it by the API.

Usage: crowd.py DATABASE READER REPOSITORY

100,000 users, 10,000 organizations of ten members, two teams and one repository each, and 1,000,000 permissions, 1,000 of them
on REPOSITORY. READER becomes a member of 100 of the organizations and of a team in each.
"""

import sqlite3
import sys
import time

USERS, ORGANIZATIONS, PERMISSIONS = 100_000, 10_000, 1_000_000
BASE = 1_000_000_000  # ids: below those that the registry makes of the time
USER, ORGANIZATION = 1, 2
TEAM = 3
READER_ROLE = 1


def main(database, reader, repository):
    db = sqlite3.connect(database)
    db.execute("PRAGMA synchronous = OFF")
    now = int(time.time() * 1000)
    reader_id = db.execute("SELECT id FROM principals WHERE name = ? AND kind = 1", (reader,)).fetchone()[0]
    measured = db.execute("SELECT id FROM repositories WHERE name = ?", (repository,)).fetchone()[0]
    password = db.execute("SELECT password FROM principals WHERE id = ?", (reader_id,)).fetchone()[0]

    # Every kind has a row of ids of its own.
    home, user = BASE, 2 * BASE
    organization, team, repo = 3 * BASE, 4 * BASE, 5 * BASE
    columns = "(id, name, access_version, repositories, blob_bytes, manifest_bytes, created_at, kind)"
    db.executemany(
        f"INSERT INTO namespaces {columns} VALUES (?, ?, 1, 0, 0, 0, ?, ?)",
        ((home + n, f"user-{n}", now, USER) for n in range(USERS)),
    )
    db.executemany(
        f"INSERT INTO namespaces {columns} VALUES (?, ?, 1, 1, 0, 0, ?, ?)",
        ((organization + n, f"organization-{n}", now, ORGANIZATION) for n in range(ORGANIZATIONS)),
    )
    db.executemany(
        "INSERT INTO principals (id, kind, name, namespace_id, version, administrator, password, credentials_since,"
        " created_at, has_words) VALUES (?, 1, ?, ?, 1, 0, ?, ?, ?, 1)",
        ((user + n, f"user-{n}", home + n, password, now, now) for n in range(USERS)),
    )
    members = [(organization + n // 10, user + n, READER_ROLE, now) for n in range(USERS)]
    members += [(organization + n, reader_id, READER_ROLE, now) for n in range(100)]
    db.executemany("INSERT INTO members (namespace_id, principal_id, role, created_at) VALUES (?, ?, ?, ?)", members)
    db.executemany(
        "INSERT INTO teams (id, namespace_id, name, created_at) VALUES (?, ?, ?, ?)",
        ((team + n, organization + n // 2, f"team-{n % 2}", now) for n in range(2 * ORGANIZATIONS)),
    )
    in_teams = [(user + n, organization + n // 10, team + n // 5, now) for n in range(USERS)]
    in_teams += [(reader_id, organization + n, team + 2 * n, now) for n in range(100)]
    db.executemany(
        "INSERT INTO team_members (principal_id, namespace_id, team_id, created_at) VALUES (?, ?, ?, ?)", in_teams
    )
    db.executemany(
        "INSERT INTO repositories (id, namespace_id, name, visibility, version, blobs, blob_bytes, manifests,"
        " manifest_bytes, created_at, begun_at) VALUES (?, ?, ?, 0, 1, 0, 0, 0, 0, ?, ?)",
        ((repo + n, organization + n, f"organization-{n}/image", now, now) for n in range(ORGANIZATIONS)),
    )
    permissions = [(measured, user + n, USER, 1, now) for n in range(1000)]
    each = (PERMISSIONS - len(permissions)) // ORGANIZATIONS
    for n in range(ORGANIZATIONS):
        permissions.append((repo + n, team + 2 * n, TEAM, 3, now))
        permissions += [(repo + n, user + (n * 7 + k * 11) % USERS, USER, 1, now) for k in range(each - 1)]
    # What is left of the million.
    left = PERMISSIONS - len(permissions)
    permissions += [(repo + n, team + 2 * n + 1, TEAM, 1, now) for n in range(left)]
    db.executemany(
        "INSERT INTO permissions (repository_id, grantee_id, grantee_kind, rights, created_at) VALUES (?, ?, ?, ?, ?)",
        permissions,
    )
    db.commit()
    count = db.execute("SELECT count(*) FROM permissions").fetchone()[0]
    print(f"  {USERS} users, {ORGANIZATIONS} organizations, {count} permissions")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


if len(sys.argv) != 4:
    sys.exit(__doc__)
main(*sys.argv[1:])
