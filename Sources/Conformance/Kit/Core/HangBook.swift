import Synchronization

/// Which kinds of request a registry leaves without an answer. What hung several times is waited for less and then not
/// sent any more, so that a run ends in good time although one kind of request hangs.
package final class HangBook: Sendable {
    private struct State {
        var hangs: [String: Int] = [:]
        var total = 0
    }

    /// How often a kind is waited for as long as any request, and how often at all, while few others hang.
    private static let (patient, most) = (4, 12)

    private let state = Mutex(State())

    /// Nothing hung yet.
    package init() {}

    /// How long to wait for an answer to a request of this kind; nil when it is not to be sent. `isAsked`: it is the
    /// very question of the check that sends it.
    func deadline(_ kind: String, usual: Duration, isAsked: Bool) -> Duration? {
        let (hangs, total) = state.withLock { ($0.hangs[kind] ?? 0, $0.total) }
        // Where several kinds hang, each is given less.
        let (patient, most) = total < 2 * HangBook.most ? (HangBook.patient, HangBook.most) : (1, HangBook.patient)
        if hangs < patient { return usual }
        return hangs < most || isAsked ? min(usual, max(.seconds(1), usual / 10)) : nil
    }

    /// A request of this kind was not answered in time.
    func hung(_ kind: String) {
        state.withLock { state in
            state.hangs[kind, default: 0] += 1
            state.total += 1
        }
    }

    /// A request of this kind was answered: the kind does not hang.
    func answered(_ kind: String) {
        state.withLock { $0.hangs[kind] = nil }
    }
}

/// A request that was not sent, because others of its kind hung.
struct Unanswered: Error, Sendable {
    /// Method and endpoint.
    let kind: String
}
