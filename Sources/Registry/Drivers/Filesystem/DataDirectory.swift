import Glibc
import Store

/// The directory of the embedded default: `aerugo.db`, `blobs/`, and a lock that one process holds.
package struct DataDirectory: Sendable {
    package let metadata: SQLiteDatabase
    package let blobs: FileBlobStore
    private let lock: File

    /// Opens `path`, which is made where it is missing. Throws `StoreError`, `.conflict` when another process has it.
    package init(path: String) throws(StoreError) {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw StoreError(errno: errno, "mkdir \(path)") }
        lock = try File("\(path)/lock", O_RDWR | O_CREAT)
        guard lock.lock() else { throw StoreError(.conflict, "another aerugo serves \(path)") }
        blobs = try FileBlobStore(directory: "\(path)/blobs")
        metadata = try SQLiteDatabase(path: "\(path)/aerugo.db")
        try File(path, O_RDONLY | O_DIRECTORY).sync()
    }
}
