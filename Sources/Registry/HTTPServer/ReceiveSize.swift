import NIOCore

/// How much is read from a socket at once: little at first, more while it comes in plenty. NIO keeps a buffer for each
/// connection that was read into; it is not to be one of those large ones, which thousands of idle connections would hold.
struct ReceiveSize: RecvByteBufferAllocator {
    /// Bytes of the buffer that a connection keeps.
    private static let kept = 4 << 10
    private static let largest = 128 << 10

    private var size = Self.kept
    /// Whether the last read was small: two of them make the next buffer smaller.
    private var wasSmall = false

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

    /// Nil, and true from `record`, is how NIO is told not to use the kept buffer.
    func nextBufferSize() -> Int? { size == Self.kept ? size : nil }

    mutating func record(actualReadBytes count: Int) -> Bool {
        let isSmall = count <= size / 2 && size > Self.kept
        if count >= size, size < Self.largest {
            size *= 2
        } else if isSmall, wasSmall {
            size /= 2
        }
        wasSmall = isSmall && !wasSmall
        return size > Self.kept
    }
}
