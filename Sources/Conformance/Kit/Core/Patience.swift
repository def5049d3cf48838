import Foundation

/// What the runner does when a registry is busy and says when to come again (RFC 9110 section 10.2.3): it does.
package enum Patience {
    /// How often a request is sent before the runner gives up on it.
    private static let attempts = 5

    /// Whether an answer asks to come again. A busy registry that does not say when is judged by what it answered.
    static func asks(_ status: Int, _ headers: Headers) -> Bool {
        (status == 429 || status == 503) && seconds(headers) != nil
    }

    /// Waits as long as the answer asks for, ten seconds at most. Throws `RunnerFailure` after the last attempt and
    /// `Interrupted` when the run was.
    static func wait(_ attempt: Int, _ status: Int, _ headers: Headers, _ run: RunContext) throws {
        guard attempt < attempts else {
            throw RunnerFailure("the registry is busy: \(attempt) times \(status) with Retry-After")
        }
        let end = ContinuousClock.now + .seconds(seconds(headers) ?? 1)
        while ContinuousClock.now < end {
            if run.isInterrupted { throw Interrupted() }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// What `Retry-After` asks for in seconds, 10 at most: as a number, or as a date in one of the three forms of RFC
    /// 9110 section 5.6.7, by the registry's own clock where it tells its `Date`. Nil when it is neither.
    package static func seconds(_ headers: Headers, now: Date = Date()) -> Double? {
        guard let told = headers["Retry-After"]?.trimmed else { return nil }
        if !told.isEmpty, told.utf8.allSatisfy({ (48...57).contains($0) }) { return min(Double(told) ?? 10, 10) }
        guard let then = date(told) else { return nil }
        let there = headers["Date"].flatMap { date($0.trimmed) } ?? now
        return min(max(then.timeIntervalSince(there), 0), 10)
    }

    private static func date(_ text: String) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        for form in ["EEE, dd MMM yyyy HH:mm:ss 'GMT'", "EEEE, dd-MMM-yy HH:mm:ss 'GMT'", "EEE MMM d HH:mm:ss yyyy"] {
            formatter.dateFormat = form
            if let date = formatter.date(from: text) { return date }
        }
        return nil
    }
}
