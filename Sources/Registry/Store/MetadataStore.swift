import Metrics
import Model
import Runtime

/// What the registry knows: repositories, tags, manifests, which repository has which blob, uploads in progress.
///
/// Every statement is written once, in the dialect that SQLite (3.40) and PostgreSQL (15) share, on `SQLTransaction`.
package struct MetadataStore: Sendable {
    /// How often a transaction is tried when others are in its way.
    private static let attempts = 5

    private let database: any SQLDatabase
    /// What keeps it, for people.
    package var engine: String { database.dialect.name }
    package let versions: any Versions
    package let clocks: Clocks
    package let ids: IDSource
    /// Room for deletions on a full disk, where there is any.
    package let reserve: (any Reserve)?
    /// Waits: between two tries, or two parts of what is long.
    package let pause: @Sendable (Duration) async -> Void

    /// A store over a database.
    package init(
        _ database: any SQLDatabase, versions: any Versions = EmbeddedVersions(), clocks: Clocks = .system,
        ids: IDSource = IDSource(), reserve: (any Reserve)? = nil,
        pause: @escaping @Sendable (Duration) async -> Void = Self.sleep
    ) {
        self.database = database
        self.versions = versions
        self.clocks = clocks
        self.ids = ids
        self.reserve = reserve
        self.pause = pause
    }

    /// Runs `body` on a snapshot. Throws what `body` throws, and `StoreError` of the driver.
    package func read<T: Sendable>(
        _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await RequestStages.time(.store) { () throws(StoreError) in
            try await database.read { [clocks, ids] (connection) throws(StoreError) in
                try body(SQLTransaction(connection, now: clocks.wall(), ids: ids, moved: MovedVersions()))
            }
        }
    }

    /// Runs `body` in a transaction that is durable when this returns, and of which nothing stays when `body` throws. Where
    /// another writer was in the way (`.conflict`) it is run again, up to five times. Throws what `body` throws, and `StoreError`.
    package func write<T: Sendable>(
        _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        var attempt = 1
        while true {
            do throws(StoreError) {
                return try await writeOnce(body)
            } catch {
                guard error.code == .conflict, attempt < Self.attempts else { throw error }
                await pause(.milliseconds(Int64.random(in: 0...(5 << attempt))))
                attempt += 1
            }
        }
    }

    /// `write` for what makes room: where the disk is full it gets some of the reserve.
    package func erase<T: Sendable>(
        _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        while true {
            do throws(StoreError) {
                return try await write(body)
            } catch {
                // Each time a part of it, and it has an end.
                guard error.code == .full, await reserve?.release() == true else { throw error }
            }
        }
    }

    /// Ends early when its task is cancelled.
    package static let sleep: @Sendable (Duration) async -> Void = { duration in
        do { try await Task.sleep(for: duration) } catch {}
    }

    private func writeOnce<T: Sendable>(
        _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let moved = MovedVersions()
        // Also after a failure: a commit of which nobody knows how it ended may have come through.
        defer { versions.move(moved.all) }
        // The time is that of its turn: what it writes is not older than when others can see it by as long as it waited.
        return try await RequestStages.time(.store) { () throws(StoreError) in
            try await database.write { [clocks, ids] (connection) throws(StoreError) in
                try body(SQLTransaction(connection, now: clocks.wall(), ids: ids, moved: moved))
            }
        }
    }

    /// How the database's queues and connections stand, and what asking for versions took.
    package func metrics() -> [MetricFamily] { database.metrics() + versions.metrics() }

    /// Throws unless the database answers.
    package func check() async throws(StoreError) {
        _ = try await read { (db) throws(StoreError) in try db.rows("SELECT 1", []) }
    }
}
