import GRDB
import GRDBSQLite
import Glibc
import Runtime
import Store
import Synchronization

/// Looks after the write-ahead log: its pages are copied into the database on a thread and a connection of their own, so that
/// no commit waits for that, and its room is taken on the disk beforehand, so that syncing a commit writes data alone.
final class WriteAheadLog: Sendable {
    /// Pages in the log from which on it is worth copying them.
    private static let worthwhile = 1000
    /// Pages in the log from which on the writer helps: while it goes on writing the copy never catches up, and only then
    /// does the log begin anew.
    private static let long = 4000
    /// Bytes of the log that are there from the start.
    private static let room = 8 << 20

    private struct State {
        /// Pages in the log, as the last commit left it.
        var pages = 0
        /// Of these, how many have been copied.
        var copied = 0
        /// Pages in the log when the writer helped last.
        var helpedAt = 0
        var isStopped = false
    }

    private let writer: SQLiteConnection
    private let copier: SQLiteConnection
    private let state = Mutex(State())
    private let wakeups = Semaphore()

    /// Makes the database's file, where it is not there, with its name on the disk and no rights for others. Throws `StoreError`.
    static func create(_ path: String) throws(StoreError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw StoreError(.unavailable, "open \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        // Whatever the mask of the process; SQLite gives the log the rights that the database has.
        guard fchmod(file, 0o640) == 0, fsync(file) == 0 else {
            throw StoreError(.unavailable, "\(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Begins to look after the log of the database at `path`. Throws GRDB's errors, and `StoreError`.
    init(_ path: String, writer: SQLiteConnection) throws {
        self.writer = writer
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        copier = try SQLiteConnection(path: path, configuration)
        try copier.withDatabase { database, _ in try database.execute(sql: "PRAGMA synchronous = FULL") }
        try Self.fill("\(path)-wal")
        try writer.withDatabase { database, _ in
            let this = Unmanaged.passUnretained(self).toOpaque()
            // The writer is used while this object lives: the database owns both.
            sqlite3_wal_hook(
                database.sqliteConnection,
                { this, _, _, pages in
                    if let this { Unmanaged<WriteAheadLog>.fromOpaque(this).takeUnretainedValue().note(Int(pages)) }
                    return SQLITE_OK
                }, this)
        }
        let thread = Thread { [weak self, wakeups] in
            while true {
                wakeups.wait()
                guard let self, !state.withLock({ $0.isStopped }) else { return }
                copy(on: copier)
            }
        }
        thread.start()
    }

    /// Lets the thread end.
    func stop() {
        state.withLock { $0.isStopped = true }
        wakeups.post()
    }

    /// Called by the writing thread between two groups: helps where the log has become long.
    func keepShort() {
        let (isLong, isWorthwhile) = state.withLock { state in
            let isLong = state.pages >= Self.long && state.pages - state.helpedAt >= Self.worthwhile
            if isLong { state.helpedAt = state.pages }
            return (isLong, state.pages - state.copied >= Self.worthwhile)
        }
        if isLong { copy(on: writer) } else if isWorthwhile { wakeups.post() }
    }

    private func note(_ pages: Int) {
        state.withLock { state in
            // Fewer pages than before: the log began anew.
            if pages < state.pages { (state.copied, state.helpedAt) = (0, 0) }
            state.pages = pages
        }
    }

    private func copy(on connection: SQLiteConnection) {
        do {
            try connection.withDatabase { database, _ in
                var (pages, copied): (Int32, Int32) = (0, 0)
                sqlite3_wal_checkpoint_v2(
                    database.sqliteConnection, nil, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied)
                state.withLock { $0.copied = max(0, Int(copied)) }
            }
        } catch {
            // Tried again by and by; the commits are safe in the log.
            state.withLock { $0.copied = 0 }
        }
    }

    /// Writes zeros behind the log, which SQLite takes for its end: a commit then overwrites blocks that the file has already.
    private static func fill(_ path: String) throws(StoreError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw StoreError(.unavailable, "open \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw StoreError(.unavailable, "fstat \(path)") }
        let zeros = [UInt8](repeating: 0, count: 1 << 18)
        var offset = Int(status.st_size)
        // Where the disk is small or nearly full others need the room more.
        var disk = statvfs()
        guard fstatvfs(file, &disk) == 0, disk.f_bavail >= 8 * UInt(room) / max(disk.f_frsize, 1) else { return }
        while offset < room {
            let count = zeros.withUnsafeBytes {
                pwrite(file, $0.baseAddress, min($0.count, room - offset), off_t(offset))
            }
            // Without the room commits are slower, not less safe.
            guard count > 0 else { break }
            offset += count
        }
        guard fsync(file) == 0 else { throw StoreError(.unavailable, "fsync \(path)") }
    }
}
