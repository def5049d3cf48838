import Model
import Synchronization

/// Makes what has to be new: keys of rows, and names that nobody can guess.
///
/// A key is 41 bits of milliseconds since 2020 and 22 bits that begin at random in each millisecond and count on from there:
/// in order within a process; two processes that make the same one get a conflict from the database and try again.
package final class IDSource: Sendable {
    private static let epoch: Int64 = 1_577_836_800_000
    private static let counterBits: Int64 = 22

    private let clocks: Clocks
    private let random: @Sendable () -> UInt64
    private let last = Mutex<Int64>(0)

    /// Ids by these clocks and this source of random bits.
    package init(
        clocks: Clocks = .system,
        random: @escaping @Sendable () -> UInt64 = {
            var system = SystemRandomNumberGenerator()
            return system.next()
        }
    ) {
        self.clocks = clocks
        self.random = random
    }

    /// A key, larger than all that this source has made before, even when the clock was set back.
    package func next<Subject>() -> Identifier<Subject> {
        // One year past 2089 the time would not fit: it is cut, and the keys count on.
        let elapsed = min(max(0, clocks.wall().milliseconds &- Self.epoch), 1 << 41 - 1)
        // A random start in the lower half leaves two million keys to each millisecond.
        let start = elapsed << Self.counterBits | Int64(truncatingIfNeeded: random() & 0x1f_ffff)
        return last.withLock { last in
            last = last >> Self.counterBits >= elapsed ? last &+ 1 : start
            return Identifier(last)
        }
    }

    /// 128 random bits as 32 hexadecimal digits.
    package func token() -> String {
        [random(), random()].withUnsafeBytes { Hex.encode($0) }
    }

    /// An id for an upload session, in the form of a UUID of version 4 (distribution-spec "POST then PUT").
    package func uuid() -> String {
        var id = Array(token())
        id[12] = "4"
        id[16] = "a"
        return [id[..<8], id[8..<12], id[12..<16], id[16..<20], id[20...]].map { String($0) }.joined(separator: "-")
    }
}
