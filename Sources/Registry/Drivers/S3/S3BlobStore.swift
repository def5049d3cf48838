import Metrics
import Model
import Runtime
import Store

/// Blobs as objects of a bucket.
package final class S3BlobStore: BlobStore {
    /// Objects and uploads that are removed at a time.
    private static let (batch, lanes) = (1000, 8)

    /// Which store this is; to be kept elsewhere too, and given to `open` from then on.
    package var id: String { marker.id }
    package let engine = "S3"
    /// Smaller ones are taken, too, and cost a request more each.
    package var smallestChunk: Int64 { Int64(tools.client.settings.partSize) }

    private let tools: S3Tools
    private let marker: S3Marker

    private init(_ tools: S3Tools, _ marker: S3Marker) {
        self.tools = tools
        self.marker = marker
    }

    /// The store in a bucket. Without an `id` it is made where it is missing; with one it has to be there, and until it is
    /// everything throws `.unavailable`, but this. Throws `StoreError` when it cannot be made.
    package static func open(
        _ settings: S3Settings, credentials: S3CredentialSettings, id: String? = nil, clocks: Clocks = .system
    ) async throws(StoreError) -> S3BlobStore {
        let tools = S3Tools(try S3Client.of(settings, credentials, clocks: clocks), clocks)
        let name = tools.names.marker
        do throws(StoreError) {
            var found = id
            if found == nil { found = try await S3Marker.read(tools.client, name) }
            let known: String
            if let found {
                known = found
            } else {
                known = try await S3Marker.make(tools.client, name, id: tools.ids.uuid())
            }
            return S3BlobStore(tools, S3Marker(tools.client, name, id: known, clocks))
        } catch {
            tools.client.close()
            tools.lanes.stop()
            throw error
        }
    }

    package func newKey() -> StorageKey { StorageKey(tools.ids.token()) }

    package func upload(_ key: StorageKey, from state: UploadState) async throws(StoreError) -> any BlobUpload {
        try await marker.verify()
        return try await S3Upload(key, from: state, tools)
    }

    package func open(_ key: StorageKey) async throws(StoreError) -> any BlobObject {
        try await marker.verify()
        if let known = tools.known[key] { return S3Object(key: key, head: known, tools: tools) }
        do throws(StoreError) {
            let head = try await tools.client.head(tools.names.name(of: key))
            tools.known.put(key, head)
            return S3Object(key: key, head: head, tools: tools)
        } catch {
            // In another bucket nothing is missing.
            if error.code == .missing { try await marker.look() }
            throw error
        }
    }

    package func link(to key: StorageKey, witness: String) -> String? {
        guard tools.client.settings.redirects, marker.isVerified, tools.known[key]?.witness == witness else {
            return nil
        }
        return tools.known.link(to: key)
    }

    package func leftovers(
        _ key: StorageKey, _ driver: [UInt8], isFinished: Bool
    ) throws(StoreError) -> [StorageKey] {
        let progress = try S3Progress(driver, partSize: tools.client.settings.partSize)
        return tools.names.leftovers(of: key, progress, isFinished: isFinished)
    }

    package func remove(
        _ keys: [StorageKey], note: @Sendable @escaping (StorageKey, StoreError) -> Void
    ) async throws(StoreError) -> [StorageKey] {
        try await marker.look()
        var (objects, uploads) = ([String: StorageKey](), [(key: StorageKey, name: String, id: String)]())
        for key in keys {
            tools.known.remove(key)
            switch tools.names.thing(of: key) {
            case .object(let name): objects[name] = key
            case .upload(let name, let id): uploads.append((key, name, id))
            }
        }
        var gone: [StorageKey] = []
        let names = Array(objects.keys)
        for start in stride(from: 0, to: names.count, by: Self.batch) {
            let batch = Array(names[start..<min(start + Self.batch, names.count)])
            var stays: Set<String> = []
            for (name, why) in try await tools.client.delete(batch) {
                stays.insert(name)
                if let key = objects[name] { note(key, why) }
            }
            gone += batch.filter { !stays.contains($0) }.compactMap { objects[$0] }
        }
        return gone + (await abort(uploads, note))
    }

    private func abort(
        _ uploads: [(key: StorageKey, name: String, id: String)],
        _ note: @Sendable @escaping (StorageKey, StoreError) -> Void
    ) async -> [StorageKey] {
        let client = tools.client
        var gone: [StorageKey] = []
        for start in stride(from: 0, to: uploads.count, by: Self.lanes) {
            await withTaskGroup(of: StorageKey?.self) { group in
                for upload in uploads[start..<min(start + Self.lanes, uploads.count)] {
                    group.addTask {
                        do throws(StoreError) {
                            try await client.abortUpload(of: upload.name, upload.id)
                            return upload.key
                        } catch {
                            note(upload.key, error)
                            return nil
                        }
                    }
                }
                for await key in group { if let key { gone.append(key) } }
            }
        }
        return gone
    }

    package func keys(after last: StorageKey?, limit: Int) async throws(StoreError) -> [StorageKey] {
        try await marker.look()
        let (names, behind) = (tools.names, last.map(tools.names.name(of:)))
        let finished = try await tools.client.list(names.blobs, after: behind, limit: limit)
        let begun = try await tools.client.listUploads(names.blobs)
        return Set(finished + begun).compactMap(names.key(of:)).filter { $0.description > last?.description ?? "" }
            .sorted { $0.description < $1.description }.prefix(limit).map(\.self)
    }

    package func check() async throws(StoreError) { try await marker.look() }

    package func metrics() -> [MetricFamily] {
        BlockingExecutor.metrics([tools.lanes.uploads, tools.lanes.hashes])
    }

    package func close() {
        tools.lanes.stop()
        tools.client.close()
    }
}
