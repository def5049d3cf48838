import Metrics
import Model
import Runtime
import Store

/// A write that waits for the next commit.
struct WriteJob: Sendable {
    /// Runs the write; false asks for a rollback of it alone.
    let body: @Sendable (SQLiteStatements) -> Bool
    /// Tells the caller how it ended: with the reason why the commit failed, if it did.
    let finish: @Sendable (StoreError?) -> Void
}

/// The one thread that writes: what waits when it comes round is committed together, with one fsync; while that lasts the
/// next group gathers. Everybody in a group is answered before the next one begins.
final class GroupCommit: Sendable {
    /// Most writes of one group: the last of them waits for all the others.
    private static let groupLimit = 128

    private let connection: SQLiteConnection
    private let queue: JobQueue<WriteJob>
    private let afterCommit: @Sendable () -> Void
    private let groups = Counter()

    /// Starts the thread. `afterCommit` runs on it between two groups.
    init(
        _ connection: SQLiteConnection, capacity: Int, patience: Duration, clocks: Clocks,
        afterCommit: @escaping @Sendable () -> Void
    ) {
        self.connection = connection
        queue = JobQueue(capacity: capacity, patience: patience, clocks: clocks)
        self.afterCommit = afterCommit
        let thread = Thread { [connection, queue, groups] in
            while let jobs = queue.take(upTo: Self.groupLimit) {
                guard !jobs.isEmpty else { continue }
                let failure = Self.commit(jobs, on: connection)
                groups.add()
                for job in jobs { job.finish(failure) }
                afterCommit()
            }
        }
        thread.start()
        queue.watch { $0.finish(StoreError(.overloaded, "SQLite: no turn to write came in time")) }
    }

    /// How many wait, and in how many groups the others were committed.
    var metrics: [MetricFamily] {
        let help = "Groups of writes that were committed with one sync."
        return BlockingExecutor.queues([("SQLite, writing", queue.usage)])
            + [MetricFamily("aerugo_database_commits_total", .counter, help, groups.value)]
    }

    /// Puts a write in line; false when too many wait.
    func add(_ job: WriteJob) -> Bool { queue.add(job) }

    /// Lets the thread end when nothing waits any more.
    func stop() { queue.stop() }

    private static func commit(_ jobs: [WriteJob], on connection: SQLiteConnection) -> StoreError? {
        do {
            try connection.withDatabase { _, statements in
                try statements.transaction("BEGIN IMMEDIATE") { () throws(StoreError) in
                    guard jobs.count > 1 else { return jobs[0].body(statements) }
                    for job in jobs {
                        try statements.part { job.body(statements) }
                    }
                    return true
                }
            }
            return nil
        } catch {
            return StoreError(error)
        }
    }
}
