import Glibc

/// HTTP/1.1 answers from bytes in pieces of any size (RFC 9112). One parser a connection, reset for each answer.
///
/// It looks at three header fields and copies nothing of a body: that is what keeps the generator light.
package struct ResponseParser {
    private enum State {
        case head, fixed(Int), untilClose, chunkSize, chunkData(Int), chunkEnd, trailers, complete
    }

    private static let longestHead = 65_536

    private var state = State.complete
    private var partial: [UInt8] = []
    private var hasNoBody = false
    private var keepsHeaders = false
    /// The head read last.
    package private(set) var head = ResponseHead()

    /// A parser that expects nothing yet.
    package init() {}

    /// Gets ready for the next answer.
    ///
    /// - Parameters:
    ///   - hasNoBody: the answer to a HEAD.
    ///   - keepsHeaders: the fields' bytes are kept in ``head``.
    package mutating func expectAnswer(hasNoBody: Bool, keepsHeaders: Bool) {
        state = .head
        partial.removeAll(keepingCapacity: true)
        self.hasNoBody = hasNoBody
        self.keepsHeaders = keepsHeaders
    }

    /// The whole answer has been read.
    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// The answer ends where the connection does.
    package var endsWithConnection: Bool {
        if case .untilClose = state { true } else { false }
    }

    /// Reads `bytes`; `true` when the answer is complete. Throws on the first broken rule, and on bytes behind the end.
    package mutating func read<Sink: ResponseSink>(
        _ bytes: UnsafeRawBufferPointer, into sink: Sink
    ) throws(WireError) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let used = try step(rest, sink)
            rest = UnsafeRawBufferPointer(rebasing: rest[used...])
            if isComplete {
                guard rest.isEmpty else { throw .unasked }
                return true
            }
        }
        return isComplete
    }

    @inline(__always)
    private mutating func step<Sink: ResponseSink>(
        _ bytes: UnsafeRawBufferPointer, _ sink: Sink
    ) throws(WireError) -> Int {
        switch state {
        case .head: return try readHead(bytes, sink)
        case .fixed(let left):
            let used = min(left, bytes.count)
            sink.take(body: UnsafeRawBufferPointer(rebasing: bytes[..<used]))
            state = used == left ? .complete : .fixed(left - used)
            return used
        case .untilClose:
            sink.take(body: bytes)
            return bytes.count
        case .chunkData(let left):
            let used = min(left, bytes.count)
            sink.take(body: UnsafeRawBufferPointer(rebasing: bytes[..<used]))
            state = used == left ? .chunkEnd : .chunkData(left - used)
            return used
        case .chunkSize, .chunkEnd, .trailers: return try readLine(bytes)
        case .complete: throw .unasked
        }
    }

    private mutating func readHead<Sink: ResponseSink>(
        _ bytes: UnsafeRawBufferPointer, _ sink: Sink
    ) throws(WireError) -> Int {
        if partial.isEmpty, let end = Self.endOfHead(bytes) {
            try parse(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            finishHead(sink)
            return end
        }
        let before = partial.count
        let room = min(bytes.count, Self.longestHead - before)
        guard room > 0 else { throw .headTooLong }
        partial.append(contentsOf: bytes[..<room])
        let end = partial.withUnsafeBytes { Self.endOfHead($0) }
        guard let end else { return room }
        let whole = partial
        let parsed = whole.withUnsafeBytes { all in
            Result { () throws(WireError) in try parse(UnsafeRawBufferPointer(rebasing: all[..<end])) }
        }
        try parsed.get()
        partial.removeAll(keepingCapacity: true)
        finishHead(sink)
        return end - before
    }

    private static func endOfHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        var start = 0
        while let found = memchr(base + start, 0x0A, bytes.count - start) {
            let line = base.distance(to: UnsafeRawPointer(found))
            guard line + 2 < bytes.count else { return nil }
            if bytes[line + 1] == 0x0D, bytes[line + 2] == 0x0A { return line + 3 }
            start = line + 1
        }
        return nil
    }

    private mutating func finishHead<Sink: ResponseSink>(_ sink: Sink) {
        if (100..<200).contains(head.status), head.status != 101 { return }
        if hasNoBody || head.status == 204 || head.status == 304 {
            state = .complete
        } else if head.isChunked {
            state = .chunkSize
        } else if let length = head.contentLength {
            state = length == 0 ? .complete : .fixed(length)
        } else {
            head.keepsAlive = false
            state = .untilClose
        }
        sink.take(head: head)
    }

    private mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        // "HTTP/1.x NNN"
        guard bytes.count >= 14, let base = bytes.baseAddress, memcmp(base, "HTTP/1.", 7) == 0, bytes[8] == 0x20
        else { throw .statusLine }
        var status = 0
        for index in 9..<12 {
            guard case let digit = Int(bytes[index]) - 0x30, (0...9).contains(digit) else { throw .statusLine }
            status = status * 10 + digit
        }
        guard status >= 100 else { throw .statusLine }
        head = ResponseHead()
        head.status = status
        head.keepsAlive = bytes[7] != 0x30
        if keepsHeaders { head.raw = Array(bytes) }
        var start = 0
        while start < bytes.count {
            guard let newline = memchr(base + start, 0x0A, bytes.count - start) else { break }
            let end = base.distance(to: UnsafeRawPointer(newline))
            if start > 0 { try HeaderField.read(bytes, start, end, into: &head) }
            start = end + 1
        }
    }

    /// Chunk sizes, the line end behind a chunk, and trailers: short lines, gathered byte by byte.
    private mutating func readLine(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Int {
        for (index, byte) in bytes.enumerated() {
            guard byte == 0x0A else {
                guard partial.count < 4096 else { throw .chunk }
                partial.append(byte)
                continue
            }
            if partial.last == 0x0D { partial.removeLast() }
            try endLine()
            partial.removeAll(keepingCapacity: true)
            return index + 1
        }
        return bytes.count
    }

    private mutating func endLine() throws(WireError) {
        switch state {
        case .chunkEnd:
            guard partial.isEmpty else { throw .chunk }
            state = .chunkSize
        case .trailers:
            if partial.isEmpty { state = .complete }
        case .chunkSize:
            let size = try HeaderField.chunkSize(partial)
            state = size == 0 ? .trailers : .chunkData(size)
        case .head, .fixed, .untilClose, .chunkData, .complete: throw .chunk
        }
    }
}
