import Model
import Runtime

/// An address that a user wants to have, and has not shown yet to be theirs.
package struct AddressChangeRecord: Sendable {
    package let id: AddressChangeID
    package let principal: PrincipalID
    package let email: String
}

extension SQLTransaction {
    /// Codes for new addresses that one user may have sent in an hour.
    private static let mostAddressChanges: Int64 = 5

    /// Keeps a wish for another address; nil, and nothing is kept, where the user has had too many of late.
    package func addAddressChange(
        _ email: String, of principal: PrincipalID, until: Timestamp
    ) throws(StoreError) -> AddressChangeID? {
        let count = try rows(
            "SELECT COUNT(*) FROM address_changes WHERE principal_id = $1 AND created_at > $2",
            [SQLValue(principal), SQLValue(now - .seconds(3600))]
        ).first?.integer(0)
        guard count ?? 0 < Self.mostAddressChanges else { return nil }
        let id: AddressChangeID = newID()
        try execute(
            "INSERT INTO address_changes (id, principal_id, email, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
            [SQLValue(id), SQLValue(principal), .text(email), SQLValue(now), SQLValue(until)])
        return id
    }

    /// A wish for an address; nil when there is none, or no more.
    package func addressChange(_ id: AddressChangeID) throws(StoreError) -> AddressChangeRecord? {
        try addressChange("id = $1", SQLValue(id))
    }

    /// The wish that a code confirms.
    package func addressChange(code hash: [UInt8]) throws(StoreError) -> AddressChangeRecord? {
        try addressChange("hash = $1", .bytes(hash))
    }

    private func addressChange(_ condition: String, _ value: SQLValue) throws(StoreError) -> AddressChangeRecord? {
        let row = try rows(
            "SELECT id, principal_id, email FROM address_changes WHERE \(condition) AND expires_at > $2",
            [value, SQLValue(now)]
        ).first
        return try row.map { (row) throws(StoreError) in
            AddressChangeRecord(id: try row.id(0), principal: try row.id(1), email: try row.text(2))
        }
    }

    /// Keeps the hash of the code that confirms a wish, in the place of an earlier one.
    package func setCode(_ hash: [UInt8], of change: AddressChangeID) throws(StoreError) {
        try execute("UPDATE address_changes SET hash = $2 WHERE id = $1", [SQLValue(change), .bytes(hash)])
    }

    /// None of a user's codes for new addresses counts any more. Their rows stay until their time is over: they count against
    /// the most of an hour.
    func endAddressChanges(of principal: PrincipalID) throws(StoreError) {
        try execute(
            "UPDATE address_changes SET expires_at = $2, hash = NULL WHERE principal_id = $1 AND expires_at > $2",
            [SQLValue(principal), SQLValue(now)])
    }
}
