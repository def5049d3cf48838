import Model
import Runtime

/// A finished object that was opened. Closed by its last owner going away; removing the object meanwhile does not hurt
/// who reads it, where it is a file, and ends with `.missing` where it is not.
package protocol BlobObject: Sendable {
    /// Bytes in all.
    var size: Int64 { get }
    /// A sign of the driver's own that is not what `BlobUpload.finish` gave once anything but the registry has touched the
    /// object: equal witnesses mean unchanged bytes.
    var witness: String { get }
    /// How these bytes get to a client. `range` lies within the size. `redirects`: whether the client may be sent elsewhere.
    func delivery(of range: Range<Int64>, redirects: Bool) async throws(StoreError) -> BlobDelivery
    /// Reads and hashes all bytes, on threads that nothing else waits for. Ends with its task. Behind each part, of at most
    /// 16 MiB, `pause` is told how many bytes that were.
    func digest(
        _ algorithm: Digest.Algorithm, _ pause: @Sendable (Int64) async -> Void
    ) async throws(StoreError) -> Digest
}

extension BlobObject {
    /// How these bytes get through this process.
    package func delivery(of range: Range<Int64>) async throws(StoreError) -> BlobDelivery {
        try await delivery(of: range, redirects: false)
    }

    /// Reads and hashes all bytes, without a pause.
    package func digest(_ algorithm: Digest.Algorithm) async throws(StoreError) -> Digest {
        try await digest(algorithm) { _ in }
    }
}

/// How bytes of an object get to a client.
package enum BlobDelivery: Sendable {
    /// From a file, by sendfile(2).
    case file(any BlobContent, Range<Int64>)
    /// From elsewhere: a URL that holds for a while.
    case redirect(String)
    /// In pieces, which are asked for one by one.
    case stream(BlobStream)
}

/// An open file with an object's bytes. Closed by its last owner going away.
package protocol BlobContent: Sendable {
    /// A readable descriptor for sendfile(2), valid while the content lives.
    var descriptor: Int32 { get }
    /// Whether the file still has as many bytes as when it was opened.
    var isWhole: Bool { get }
    /// The bytes of a range in pieces of at most `piece` bytes, for where sendfile(2) cannot be used.
    func stream(_ range: Range<Int64>, piece: Int) -> BlobStream
}

/// Bytes in pieces of at most 256 KiB, in order, each read when it is asked for. To be read once.
package struct BlobStream: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = StoreError

    private let read: @Sendable () async throws(StoreError) -> [UInt8]?

    /// Pieces from `read`, which gives nil at the end.
    package init(_ read: @Sendable @escaping () async throws(StoreError) -> [UInt8]?) { self.read = read }

    /// Where a reader of the stream is.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let read: @Sendable () async throws(StoreError) -> [UInt8]?

        /// The next piece; nil at the end. Throws `StoreError`.
        package mutating func next() async throws(StoreError) -> [UInt8]? { try await read() }

        /// The next piece; nil at the end. Throws `StoreError`.
        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(StoreError) -> [UInt8]? { try await read() }
    }

    /// A reader; two of them share the pieces.
    package func makeAsyncIterator() -> Iterator { Iterator(read: read) }
}
