import Model
import Runtime

/// Mail that is to be sent, as a row of the outbox: it commits with what it is about, and is made when it is sent, so that no
/// secret that is in it waits in a row.
package struct LetterRecord: Sendable {
    /// What it is about.
    package enum Kind: String, Sendable {
        /// `payload`: the name or the address that was given.
        case passwordReset = "mail.password-reset"
        /// `payload`: the key of the registration.
        case registration = "mail.registration"
        /// `payload`: the key of the address change.
        case addressChange = "mail.address"
        /// `payload`: the name of a user, and the address that they had until now.
        case addressGone = "mail.address-gone"
    }

    package let id: LetterID
    package let kind: Kind
    package let payload: String
    /// How often it was tried before.
    package let attempts: Int64
}

extension SQLTransaction {
    /// Letters that may wait, most.
    private static let mostLetters = 10_000

    /// Puts a letter in the outbox. Throws `.overloaded` when there are too many.
    package func post(_ kind: LetterRecord.Kind, _ payload: String) throws(StoreError) {
        let waiting = try rows(
            "SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE kind LIKE 'mail.%' LIMIT \(Self.mostLetters)) waiting", []
        ).first?.integer(0)
        guard waiting ?? 0 < Int64(Self.mostLetters) else {
            throw StoreError(.overloaded, "\(Self.mostLetters) letters wait to be sent")
        }
        let id: LetterID = newID()
        try execute(
            "INSERT INTO outbox (id, kind, payload, attempts, due_at, created_at) VALUES ($1, $2, $3, 0, $4, $4)",
            [SQLValue(id), .text(kind.rawValue), .text(payload), SQLValue(now)])
    }

    /// Whether `takeLetters` would find any.
    package func hasDueLetters() throws(StoreError) -> Bool {
        try !rows("SELECT 1 FROM outbox WHERE due_at <= $1 AND kind LIKE 'mail.%' LIMIT 1", [SQLValue(now)]).isEmpty
    }

    /// Takes letters that are due, at most `limit`: each is due again after what `pause` says of its attempts, should nobody
    /// remove it.
    package func takeLetters(
        limit: Int, pause: (_ attempts: Int64) -> Duration
    ) throws(StoreError) -> [LetterRecord] {
        var letters: [LetterRecord] = []
        for row in try rows(
            """
            SELECT id, kind, payload, attempts FROM outbox WHERE due_at <= $1 AND kind LIKE 'mail.%'
            ORDER BY due_at, id LIMIT $2
            """, [SQLValue(now), SQLValue(limit)])
        {
            let (id, attempts): (LetterID, Int64) = (try row.id(0), try row.integer(3))
            try execute(
                "UPDATE outbox SET attempts = attempts + 1, due_at = $2 WHERE id = $1",
                [SQLValue(id), SQLValue(now + pause(attempts))])
            guard let kind = LetterRecord.Kind(rawValue: try row.text(1)) else { continue }
            letters.append(LetterRecord(id: id, kind: kind, payload: try row.text(2), attempts: attempts))
        }
        return letters
    }

    /// Takes a letter out of the outbox: it was sent, or will never be.
    package func removeLetter(_ id: LetterID) throws(StoreError) {
        try execute("DELETE FROM outbox WHERE id = $1", [SQLValue(id)])
    }

    // MARK: codes

    /// Whether a code to set a password may be sent to somebody: not more than one a minute and five an hour; another try of the
    /// same letter is none more.
    package func maySendReset(to user: PrincipalID, by letter: LetterID) throws(StoreError) -> Bool {
        let row = try rows(
            """
            SELECT COUNT(*), COALESCE(MAX(created_at), 0) FROM password_resets
            WHERE principal_id = $1 AND letter_id <> $2 AND created_at > $3
            """, [SQLValue(user), SQLValue(letter), SQLValue(now - .seconds(3600))]
        ).first
        guard let row else { return true }
        let (count, last) = (try row.integer(0), try row.time(1))
        return count < 5 && last <= now - .seconds(60)
    }

    /// Keeps the hash of a code to set a password, in the place of the one that an earlier try of the letter had.
    package func keepReset(
        _ hash: [UInt8], of user: PrincipalID, by letter: LetterID, until: Timestamp
    ) throws(StoreError) {
        try execute("DELETE FROM password_resets WHERE letter_id = $1", [SQLValue(letter)])
        try execute(
            """
            INSERT INTO password_resets (hash, principal_id, letter_id, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5)
            """, [.bytes(hash), SQLValue(user), SQLValue(letter), SQLValue(now), SQLValue(until)])
    }

    /// Whose password a code sets; nil when it is none, or no more.
    package func userToReset(by hash: [UInt8]) throws(StoreError) -> PrincipalRecord? {
        let row = try rows(
            "SELECT principal_id FROM password_resets WHERE hash = $1 AND expires_at > $2",
            [.bytes(hash), SQLValue(now)]
        ).first
        return try row.flatMap { (row) throws(StoreError) in try principal(row.id(0)) }
    }

    /// Removes codes, registrations and wishes for addresses whose time is over, at most `limit` of each. Gives the most of one kind.
    package func removeExpiredCodes(limit: Int) throws(StoreError) -> Int {
        let arguments = [SQLValue(now), SQLValue(limit)]
        let resets = try execute(
            """
            DELETE FROM password_resets WHERE hash IN
                (SELECT hash FROM password_resets WHERE expires_at <= $1 LIMIT $2)
            """, arguments)
        let registrations = try execute(
            "DELETE FROM registrations WHERE id IN (SELECT id FROM registrations WHERE expires_at <= $1 LIMIT $2)",
            arguments)
        // Those count against the most of an hour, until it is over.
        let changes = try execute(
            """
            DELETE FROM address_changes WHERE id IN
                (SELECT id FROM address_changes WHERE expires_at <= $1 AND created_at <= $3 LIMIT $2)
            """, arguments + [SQLValue(now - .seconds(3600))])
        return max(resets, registrations, changes)
    }
}
