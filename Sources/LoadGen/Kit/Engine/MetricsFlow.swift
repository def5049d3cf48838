import Synchronization

/// Where a ``MetricsFlow`` leaves what it read.
final class MetricsReading: Sendable {
    private let found = Mutex<(cpu: Nanoseconds, memory: Int)?>(nil)

    var value: (cpu: Nanoseconds, memory: Int)? { found.withLock { $0 } }

    func set(_ value: (cpu: Nanoseconds, memory: Int)?) {
        found.withLock { $0 = value }
    }
}

/// Reads the process figures that Prometheus clients publish.
struct MetricsFlow: Flow {
    let page: Request
    let reading: MetricsReading

    func run(_ session: Session) async throws(Failure) {
        let answer = try await session.expect(page)
        reading.set(Self.parse(String(decoding: answer.body, as: UTF8.self)))
    }

    /// `process_cpu_seconds_total` and `process_resident_memory_bytes`, where both are there.
    static func parse(_ text: String) -> (cpu: Nanoseconds, memory: Int)? {
        var cpu: Double?
        var memory: Double?
        for line in text.split(separator: "\n") where line.hasPrefix("process_") {
            let parts = line.split(separator: " ")
            guard parts.count >= 2, let value = Double(parts[1]), value.isFinite, value >= 0, value < 1e15 else {
                continue
            }
            if parts[0] == "process_cpu_seconds_total" { cpu = value }
            if parts[0] == "process_resident_memory_bytes" { memory = value }
        }
        guard let cpu, let memory else { return nil }
        return (Nanoseconds(cpu * 1e9 < 9e18 ? cpu * 1e9 : 0), Int(memory))
    }
}
