import Synchronization

/// What a stub's repositories held, and what its lists answered, a while ago.
final class StubHistory: Sendable {
    private struct Book {
        var states: [(since: ContinuousClock.Instant, state: StubRegistry.State)] = []
        var answers: [String: (since: ContinuousClock.Instant, response: StubResponse)] = [:]
    }

    private let book = Mutex(Book())

    /// Notes what the registry holds from now on.
    func note(_ stub: StubRegistry) {
        let state = stub.state.withLock { $0 }
        book.withLock { $0.states.append((.now, state)) }
    }

    /// The answer to a list as it was `delay` ago.
    func earlier(_ request: StubRequest, _ now: StubResponse, _ delay: Duration) -> StubResponse {
        let end = ContinuousClock.now - delay
        let old: StubRegistry.State = book.withLock { book in
            let count = book.states.prefix { $0.since <= end }.count
            if count > 1 { book.states.removeFirst(count - 1) }
            return count > 0 ? book.states[0].state : StubRegistry.State()
        }
        let before = StubRegistry()
        before.state.withLock { $0 = old }
        return before.core(request)
    }

    /// The answer to a list, the same one for as long as `delay`.
    func kept(_ request: StubRequest, _ now: StubResponse, _ delay: Duration) -> StubResponse {
        book.withLock { book in
            if let old = book.answers[request.target], old.since + delay > .now { return old.response }
            book.answers[request.target] = (.now, now)
            return now
        }
    }
}
