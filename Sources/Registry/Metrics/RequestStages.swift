import Synchronization

/// Where the time of a request goes that is not answered at once: each moment counts for the innermost of what it is spent in, so
/// that the stages make no more than the whole.
package final class RequestStages: Sendable {
    /// What a request waits for.
    package enum Stage: Int, Sendable, CaseIterable {
        /// Who asks, and what they may.
        case auth
        /// The client's next bytes.
        case body
        /// A thread that may block.
        case queue
        /// Database, files and what is hashed.
        case store

        /// As the log has it.
        package var name: StaticString {
            switch self {
            case .auth: "auth"
            case .body: "body"
            case .queue: "queue"
            case .store: "store"
            }
        }
    }

    /// Those of the request whose answer is being made here; nil where nobody wants to know.
    @TaskLocal package static var current: RequestStages?

    private let spent = Mutex(SIMD4<Int64>())

    /// None has taken any time yet.
    package init() {}

    /// Nanoseconds by stage.
    package subscript(stage: Stage) -> Int64 { spent.withLock { $0[stage.rawValue] } }

    /// Adds to a stage; what a clock has run backwards is nothing.
    package func add(_ nanoseconds: Int64, to stage: Stage) {
        spent.withLock { $0[stage.rawValue] &+= max(0, nanoseconds) }
    }

    /// All that was counted so far.
    private var sum: Int64 { spent.withLock { $0.wrappedSum() } }

    /// Runs `body` and counts its time for `stage`, but what was counted for another one meanwhile.
    package static func time<T, Failure: Error>(
        _ stage: Stage, _ body: () async throws(Failure) -> T
    ) async throws(Failure) -> T {
        guard let stages = current else { return try await body() }
        let (start, before) = (ContinuousClock.now, stages.sum)
        defer { stages.add(nanoseconds(since: start) - (stages.sum - before), to: stage) }
        return try await body()
    }

    /// Time since then.
    package static func nanoseconds(since start: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }
}
