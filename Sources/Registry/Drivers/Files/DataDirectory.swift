import Glibc
import Runtime
import Store

/// The directory of the embedded default, which one process holds: `aerugo.db`, `blobs/` and a lock.
package struct DataDirectory: Sendable {
    /// Where the database stands, where the blobs, and where the room for deletions.
    package let database: String
    package let blobs: String
    package let ballast: String
    private let path: String
    private let lock: File

    /// Takes `path`, which is made where it is missing. Throws `StoreError`, `.conflict` when another process has it.
    package init(path: String) throws(StoreError) {
        try Directory.makeDurable(path)
        database = "\(path)/aerugo.db"
        blobs = "\(path)/blobs"
        ballast = "\(path)/ballast"
        self.path = path
        lock = try File.regular("\(path)/lock", O_RDWR | O_CREAT)
        guard lock.lock() else { throw StoreError(.conflict, "another aerugo serves \(path)") }
        try sync()
    }

    /// Whether a process has the directory `path`, which is there. Holds nothing longer than it takes to look. Throws `StoreError`.
    package static func isServed(_ path: String) throws(StoreError) -> Bool {
        let lock = try File.regular("\(path)/lock", O_RDONLY)
        return !lock.lockShared()
    }

    /// Returns when the names in the directory are on disk. Throws `StoreError`.
    package func sync() throws(StoreError) { try Directory.sync(path) }
}
