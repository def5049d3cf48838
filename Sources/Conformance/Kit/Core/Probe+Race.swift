/// How often a race was tried and how often it was lost.
package struct Odds: Sendable, Equatable {
    /// Rounds that showed the failure.
    package let lost: Int
    /// All rounds.
    package let rounds: Int

    /// Whether a run may as well not show it: it was won at least once.
    package var isLuck: Bool { lost < rounds }

    /// `3 of 20 rounds`.
    package var text: String { "\(lost) of \(rounds) rounds" }

    init(lost: Int, rounds: Int) {
        (self.lost, self.rounds) = (lost, rounds)
    }

    /// Reads what `text` wrote; nil for anything else.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 4, words[1] == "of", let lost = Int(words[0]), let rounds = Int(words[2]) else {
            return nil
        }
        self.init(lost: lost, rounds: rounds)
    }
}

extension Probe {
    /// Tries a race again and again, twenty times, or for 700 ms where rounds are slow, three times at least: one that
    /// is lost once in five rounds is found by 99 runs of a hundred. A failure is the first one, with its odds; a
    /// check is skipped where every round is.
    package func race(_ round: (Int) throws -> Void) throws {
        let end = ContinuousClock.now + .milliseconds(700)
        var (first, skip): (CheckFailure?, Skip?) = (nil, nil)
        var (lost, skipped, rounds) = (0, 0, 0)
        while rounds < 3 || (rounds < 20 && ContinuousClock.now < end && skipped < rounds) {
            rounds += 1
            do {
                try round(rounds)
            } catch let failure as CheckFailure {
                first = first ?? failure
                lost += 1
            } catch let reason as Skip {
                skip = reason
                skipped += 1
            }
        }
        if let skip, skipped == rounds { throw skip }
        guard var failure = first else { return }
        failure.odds = Odds(lost: lost, rounds: rounds)
        throw failure
    }
}
