/// Random choices that depend on a word alone: the same seed plays the same game on every machine (SplitMix64).
struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(_ seed: String) {
        // FNV-1a over the seed's bytes.
        state = seed.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A whole number from `range`.
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True once in `odds` times.
    mutating func oneIn(_ odds: Int) -> Bool { number(1...max(1, odds)) == 1 }

    /// One of `choices`; nil when there are none.
    mutating func pick<Choice>(_ choices: [Choice]) -> Choice? { choices.randomElement(using: &self) }

    /// One of `choices`, or `other` when there are none.
    mutating func pick<Choice>(_ choices: [Choice], or other: Choice) -> Choice { pick(choices) ?? other }

    /// At most `count` of `choices`, in their order.
    mutating func some<Choice>(_ count: Int, of choices: [Choice]) -> [Choice] {
        choices.indices.shuffled(using: &self).prefix(count).sorted().map { choices[$0] }
    }

    /// One of the choices, as often as its weight says.
    mutating func weighted<Choice>(_ choices: [(weight: Int, choice: Choice)]) -> Choice? {
        let total = choices.reduce(0) { $0 + max(0, $1.weight) }
        guard total > 0 else { return nil }
        var left = number(1...total)
        for (weight, choice) in choices {
            left -= max(0, weight)
            if left <= 0 { return choice }
        }
        return nil
    }
}
