/// A capacity search as a file.
package struct CapacityReport: Codable, Sendable {
    /// Of the file's format.
    package var version = RunReport.format
    /// As it was written.
    package let objective: String
    /// What the search found.
    package let answer: CapacitySearch.Answer
    /// The run at the highest rate that passed, or the last one.
    package let run: RunReport

    /// Reads one; `nil` where the bytes are something else, such as the report of a single run.
    package static func read(_ bytes: [UInt8]) -> CapacityReport? {
        do throws(FileError) {
            return try ReportFile.decode(CapacityReport.self, bytes, "")
        } catch {
            return nil
        }
    }

    /// A search's result with the run at the rate found.
    package init(objective: String, answer: CapacitySearch.Answer, run: RunReport) {
        self.objective = objective
        self.answer = answer
        self.run = run
    }
}

extension CapacitySearch.Answer {
    /// The answer with its interval, for people.
    package var text: String {
        guard rate > 0 else { return "no rate that was tried is low enough" }
        let value = Text.significant(rate) + "/s"
        guard let high else { return "at least \(value), no rate that was tried is too much" }
        return "\(value) (\(Text.significant(low)) to \(Text.significant(high))/s)"
    }
}
