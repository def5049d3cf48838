import NIOCore

/// One arrival under way on one event loop: sends its requests and tells the recorder. Touched on its loop only.
package final class Session {
    let worker: Worker
    /// The moment the arrival was meant for.
    let intended: Nanoseconds
    /// Set-up and clean-up are not.
    let isRecorded: Bool
    /// Once it says so, no request begins any more.
    private let stop: any StopSignal
    /// This arrival's own numbers.
    package var random: SeededRandom
    private var isFirst = true
    /// Time that the arrival chose to wait: no part of its latency.
    private(set) var paused: Nanoseconds = 0

    init(
        worker: Worker, intended: Nanoseconds, isRecorded: Bool, stop: any StopSignal = NeverStops(),
        random: SeededRandom
    ) {
        self.stop = stop
        self.worker = worker
        logins = worker.logins
        self.intended = intended
        self.isRecorded = isRecorded
        self.random = random
    }

    /// Memory of logins: the event loop's, until a client wants one of its own.
    var logins: LoginCache

    /// Event-loop-wide memory of uploads under way.
    var uploads: OpenUploads { worker.uploads }

    /// Sends one request and waits for its answer. Never throws: see ``Answer/failure``.
    func send(_ request: Request) async -> Answer {
        let now = MonotonicClock.now()
        let due = takeDue(now)
        guard !stop.isStopped else {
            var answer = Answer()
            answer.failure = .cancelled
            return answer
        }
        return await withUnsafeContinuation { continuation in
            worker.perform(request, arrival: intended, intended: due, now: now, isRecorded: isRecorded) { exchange in
                continuation.resume(returning: exchange.answer)
            }
        }
    }

    /// Sends and judges: the answer, or the reason why it will not do.
    package func expect(_ request: Request) async throws(Failure) -> Answer {
        let answer = await send(request)
        if let failure = request.judge(answer) { throw failure }
        return answer
    }

    /// Takes `steps`, and tells them as one part of the arrival.
    func part(_ part: ArrivalPart, _ steps: () async throws(Failure) -> Void) async throws(Failure) {
        let due = isFirst ? intended : MonotonicClock.now()
        let pausedBefore = paused
        var failure: Failure?
        do throws(Failure) {
            try await steps()
        } catch {
            failure = error
        }
        if isRecorded {
            let end = MonotonicClock.now() - (paused - pausedBefore)
            worker.recorder.recordPart(part, arrival: intended, from: due, to: end, failure: failure)
        }
        if let failure { throw failure }
    }

    /// Runs `body` for each index in `0 ..< count`, at most `width` at a time, all on this loop.
    func parallel(
        _ count: Int, width: Int, _ body: @escaping @Sendable (Session, Int) async throws(Failure) -> Void
    ) async throws(Failure) {
        if count == 1 || width == 1 {
            for index in 0..<count { try await body(self, index) }
            return
        }
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        let failure = await withTaskGroup(of: Failure?.self) { group in
            var next = 0
            var first: Failure?
            while next < min(width, count) {
                let index = next
                group.addTask { await Session.attempt(bound.value, index, body) }
                next += 1
            }
            while let result = await group.next() {
                first = first ?? result
                guard next < count, first == nil else { continue }
                let index = next
                group.addTask { await Session.attempt(bound.value, index, body) }
                next += 1
            }
            return first
        }
        if let failure { throw failure }
    }

    private static func attempt(
        _ session: Session, _ index: Int, _ body: @Sendable (Session, Int) async throws(Failure) -> Void
    ) async -> Failure? {
        do throws(Failure) {
            try await body(session, index)
            return nil
        } catch {
            return error
        }
    }

    /// Lets time pass: think time of a client.
    package func pause(_ length: Duration) async {
        guard length > .zero else { return }
        let before = MonotonicClock.now()
        defer { paused += MonotonicClock.now() - before }
        await withUnsafeContinuation { continuation in
            worker.pause(length) { continuation.resume() }
        }
    }

    /// The first request is due when the arrival was, the others when their step is reached.
    private func takeDue(_ now: Nanoseconds) -> Nanoseconds {
        defer { isFirst = false }
        return isFirst ? intended : now
    }
}

extension Request {
    /// Why the answer will not do, or `nil`.
    @inline(__always)
    func judge(_ answer: Answer) -> Failure? {
        if let failure = answer.failure { return failure }
        guard accepts.contains(answer.head.status) else { return .status(answer.head.status) }
        // What leads elsewhere has a body of its own.
        guard answer.head.status < 300 else { return nil }
        if let expectedLength, answer.received != expectedLength { return .wrongLength }
        if let expectedDigest, let digest = answer.digest, digest != expectedDigest { return .digestMismatch }
        return nil
    }
}
