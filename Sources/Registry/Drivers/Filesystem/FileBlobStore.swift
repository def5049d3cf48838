import Glibc
import Model
import Store

/// Blobs as files below one directory: `blobs/3f/<key>`.
package struct FileBlobStore: BlobStore {
    package let executor: BlockingExecutor
    private let root: String

    /// Uses `directory`, which is made where it is missing. Throws `StoreError` when that fails.
    package init(directory: String, threads: Int = 4) throws(StoreError) {
        root = directory
        try Self.makeDirectory(directory)
        // A directory is made durable by its parent: all of them now, so that no push has to.
        for fan in 0..<256 { try Self.makeDirectory("\(directory)/\(Hex.encode([UInt8(fan)]))") }
        try File(directory, O_RDONLY | O_DIRECTORY).sync()
        executor = BlockingExecutor(name: "files", threads: threads, capacity: 4096)
    }

    package func newKey() -> StorageKey {
        let id = MetadataStore.newID()
        return StorageKey("\(id.prefix(2))/\(id)")
    }

    package func writer(
        _ key: StorageKey, offset: Int64, hash: ContentHash
    ) throws(StoreError) -> any BlobWriter {
        try FileWriter(File(path(key), O_RDWR | O_CREAT), offset: offset, hash: hash, directory: directory(of: key))
    }

    package func open(_ key: StorageKey) throws(StoreError) -> any BlobContent {
        try FileContent(File(path(key), O_RDONLY))
    }

    package func remove(_ key: StorageKey) throws(StoreError) {
        guard unlink(path(key)) == 0 || errno == ENOENT else { throw StoreError(errno: errno, "unlink \(key)") }
    }

    package func check() throws(StoreError) {
        guard access(root, W_OK) == 0 else { throw StoreError(errno: errno, "access \(root)") }
    }

    private func path(_ key: StorageKey) -> String { "\(root)/\(key)" }

    private func directory(of key: StorageKey) -> String { "\(root)/\(key.description.prefix(2))" }

    private static func makeDirectory(_ path: String) throws(StoreError) {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw StoreError(errno: errno, "mkdir \(path)") }
    }
}
