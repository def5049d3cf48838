import Synchronization

/// Which kinds of request a registry leaves without an answer. What hung several times is waited for less and then not
/// sent any more, so that a run ends in good time although one kind of request hangs.
package final class HangBook: Sendable {
    /// How often a kind, and those like it, are waited for as long as any request, and how often at all.
    private static let (patient, most) = (4, 12)

    private let hangs = Mutex<[String: Int]>([:])

    /// Nothing hung yet.
    package init() {}

    /// How long to wait for an answer to a request of this kind; nil when it is not to be sent. `isAsked`: it is the
    /// very question of the check that sends it. `isCleaning`: nobody asks for its answer, so that one hang is enough.
    func deadline(_ kind: String, usual: Duration, isAsked: Bool, isCleaning: Bool = false) -> Duration? {
        let (own, alike) = hangs.withLock { hangs in
            let family = HangBook.family(kind)
            return (hangs[kind] ?? 0, hangs.filter { HangBook.family($0.key) == family }.values.reduce(0, +))
        }
        let (patient, most) = isCleaning ? (1, HangBook.patient) : (HangBook.patient, HangBook.most)
        if alike < patient { return usual }
        return own < most && alike < 3 * most || isAsked ? min(usual, max(.seconds(1), usual / 10)) : nil
    }

    /// Method and endpoint, whatever the form of the request.
    private static func family(_ kind: String) -> String { kind.split(separator: " ").prefix(2).joined(separator: " ") }

    /// A request of this kind was not answered in time.
    func hung(_ kind: String) {
        hangs.withLock { $0[kind, default: 0] += 1 }
    }

    /// A request of this kind was answered: the kind does not hang.
    func answered(_ kind: String) {
        hangs.withLock { $0[kind] = nil }
    }
}

/// A request that was not sent, because others of its kind hung.
struct Unanswered: Error, Sendable {
    /// Method and endpoint.
    let kind: String
}
