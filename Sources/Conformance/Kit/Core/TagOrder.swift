/// The orders that lists of tags may come in: "lexical (i.e. case-insensitive alphanumeric order) or ASCIIbetical".
/// Where `_` stands among letters without case depends on which case they are made.
enum TagOrder: String, Sendable, CaseIterable {
    case bytes
    case lowerCase
    case upperCase

    private func key(_ tag: String) -> [UInt8] {
        switch self {
        case .bytes: Array(tag.utf8)
        case .lowerCase: Array(tag.lowercased().utf8)
        case .upperCase: Array(tag.uppercased().utf8)
        }
    }

    /// Whether a list is in this order; tags that differ by case alone may come in either order.
    func holds(_ tags: [String]) -> Bool {
        zip(tags, tags.dropFirst()).allSatisfy { !key($1).lexicographicallyPrecedes(key($0)) }
    }

    /// The orders that a list is in.
    static func all(of tags: [String]) -> [TagOrder] { allCases.filter { $0.holds(tags) } }

    /// What may be listed behind `last`, of a whole list in this order. One list, but where `last` is not in it and others
    /// differ from it by case alone: which of those are behind it is the registry's own affair.
    func behind(_ last: String, _ tags: [String]) -> [[String]] {
        if let place = tags.firstIndex(of: last) { return [Array(tags[(place + 1)...])] }
        let mark = key(last)
        let first = tags.firstIndex { !key($0).lexicographicallyPrecedes(mark) } ?? tags.endIndex
        let end = tags.firstIndex { mark.lexicographicallyPrecedes(key($0)) } ?? tags.endIndex
        return (first...max(first, end)).map { Array(tags[$0...]) }
    }
}
