import Runtime
import Store

/// What a transaction leaves behind by which its end is known: a token in the row of its connection, written first of all. Who
/// asks locks that row, and so waits until the transaction has ended; the token is there exactly if it has committed. The
/// number of a transaction would not do: after a crash one that has left no trace is given to another.
struct PostgresMark {
    static let table = "write_marks"
    /// Rows are written over all the time: with room beside them no index changes.
    static let creation = """
        CREATE TABLE IF NOT EXISTS \(table)
            (id BIGINT PRIMARY KEY, token BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now()) WITH (fillfactor = 10)
        """
    /// Rows of connections that are no more.
    static let cleaning = "DELETE FROM \(table) WHERE at < now() - INTERVAL '7 days'"

    let slot: Int64
    let token: Int64

    var setting: PostgresCommand {
        PostgresCommand(
            "UPDATE \(Self.table) SET token = $2, at = now() WHERE id = $1", [.integer(slot), .integer(token)])
    }

    var asking: PostgresCommand {
        PostgresCommand("SELECT token FROM \(Self.table) WHERE id = $1 FOR UPDATE", [.integer(slot)])
    }
}
