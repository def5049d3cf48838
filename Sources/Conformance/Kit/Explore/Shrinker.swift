/// Finds a short part of a sequence that still shows what the whole of it showed (delta debugging).
package struct Shrinker<Element: Sendable> {
    /// How often a part may be tried.
    package var attempts: Int
    /// Whether a part shows it.
    package let shows: ([Element]) throws -> Bool

    /// Shrinks by what `shows` says, which is asked `attempts` times at most.
    package init(attempts: Int, shows: @escaping ([Element]) throws -> Bool) {
        (self.attempts, self.shows) = (attempts, shows)
    }

    /// The shortest part that was found; the last element, which showed it, always stays.
    package mutating func shrink(_ whole: [Element]) throws -> [Element] {
        guard var kept = whole.last.map({ _ in whole }), kept.count > 1 else { return whole }
        var size = max(1, (kept.count - 1) / 2)
        while attempts > 0 {
            var removed = false
            // From the end: what is nearest to the failure is what it needs, and what is far goes in one piece.
            var start = 0
            while start < kept.count - 1, attempts > 0 {
                let end = min(start + size, kept.count - 1)
                let rest = Array(kept[..<start] + kept[end...])
                attempts -= 1
                if try shows(rest) {
                    kept = rest
                    removed = true
                } else {
                    start = end
                }
            }
            if size == 1, !removed { break }
            size = size > 1 ? max(1, size / 2) : 1
            if kept.count == 1 { break }
        }
        return kept
    }
}
