import Glibc
import Metrics
import Runtime
import Store

/// PostgreSQL (15 or later) through libpq: a pool of connections with a thread each, so that neither event loops nor Swift's own
/// threads ever wait.
///
/// Writes are serializable transactions. They run side by side; one that others were in the way of is run again with all others
/// kept out for as long as it takes, so that it does get through. Reads see a snapshot. What a connection was lost in before its
/// commit runs again on another one; in a commit, the server is asked how it ended.
package final class PostgresDatabase: SQLDatabase {
    private static let capacity = 4096
    /// How often a transaction is run in all when others are in its way.
    private static let tries = 4
    /// How many connections it may be lost on: what is there is the first of them, and a server that restarts may take one more.
    private static let losses = 8

    package let dialect = SQLDialect.postgreSQL
    private let settings: PostgresSettings
    private let clocks: Clocks
    private let pool: PostgresPool
    private let reads: BlockingExecutor
    private let writes: BlockingExecutor

    /// Connects, and makes what the driver needs, unless it is only to be looked at. Throws `StoreError`.
    package static func open(
        _ settings: PostgresSettings, isPreparing: Bool = true, clocks: Clocks = .system
    ) async throws(StoreError) -> PostgresDatabase {
        let database = PostgresDatabase(settings, clocks)
        guard isPreparing else { return database }
        try await database.writes.run { [database] () throws(StoreError) in try database.prepare() }
        return database
    }

    private init(_ settings: PostgresSettings, _ clocks: Clocks) {
        self.settings = settings
        self.clocks = clocks
        pool = PostgresPool(settings, clocks)
        let readers = max(1, settings.connections / 3)
        func executor(_ name: String, _ threads: Int) -> BlockingExecutor {
            BlockingExecutor(
                name: name, threads: threads, capacity: Self.capacity, patience: settings.patience, clocks: clocks)
        }
        reads = executor("PostgreSQL, reading", readers)
        writes = executor("PostgreSQL, writing", max(1, settings.connections - readers))
    }

    deinit {
        reads.stop()
        writes.stop()
        pool.stop()
    }

    package func metrics() -> [MetricFamily] { BlockingExecutor.metrics([reads, writes]) + pool.metrics }

    package func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await reads.run { [self] () throws(StoreError) in try carryOut(.reading, body) }
    }

    package func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await writes.run { [self] () throws(StoreError) in try carryOut(.writing, body) }
    }

    package func writeAlone<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await writes.run { [self] () throws(StoreError) in try carryOut(.schema, body) }
    }

    /// Runs a statement that is a transaction by itself. Throws `StoreError`.
    package func ask(_ sql: String, _ values: [SQLValue] = []) async throws(StoreError) -> [SQLRow] {
        try await reads.run { [self] () throws(StoreError) in
            try question(sql, values, until: clocks.uptime() + settings.patience)
        }
    }

    /// The same on the thread of who calls.
    func question(_ sql: String, _ values: [SQLValue], until deadline: Duration) throws(StoreError) -> [SQLRow] {
        var losses = 0
        while true {
            let connection = try pool.take(until: deadline)
            defer { pool.give(connection) }
            do throws(PostgresFault) {
                let limit = min(deadline, clocks.uptime() + settings.statementTime + .seconds(2))
                return try connection.run([PostgresCommand(sql, values)], until: limit).last?.rows ?? []
            } catch {
                losses += 1
                let isLost = error.kind == .lost && error.error.code == .unavailable
                guard isLost, losses < Self.losses, clocks.uptime() < deadline else { throw error.error }
                pool.drop()
            }
        }
    }
}

// MARK: transactions

extension PostgresDatabase {
    /// How a run of a transaction ended.
    private enum Ending<T> {
        case done(T)
        /// Nothing of it stays, for a reason that is its own.
        case failed(StoreError)
        /// Nothing of it stays, and it may be run again.
        case again(PostgresFault)
        /// The connection was lost in the commit of what left this mark.
        case unknown(PostgresMark, PostgresFault)
    }

    private func carryOut<T>(
        _ first: PostgresTransaction.Mode, _ body: (any SQLConnection) throws(StoreError) -> T
    ) throws(StoreError) -> T {
        var (mode, conflicts, losses) = (first, 0, 0)
        let deadline = clocks.uptime() + (first == .schema ? PostgresTransaction.schemaTime : settings.patience)
        while true {
            let connection = try pool.take(until: deadline)
            let (ending, value) = run(mode, body, on: connection, until: deadline)
            pool.give(connection)
            let fault: PostgresFault
            switch ending {
            case .done(let value): return value
            case .failed(let error): throw error
            case .again(let cause): fault = cause
            case .unknown(let mark, let cause):
                guard let value else { throw cause.error }
                pool.drop()
                if try hasCommitted(mark, cause) { return value }
                fault = cause
            }
            guard clocks.uptime() < deadline else { throw fault.error }
            if fault.kind == .conflict {
                conflicts += 1
                // Another node may be changing the schema, which takes its time.
                guard conflicts < Self.tries || mode == .schema else { throw fault.error }
                if mode == .writing { mode = .alone }
            } else {
                losses += 1
                guard losses < Self.losses else { throw fault.error }
                pool.drop()
            }
        }
    }

    private func run<T>(
        _ mode: PostgresTransaction.Mode, _ body: (any SQLConnection) throws(StoreError) -> T,
        on connection: PostgresConnection, until deadline: Duration
    ) -> (Ending<T>, T?) {
        let transaction = PostgresTransaction(
            mode, on: connection, settings.pooling == .session ? [] : PostgresSession.setUp(settings, "LOCAL"),
            statementTime: settings.statementTime, until: deadline, clocks)
        if mode != .reading {
            do throws(PostgresFault) {
                try connection.makeSlot(until: min(deadline, clocks.uptime() + settings.statementTime))
            } catch {
                return (Self.ending(error), nil)
            }
        }
        let value: T
        do throws(StoreError) {
            value = try body(transaction)
        } catch {
            transaction.end()
            // What the body throws of its own counts, unless the transaction had failed before.
            return (transaction.fault.map(Self.ending) ?? .failed(error), nil)
        }
        guard mode != .reading else {
            if let fault = transaction.fault { return (Self.ending(fault), nil) }
            transaction.end()
            return (.done(value), nil)
        }
        do throws(PostgresFault) {
            try transaction.commit()
            return (.done(value), nil)
        } catch {
            transaction.end()
            // A fault from before the commit is known to have left nothing.
            if error.kind == .lost, transaction.fault == nil, let mark = transaction.mark {
                return (.unknown(mark, error), value)
            }
            return (Self.ending(error), nil)
        }
    }

    private static func ending<T>(_ fault: PostgresFault) -> Ending<T> {
        switch fault.kind {
        case .conflict: .again(fault)
        // One that came too late is not run again: the server has too much to do as it is.
        case .lost: fault.error.code == .unavailable ? .again(fault) : .failed(fault.error)
        case .refused: .failed(fault.error)
        }
    }
}

// MARK: beginnings and endings

extension PostgresDatabase {
    /// A number that all nodes have in common, for what is done before there is a table to lock.
    package static let beginning = Int64(0x6165_7275_676f)

    private func prepare() throws(StoreError) {
        let deadline = clocks.uptime() + settings.patience
        let connection = try pool.take(until: deadline)
        defer { pool.give(connection) }
        // One after the other, each seeing what the one before has made.
        let commands = [
            PostgresCommand("BEGIN ISOLATION LEVEL READ COMMITTED"),
            PostgresCommand(
                "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), $1))", [.integer(Self.beginning)]),
            PostgresCommand("CREATE TABLE IF NOT EXISTS \(PostgresTransaction.turns) ()"),
            PostgresCommand(PostgresMark.creation), PostgresCommand(PostgresMark.cleaning), PostgresCommand("COMMIT"),
        ]
        while true {
            do throws(PostgresFault) {
                _ = try connection.run(commands, until: deadline)
                return
            } catch {
                if !connection.isBroken { connection.sendOff("ROLLBACK") }
                // Others are at it, and have all the time that this one has.
                guard error.kind == .conflict, clocks.uptime() < deadline else { throw error.error }
            }
        }
    }

    /// Whether a transaction has committed in whose commit the connection was lost. Waits for its end: where the server has not
    /// heard that nobody is there any more, `idle_in_transaction_session_timeout` is that. Throws `.unavailable` where it cannot
    /// be told.
    private func hasCommitted(_ mark: PostgresMark, _ cause: PostgresFault) throws(StoreError) -> Bool {
        let deadline = clocks.uptime() + settings.lockTime * 4
        while clocks.uptime() < deadline {
            do throws(StoreError) {
                let found = try question(mark.asking.sql, mark.asking.values, until: deadline).first
                guard let found else { break }
                return try found.integer(0) == mark.token
            } catch {
                // Still locked, or not there again yet.
                guard error.code != .damaged else { throw unknown(cause) }
                usleep(100_000)
            }
        }
        throw unknown(cause)
    }

    private func unknown(_ cause: PostgresFault) -> StoreError {
        StoreError(.unavailable, "a commit was cut off, and how it ended cannot be told: \(cause.error.cause)")
    }
}
