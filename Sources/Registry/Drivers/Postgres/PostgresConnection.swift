import CLibPQ
import Glibc
import Runtime
import Store

/// A statement with its values.
struct PostgresCommand {
    let sql: String
    let values: [SQLValue]

    init(_ sql: String, _ values: [SQLValue] = []) {
        self.sql = sql
        self.values = values
    }
}

/// A connection in libpq's pipeline mode: several statements go out at once and their answers come in order. No call waits
/// past its deadline; where one does not come in time the server is asked to stop and the connection is not used again.
///
/// `@unchecked`: one thread uses it at a time, the one that the pool gave it to.
final class PostgresConnection: @unchecked Sendable {
    /// Statements prepared on one connection; what comes beyond is sent whole each time.
    private static let preparedLimit = 512
    /// Longer texts, such as those for a set of hundreds, are not worth being kept.
    private static let preparedLength = 8192

    private struct Prepared {
        let name: String
        var types: [Oid]
    }

    /// An answer that has not been read yet.
    private enum Expected {
        case answer
        /// Of a statement that is sent once nobody waits for it any more: the end of a read, a rollback.
        case ignored
        case prepared(sql: String, Prepared)
        case described(sql: String)
        case sync
    }

    private let handle: OpaquePointer
    private let clocks: Clocks
    private let keepsStatements: Bool
    private var statements: [String: Prepared] = [:]
    private var names = 0
    private var expected: [Expected] = []
    /// Whether it must not be used again.
    private(set) var isBroken = false
    /// The key of its row of marks, by which its transactions are known again.
    let slot = Int64.random(in: 1...(.max))
    /// Whether that row is there.
    private(set) var hasSlot = false

    /// Takes a connection of libpq's that is open and at rest, which this object closes.
    init(taking handle: OpaquePointer, keepsStatements: Bool, clocks: Clocks) throws(PostgresFault) {
        self.handle = handle
        self.keepsStatements = keepsStatements
        self.clocks = clocks
        // Notices, such as that a table is there already, would go to standard error.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw lost() }
    }

    deinit { PQfinish(handle) }

    /// Makes its row of marks, where it is not there yet; in no transaction.
    func makeSlot(until deadline: Duration) throws(PostgresFault) {
        guard !hasSlot else { return }
        let row = PostgresCommand("INSERT INTO \(PostgresMark.table) (id, token) VALUES ($1, 0)", [.integer(slot)])
        _ = try run([row], until: deadline)
        hasSlot = true
    }

    /// Runs statements, sent together: if one fails those behind it do not run, and its fault is thrown. `deadline` on the clock
    /// of the process's uptime.
    func run(_ commands: [PostgresCommand], until deadline: Duration) throws(PostgresFault) -> [PostgresAnswer] {
        try breaking { () throws(PostgresFault) in
            for command in commands { try send(command, .answer) }
            try sync()
            return try collect(until: deadline)
        }
    }

    /// Sends a statement whose answer nobody waits for; it is read with the next one.
    func sendOff(_ sql: String) {
        do throws(PostgresFault) {
            try breaking { () throws(PostgresFault) in
                try send(PostgresCommand(sql), .ignored)
                try sync()
                guard PQflush(handle) >= 0 else { throw lost() }
            }
        } catch {
            // It is broken, and will not be used again.
        }
    }

    private func breaking<T>(_ body: () throws(PostgresFault) -> T) throws(PostgresFault) -> T {
        do throws(PostgresFault) {
            return try body()
        } catch {
            if error.kind == .lost { isBroken = true }
            throw error
        }
    }

    private func lost() -> PostgresFault { .lost(Self.message(of: handle)) }

    /// The first line of what libpq says of a connection; never a password.
    static func message(of handle: OpaquePointer?) -> String {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        return text.split(separator: "\n").first.map { String($0) } ?? "the connection was lost"
    }
}

// MARK: sending

extension PostgresConnection {
    private func sync() throws(PostgresFault) {
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        expected.append(.sync)
    }

    private func send(_ command: PostgresCommand, _ expectation: Expected) throws(PostgresFault) {
        let statement = try prepared(command)
        let types = statement?.types ?? command.values.map(PostgresType.of)
        let parameters: PostgresParameters
        do throws(StoreError) {
            parameters = try PostgresParameters(command.values, types: types)
        } catch {
            throw PostgresFault(.lost, error)
        }
        let isSent = parameters.withArrays { count, values, lengths, formats in
            if let statement {
                return PQsendQueryPrepared(handle, statement.name, count, values, lengths, formats, 1) == 1
            }
            return PQsendQueryParams(handle, command.sql, count, types, values, lengths, formats, 1) == 1
        }
        guard isSent else { throw lost() }
        expected.append(expectation)
    }

    /// The statement as it is prepared here, which it is with its first use where it can be. A value that is NULL then says nothing
    /// of its type: the server tells it.
    private func prepared(_ command: PostgresCommand) throws(PostgresFault) -> Prepared? {
        if let known = statements[command.sql] { return known }
        guard keepsStatements, statements.count < Self.preparedLimit, command.sql.utf8.count <= Self.preparedLength
        else { return nil }
        names += 1
        let new = Prepared(name: "s\(names)", types: command.values.map(PostgresType.of))
        guard PQsendPrepare(handle, new.name, command.sql, Int32(clamping: new.types.count), new.types) == 1 else {
            throw lost()
        }
        expected.append(.prepared(sql: command.sql, new))
        if new.types.contains(PostgresType.inferred) {
            guard PQsendDescribePrepared(handle, new.name) == 1 else { throw lost() }
            expected.append(.described(sql: command.sql))
        }
        return new
    }
}

// MARK: receiving

extension PostgresConnection {
    /// Reads all that is expected. Throws the first fault of what was asked for, once everything is read; `.lost` at once.
    private func collect(until deadline: Duration) throws(PostgresFault) -> [PostgresAnswer] {
        var answers: [PostgresAnswer] = []
        var fault: PostgresFault?
        let all = expected
        expected = []
        for expectation in all {
            let result = try next(until: deadline)
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            switch status {
            case PGRES_PIPELINE_SYNC:
                guard case .sync = expectation else { throw .lost("answers came out of order") }
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                do throws(StoreError) {
                    if let answer = try take(result, expectation) { answers.append(answer) }
                } catch {
                    fault = fault ?? PostgresFault(.refused, error)
                }
            case PGRES_PIPELINE_ABORTED: break
            default:
                let found = PostgresFault(of: result)
                if case .ignored = expectation { throw .lost("what ended the transaction before failed") }
                guard found.kind != .lost else { throw found }
                fault = fault ?? found
            }
        }
        if let fault { throw fault }
        return answers
    }

    private func take(_ result: OpaquePointer, _ expectation: Expected) throws(StoreError) -> PostgresAnswer? {
        switch expectation {
        case .answer: return try PostgresAnswer(result)
        case .prepared(let sql, let statement): statements[sql] = statement
        case .described(let sql): statements[sql]?.types = (0..<PQnparams(result)).map { PQparamtype(result, $0) }
        case .ignored, .sync: break
        }
        return nil
    }

    /// The next result; those of one statement end with a null, that of a sync does not.
    private func next(until deadline: Duration) throws(PostgresFault) -> OpaquePointer {
        for _ in 0..<3 {
            try receive(until: deadline)
            if let result = PQgetResult(handle) { return result }
            guard PQstatus(handle) == CONNECTION_OK else { break }
        }
        throw lost()
    }

    /// Returns when the next result can be read without waiting.
    private func receive(until deadline: Duration) throws(PostgresFault) {
        while true {
            let unsent = PQflush(handle)
            guard unsent >= 0 else { throw lost() }
            guard PQisBusy(handle) != 0 else { return }
            guard wait(forRoom: unsent > 0, until: deadline) else {
                cancel()
                throw PostgresFault(.lost, StoreError(.overloaded, "PostgreSQL: no answer came in time"))
            }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }

    private func wait(forRoom: Bool, until deadline: Duration) -> Bool {
        while true {
            let left = deadline - clocks.uptime()
            guard left > .zero else { return false }
            var event = pollfd(
                fd: PQsocket(handle), events: Int16(forRoom ? POLLIN | POLLOUT : POLLIN), revents: 0)
            let milliseconds = min(left / .milliseconds(1) + 1, 60_000)
            switch poll(&event, 1, Int32(milliseconds)) {
            case 1...: return true
            case 0: continue
            default: if errno != EINTR { return true }
            }
        }
    }

    /// Asks the server to stop what it does. That goes by a connection of its own, whose making may take as long as the system
    /// lets it (`tcp_user_timeout`): a thread of its own waits for that.
    private func cancel() {
        guard let request = PQgetCancel(handle) else { return }
        let boxed = CancelRequest(pointer: request)
        Thread {
            var reason = [CChar](repeating: 0, count: 256)
            // Where it does not arrive statement_timeout does the same a little later.
            _ = PQcancel(boxed.pointer, &reason, Int32(reason.count))
            PQfreeCancel(boxed.pointer)
        }.start()
    }
}

/// `@unchecked`: handed to the one thread that uses it.
private struct CancelRequest: @unchecked Sendable {
    let pointer: OpaquePointer
}
