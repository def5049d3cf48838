import Runtime
import Store

/// A transaction on a connection. It begins with the first statement, with which its beginning is sent; one that runs none costs
/// nothing.
final class PostgresTransaction: SQLConnection {
    /// What it may do, and beside whom.
    enum Mode {
        /// Reads a snapshot.
        case reading
        /// Writes beside others: one that others were in the way of fails when it is noticed.
        case writing
        /// Writes while no other transaction of any node is in the middle of it.
        case alone
        /// The same for changes of the schema: a statement of it takes as long as the tables are large.
        case schema
    }

    /// Held by everybody who writes, and by one who writes alone exclusively. The lock is taken before the snapshot, which a
    /// function could not do.
    static let turns = "write_turns"
    /// How long a change of the schema may take in all.
    static let schemaTime = Duration.seconds(1800)

    private let connection: PostgresConnection
    private let opening: [PostgresCommand]
    private let pending: PostgresMark
    private let mode: Mode
    private let statementTime: Duration
    private let deadline: Duration
    private let clocks: Clocks
    /// Whether a statement was sent.
    private(set) var isBegun = false
    /// Why it cannot go on: after the first fault the server takes nothing more of it.
    private(set) var fault: PostgresFault?
    /// By which it is known again behind its commit; nil for one that writes nothing.
    private(set) var mark: PostgresMark?

    /// A transaction that ends before `deadline` on the clock of the uptime; `set` goes first in it.
    init(
        _ mode: Mode, on connection: PostgresConnection, _ set: [PostgresCommand], statementTime: Duration,
        until deadline: Duration, _ clocks: Clocks
    ) {
        self.connection = connection
        self.mode = mode
        self.statementTime = statementTime
        self.deadline = deadline
        self.clocks = clocks
        let mark = PostgresMark(slot: connection.slot, token: Int64.random(in: 1...(.max)))
        opening = [PostgresCommand(Self.begin(mode))] + set + Self.locking(mode, mark)
        pending = mark
    }

    private static func begin(_ mode: Mode) -> String {
        switch mode {
        case .reading: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        case .writing, .alone, .schema: "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
        }
    }

    private static func locking(_ mode: Mode, _ mark: PostgresMark) -> [PostgresCommand] {
        switch mode {
        case .reading: []
        case .writing: [PostgresCommand("LOCK TABLE \(turns) IN ROW SHARE MODE"), mark.setting]
        case .alone: [PostgresCommand("LOCK TABLE \(turns) IN EXCLUSIVE MODE"), mark.setting]
        // Only from here on: as long as it waits, writers wait behind it.
        case .schema:
            [
                PostgresCommand("LOCK TABLE \(turns) IN EXCLUSIVE MODE"),
                PostgresCommand("SET LOCAL statement_timeout = \(Int64(schemaTime / .milliseconds(1)))"), mark.setting,
            ]
        }
    }

    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        try step(sql, arguments).rows
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int {
        try step(sql, arguments).count
    }

    private func step(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> PostgresAnswer {
        if let fault { throw fault.error }
        let first = isBegun ? [] : opening
        isBegun = true
        do throws(PostgresFault) {
            let answers = try run(first + [PostgresCommand(sql, arguments)])
            guard let answer = answers.last else { throw .lost("a statement was not answered") }
            if !first.isEmpty, mode != .reading {
                guard answers.dropLast().last?.count == 1 else { throw .lost("a connection's mark is gone") }
                mark = pending
            }
            return answer
        } catch {
            fault = error
            throw error.error
        }
    }

    private func run(_ commands: [PostgresCommand]) throws(PostgresFault) -> [PostgresAnswer] {
        // The server gives up first, and tells why.
        let limit = mode == .schema ? deadline : min(deadline, clocks.uptime() + statementTime + .seconds(2))
        return try connection.run(commands, until: limit)
    }

    /// Commits. Throws `.conflict` and `.refused` where nothing stays, `.lost` where nobody knows.
    func commit() throws(PostgresFault) {
        if let fault { throw fault }
        guard isBegun else { return }
        let tag = try run([PostgresCommand("COMMIT")]).last?.tag ?? ""
        // A transaction that had failed is rolled back by it.
        guard tag == "COMMIT" else {
            throw PostgresFault(.refused, StoreError(.unavailable, "PostgreSQL: a commit ended with \(tag)"))
        }
    }

    /// Ends a transaction that has only read, or of which nothing is to stay; nobody waits for that.
    func end() {
        guard isBegun, !connection.isBroken else { return }
        connection.sendOff(mode == .reading && fault == nil ? "COMMIT" : "ROLLBACK")
    }
}
