import Glibc
import Model
import Store
import Synchronization

/// Blobs in anonymous memory files (memfd_create), gone with the process: for tests, and the same contract.
package final class MemoryBlobStore: BlobStore {
    package let executor = BlockingExecutor(name: "memory", threads: 2, capacity: 4096)
    private let files = Mutex<[StorageKey: File]>([:])

    /// An empty store.
    package init() {}

    package func newKey() -> StorageKey { StorageKey(MetadataStore.newID()) }

    package func writer(
        _ key: StorageKey, offset: Int64, hash: ContentHash
    ) throws(StoreError) -> any BlobWriter {
        let fresh = try File.inMemory()
        let file = files.withLock { files in
            let file = files[key] ?? fresh
            files[key] = file
            return file
        }
        return try FileWriter(file, offset: offset, hash: hash, directory: nil)
    }

    package func open(_ key: StorageKey) throws(StoreError) -> any BlobContent {
        guard let file = files.withLock({ $0[key] }) else { throw StoreError(.missing, "no object \(key)") }
        return try FileContent(file)
    }

    package func remove(_ key: StorageKey) throws(StoreError) {
        _ = files.withLock { $0.removeValue(forKey: key) }
    }

    package func check() throws(StoreError) {}
}
