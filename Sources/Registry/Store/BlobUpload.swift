import Model
import Runtime

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

/// All that an upload needs to go on later, elsewhere: small, whatever the number of bytes.
package struct UploadState: Sendable {
    /// Bytes that have come.
    package var offset: Int64
    /// The hash over them.
    package var hash: ContentHash
    /// What the driver needs besides, such as the parts that it has sent; nobody else reads it.
    package var driver: [UInt8]

    /// The state after `offset` bytes.
    package init(offset: Int64, hash: ContentHash, driver: [UInt8] = []) {
        self.offset = offset
        self.hash = hash
        self.driver = driver
    }

    /// An upload's beginning.
    package init(_ algorithm: Digest.Algorithm) { self.init(offset: 0, hash: ContentHash(algorithm)) }
}

/// An object being written. One caller at a time, who ends with one of `suspend`, `finish` and `abort`; left without,
/// what came since the last state may be there or not, and the next `upload` from that state gives it up.
package protocol BlobUpload: AnyObject, Sendable {
    /// Where the upload is, whether durable or not.
    var state: UploadState { get }
    /// Once the driver has begun something that only who knows of it could end: what is to be kept as the driver's state of
    /// the session before any more bytes come, in the place of that which the upload was opened with. Else nil.
    var begun: [UInt8]? { get }
    /// Takes bytes in and hashes them. Throws `.full` when there is no room; what was taken in before stays counted.
    func append(_ chunks: [any ByteChunk]) async throws(StoreError)
    /// Makes durable what has come: gives a state from which any process can go on, after any crash.
    func suspend() async throws(StoreError) -> UploadState
    /// Makes the object durable and complete; gives its witness.
    func finish() async throws(StoreError) -> String
    /// Gives up, and its room back, what came since the upload was opened.
    func abort() async throws(StoreError)
}

extension BlobUpload {
    /// Nothing, for a driver that finds all it has left by the key.
    package var begun: [UInt8]? { nil }
}
