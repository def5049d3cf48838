import ArgumentParser
import LoadKit

/// Where results go.
struct OutputOptions: ParsableArguments {
    @Option(help: "Write the whole report, for 'compare', 'report' and 'plan'.")
    var json: String?

    @Option(help: "Condition that must hold, such as 'p99<200ms'; may be given several times.")
    var require: [String] = []

    /// Reads the conditions before anything is sent.
    func objectives() throws -> [Objective] {
        var objectives: [Objective] = []
        for text in require { objectives.append(try Objective(parsing: text)) }
        return objectives
    }

    /// Writes all files asked for. Throws for the first that cannot be written.
    func write(_ report: RunReport, _ verdicts: [Objective.Verdict]) throws {
        do {
            if let json { try ReportFile.write(try ReportFile.json(report), to: json) }
        } catch {
            throw Exit(.unwritable, error.description)
        }
    }
}
