import CLinux
import Glibc
import Runtime
import Store

/// An open descriptor, closed when the last owner lets go. Every call blocks; all throw `StoreError`.
package final class File: Sendable {
    let descriptor: Int32

    /// Opens with these flags of open(2). Never follows a link, and never waits for the other end of a pipe.
    init(_ path: String, _ flags: Int32) throws(StoreError) {
        descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o640)
        guard descriptor >= 0 else { throw StoreError(errno: errno, "open \(path)") }
    }

    private init(owning descriptor: Int32) { self.descriptor = descriptor }

    /// A file without a name that lives in memory.
    package static func inMemory() throws(StoreError) -> File {
        let descriptor = aerugo_memory_file("blob")
        guard descriptor >= 0 else { throw StoreError(errno: errno, "memfd_create") }
        return File(owning: descriptor)
    }

    /// A regular file; what else stands at the path is told, not read: a pipe would wait for ever.
    static func regular(_ path: String, _ flags: Int32) throws(StoreError) -> File {
        let file = try File(path, flags)
        guard try file.status().st_mode & S_IFMT == S_IFREG else {
            throw StoreError(.unavailable, "\(path) is not a regular file")
        }
        return file
    }

    deinit { Glibc.close(descriptor) }

    /// Writes all bytes at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(StoreError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw StoreError(errno: count == 0 ? ENOSPC : errno, "write") }
            done += count
        }
    }

    /// Reads at most a buffer full; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(StoreError) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StoreError(errno: errno, "read") }
            return count
        }
    }

    /// Returns when content and size are on disk.
    func sync() throws(StoreError) {
        guard fsync(descriptor) == 0 else { throw StoreError(errno: errno, "fsync") }
    }

    /// Cuts off what lies behind `size`.
    func truncate(to size: Int64) throws(StoreError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw StoreError(errno: errno, "ftruncate") }
    }

    func status() throws(StoreError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StoreError(errno: errno, "fstat") }
        return status
    }

    /// Asks the kernel to begin writing these bytes out; only a hint.
    func startWriteback(from offset: Int64, count: Int64) {
        _ = aerugo_start_writeback(descriptor, offset, count)
    }

    /// Takes the lock on the whole file that no other process may hold; false when one does.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    /// Takes the lock that any number may hold while nobody has `lock`; false when somebody has.
    func lockShared() -> Bool { flock(descriptor, LOCK_SH | LOCK_NB) == 0 }
}

extension StoreError {
    /// What a failed call of the operating system means to a caller. None of them says that bytes are lost.
    init(errno code: Int32, _ call: String) {
        let cause = "\(call): \(String(cString: strerror(code)))"
        switch code {
        case ENOENT: self.init(.missing, cause)
        case ENOSPC, EDQUOT, EFBIG: self.init(.full, cause)
        case EMFILE, ENFILE: self.init(.overloaded, cause)
        default: self.init(.unavailable, cause)
        }
    }
}
