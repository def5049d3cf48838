/// A capacity search as a file.
package struct CapacityReport: Codable, Sendable {
    package var version = 1
    package let objective: String
    package let answer: CapacitySearch.Answer
    /// The run at the highest rate that passed, or the last one.
    package let run: RunReport

    /// A search's result with the run at the rate found.
    package init(objective: String, answer: CapacitySearch.Answer, run: RunReport) {
        self.objective = objective
        self.answer = answer
        self.run = run
    }
}
