/// A capacity search as a file.
package struct CapacityReport: Codable, Sendable {
    /// Of the file's format.
    package var version = 1
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
