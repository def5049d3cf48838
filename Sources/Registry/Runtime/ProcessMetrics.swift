import Glibc
import Metrics

/// What the kernel says of this process (proc(5)), under the names that Prometheus's own clients have for it. Reads files that are
/// none: takes microseconds, and never waits.
package enum ProcessMetrics {
    /// All that can be read; what cannot is missing.
    package static func families() -> [MetricFamily] { ofStatus() + ofFiles() }

    private static func ofStatus() -> [MetricFamily] {
        // The name of the program, in parentheses, may have blanks and parentheses itself.
        guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return [] }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // Those behind the name; proc_pid_stat(5) counts from 1 and has two before.
        func field(_ number: Int) -> Double? { fields.count > number - 3 ? Double(fields[number - 3]) : nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        guard ticks > 0, let user = field(14), let system = field(15), let threads = field(20), let start = field(22),
            let size = field(23), let pages = field(24)
        else { return [] }
        var families = [
            MetricFamily(
                "process_cpu_seconds_total", .counter, "Time on a core, in user and kernel.", (user + system) / ticks),
            MetricFamily("process_threads", .gauge, "Threads.", threads),
            MetricFamily("process_virtual_memory_bytes", .gauge, "Bytes of address space.", size),
            MetricFamily(
                "process_resident_memory_bytes", .gauge, "Bytes in memory.",
                pages * Double(sysconf(Int32(_SC_PAGESIZE)))),
        ]
        if let boot = read("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let second = Double(boot.dropFirst(6))
        {
            families.append(
                MetricFamily(
                    "process_start_time_seconds", .gauge, "When it was started, in seconds since 1970.",
                    second + start / ticks))
        }
        return families
    }

    private static func ofFiles() -> [MetricFamily] {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            let directory = opendir("/proc/self/fd")
        else { return [] }
        defer { closedir(directory) }
        // Two names are none, and one is this directory's own.
        var count = -3
        while readdir(directory) != nil { count += 1 }
        return [
            MetricFamily("process_open_fds", .gauge, "Open file descriptors.", count),
            MetricFamily("process_max_fds", .gauge, "Most open file descriptors.", UInt64(limit.rlim_cur)),
        ]
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, &piece, piece.count)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
