import Foundation

/// Text to streams and files, without a crash where nobody takes it.
package enum Output {
    /// Writes to standard output or standard error; what a closed pipe or a full device does not take is lost. Gives
    /// what the system says where it took nothing, nil when all is written.
    @discardableResult
    package static func write(_ text: String, toError: Bool = false) -> String? {
        write(Array(text.utf8), to: toError ? STDERR_FILENO : STDOUT_FILENO)
    }

    /// Writes a file: whole or not at all, but for devices and pipes. Throws `RunnerFailure`.
    package static func write(_ text: String, toFile path: String) throws {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            let file = open(path, O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { throw RunnerFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
            defer { close(file) }
            if let problem = write(Array(text.utf8), to: file) {
                throw RunnerFailure("cannot write \(path): \(problem)")
            }
            return
        }
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw RunnerFailure("cannot write \(path): \(error.localizedDescription)")
        }
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> String? {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var poller = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                poll(&poller, 1, 1_000)
                continue
            }
            guard count > 0 else { return String(cString: strerror(errno)) }
            done += count
        }
        return nil
    }
}
