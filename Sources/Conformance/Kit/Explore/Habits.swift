/// What a registry chose where the specification leaves it a choice: learned from its first answer, and held to.
struct Habits: Sendable {
    private var known: [String: String] = [:]

    /// What was chosen in a situation; nil when it has not come up.
    subscript(_ situation: String) -> String? { known[situation] }

    /// Learns what is done in a situation, or gives what was done before when that was something else.
    mutating func differs(_ situation: String, _ choice: String) -> String? {
        guard let before = known[situation] else {
            known[situation] = choice
            return nil
        }
        return before == choice ? nil : before
    }

    /// Forgets a situation, where what was learned has to be learned anew.
    mutating func forget(_ situation: String) { known[situation] = nil }
}
