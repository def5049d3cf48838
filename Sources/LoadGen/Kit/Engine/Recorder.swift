import Histogram

/// The figures of one operation, or of whole arrivals.
package struct Figures: Sendable {
    /// From the intended moment to the last byte.
    var latency = LatencyHistogram.latencies()
    /// From the moment that the request was ready to that at which it had a connection.
    var waiting = LatencyHistogram.latencies()
    /// From the sending to the first byte of the answer.
    var firstByte = LatencyHistogram.latencies()
    /// From the sending to the last byte: what a closed-loop tool would call latency. Of an arrival: from its beginning.
    var service = LatencyHistogram.latencies()
    var succeeded = 0
    var failures: [String: Int] = [:]
    var bytesIn = 0
    var bytesOut = 0
}

/// What one event loop has seen. A value, so that handing it over copies nothing until somebody writes.
package struct Recorder: Sendable {
    /// The stretch that counts, monotonic: arrivals meant for another time are left out (warm-up, cool-down).
    private(set) var window: Range<Nanoseconds>
    private(set) var arrivals = Figures()
    private(set) var operations: [Figures?]
    /// Parts of arrivals, those that there were.
    private(set) var parts: [ArrivalPart: Figures] = [:]
    private(set) var lag = LatencyHistogram.latencies()
    private(set) var intervals: [Interval] = []
    /// Width of an interval, doubled each time that a run outgrows the table.
    private(set) var width: Nanoseconds
    /// Arrivals that were begun.
    private(set) var sent = 0
    /// Arrivals that could not be begun: too many were under way.
    private(set) var missed = 0
    /// Arrivals that the run ended before they were begun.
    private(set) var givenUp = 0
    /// Arrivals in a row, the last ones, that did not reach the target.
    private(set) var lostInARow = 0
    /// Arrivals sent more than a millisecond late.
    private(set) var late = 0

    static let mostIntervals = 900
    static let lateness: Nanoseconds = 1_000_000

    init(window: Range<Nanoseconds>, width: Nanoseconds = 1_000_000_000) {
        self.width = max(width, 1_000_000)
        self.window = window
        operations = Array(repeating: nil, count: Operation.allCases.count)
    }

    @inline(__always)
    func counts(_ intended: Nanoseconds) -> Bool { window.contains(intended) }

    /// What the schedule asked for so far: all of it is one of the three.
    var asked: Int { sent + missed + givenUp }

    mutating func recordStart(intended: Nanoseconds, at now: Nanoseconds) {
        guard counts(intended) else { return }
        sent += 1
        let behind = now > intended ? now - intended : 0
        lag.recordCapped(behind)
        if behind > Self.lateness { late += 1 }
        intervals[slot(intended)].asked += 1
    }

    mutating func recordMissed(intended: Nanoseconds) {
        guard counts(intended) else { return }
        missed += 1
        recordUnsent(intended)
    }

    mutating func recordGivenUp(intended: Nanoseconds) {
        guard counts(intended) else { return }
        givenUp += 1
        recordUnsent(intended)
    }

    private mutating func recordUnsent(_ intended: Nanoseconds) {
        let slot = slot(intended)
        intervals[slot].asked += 1
        intervals[slot].failed += 1
        arrivals.failures[Failure.notSent, default: 0] += 1
    }

    /// - Parameter begun: when the first of its requests was ready to be sent.
    mutating func recordArrival(intended: Nanoseconds, begun: Nanoseconds, ended: Nanoseconds, failure: Failure?) {
        guard counts(intended) else { return }
        if failure?.isLost ?? false { lostInARow += 1 } else { lostInARow = 0 }
        let slot = slot(intended)
        let latency = ended > intended ? ended - intended : 0
        if let failure {
            intervals[slot].failed += 1
            arrivals.failures[failure.name, default: 0] += 1
            // Leaving a timeout out would flatter the server; a quick refusal would flatter it when counted.
            guard failure == .timeout else { return }
        } else {
            intervals[slot].succeeded += 1
            arrivals.succeeded += 1
        }
        arrivals.latency.recordCapped(latency)
        arrivals.service.recordCapped(ended > begun ? ended - begun : 0)
        intervals[slot].record(latency: latency)
    }

    /// Takes a request that has ended.
    mutating func recordRequest(_ exchange: Exchange) {
        guard counts(exchange.arrival) else { return }
        let slot = slot(exchange.arrival)
        let place = exchange.request.operation.index
        intervals[slot].requests += 1
        intervals[slot].bytesIn += exchange.answer.received
        let sent = exchange.request.body.length
        intervals[slot].bytesOut += sent
        if operations[place] == nil { operations[place] = Figures() }
        operations[place]?.record(
            exchange.answer, intended: exchange.intended, failure: exchange.failure, sent: sent)
    }

    /// - Parameter arrival: the moment that the arrival was meant for.
    mutating func recordPart(
        _ part: ArrivalPart, arrival: Nanoseconds, from begin: Nanoseconds, to end: Nanoseconds, failure: Failure?
    ) {
        guard counts(arrival) else { return }
        parts[part, default: Figures()].record(part: end > begin ? end - begin : 0, failure: failure)
    }

    private mutating func slot(_ moment: Nanoseconds) -> Int {
        var slot = Int((moment - window.lowerBound) / width)
        while slot >= Self.mostIntervals {
            intervals = intervals.paired()
            width *= 2
            slot = Int((moment - window.lowerBound) / width)
        }
        while intervals.count <= slot { intervals.append(Interval()) }
        return slot
    }

    /// Ends the window early: what was meant for later does not count.
    mutating func close(at moment: Nanoseconds) {
        window = window.lowerBound..<max(window.lowerBound, min(window.upperBound, moment))
    }
}

extension Figures {
    mutating func record(part length: Nanoseconds, failure: Failure?) {
        if let failure {
            failures[failure.name, default: 0] += 1
            guard failure == .timeout else { return }
        } else {
            succeeded += 1
        }
        latency.recordCapped(length)
    }

    mutating func record(_ answer: Answer, intended: Nanoseconds, failure: Failure?, sent: Int) {
        bytesIn += answer.received
        bytesOut += sent
        if let failure {
            failures[failure.name, default: 0] += 1
            guard failure == .timeout else { return }
        } else {
            succeeded += 1
        }
        latency.recordCapped(answer.endedAt > intended ? answer.endedAt - intended : 0)
        guard answer.sentAt > 0 else { return }
        waiting.recordCapped(answer.sentAt > answer.readyAt ? answer.sentAt - answer.readyAt : 0)
        service.recordCapped(answer.endedAt > answer.sentAt ? answer.endedAt - answer.sentAt : 0)
        guard answer.firstByteAt > 0 else { return }
        firstByte.recordCapped(answer.firstByteAt > answer.sentAt ? answer.firstByteAt - answer.sentAt : 0)
    }
}

extension Request.Body {
    /// Bytes, without any framing.
    var length: Int {
        switch self {
        case .none: 0
        case .bytes(let bytes): bytes.readableBytes
        case .content(_, let range, _): range.count
        }
    }
}
