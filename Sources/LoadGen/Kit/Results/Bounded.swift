/// What is read from files and agents, with numbers that sums and tables can be made of without overflow.
protocol Bounded {
    /// All numbers are such as a run can have.
    var isWithinBounds: Bool { get }
}

/// The most that a single count may be: a million of them still add up.
private let counts = 0...(1 << 43)

extension FiguresReport: Bounded {
    var isWithinBounds: Bool {
        failures.count <= 1000 && failures.values.allSatisfy(counts.contains)
            && [succeeded, bytesIn >> 13, bytesOut >> 13].allSatisfy(counts.contains)
    }
}

extension Interval: Bounded {
    var isWithinBounds: Bool {
        [asked, succeeded, failed, requests, bytesIn >> 13, bytesOut >> 13].allSatisfy(counts.contains)
    }
}

extension GeneratorReport: Bounded {
    var isWithinBounds: Bool {
        [peakMemory >> 13, connectionsMade, waitedForConnection, droppedForConnection, sentAgain]
            .allSatisfy(counts.contains)
            && busy.count <= 65_536 && busy.allSatisfy { (0...1e6).contains($0) }
    }
}

extension RunReport: Bounded {
    var isWithinBounds: Bool {
        [asked, sent, missed, givenUp, late, lostInARow].allSatisfy(counts.contains) && (0...1e9).contains(seconds)
            && (1e-3...1e9).contains(intervalSeconds) && intervals.count <= 65_536 && operations.count <= 1000
            && intervals.allSatisfy(\.isWithinBounds) && arrivals.isWithinBounds && generator.isWithinBounds
            && operations.values.allSatisfy(\.isWithinBounds) && parts?.count ?? 0 <= 1000
            && parts?.values.allSatisfy(\.isWithinBounds) ?? true
    }
}

extension AgentResult: Bounded {
    var isWithinBounds: Bool { nextIndex <= 1 << 43 && report.isWithinBounds }
}

extension CapacityReport: Bounded {
    var isWithinBounds: Bool { run.isWithinBounds }
}

/// A file that tells of which format it is.
protocol Versioned {
    /// ``RunReport/format`` is the one that is known.
    var version: Int { get }
}

extension RunReport: Versioned {}

extension CapacityReport: Versioned {}
