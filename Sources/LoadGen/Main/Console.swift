import Glibc
import LoadKit
import Synchronization

/// Standard output and error, unbuffered: a line stands there when it is said.
///
/// What comes from files and targets is in many lines, and a terminal would obey it: control characters become `?`.
enum Console {
    /// A report goes to standard output, so that nothing else may.
    private static let isOutputTaken = Atomic<Bool>(false)

    /// From now on what is said goes to standard error.
    static func leaveOutput() {
        isOutputTaken.store(true, ordering: .relaxed)
    }

    static func say(_ line: String) {
        write(Text.harmless(line) + "\n", to: isOutputTaken.load(ordering: .relaxed) ? STDERR_FILENO : STDOUT_FILENO)
    }

    static func complain(_ line: String) {
        write(Text.harmless(line) + "\n", to: STDERR_FILENO)
    }

    /// A line that takes the place of the one before.
    static func redraw(_ line: String) {
        write("\r\u{1B}[K" + Text.harmless(line), to: STDERR_FILENO)
    }

    /// Standard error is a terminal: progress may be redrawn in place.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // A closed pipe is no reason to fail: whoever read it has gone.
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
