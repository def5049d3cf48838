import CLibPQ
import Runtime

/// Why something could not be done on a connection, and what that means for the transaction that it was part of.
struct PostgresFault: Error {
    enum Kind {
        /// Another transaction was in the way: nothing stays of this one, and it can be run again.
        case conflict
        /// The connection is gone or its state is not known: it is not used again. Unless a commit was under way nothing stays.
        case lost
        /// The server would not do it.
        case refused
    }

    let kind: Kind
    let error: StoreError

    init(_ kind: Kind, _ error: StoreError) {
        self.kind = kind
        self.error = error
    }

    /// A connection that cannot be used any more.
    static func lost(_ cause: String) -> PostgresFault {
        PostgresFault(.lost, StoreError(.unavailable, "PostgreSQL: \(cause)"))
    }
}

extension PostgresFault {
    /// What an answer says of an error. Its detail is left out: it can have values of rows in it.
    init(of result: OpaquePointer) {
        let state = Self.field(result, "C") ?? ""
        let message = Self.field(result, "M") ?? "it gave no reason"
        let constraint = Self.field(result, "n").map { " (\($0))" } ?? ""
        let (kind, code) = Self.meaning(of: state)
        self.init(kind, StoreError(code, "PostgreSQL \(state): \(message)\(constraint)"))
    }

    private static func field(_ result: OpaquePointer, _ name: Unicode.Scalar) -> String? {
        PQresultErrorField(result, Int32(name.value)).map { String(cString: $0) }
    }

    /// By the codes of PostgreSQL's documentation, appendix A.
    private static func meaning(of state: String) -> (Kind, StoreError.Code) {
        switch state {
        // serialization_failure, deadlock_detected, lock_not_available (lock_timeout).
        case "40001", "40P01", "55P03": return (.conflict, .conflict)
        // duplicate_table, duplicate_object: two nodes changed the schema at once.
        case "42P07", "42710": return (.conflict, .conflict)
        // A key that is taken, or one that is referred to and gone: made anew when the transaction is run again.
        case "23505", "23503": return (.refused, .conflict)
        // disk_full, out_of_memory, too_many_connections, configuration_limit_exceeded.
        case "53100": return (.refused, .full)
        case "53200", "53400": return (.refused, .overloaded)
        case "53300": return (.lost, .overloaded)
        // query_canceled: statement_timeout.
        case "57014": return (.refused, .overloaded)
        // read_only_sql_transaction: it has become a standby, the next connection looks for the primary.
        case "25006": return (.lost, .unavailable)
        // invalid_sql_statement_name, feature_not_supported (a cached plan's result type): what was prepared is not there any more.
        case "26000", "0A000": return (.lost, .unavailable)
        // idle_in_transaction_session_timeout: this process stood still.
        case "25P03": return (.lost, .unavailable)
        // data_corrupted, index_corrupted.
        case "XX001", "XX002": return (.refused, .damaged)
        default:
            // Connections, and administrators who end them.
            let isLost = state.isEmpty || state.hasPrefix("08") || state.hasPrefix("57P")
            return (isLost ? .lost : .refused, .unavailable)
        }
    }
}
