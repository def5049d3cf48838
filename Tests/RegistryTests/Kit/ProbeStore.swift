import MemoryDriver
import Model
import Runtime
import Store
import Synchronization

/// A blob store in memory that counts what is read whole, and fails, touches and delays as a test wants it.
final class ProbeStore: BlobStore {
    struct State {
        /// Whole objects that were read and hashed.
        var readings = 0
        /// What opening an object fails with.
        var failure: StoreError?
        /// Behind the witnesses of objects: as if something had touched them.
        var touched: [StorageKey: String] = [:]
        /// What is read instead of the bytes.
        var substitute: Digest?
        /// Waited for in the middle of every reading.
        var gate: Gate?
    }

    let state = Mutex(State())
    private let base: MemoryBlobStore

    init(isStreamed: Bool = false) { base = MemoryBlobStore(isStreamed: isStreamed) }

    var readings: Int { state.withLock { $0.readings } }
    var engine: String { base.engine }
    var smallestChunk: Int64 { base.smallestChunk }

    func set(_ change: @Sendable (inout sending State) -> Void) { state.withLock { change(&$0) } }

    /// Touches all objects that there are.
    func touch(_ how: String) async throws {
        let keys = try await keys(after: nil, limit: 1000)
        state.withLock { state in for key in keys { state.touched[key] = how } }
    }

    func newKey() -> StorageKey { base.newKey() }

    func upload(_ key: StorageKey, from state: UploadState) async throws(StoreError) -> any BlobUpload {
        try await base.upload(key, from: state)
    }

    func open(_ key: StorageKey) async throws(StoreError) -> any BlobObject {
        let (failure, end) = state.withLock { ($0.failure, $0.touched[key, default: ""]) }
        if let failure { throw failure }
        return ProbeObject(base: try await base.open(key), witnessEnd: end, store: self)
    }

    func remove(
        _ keys: [StorageKey], note: @Sendable @escaping (StorageKey, StoreError) -> Void
    ) async throws(StoreError) -> [StorageKey] { try await base.remove(keys, note: note) }

    func keys(after last: StorageKey?, limit: Int) async throws(StoreError) -> [StorageKey] {
        try await base.keys(after: last, limit: limit)
    }

    func check() async throws(StoreError) { try await base.check() }

    func close() { base.close() }
}

private struct ProbeObject: BlobObject {
    let base: any BlobObject
    let witnessEnd: String
    let store: ProbeStore

    var size: Int64 { base.size }
    var witness: String { base.witness + witnessEnd }

    func delivery(of range: Range<Int64>, redirects: Bool) async throws(StoreError) -> BlobDelivery {
        try await base.delivery(of: range, redirects: redirects)
    }

    func digest(
        _ algorithm: Digest.Algorithm, _ pause: @Sendable (Int64) async -> Void
    ) async throws(StoreError) -> Digest {
        let (gate, substitute) = store.state.withLock { state in
            state.readings += 1
            return (state.gate, state.substitute)
        }
        await gate?.pass()
        let digest = try await base.digest(algorithm, pause)
        return substitute ?? digest
    }
}

/// Holds tasks until it is opened.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [UnsafeContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Tasks that wait now.
    var waiting: Int { state.withLock { $0.waiting.count } }

    func pass() async {
        await withUnsafeContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in waiting { one.resume() }
    }
}
