import Glibc

/// Counts and latencies of one operation, or of whole arrivals, as a report holds them.
package struct FiguresReport: Codable, Equatable, Sendable {
    /// Successes.
    package var succeeded = 0
    /// Failures by kind, see ``Failure/name``.
    package var failures: [String: Int] = [:]
    /// Bytes of bodies received and sent.
    package var bytesIn = 0
    package var bytesOut = 0
    /// From the intended moment to the last byte; successes, and timeouts at the moment they were given up.
    package var latency = SparseHistogram()
    /// From the moment that a request was ready to that at which it had a connection; of arrivals none.
    package var waiting = SparseHistogram()
    /// From the sending to the first byte; of arrivals none.
    package var firstByte = SparseHistogram()
    /// From the sending to the last byte; of an arrival, from the moment that it was begun: latency without the lag.
    package var service = SparseHistogram()

    /// Nothing yet.
    package init() {}

    init(_ figures: Figures) {
        succeeded = figures.succeeded
        failures = figures.failures
        bytesIn = figures.bytesIn
        bytesOut = figures.bytesOut
        latency = SparseHistogram(figures.latency)
        waiting = SparseHistogram(figures.waiting)
        firstByte = SparseHistogram(figures.firstByte)
        service = SparseHistogram(figures.service)
    }

    /// Failures of all kinds.
    package var failed: Int { failures.values.reduce(0, +) }

    /// Successes and failures.
    package var total: Int { succeeded + failed }

    /// Failures that are the generator's own: what it could not send tells nothing of the target.
    package var failedHere: Int { failures.reduce(0) { $0 + (Failure.own.contains($1.key) ? $1.value : 0) } }

    /// Failures among all, 0 ... 1; 0 when there was nothing.
    package var errorShare: Double { total == 0 ? 0 : Double(failed) / Double(total) }

    /// Adds another's, loss-free.
    package mutating func add(_ other: FiguresReport) {
        succeeded += other.succeeded
        failures.merge(other.failures, uniquingKeysWith: +)
        bytesIn += other.bytesIn
        bytesOut += other.bytesOut
        latency.add(other.latency)
        waiting.add(other.waiting)
        firstByte.add(other.firstByte)
        service.add(other.service)
    }
}

/// What the target's process used in one second.
package struct TargetSample: Codable, Equatable, Sendable {
    /// Seconds from the start of the figures; negative in the warm-up.
    package var at: Double
    /// CPU-seconds a second.
    package var cpu: Double
    /// Resident bytes.
    package var memory: Int

    /// A sample of one moment.
    package init(at: Double, cpu: Double, memory: Int) {
        self.at = at
        self.cpu = cpu
        self.memory = memory
    }
}

/// How the generator itself fared.
package struct GeneratorReport: Codable, Equatable, Sendable {
    /// Share of its time that each event loop was busy, 0 ... 1.
    package var busy: [Double] = []
    /// The same of the busiest second of any loop; `nil` where it was not taken.
    package var busiestSecond: Double?
    /// CPU-seconds of the whole process while the figures were taken.
    package var cpuSeconds = 0.0
    /// Greatest resident size, bytes.
    package var peakMemory = 0
    /// Connections made, by whatever became of them.
    package var connectionsMade = 0
    /// Requests that waited for a free connection.
    package var waitedForConnection = 0
    /// Requests that were given up for want of a connection.
    package var droppedForConnection = 0
    /// Requests sent again because a kept-alive connection had gone.
    package var sentAgain = 0

    /// Nothing yet.
    package init() {}

    mutating func add(_ other: GeneratorReport) {
        busy += other.busy
        busiestSecond = [busiestSecond, other.busiestSecond].compactMap { $0 }.max()
        cpuSeconds += other.cpuSeconds
        peakMemory += other.peakMemory
        connectionsMade += other.connectionsMade
        waitedForConnection += other.waitedForConnection
        droppedForConnection += other.droppedForConnection
        sentAgain += other.sentAgain
    }
}

/// A run as a file: everything that the other commands need, counts exact.
package struct RunReport: Codable, Equatable, Sendable {
    /// Of the file's format.
    package var version = RunReport.format
    /// The program that measured, with its version, and the machine that it ran on.
    package var program = ""
    package var machine = ""
    /// Seconds since 1970 when the figures began.
    package var began = 0.0
    /// The URL aimed at.
    package var target = ""
    /// Its name, `GET`, or the recording's file.
    package var scenario = ""
    /// Of content, arrivals and choices.
    package var seed: UInt64 = 0
    /// `open loop`, or `closed loop`, which hides pauses of the server.
    package var mode = ""
    /// One line for people.
    package var schedule = ""
    /// Seconds that the figures cover.
    package var seconds = 0.0
    /// Arrivals that the schedule asked for in that time: those sent, missed and given up together. In a closed loop those that
    /// were sent.
    package var asked = 0
    /// Arrivals that were begun.
    package var sent = 0
    /// Arrivals that could not be begun, as too many were under way.
    package var missed = 0
    /// Arrivals that the run ended before they were begun: the generator was too far behind.
    package var givenUp = 0
    /// Arrivals in a row, the last ones of every part of the run, that did not reach the target.
    package var lostInARow = 0
    /// Arrivals sent more than a millisecond late.
    package var late = 0
    /// Whole arrivals.
    package var arrivals = FiguresReport()
    /// Requests by ``Operation``.
    package var operations: [String: FiguresReport] = [:]
    /// Parts of arrivals by ``ArrivalPart``, where the scenario has such.
    package var parts: [String: FiguresReport]?
    /// How far behind its intended moment each arrival was begun.
    package var lag = SparseHistogram()
    /// Seconds that each interval covers.
    package var intervalSeconds = 1.0
    /// In order, the first from the start of the figures.
    package var intervals: [Interval] = []
    /// How the generator fared, all threads and agents together.
    package var generator = GeneratorReport()
    /// The target's CPU and memory, where they were read.
    package var samples: [TargetSample] = []
    /// The user ended the run early.
    package var isInterrupted = false
    /// A part of the generators failed or ended early: the figures are those of the others.
    package var isPartial = false
    /// How the requirements came out.
    package var verdicts: [VerdictReport] = []
    /// Why the figures may be the generator's own; empty when they are not.
    package var doubts: [String] = []
    /// What is good to know and spoils nothing.
    package var notes: [String] = []

    /// Nothing yet.
    package init() {}

    /// Of the files that this program reads and writes.
    package static let format = 2

    init(_ recorder: Recorder) {
        asked = recorder.asked
        sent = recorder.sent
        givenUp = recorder.givenUp
        lostInARow = recorder.lostInARow
        missed = recorder.missed
        late = recorder.late
        arrivals = FiguresReport(recorder.arrivals)
        for (operation, figures) in zip(Operation.allCases, recorder.operations) {
            if let figures { operations[operation.name] = FiguresReport(figures) }
        }
        if !recorder.parts.isEmpty {
            let named = recorder.parts.map { ($0.key.rawValue, FiguresReport($0.value)) }
            parts = Dictionary(uniqueKeysWithValues: named)
        }
        lag = SparseHistogram(recorder.lag)
        intervalSeconds = Double(recorder.width) / 1e9
        intervals = recorder.intervals
    }

    /// The figures of an operation or of a part of arrivals, empty where there was none; of whole arrivals for `nil`.
    package func figures(of name: String?) -> FiguresReport {
        guard let name else { return arrivals }
        return operations[name] ?? parts?[name] ?? FiguresReport()
    }

    /// All rows of tables in their order: parts of arrivals, then operations.
    package var rows: [(name: String, figures: FiguresReport)] {
        [parts ?? [:], operations].flatMap { group in
            group.sorted { $0.key < $1.key }.map { (name: $0.key, figures: $0.value) }
        }
    }

    /// Arrivals asked for a second.
    package var rateAsked: Double { seconds > 0 ? Double(asked) / seconds : 0 }

    /// Arrivals that succeeded a second.
    package var rateGot: Double { seconds > 0 ? Double(arrivals.succeeded) / seconds : 0 }

    /// Requests answered a second, good or bad.
    package var requestRate: Double {
        seconds > 0 ? Double(operations.values.reduce(0) { $0 + $1.total }) / seconds : 0
    }

    /// The target was there, and at the end no more: so many arrivals in a row did not reach it as those before make all but
    /// impossible.
    package var isTargetGone: Bool {
        let lost = arrivals.failures.reduce(0) { $0 + (Failure.lost.contains($1.key) ? $1.value : 0) }
        let others = arrivals.total - lostInARow
        let share = others > 0 ? Double(max(lost - lostInARow, 0)) / Double(others) : 0
        return lostInARow >= 3 && pow(max(share, 1e-3), Double(lostInARow)) < 1e-6
    }

    /// What was begun and has no end has been given up: it counts as timed out, with no time that anybody knows.
    mutating func countUnended() {
        let unended = sent - (arrivals.total - missed - givenUp)
        if unended > 0 { arrivals.failures[Failure.timeout.name, default: 0] += unended }
    }

    /// Arrivals came when a schedule said so.
    package var isOpen: Bool { mode == "open loop" }

    /// The figures can be trusted.
    package var isValid: Bool { doubts.isEmpty }

    /// Adds the figures of another generator or thread that kept a part of the same schedule at the same time.
    ///
    /// Where one of them ended early, the seconds become such that both rates add up.
    package mutating func add(_ other: RunReport) {
        let rate = rateAsked + other.rateAsked
        if arrivals.total == 0 || other.arrivals.total == 0 {
            lostInARow = max(lostInARow, other.lostInARow)
        } else {
            // Where one part still reaches the target, it is there.
            lostInARow = min(lostInARow, other.lostInARow) == 0 ? 0 : lostInARow + other.lostInARow
        }
        asked += other.asked
        sent += other.sent
        givenUp += other.givenUp
        if seconds != other.seconds, rate > 0 { seconds = Double(asked) / rate }
        missed += other.missed
        late += other.late
        arrivals.add(other.arrivals)
        for (name, figures) in other.operations { operations[name, default: FiguresReport()].add(figures) }
        if let others = other.parts {
            var sum = parts ?? [:]
            for (name, figures) in others { sum[name, default: FiguresReport()].add(figures) }
            parts = sum
        }
        lag.add(other.lag)
        addIntervals(other)
        generator.add(other.generator)
        if samples.isEmpty { samples = other.samples }
        isInterrupted = isInterrupted || other.isInterrupted
        isPartial = isPartial || other.isPartial
        for doubt in other.doubts where !doubts.contains(doubt) { doubts.append(doubt) }
        for note in other.notes where !notes.contains(note) { notes.append(note) }
    }

    /// Appends the intervals after the last in which something was asked for, so that all of the time has its place.
    mutating func coverAllSeconds() {
        let wanted = (seconds / max(intervalSeconds, 1e-3) - 1e-6).rounded(.up)
        while Double(intervals.count) < min(wanted, Double(Recorder.mostIntervals)) { intervals.append(Interval()) }
    }

    private mutating func addIntervals(_ other: RunReport) {
        var other = other
        while intervalSeconds * 1.5 < other.intervalSeconds { widen() }
        while other.intervalSeconds * 1.5 < intervalSeconds { other.widen() }
        for (index, interval) in other.intervals.enumerated() {
            if index < intervals.count { intervals[index].add(interval) } else { intervals.append(interval) }
        }
    }

    private mutating func widen() {
        intervals = intervals.paired()
        intervalSeconds *= 2
    }
}
