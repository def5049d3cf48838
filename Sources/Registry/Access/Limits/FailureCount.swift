/// Failures of somebody, how many may come before one has to wait, and how they are forgotten.
///
/// One is forgotten every `leak`, so that in the long run there are no more than `free`, the eleven steps of the wait, and one
/// each `leak`. Past `free` each further one doubles the wait, from a second to `longestWait`. Attempts that have begun and
/// not ended are counted, so that many at once are no way round: past `free` there is one at a time.
package struct FailureCount: Sendable {
    package struct Rule: Sendable {
        /// Failures that cost nothing.
        package let free: Int
        /// The time in which one is forgotten.
        package let leak: Duration

        /// As many failures as there can be: those beyond make no difference to the wait.
        package var most: Int { free + 21 }

        /// How long to wait behind so many failures; nil while they are free.
        package func wait(after failures: Int) -> Duration? {
            guard failures > free else { return nil }
            return min(.seconds(1 << min(failures - free - 1, 20)), FailureCount.longestWait)
        }
    }

    static let longestWait = Duration.seconds(900)
    /// Attempts that may run at once while there were few failures: clients that start together with the right password.
    static let most = 64

    private var failures = 0
    private var pending = 0
    /// Up to when failures have been forgotten.
    private var leakedTo = Duration.zero
    private var blockedUntil = Duration.zero

    /// How long to wait before an attempt may begin; nil when it may.
    mutating func wait(_ now: Duration, _ rule: Rule) -> Duration? {
        forget(now, rule)
        if now < blockedUntil { return blockedUntil - now }
        if pending == 0 { return nil }
        return failures < rule.free && pending < Self.most ? nil : .seconds(1)
    }

    mutating func begin() { pending += 1 }

    mutating func end(failed: Bool, _ now: Duration, _ rule: Rule) {
        pending = max(0, pending - 1)
        guard failed else { return }
        forget(now, rule)
        failures += 1
        if let wait = rule.wait(after: failures) { blockedUntil = now + wait }
    }

    /// After the right password: nothing that came before counts.
    mutating func clear() {
        failures = 0
        blockedUntil = .zero
    }

    private mutating func forget(_ now: Duration, _ rule: Rule) {
        guard failures > 0 else {
            leakedTo = now
            return
        }
        let forgotten = Int(min(Double(failures), ((now - leakedTo) / rule.leak).rounded(.down)))
        guard forgotten > 0 else { return }
        failures -= forgotten
        leakedTo += rule.leak * forgotten
    }
}
