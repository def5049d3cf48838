import Synchronization

/// How far a reader is, shared by all copies of a stream.
final class Position: Sendable {
    private let offset: Mutex<Int64>

    init(_ offset: Int64) { self.offset = Mutex(offset) }

    /// Moves on by `count`, at most to `end`; gives what lies between, which is empty at the end.
    func advance(by count: Int64, upTo end: Int64) -> Range<Int64> {
        offset.withLock { offset in
            let start = offset
            offset = min(end, start + count)
            return start..<offset
        }
    }
}
