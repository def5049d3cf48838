import Foundation

/// What the runner does when a registry is busy and says when to come again (RFC 9110 section 10.2.3): it does.
enum Patience {
    /// How often a request is sent before the runner gives up on it.
    private static let attempts = 5

    /// Whether an answer asks to come again. A busy registry that does not say when is judged by what it answered.
    static func asks(_ status: Int, _ headers: Headers) -> Bool {
        (status == 429 || status == 503) && headers["Retry-After"].flatMap { Int($0.trimmed) } != nil
    }

    /// Waits as long as the answer asks for, ten seconds at most. Throws `RunnerFailure` after the last attempt and
    /// `Interrupted` when the run was.
    static func wait(_ attempt: Int, _ status: Int, _ headers: Headers, _ run: RunContext) throws {
        guard attempt < attempts else {
            throw RunnerFailure("the registry is busy: \(attempt) times \(status) with Retry-After")
        }
        let told = headers["Retry-After"].flatMap { Int($0.trimmed) } ?? 1
        let end = ContinuousClock.now + .seconds(min(max(told, 0), 10))
        while ContinuousClock.now < end {
            if run.isInterrupted { throw Interrupted() }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}
