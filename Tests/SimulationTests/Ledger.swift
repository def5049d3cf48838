import Model

/// What clients were told, and what they asked for that takes something away: all that may be expected follows from it. Moments are
/// turns of the schedule.
struct Ledger: Sendable {
    struct Place: Hashable, Sendable {
        let repository: String
        let digest: Digest
    }

    /// One change of a tag; `digest` nil where it was to be deleted.
    struct TagChange: Sendable {
        let digest: Digest?
        let begin: Int
        /// The end of time while it is going on.
        var end = Int.max
        var isAcknowledged = false
    }

    /// Deletions of one thing.
    private struct Loss: Sendable {
        private var running = 0
        private var last = -1
        /// The turn at which the last of them was over; the end of time while one is going on.
        var end: Int { running > 0 ? .max : last }

        mutating func begin() { running += 1 }
        mutating func end(_ turn: Int) { (running, last) = (running - 1, turn) }
    }

    /// By place: when the last push that was acknowledged began, and what time of day it was.
    private(set) var pushes: [Place: (begin: Int, at: Int64)] = [:]
    /// By place: when the last push began, whether it was acknowledged or not.
    private(set) var attempts: [Place: Int] = [:]
    private var deletions: [Place: Loss] = [:]
    /// Of repositories, over with their restorations.
    private var absences: [String: Loss] = [:]
    private(set) var tags: [String: [TagChange]] = [:]
    private(set) var violations: [String] = []

    mutating func violate(_ text: String) { violations.append(text) }

    mutating func pushing(_ place: Place, at turn: Int) { attempts[place] = max(turn, attempts[place] ?? 0) }

    mutating func pushed(_ place: Place, begun: Int, at moment: Int64) {
        if let known = pushes[place], known.begin > begun { return }
        pushes[place] = (begun, moment)
    }

    mutating func deleting(_ place: Place) { deletions[place, default: Loss()].begin() }
    mutating func deleted(_ place: Place, at turn: Int) { deletions[place]?.end(turn) }
    mutating func leaving(_ repository: String) { absences[repository, default: Loss()].begin() }
    mutating func back(_ repository: String, at turn: Int) { absences[repository]?.end(turn) }

    mutating func changing(_ tag: String, to digest: Digest?, at turn: Int) -> Int {
        tags[tag, default: []].append(TagChange(digest: digest, begin: turn))
        return tags[tag, default: []].count - 1
    }

    mutating func changed(_ tag: String, _ number: Int, at turn: Int, _ isAcknowledged: Bool) {
        tags[tag]?[number].end = turn
        tags[tag]?[number].isAcknowledged = isAcknowledged
    }

    /// Whether nobody has asked to take away what was there at some turn, with its repository or without.
    func isOwed(_ place: Place, since turn: Int) -> Bool {
        (deletions[place]?.end ?? -1) < turn && (absences[place.repository]?.end ?? -1) < turn
    }

    /// Whether anybody ever asked to take it away.
    func isSpared(_ place: Place) -> Bool { isOwed(place, since: .max) && deletions[place] == nil }

    /// What a tag has to point to: where the last change was acknowledged, and began when all others were over.
    func target(of tag: String, in repository: String) -> Digest? {
        guard let changes = tags[tag], let last = changes.max(by: { $0.begin < $1.begin }), last.isAcknowledged,
            let digest = last.digest, changes.filter({ $0.end >= last.begin }).count == 1,
            isOwed(Place(repository: repository, digest: digest), since: last.begin)
        else { return nil }
        return digest
    }
}
