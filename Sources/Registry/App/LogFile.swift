import Glibc
import Synchronization

/// Where the log goes: one of them in the process.
let logFile = LogFile()

/// A file that can be opened again when another program has moved it, or standard error.
final class LogFile: Sendable {
    private struct State {
        var path = ""
        var descriptor: Int32
    }

    private let state: Mutex<State>
    /// A stream of the process, which is never closed.
    private let stream: Int32

    /// Goes to this stream of the process until a file is opened.
    init(_ stream: Int32 = STDERR_FILENO) {
        self.stream = stream
        state = Mutex(State(descriptor: stream))
    }

    /// Logs to the end of this file from here on, or where it did with an empty path. False, with `errno`, when it
    /// cannot be opened.
    func open(_ path: String) -> Bool {
        guard !path.isEmpty else { return true }
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0o640)
        guard descriptor >= 0 else { return false }
        let old = state.withLock { state in
            defer { (state.path, state.descriptor) = (path, descriptor) }
            return state.descriptor
        }
        if old != stream { close(old) }
        return true
    }

    /// Opens the file of the same name again. False, and the old one stays, when that cannot be.
    func reopen() -> Bool { open(state.withLock { $0.path }) }

    /// Writes a line. One that cannot be written, to a full disk or a closed pipe, is lost; the program goes on.
    func write(_ bytes: [UInt8]) {
        let descriptor = state.withLock { $0.descriptor }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            done += count
        }
    }
}

/// Writes a line to standard error; one that cannot be written is lost.
func writeToStandardError(_ line: String) {
    LogFile().write(Array((line + "\n").utf8))
}
