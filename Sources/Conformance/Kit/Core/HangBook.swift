import Synchronization

/// Which kinds of request a registry leaves without an answer. A kind that hung twice is told by the checks that saw it
/// and not sent any more; what is like it, and was never answered either, is waited for a tenth as long, and where four hung
/// of one endpoint it is sent by those checks alone whose question it is. So a run ends in good time although a method, an
/// endpoint or all of them hang.
package final class HangBook: Sendable {
    /// How long an answer is waited for.
    struct Wait: Equatable {
        let deadline: Duration
        /// Whether a hang says something of the registry. It says nothing where less than the usual time was waited
        /// because of other requests.
        let isTold: Bool
    }

    private struct Record {
        /// Hangs since the last answer, those of them that a check saw, and all there were.
        var hangs = 0
        var told = 0
        var total = 0
        var isAnswered = false
    }

    private struct Book {
        var kinds: [String: Record] = [:]
        var waited = Duration.zero
        /// Whether anything ever hung: mostly nothing does, and nothing needs to be looked up.
        var hasHung = false

        /// Hangs that checks saw of kinds that fit, none of which was ever answered.
        func told(_ fits: ((Substring, Substring)) -> Bool) -> Int {
            let alike = kinds.filter { fits(HangBook.parts($0.key)) }.values
            return alike.contains(where: \.isAnswered) ? 0 : alike.reduce(0) { $0 + $1.told }
        }
    }

    /// How often a kind is waited for, and how often by the checks whose question it is.
    private static let (most, mostAsked) = (2, 5)
    private let book = Mutex(Book())

    /// Nothing hung yet.
    package init() {}

    /// How long to wait for an answer to a request of this kind; nil when it is not to be sent. `isAsked`: it is the
    /// very question of the check that sends it.
    func wait(_ kind: String, usual: Duration, isAsked: Bool) -> Wait? {
        book.withLock { book in
            guard book.hasHung else { return Wait(deadline: usual, isTold: true) }
            let record = book.kinds[kind] ?? Record()
            let short = HangBook.short(usual)
            if record.told >= HangBook.most {
                return isAsked && record.told < HangBook.mostAsked ? Wait(deadline: short, isTold: true) : nil
            }
            let (method, endpoint) = HangBook.parts(kind)
            // An endpoint that never answered anything: what is not the question itself would only wait again.
            if !isAsked, book.told({ $0.1 == endpoint }) >= 2 * HangBook.most { return nil }
            let isSpent = book.waited >= usual * 3
            let isDoubtful = !record.isAnswered && (isSpent || HangBook.isDoubtful(kind, book))
            // What hung now and then has had its time too.
            guard isDoubtful || isSpent && record.total > 0 else { return Wait(deadline: usual, isTold: true) }
            let isKnown = book.kinds.contains { name, record in
                let parts = HangBook.parts(name)
                return record.told > 0 && (parts.0 == method || parts.1 == endpoint)
            }
            if isKnown, record.total > 0, !isAsked { return nil }
            return Wait(deadline: short, isTold: !isKnown)
        }
    }

    /// How long to wait while cleaning up, when nobody asks for the answer: one hang is enough.
    func cleaningWait(_ kind: String, usual: Duration) -> Duration? {
        book.withLock { book in
            guard book.hasHung else { return usual }
            if let record = book.kinds[kind], record.hangs > 0 { return nil }
            let method = HangBook.parts(kind).0
            let isDoubtful = book.kinds.contains { HangBook.parts($0.key).0 == method && $0.value.hangs > 0 }
            return isDoubtful ? HangBook.short(usual) : usual
        }
    }

    private static func short(_ usual: Duration) -> Duration { min(usual, max(.seconds(1), usual / 10)) }

    /// Whether so much hung that is like it that this will hang too.
    private static func isDoubtful(_ kind: String, _ book: Book) -> Bool {
        let (method, endpoint) = parts(kind)
        return book.told { $0.0 == method } >= most || book.told { $0.1 == endpoint } >= most
            || book.told { $0 == (method, endpoint) } >= most
    }

    /// Method and endpoint, whatever the form of the request.
    static func parts(_ kind: String) -> (Substring, Substring) {
        let words = kind.split(separator: " ")
        return (words.first ?? "", words.dropFirst().first ?? "")
    }

    /// A request of this kind was not answered in time; `isTold`: a check saw it, and says so.
    func hung(_ kind: String, after waited: Duration, isTold: Bool) {
        book.withLock { book in
            var record = book.kinds[kind] ?? Record()
            (record.hangs, record.total) = (record.hangs + 1, record.total + 1)
            if isTold { record.told += 1 }
            book.kinds[kind] = record
            book.waited += waited
            book.hasHung = true
        }
    }

    /// A request of this kind was answered: the kind does not hang.
    func answered(_ kind: String) {
        book.withLock { book in
            let total = book.kinds[kind]?.total ?? 0
            book.kinds[kind] = Record(hangs: 0, told: 0, total: total, isAnswered: true)
        }
    }
}

/// A request that was not sent, or not waited for long, because others of its kind hung.
struct Unanswered: Error, Sendable {
    /// Method and endpoint.
    let kind: String
}
