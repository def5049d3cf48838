import Metrics
import Runtime

/// Where a blob's bytes are, within a blob store. One a push, never used again: removing an object that lost a race
/// can't hurt the one that won.
package struct StorageKey: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// A key that was made before.
    package init(_ text: String) { description = text }
}

/// Objects by key: written once from front to back, never overwritten, never renamed, removed as a whole.
///
/// A store owns the threads that its calls need, so that none of them blocks its caller, and a read never waits behind
/// an upload. Every function throws `StoreError` alone: `.missing` for an object that is not there, or that a driver without
/// files has not finished, `.unavailable` for what may pass. What `BlobUpload.finish` acknowledged can be opened, whole, after any crash.
package protocol BlobStore: Sendable {
    /// What keeps the bytes, for a person: `files`.
    var engine: String { get }
    /// Fewest bytes that every chunk of an upload but its last should have; 1 where it does not matter. What a client is
    /// told as `OCI-Chunk-Min-Length` (distribution-spec "Pushing a blob in chunks").
    var smallestChunk: Int64 { get }
    /// A key that was never used.
    func newKey() -> StorageKey
    /// Goes on with an object from `state`, an empty one to begin it; what lies behind is given up. Throws `.missing` when
    /// there are fewer bytes than `state` says.
    func upload(_ key: StorageKey, from state: UploadState) async throws(StoreError) -> any BlobUpload
    /// Opens a finished object for reading.
    func open(_ key: StorageKey) async throws(StoreError) -> any BlobObject
    /// A URL to send a client to for the object of this witness, if it is known without waiting; else it has to be opened.
    func link(to key: StorageKey, witness: String) -> String?
    /// Keys of what an upload that was suspended, and is over, has besides its object: to be removed as objects are. Throws
    /// `.unusable` for a state that cannot be read.
    func leftovers(_ key: StorageKey, _ driver: [UInt8], isFinished: Bool) throws(StoreError) -> [StorageKey]
    /// Removes objects, finished or not, as many as can be; gives those that are gone, which those are too that never
    /// were. Why another one stays is told to `note`.
    func remove(
        _ keys: [StorageKey], note: @Sendable @escaping (StorageKey, StoreError) -> Void
    ) async throws(StoreError) -> [StorageKey]
    /// Keys of objects, finished or not, in their order: at most `limit` of those behind `last`.
    func keys(after last: StorageKey?, limit: Int) async throws(StoreError) -> [StorageKey]
    /// Throws `.unavailable` unless the store is the one that it was opened as, and `.full` when it takes no writes.
    func check() async throws(StoreError)
    /// How its queues stand.
    func metrics() -> [MetricFamily]
    /// Ends the store's threads once they have nothing left to do; what comes later is refused.
    func close()
}

extension BlobStore {
    /// Nothing.
    package func metrics() -> [MetricFamily] { [] }

    /// None, for a store that no client reaches.
    package func link(to key: StorageKey, witness: String) -> String? { nil }

    /// Nothing, for a driver that keeps all of an upload in its object.
    package func leftovers(
        _ key: StorageKey, _ driver: [UInt8], isFinished: Bool
    ) throws(StoreError) -> [StorageKey] { [] }
}
