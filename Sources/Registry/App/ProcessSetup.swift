import CLinux
import Glibc
import Logging

/// What the process needs of the system before it serves.
enum ProcessSetup {
    /// To be called before anything is opened: standard streams that were closed get /dev/null, so that no file or socket
    /// takes their numbers and is logged into; and what is made is for nobody outside the group, whatever umask was inherited.
    static func begin() {
        for (stream, mode) in [(STDIN_FILENO, O_RDONLY), (STDOUT_FILENO, O_WRONLY), (STDERR_FILENO, O_WRONLY)]
        where fcntl(stream, F_GETFD) < 0 {
            // The lowest free number is this one, as those before it are open.
            _ = open("/dev/null", mode)
        }
        umask(umask(0o027) | 0o027)
    }

    /// Memory of large buffers goes back when they are freed; nobody ends the process by closing a pipe or a terminal.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        // Until it is listened to.
        signal(SIGHUP, SIG_IGN)
        _ = mallopt(M_MMAP_THRESHOLD, 512 << 10)
        // Each pool of the allocator keeps what was freed in it to itself.
        _ = mallopt(M_ARENA_MAX, 4)
    }

    /// Tells an operator of what others on the machine may read.
    static func checkAccess(_ data: String, _ log: Logger) {
        var status = stat()
        guard stat(data, &status) == 0, status.st_mode & 0o007 != 0 else { return }
        log.warning(
            "everybody on this machine can look into the data directory: chmod o-rwx it",
            metadata: ["data": "\(data)", "mode": "\(String(status.st_mode & 0o777, radix: 8))"])
    }

    /// How many of the connections that are wanted the limit of descriptors allows: each needs two, as a file may be read
    /// for it, and the rest of the process some. Raises the limit as far as it may.
    static func connections(wanted: Int, _ log: Logger) -> Int {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0 else { return wanted }
        limit.rlim_cur = min(limit.rlim_max, 1 << 20)
        setrlimit(files, &limit)
        getrlimit(files, &limit)
        let possible = max(1, (Int(clamping: limit.rlim_cur) - 100) / 2)
        if possible < wanted {
            log.warning(
                "the limit of open files (ulimit -n) allows fewer connections than http.connections",
                metadata: ["files": "\(limit.rlim_cur)", "connections": "\(possible)"])
        }
        return min(wanted, possible)
    }
}
