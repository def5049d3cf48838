import HTTP
import Model
import NIOCore

/// Takes requests out of the bytes of a connection, part by part, as they are asked for (RFC 9112).
package struct RequestParser {
    package enum Part {
        /// There is no further part before more bytes come.
        case none
        /// With a length of 0 nothing else follows of this request.
        case head(RequestHead)
        case body(ByteBuffer)
        case end
        /// What came is no HTTP: nothing that follows can be understood.
        case refused(RegistryError)
    }

    private enum State {
        case head
        /// Bytes still to come.
        case body(Int64)
        case chunkSize
        /// Bytes still to come.
        case chunk(Int64)
        case chunkEnd
        /// Lines of trailers so far.
        case trailer(Int)
        /// The body's last byte has come.
        case done
        case refused
    }

    /// Longest line of a chunked body, in bytes: a size with its extensions, or a trailer.
    private static let lineLimit = 1024
    private static let trailerLimit = 100

    private var state = State.head
    private var input = ByteBuffer()
    private var reader = HeadReader()

    /// At the beginning of a connection.
    package init() {}

    /// Bytes that came and were not taken yet.
    package var waiting: Int { input.readableBytes }

    /// Bytes of memory that they hold on to.
    package var pinned: Int { input.storageCapacity }

    /// Takes what has come from the socket.
    package mutating func feed(_ bytes: ByteBuffer) {
        if case .refused = state { return }
        guard input.readableBytes > 0 else { return input = bytes }
        var bytes = bytes
        input.writeBuffer(&bytes)
    }

    /// Gives back the memory that was read into, keeping only what has not been taken: to be called when there is no
    /// further part.
    package mutating func settle() {
        guard input.readableBytes > 0 else { return input = ByteBuffer() }
        guard input.storageCapacity > 2 * input.readableBytes + 1024 else { return }
        var rest = ByteBufferAllocator().buffer(capacity: input.readableBytes)
        rest.writeBuffer(&input)
        input = rest
    }

    /// Lets go of what has come and takes no more.
    package mutating func drop() {
        state = .refused
        input = ByteBuffer()
    }

    /// The next part.
    package mutating func next() -> Part {
        while input.readableBytes > 0 {
            switch state {
            case .head: return readHead()
            case .body(let count):
                let (part, rest) = take(count)
                state = rest == 0 ? .done : .body(rest)
                return part
            case .chunk(let count):
                let (part, rest) = take(count)
                state = rest == 0 ? .chunkEnd : .chunk(rest)
                return part
            case .chunkSize, .chunkEnd, .trailer:
                switch readLine() {
                case .incomplete: return .none
                case .malformed: return refuse("a line of its body does not end with CR and LF, or is too long")
                case .text(let line):
                    if let part = take(line) { return part }
                }
            case .done, .refused: return finished()
            }
        }
        return finished()
    }

    /// The end of a body whose last byte has come.
    private mutating func finished() -> Part {
        guard case .done = state else { return .none }
        state = .head
        return .end
    }

    private mutating func readHead() -> Part {
        let bytes = input.readableBytesView
        switch bytes.withUnsafeBytes({ reader.read($0) }) {
        case .incomplete: return .none
        case .refused(let error):
            state = .refused
            input = ByteBuffer()
            return .refused(error)
        case .complete(let head, let count):
            input.moveReaderIndex(forwardBy: count)
            reader = HeadReader()
            switch head.length {
            case 0: state = .head
            case let length?: state = .body(length)
            case nil: state = .chunkSize
            }
            return .head(head)
        }
    }

    /// Up to `count` bytes of what has come, and how many of them are still missing.
    private mutating func take(_ count: Int64) -> (Part, missing: Int64) {
        let length = Int(min(count, Int64(input.readableBytes)))
        guard let bytes = input.readSlice(length: length) else { return (.none, count) }
        return (.body(bytes), count - Int64(length))
    }

    private enum Line {
        case incomplete, malformed
        /// Without its end.
        case text(ByteBufferView)
    }

    private mutating func readLine() -> Line {
        let bytes = input.readableBytesView
        guard let end = bytes.firstIndex(of: 0x0a) else {
            return bytes.count > Self.lineLimit ? .malformed : .incomplete
        }
        guard end > bytes.startIndex, bytes[end - 1] == 0x0d, end - bytes.startIndex <= Self.lineLimit else {
            return .malformed
        }
        input.moveReaderIndex(forwardBy: end + 1 - bytes.startIndex)
        return .text(bytes[bytes.startIndex..<end - 1])
    }

    /// Takes a line of a chunked body: a size, the end of a chunk, a trailer.
    private mutating func take(_ line: ByteBufferView) -> Part? {
        switch state {
        case .chunkEnd:
            guard line.isEmpty else { return refuse("a chunk is longer than its size") }
            state = .chunkSize
        case .trailer(let count):
            guard count <= Self.trailerLimit else { return refuse("its trailers are too long") }
            state = line.isEmpty ? .done : .trailer(count + 1)
        case .chunkSize:
            guard let size = Self.chunkSize(line) else { return refuse("a chunk's size is no hexadecimal number") }
            state = size == 0 ? .trailer(0) : .chunk(size)
        case .head, .body, .chunk, .done, .refused: break
        }
        return nil
    }

    /// The size that stands before a chunk's extensions, which mean nothing here (RFC 9112 section 7.1.1).
    private static func chunkSize(_ line: ByteBufferView) -> Int64? {
        let before = line.prefix { $0 != UInt8(ascii: ";") }
        // Blanks before an extension are bad form, but to be understood (RFC 9110 section 5.6.3).
        let digits = before.count == line.count ? before : before.prefix { $0 != 0x20 && $0 != 0x09 }
        guard before[digits.endIndex...].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else { return nil }
        guard (1...15).contains(digits.count) else { return nil }
        guard line.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else { return nil }
        var size: Int64 = 0
        for digit in digits {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue, digit < 0x80 else { return nil }
            size = size << 4 | Int64(value)
        }
        return size
    }

    private mutating func refuse(_ why: String) -> Part {
        state = .refused
        input = ByteBuffer()
        return .refused(HeadReader.invalid(why))
    }
}
