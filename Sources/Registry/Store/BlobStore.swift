import Model

/// Bytes on their way in, in whatever buffer they came.
package protocol ByteChunk: Sendable {
    /// Number of bytes.
    var count: Int { get }
    /// Lends the bytes; they must not be kept.
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R
}

extension [UInt8]: ByteChunk {
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withUnsafeBytes(body)
    }
}

/// Where a blob's bytes are, within a blob store. One a push, never used again: removing an object that lost a race
/// can't hurt the one that won.
package struct StorageKey: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// A key that was made before.
    package init(_ text: String) { description = text }
}

/// Opened content. Closed by its last owner going away.
package protocol BlobContent: Sendable {
    /// Bytes in all.
    var size: Int64 { get }
    /// Changes whenever something else than the registry touches the object; equal stamps mean unchanged bytes.
    var stamp: String { get }
    /// Whether the object still has as many bytes as when it was opened.
    var isWhole: Bool { get }
    /// A readable descriptor for sendfile(2), valid while the content lives.
    var descriptor: Int32 { get }
    /// Blocks: hashes all bytes. Throws `StoreError`.
    func digest(_ algorithm: Digest.Algorithm) throws(StoreError) -> Digest
}

/// An object being written. One caller at a time; every call blocks and belongs on a `BlockingExecutor`.
package protocol BlobWriter: AnyObject, Sendable {
    /// Appends and hashes. Throws `.full` when there is no room; what was written before stays counted.
    func append(_ chunks: [any ByteChunk]) throws(StoreError)
    /// Bytes appended, all calls and earlier writers together.
    var offset: Int64 { get }
    /// The running hash over them.
    var hash: ContentHash { get }
    /// Returns when the bytes are durable, with the object's stamp.
    func sync() throws(StoreError) -> String
}

/// Objects by key. The contract: what `sync` acknowledged can be opened, whole, after any crash.
package protocol BlobStore: Sendable {
    /// The threads on which writers and contents of this store are to be used.
    var executor: BlockingExecutor { get }
    /// A key that was never used.
    func newKey() -> StorageKey
    /// Writes on from `offset`, whose hash is `hash`; what lies behind is cut off. Throws `.missing` when there are not that many bytes.
    func writer(_ key: StorageKey, offset: Int64, hash: ContentHash) throws(StoreError) -> any BlobWriter
    /// Opens an object for reading. Throws `.missing`.
    func open(_ key: StorageKey) throws(StoreError) -> any BlobContent
    /// Removes an object; one that is not there is no error.
    func remove(_ key: StorageKey) throws(StoreError)
    /// Throws when the store cannot take writes now.
    func check() throws(StoreError)
}
