import Glibc
import Metrics
import Model
import Runtime
import Store

/// Blobs as files below one directory: `3f/<key>`, and a marker that tells which store it is.
package struct FileBlobStore: BlobStore {
    /// Which store this is; to be kept elsewhere too, and given to `init` from then on.
    package var id: String { marker.id }
    package let engine = "files"
    package let smallestChunk: Int64 = 1

    private let root: String
    private let marker: StoreMarker
    private let lanes: FileLanes

    /// The store in `directory`. Without an `id` it is made where it is missing; with one it has to be there, and until it
    /// is everything throws `.unavailable`, but this. Throws `StoreError` when it cannot be made.
    package init(
        directory: String, id: String? = nil, lanes: FileLanes = FileLanes(), clocks: Clocks = .system
    ) throws(StoreError) {
        root = directory
        self.lanes = lanes
        let path = "\(directory)/store-id"
        guard let id else {
            try Directory.makeDurable(directory)
            let known = try StoreMarker.read(path)
            marker = StoreMarker(path, id: known ?? IDSource().uuid(), clocks)
            // All of them now, so that no push has to make one durable; the marker last, so that none is missing behind it.
            for fan in Self.fans { try Directory.make("\(directory)/\(fan)") }
            if known == nil { try marker.write() }
            try Directory.sync(directory)
            return
        }
        marker = StoreMarker(path, id: id, clocks)
    }

    private static let fans = (0...UInt8.max).map { Hex.encode([$0]) }

    package func newKey() -> StorageKey {
        let id = IDSource().token()
        return StorageKey("\(id.prefix(2))/\(id)")
    }

    package func upload(_ key: StorageKey, from state: UploadState) async throws(StoreError) -> any BlobUpload {
        try await inStore { () throws(StoreError) in
            try FileUpload(
                File.regular(path(key), O_RDWR | O_CREAT), from: state, lanes, directory: directory(of: key))
        }
    }

    package func open(_ key: StorageKey) async throws(StoreError) -> any BlobObject {
        try await inStore { () throws(StoreError) in try FileObject(File.regular(path(key), O_RDONLY), lanes) }
    }

    /// Runs `body` where it may block, in the store's own directory: in another one nothing is missing.
    private func inStore<T: Sendable>(
        _ body: @Sendable @escaping () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await lanes.reads.run { () throws(StoreError) in
            try marker.verify()
            do throws(StoreError) {
                return try body()
            } catch {
                if error.code == .missing { try marker.look() }
                throw error
            }
        }
    }

    package func remove(
        _ keys: [StorageKey], note: @Sendable @escaping (StorageKey, StoreError) -> Void
    ) async throws(StoreError) -> [StorageKey] {
        try await lanes.reads.run { () throws(StoreError) in
            try marker.look()
            return keys.filter { key in
                if unlink(path(key)) == 0 || errno == ENOENT { return true }
                note(key, StoreError(errno: errno, "unlink \(key)"))
                return false
            }
        }
    }

    package func keys(after last: StorageKey?, limit: Int) async throws(StoreError) -> [StorageKey] {
        try await lanes.reads.run { () throws(StoreError) in
            try marker.look()
            let last = last?.description ?? ""
            var keys: [StorageKey] = []
            for fan in Self.fans where fan >= last.prefix(2) {
                for name in try Directory.names("\(root)/\(fan)") where "\(fan)/\(name)" > last {
                    keys.append(StorageKey("\(fan)/\(name)"))
                    if keys.count >= limit { return keys }
                }
            }
            return keys
        }
    }

    package func check() async throws(StoreError) {
        try await lanes.reads.run { () throws(StoreError) in
            try marker.look()
            guard access(root, W_OK) == 0 else { throw StoreError(.full, "\(root) takes no writes") }
        }
    }

    package func metrics() -> [MetricFamily] { lanes.metrics }

    package func close() { lanes.stop() }

    private func path(_ key: StorageKey) -> String { "\(root)/\(key)" }

    private func directory(of key: StorageKey) -> String { "\(root)/\(key.description.prefix(2))" }
}
