import Glibc

/// Reads `/proc`.
package enum ProcessReading {
    /// CPU time and resident bytes of a process; `nil` when there is none such or it may not be read.
    package static func read(pid: Int) -> (cpu: Nanoseconds, memory: Int)? {
        guard let stat = text("/proc/\(pid)/stat"), let behind = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[behind...].split(separator: " ")
        // Fields 14, 15 and 24 of proc(5); the name in brackets is the second.
        guard fields.count > 22, let user = UInt64(fields[12]), let system = UInt64(fields[13]),
            let pages = Int(fields[22])
        else { return nil }
        let tick = UInt64(max(sysconf(Int32(_SC_CLK_TCK)), 1))
        return ((user + system) * (1_000_000_000 / tick), pages * Int(sysconf(Int32(_SC_PAGESIZE))))
    }

    /// Greatest resident size of this process so far, bytes.
    package static func peakMemory() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}

/// CPU and memory of the target's process, second by second.
final class TargetSampler {
    /// The run's watch waits for a reading, and must see a stop soon.
    private static let limit = Duration.seconds(1)

    private let pid: Int?
    private let page: Request?
    private let generator: Generator
    private var last: (at: Nanoseconds, cpu: Nanoseconds)?

    init(settings: RunSettings, generator: Generator) {
        pid = settings.serverPID
        var page = settings.metricsPage
        page?.limit = Self.limit
        self.page = page
        self.generator = generator
    }

    /// A sample against the one before; `nil` for the first, or when nothing can be read.
    func sample(at second: Double) async -> TargetSample? {
        guard let reading = await read() else { return nil }
        let now = MonotonicClock.now()
        // CPU time is told in hundredths of a second: half a second is the least that says something.
        if let last, now < last.at + 500_000_000 { return nil }
        defer { last = (now, reading.cpu) }
        guard let last, now > last.at, reading.cpu >= last.cpu else { return nil }
        return TargetSample(
            at: second, cpu: Double(reading.cpu - last.cpu) / Double(now - last.at), memory: reading.memory)
    }

    func read() async -> (cpu: Nanoseconds, memory: Int)? {
        if let pid { return ProcessReading.read(pid: pid) }
        guard let page else { return nil }
        let result = MetricsReading()
        do throws(Failure) {
            try await generator.perform(MetricsFlow(page: page, reading: result))
            return result.value
        } catch {
            // The page may be busy or gone: a gap in the curve is the honest answer.
            return nil
        }
    }
}

extension Generator {
    /// The page of ``RunSettings/metricsPage`` tells CPU and memory.
    package func readsMetrics() async -> Bool {
        await TargetSampler(settings: settings, generator: self).read() != nil
    }
}
