import Model
import Runtime

/// An answer that is kept for a request which its client may send again.
package struct KeptAnswer: Sendable {
    /// What tells the request from another one.
    package let fingerprint: [UInt8]
    package let sealed: [UInt8]

    /// An answer to be kept.
    package init(fingerprint: [UInt8], sealed: [UInt8]) {
        self.fingerprint = fingerprint
        self.sealed = sealed
    }
}

extension SQLTransaction {
    /// How long an answer is kept.
    package static let answerLife = Duration.seconds(86_400)
    /// Most answers that are kept of one principal.
    private static let mostAnswers = 1000

    /// The answer that is kept under this id; nil when there is none, or no more.
    package func keptAnswer(_ id: [UInt8]) throws(StoreError) -> KeptAnswer? {
        let row = try rows(
            "SELECT fingerprint, sealed FROM kept_answers WHERE id = $1 AND created_at > $2",
            [.bytes(id), SQLValue(now - Self.answerLife)]
        ).first
        return try row.map { (row) throws(StoreError) in
            KeptAnswer(fingerprint: try row.bytes(0), sealed: try row.bytes(1))
        }
    }

    /// Keeps an answer, in the place of one whose time is over. Of a principal's answers the oldest go when there are too many.
    /// Throws `.conflict` where one that counts is there already.
    package func keep(_ answer: KeptAnswer, as id: [UInt8], of principal: PrincipalID) throws(StoreError) {
        let kept = try execute(
            """
            INSERT INTO kept_answers (id, principal_id, fingerprint, sealed, created_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO UPDATE
            SET fingerprint = excluded.fingerprint, sealed = excluded.sealed, created_at = excluded.created_at
            WHERE kept_answers.created_at <= $6
            """,
            [
                .bytes(id), SQLValue(principal), .bytes(answer.fingerprint), .bytes(answer.sealed), SQLValue(now),
                SQLValue(now - Self.answerLife),
            ])
        guard kept > 0 else { throw StoreError(.conflict, "an answer is kept already") }
        try execute(
            """
            DELETE FROM kept_answers WHERE id IN (SELECT id FROM kept_answers WHERE principal_id = $1
                ORDER BY created_at DESC, id LIMIT 100 OFFSET \(Self.mostAnswers))
            """, [SQLValue(principal)])
    }

    /// Removes answers whose time is over, at most `limit`. Gives how many.
    package func removeOldAnswers(limit: Int) throws(StoreError) -> Int {
        try execute(
            "DELETE FROM kept_answers WHERE id IN (SELECT id FROM kept_answers WHERE created_at <= $1 LIMIT $2)",
            [SQLValue(now - Self.answerLife), SQLValue(limit)])
    }
}
