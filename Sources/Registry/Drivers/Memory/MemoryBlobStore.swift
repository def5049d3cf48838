import FilesDriver
import Model
import Runtime
import Store
import Synchronization

/// Blobs in anonymous memory files (memfd_create), gone with the process: for tests, and the same contract.
package final class MemoryBlobStore: BlobStore {
    package let engine = "memory"
    package let smallestChunk: Int64
    private let lanes = FileLanes()
    private let isStreamed: Bool
    private let files = Mutex<[StorageKey: File]>([:])

    /// An empty store. `isStreamed`: its objects leave in pieces, as those of a store without files do; `smallestChunk`: what
    /// it says of chunks, all of which it takes.
    package init(isStreamed: Bool = false, smallestChunk: Int64 = 1) {
        self.isStreamed = isStreamed
        self.smallestChunk = smallestChunk
    }

    package func newKey() -> StorageKey { StorageKey(IDSource().token()) }

    package func upload(_ key: StorageKey, from state: UploadState) async throws(StoreError) -> any BlobUpload {
        let fresh = try File.inMemory()
        let file = files.withLock { files in
            let file = files[key] ?? fresh
            files[key] = file
            return file
        }
        return try FileUpload(file, from: state, lanes)
    }

    package func open(_ key: StorageKey) async throws(StoreError) -> any BlobObject {
        guard let file = files.withLock({ $0[key] }) else { throw StoreError(.missing, "no object \(key)") }
        return try FileObject(file, lanes, isStreamed: isStreamed)
    }

    package func remove(
        _ keys: [StorageKey], note: @Sendable @escaping (StorageKey, StoreError) -> Void
    ) async throws(StoreError) -> [StorageKey] {
        files.withLock { files in for key in keys { files[key] = nil } }
        return keys
    }

    package func keys(after last: StorageKey?, limit: Int) async throws(StoreError) -> [StorageKey] {
        let keys = files.withLock { Array($0.keys) }.map(\.description).filter { $0 > last?.description ?? "" }
        return keys.sorted().prefix(limit).map { StorageKey($0) }
    }

    package func check() async throws(StoreError) {}

    package func close() { lanes.stop() }
}
