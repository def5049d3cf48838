import CLibPQ
import Glibc
import Metrics
import Runtime
import Store
import Synchronization

/// Connections that nobody uses at present. Who wants one while there is none makes one; as many may be in use as there are
/// threads that take them. While the server is away tries are made ever more seldom, and after a while the others are refused
/// at once.
final class PostgresPool: Sendable {
    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(1)

    private struct State {
        var idle: [PostgresConnection] = []
        /// Connections that somebody has.
        var taken = 0
        /// Those that were made, and tries that failed.
        var (made, failures) = (0, 0)
        /// The last failure; nil while the server can be reached.
        var failure: Failure?
        var isStopped = false
    }

    private struct Failure {
        let error: StoreError
        let since: Duration
        var pause: Duration
        /// Nobody tries before.
        var next: Duration
    }

    private let settings: PostgresSettings
    private let clocks: Clocks
    private let state = Mutex(State())

    init(_ settings: PostgresSettings, _ clocks: Clocks) {
        self.settings = settings
        self.clocks = clocks
    }

    /// A connection in no transaction. Waits for a server that is away, `absence` at most. Throws `.unavailable`, `.overloaded`.
    func take(until deadline: Duration) throws(StoreError) -> PostgresConnection {
        while true {
            let (idle, failure) = state.withLock { state in
                let idle = state.idle.popLast()
                if idle != nil { state.taken += 1 }
                return (idle, state.failure)
            }
            if let idle { return idle }
            let now = clocks.uptime()
            if let failure, now < failure.next {
                guard now - failure.since < settings.absence, failure.next < deadline else { throw failure.error }
                pause(failure.next - now)
                continue
            }
            do throws(StoreError) {
                let made = try PostgresSession.open(settings, clocks, until: deadline)
                state.withLock { state in
                    state.failure = nil
                    state.made += 1
                    state.taken += 1
                }
                return made
            } catch {
                note(error)
                let away = state.withLock { $0.failure.map { clocks.uptime() - $0.since } } ?? .zero
                guard away < settings.absence, clocks.uptime() < deadline else { throw error }
            }
        }
    }

    /// Takes a connection back; one that is broken is closed.
    func give(_ connection: PostgresConnection) {
        state.withLock { state in
            state.taken -= 1
            if !state.isStopped, !connection.isBroken { state.idle.append(connection) }
        }
    }

    /// Its connections.
    var metrics: [MetricFamily] {
        let (idle, taken, made, failures) = state.withLock { ($0.idle.count, $0.taken, $0.made, $0.failures) }
        var connections = MetricFamily("aerugo_database_connections", .gauge, "Connections to the database.")
        connections.add(Double(idle), ("state", "idle"))
        connections.add(Double(taken), ("state", "used"))
        return [
            connections,
            MetricFamily(
                "aerugo_database_connections_limit", .gauge, "Most connections to the database.", settings.connections),
            MetricFamily(
                "aerugo_database_connections_made_total", .counter, "Connections to the database that were made.", made),
            MetricFamily(
                "aerugo_database_connection_failures_total", .counter, "Connections that could not be made.", failures),
        ]
    }

    /// Closes those that nobody uses: one of them was found to be lost, and the others most likely are.
    func drop() {
        // Closed outside of the lock.
        _ = state.withLock { state in
            let idle = state.idle
            state.idle = []
            return idle
        }
    }

    /// Closes everything, now or when it is given back.
    func stop() {
        state.withLock { $0.isStopped = true }
        drop()
    }

    private func note(_ error: StoreError) {
        let now = clocks.uptime()
        state.withLock { state in
            state.failures += 1
            let pause = min((state.failure?.pause).map { $0 * 2 } ?? Self.firstPause, Self.longestPause)
            // Not all nodes at the same moment.
            let next = now + pause * Double.random(in: 0.5...1)
            state.failure = Failure(error: error, since: state.failure?.since ?? now, pause: pause, next: next)
        }
    }

    /// Only on threads of ours.
    private func pause(_ time: Duration) {
        usleep(UInt32(min(max(time / .microseconds(1), 1000), 900_000)))
    }
}

/// The beginning of a connection.
enum PostgresSession {
    /// Connects and sets what every transaction relies on. Throws `.unavailable`, `.overloaded`.
    static func open(
        _ settings: PostgresSettings, _ clocks: Clocks, until deadline: Duration
    ) throws(StoreError) -> PostgresConnection {
        // `connect_timeout` bounds it, for each address that the host has.
        guard let handle = connect(settings.keywords) else { throw StoreError(.overloaded, "PostgreSQL: no memory") }
        guard PQstatus(handle) == CONNECTION_OK else {
            let message = PostgresConnection.message(of: handle)
            PQfinish(handle)
            throw StoreError(.unavailable, "PostgreSQL: \(message)")
        }
        do throws(PostgresFault) {
            let connection = try PostgresConnection(
                taking: handle, keepsStatements: settings.pooling == .session, clocks: clocks)
            let limit = min(deadline, clocks.uptime() + settings.statementTime)
            let set = settings.pooling == .session ? setUp(settings, "") : []
            guard let row = try connection.run(set + [PostgresCommand(question)], until: limit).last?.rows.first else {
                throw .lost("the server said nothing of itself")
            }
            try check(row)
            return connection
        } catch {
            throw error.error
        }
    }

    /// What a transaction may take, where that cannot be set once a connection: `scope` is `LOCAL` then.
    static func setUp(_ settings: PostgresSettings, _ scope: String) -> [PostgresCommand] {
        func milliseconds(_ time: Duration) -> Int64 { max(1, Int64(time / .milliseconds(1))) }
        return [
            PostgresCommand("SET \(scope) statement_timeout = \(milliseconds(settings.statementTime))"),
            PostgresCommand("SET \(scope) lock_timeout = \(milliseconds(settings.lockTime))"),
            // What a process holds that stands still must not be held for long.
            PostgresCommand("SET \(scope) idle_in_transaction_session_timeout = \(milliseconds(settings.lockTime))"),
            // A commit that is acknowledged is on the disk, whatever the server's default is.
            PostgresCommand("SET \(scope) synchronous_commit = on"),
            // A table that is read through is locked as a whole against what others write: small ones are read by their keys, too.
            PostgresCommand("SET \(scope) enable_seqscan = off"),
        ]
    }

    private static let question = """
        SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_encoding'),
            CAST(current_setting('server_version_num') AS BIGINT)
        """

    private static func check(_ row: SQLRow) throws(PostgresFault) {
        do throws(StoreError) {
            guard try row.text(0) == "on", try row.text(1) == "on" else {
                throw StoreError(
                    .unavailable,
                    "PostgreSQL runs with fsync or full_page_writes off: what it acknowledges can be lost, switch them on"
                )
            }
            guard try row.text(2) == "UTF8" else {
                throw StoreError(.unavailable, "PostgreSQL: the database's encoding is not UTF8: make one that has it")
            }
            guard try row.integer(3) >= 150_000 else {
                throw StoreError(.unavailable, "PostgreSQL is older than version 15")
            }
        } catch {
            throw PostgresFault(.lost, error)
        }
    }

    private static func connect(_ keywords: [(name: String, value: String)]) -> OpaquePointer? {
        let names = keywords.map { strdup($0.name) }
        let values = keywords.map { strdup($0.value) }
        defer { for text in names + values { free(text) } }
        return (names + [nil]).map { UnsafePointer($0) }.withUnsafeBufferPointer { names in
            (values + [nil]).map { UnsafePointer($0) }.withUnsafeBufferPointer { values in
                PQconnectdbParams(names.baseAddress, values.baseAddress, 0)
            }
        }
    }
}
