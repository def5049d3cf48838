import Model
import Runtime

/// Somebody who wants to be a user, and has not shown yet that the address is theirs.
package struct RegistrationRecord: Sendable {
    package let id: RegistrationID
    package let name: String
    package let email: String
    /// Its hash.
    package let password: String
}

extension SQLTransaction {
    /// Registrations that may wait to be confirmed, most.
    private static let most = 10_000

    /// Keeps a registration. Throws `.overloaded` when there are too many.
    package func addRegistration(
        _ name: String, email: String, password: String, until: Timestamp
    ) throws(StoreError) -> RegistrationID {
        let waiting = try rows(
            "SELECT COUNT(*) FROM (SELECT 1 FROM registrations LIMIT \(Self.most)) waiting", []
        ).first?.integer(0)
        guard waiting ?? 0 < Int64(Self.most) else {
            throw StoreError(.overloaded, "\(Self.most) registrations wait to be confirmed")
        }
        let id: RegistrationID = newID()
        try execute(
            """
            INSERT INTO registrations (id, name, email, password, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            """, [SQLValue(id), .text(name), .text(email), .text(password), SQLValue(now), SQLValue(until)])
        return id
    }

    /// A registration; nil when there is none, or no more.
    package func registration(_ id: RegistrationID) throws(StoreError) -> RegistrationRecord? {
        try registration("id = $1", SQLValue(id))
    }

    /// The registration that a code confirms.
    package func registration(code hash: [UInt8]) throws(StoreError) -> RegistrationRecord? {
        try registration("hash = $1", .bytes(hash))
    }

    private func registration(_ condition: String, _ value: SQLValue) throws(StoreError) -> RegistrationRecord? {
        let row = try rows(
            "SELECT id, name, email, password FROM registrations WHERE \(condition) AND expires_at > $2",
            [value, SQLValue(now)]
        ).first
        return try row.map { (row) throws(StoreError) in
            RegistrationRecord(
                id: try row.id(0), name: try row.text(1), email: try row.text(2), password: try row.text(3))
        }
    }

    /// Keeps the hash of the code that confirms a registration, in the place of an earlier one.
    package func setCode(_ hash: [UInt8], of registration: RegistrationID) throws(StoreError) {
        try execute("UPDATE registrations SET hash = $2 WHERE id = $1", [SQLValue(registration), .bytes(hash)])
    }

    /// Takes a registration away.
    package func removeRegistration(_ id: RegistrationID) throws(StoreError) {
        try execute("DELETE FROM registrations WHERE id = $1", [SQLValue(id)])
    }
}
