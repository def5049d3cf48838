import Model
import Runtime

/// A row of the table of keys, without its hashes.
package struct KeyRecord: Sendable {
    package let id: KeyID
    package let principal: PrincipalID
    package let name: String
    /// Its first characters, by which a person knows it again.
    package let hint: String
    /// What it reaches at most, as `KeyScope` writes it; nil for no bound.
    package let scope: String?
    package let createdAt: Timestamp
    package let expiresAt: Timestamp?
    package let lastUsedAt: Timestamp?

    static let columns = "id, principal_id, name, hint, scope, created_at, expires_at, last_used_at"

    init(_ row: SQLRow) throws(StoreError) {
        id = try row.id(0)
        principal = try row.id(1)
        name = try row.text(2)
        hint = try row.text(3)
        scope = try row.optionalText(4)
        createdAt = try row.time(5)
        expiresAt = try row.optionalTime(6)
        lastUsedAt = try row.optionalTime(7)
    }
}

/// A login that is kept: the row of a refresh token.
package struct LoginRecord: Sendable {
    package let id: LoginID
    package let principal: PrincipalID
    /// The key that it came of, and is bound by.
    package let key: KeyID?
    package let expiresAt: Timestamp
}

/// A key that tokens are signed with.
package struct SigningKeyRecord: Sendable {
    package let kid: String
    package let secret: [UInt8]
    package let createdAt: Timestamp
    /// From when on it is not believed any more; nil for the one that signs.
    package let retiresAt: Timestamp?
}

extension SQLTransaction {
    /// When a key, or the older of its secrets, ends next; nil where neither does.
    package func nextEnd(ofKey id: KeyID) throws(StoreError) -> Timestamp? {
        let row = try rows("SELECT expires_at, older_until FROM api_keys WHERE id = $1", [SQLValue(id)]).first
        guard let row else { return nil }
        return [try row.optionalTime(0), try row.optionalTime(1)].compactMap { $0 }.filter { $0 > now }.min()
    }

    /// The key whose secret has this hash, unless it has expired; the older secret of one that was rotated for as long as it
    /// lives on.
    package func key(hash: [UInt8]) throws(StoreError) -> KeyRecord? {
        try keys(
            """
            (hash = $1 OR (older_hash = $1 AND older_until > $2)) AND (expires_at IS NULL OR expires_at > $2)
            """, [.bytes(hash), SQLValue(now)]
        ).first
    }

    /// A key of this id, expired or not.
    package func key(_ id: KeyID) throws(StoreError) -> KeyRecord? { try keys("id = $1", [SQLValue(id)]).first }

    /// A principal's keys, oldest first.
    package func keys(of principal: PrincipalID) throws(StoreError) -> [KeyRecord] {
        try keys("principal_id = $1 ORDER BY id LIMIT 1000", [SQLValue(principal)])
    }

    private func keys(_ condition: String, _ arguments: [SQLValue]) throws(StoreError) -> [KeyRecord] {
        var records: [KeyRecord] = []
        for row in try rows("SELECT \(KeyRecord.columns) FROM api_keys WHERE \(condition)", arguments) {
            records.append(try KeyRecord(row))
        }
        return records
    }

    /// Makes a key.
    package func addKey(
        of principal: PrincipalID, _ name: String, hint: String, hash: [UInt8], scope: String?, expiresAt: Timestamp?,
        by maker: PrincipalID
    ) throws(StoreError) -> KeyID {
        let id: KeyID = newID()
        try execute(
            """
            INSERT INTO api_keys (id, principal_id, name, hint, hash, scope, created_at, created_by, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            [
                SQLValue(id), SQLValue(principal), .text(name), .text(hint), .bytes(hash), SQLValue(scope),
                SQLValue(now), SQLValue(maker), expiresAt.map { SQLValue($0) } ?? .null,
            ])
        return id
    }

    /// Gives a key a new secret; the one it has now lives on until `until`. Tokens that came of it stay good.
    package func rotate(
        _ key: KeyRecord, hash: [UInt8], hint: String, keepingOlderUntil until: Timestamp
    ) throws(StoreError) {
        try execute(
            "UPDATE api_keys SET older_hash = hash, older_until = $2, hash = $3, hint = $4 WHERE id = $1",
            [SQLValue(key.id), SQLValue(until), .bytes(hash), .text(hint)])
        try touchPrincipal(key.principal)
    }

    /// Removes a key, and with it what came of it. False when it is not there.
    package func removeKey(_ key: KeyRecord) throws(StoreError) -> Bool {
        let found = try execute("DELETE FROM api_keys WHERE id = $1", [SQLValue(key.id)])
        try execute("DELETE FROM logins WHERE api_key_id = $1", [SQLValue(key.id)])
        if found > 0 { try touchPrincipal(key.principal) }
        return found > 0
    }

    /// Notes that a key was used.
    package func noteUse(of key: KeyID) throws(StoreError) {
        try execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", [SQLValue(key), SQLValue(now)])
    }

    /// Keeps a login.
    package func addLogin(
        of principal: PrincipalID, hash: [UInt8], key: KeyID?, client: String, expiresAt: Timestamp
    ) throws(StoreError) -> LoginID {
        let id: LoginID = newID()
        try execute(
            """
            INSERT INTO logins (id, principal_id, hash, api_key_id, client, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                SQLValue(id), SQLValue(principal), .bytes(hash), key.map { SQLValue($0) } ?? .null, .text(client),
                SQLValue(now), SQLValue(expiresAt),
            ])
        return id
    }

    /// The login of a refresh token with this hash, unless it has expired.
    package func login(hash: [UInt8]) throws(StoreError) -> LoginRecord? {
        try login("hash = $1", .bytes(hash))
    }

    /// The login of this key, unless it has expired.
    package func login(_ id: LoginID) throws(StoreError) -> LoginRecord? { try login("id = $1", SQLValue(id)) }

    private func login(_ condition: String, _ value: SQLValue) throws(StoreError) -> LoginRecord? {
        guard
            let row = try rows(
                "SELECT id, principal_id, api_key_id, expires_at FROM logins WHERE \(condition) AND expires_at > $2",
                [value, SQLValue(now)]
            ).first
        else { return nil }
        return LoginRecord(
            id: try row.id(0), principal: try row.id(1), key: row.isNull(2) ? nil : try row.id(2),
            expiresAt: try row.time(3))
    }

    /// The login that a session with this hash uses, unless either has expired.
    package func login(sessionHash hash: [UInt8]) throws(StoreError) -> LoginRecord? {
        try login("session_until > $2 AND session_hash = $1", .bytes(hash))
    }

    /// Gives a login new secrets, in the place of those that it had: a refresh token and a session.
    package func renew(
        _ login: LoginID, hash: [UInt8], until: Timestamp, sessionHash: [UInt8], sessionUntil: Timestamp
    ) throws(StoreError) {
        try execute(
            "UPDATE logins SET hash = $2, expires_at = $3, session_hash = $4, session_until = $5 WHERE id = $1",
            [
                SQLValue(login), .bytes(hash), SQLValue(until), .bytes(sessionHash), SQLValue(sessionUntil),
            ])
    }

    /// Lets a login live longer.
    package func extend(_ login: LoginID, until: Timestamp) throws(StoreError) {
        try execute("UPDATE logins SET expires_at = $2 WHERE id = $1", [SQLValue(login), SQLValue(until)])
    }

    /// Ends a login.
    package func removeLogin(_ login: LoginRecord) throws(StoreError) {
        try execute("DELETE FROM logins WHERE id = $1", [SQLValue(login.id)])
        try touchPrincipal(login.principal)
    }

    /// Removes the logins of a principal that were not used for longest, beyond so many; what came of them ends.
    package func removeLogins(of principal: PrincipalID, beyond count: Int) throws(StoreError) {
        let removed = try execute(
            """
            DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE principal_id = $1
                ORDER BY expires_at DESC, id DESC LIMIT 100 OFFSET $2)
            """, [SQLValue(principal), SQLValue(count)])
        if removed > 0 { try touchPrincipal(principal) }
    }

    func removeLogins(of principal: PrincipalID) throws(StoreError) {
        try execute("DELETE FROM logins WHERE principal_id = $1", [SQLValue(principal)])
    }

    /// Removes logins that have expired, at most `limit`. Gives how many.
    package func removeExpiredLogins(limit: Int) throws(StoreError) -> Int {
        try execute(
            "DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE expires_at <= $1 LIMIT $2)",
            [SQLValue(now), SQLValue(limit)])
    }

    /// The keys of a purpose that are believed now, newest first.
    package func signingKeys(_ purpose: String) throws(StoreError) -> [SigningKeyRecord] {
        var records: [SigningKeyRecord] = []
        for row in try rows(
            """
            SELECT kid, secret, created_at, retires_at FROM signing_keys
            WHERE purpose = $1 AND (retires_at IS NULL OR retires_at > $2) ORDER BY created_at DESC, kid
            """, [.text(purpose), SQLValue(now)])
        {
            records.append(
                SigningKeyRecord(
                    kid: try row.text(0), secret: try row.bytes(1), createdAt: try row.time(2),
                    retiresAt: try row.optionalTime(3)))
        }
        return records
    }

    /// Keeps a new key that signs from now on; those before it are believed until `until`.
    package func addSigningKey(
        _ kid: String, _ secret: [UInt8], _ purpose: String, retiringOthersAt until: Timestamp
    ) throws(StoreError) {
        try execute(
            "UPDATE signing_keys SET retires_at = $2 WHERE purpose = $1 AND retires_at IS NULL",
            [.text(purpose), SQLValue(until)])
        try execute(
            "INSERT INTO signing_keys (kid, purpose, secret, created_at) VALUES ($1, $2, $3, $4)",
            [.text(kid), .text(purpose), .bytes(secret), SQLValue(now)])
    }
}
