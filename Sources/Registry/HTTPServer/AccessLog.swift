import Metrics

/// Where a line for each request goes. A loop's lines go together, and are lost together, and counted, where whoever writes them
/// is behind.
package final class AccessLog: Sendable {
    /// What a line looks like.
    package enum Format: String, Sendable {
        case text, json
    }

    let format: Format
    private let take: @Sendable ([UInt8]) -> Bool
    private let (written, dropped) = (Counter(), Counter())

    /// A log whose lines are given to `take`, many at once, which never waits; false where it has no room for them.
    package init(_ format: Format, _ take: @escaping @Sendable ([UInt8]) -> Bool) {
        self.format = format
        self.take = take
    }

    /// Hands on so many whole lines.
    func write(_ lines: [UInt8], count: Int) { (take(lines) ? written : dropped).add(count) }

    /// Lines that were handed on, and those that were lost.
    var metrics: [MetricFamily] {
        [
            MetricFamily("aerugo_access_log_lines_total", .counter, "Lines of the access log.", written.value),
            MetricFamily(
                "aerugo_access_log_dropped_total", .counter, "Lines that were lost as the writer was behind.",
                dropped.value),
        ]
    }
}

/// The lines of one event loop until they are handed on: on that loop alone.
final class AccessLines {
    private let log: AccessLog
    private var line: AccessLine
    private var count = 0

    init(_ log: AccessLog) {
        self.log = log
        line = AccessLine(log.format)
    }

    func add(_ entry: AccessLine.Entry) {
        line.append(entry)
        count += 1
        if line.isFull { flush() }
    }

    /// Hands on what there is: once a second, when there is much, and at the end.
    func flush() {
        guard count > 0 else { return }
        log.write(line.bytes, count: count)
        line.clear()
        count = 0
    }
}
