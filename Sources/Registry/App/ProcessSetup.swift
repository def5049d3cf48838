import CLinux
import Glibc
import Logging

/// What the process needs of the system before it serves.
enum ProcessSetup {
    /// Streams that were closed get /dev/null, so that no file or socket takes their numbers and is logged into; memory of
    /// large buffers goes back when they are freed; nobody ends the process by closing a pipe.
    static func prepare() {
        var descriptor: Int32
        repeat { descriptor = open("/dev/null", O_RDWR) } while (0...2).contains(descriptor)
        close(descriptor)
        signal(SIGPIPE, SIG_IGN)
        _ = mallopt(M_MMAP_THRESHOLD, 512 << 10)
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
