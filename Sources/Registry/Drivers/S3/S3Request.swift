import NIOCore
import NIOHTTP1

/// A body that is at hand, with its hash: it can be sent again.
package struct S3Body: Sendable {
    let buffer: ByteBuffer
    /// SHA-256, 32 bytes.
    let sha256: [UInt8]
}

/// What is asked of a store of S3.
struct S3Request: Sendable {
    var method: HTTPMethod
    /// The object's name in the bucket; empty for the bucket itself.
    var name = ""
    var query: [(name: String, value: String)] = []
    /// All of them are signed; names in lower case.
    var headers: [(name: String, value: String)] = []
    var body: S3Body?
    /// For all attempts together.
    var patience = Duration.seconds(30)
    /// Statuses from 400 on that are an answer to this request, not a failure.
    var accepted: Set<Int> = []
    /// Whether a 200 may have an error in it (CompleteMultipartUpload, CopyObject).
    var mayFailLate = false
}

/// A body in slices, so that no more than one of them waits in a socket.
struct ByteSlices: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    private static let slice = 128 << 10
    private let buffer: ByteBuffer

    init(_ buffer: ByteBuffer) { self.buffer = buffer }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var rest: ByteBuffer

        mutating func next() async -> ByteBuffer? {
            rest.readableBytes == 0 ? nil : rest.readSlice(length: Swift.min(ByteSlices.slice, rest.readableBytes))
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(rest: buffer) }
}
