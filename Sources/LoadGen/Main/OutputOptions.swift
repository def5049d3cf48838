import ArgumentParser
import LoadKit

/// Where results go.
struct OutputOptions: ParsableArguments {
    @Option(
        help: "Write the whole report, for 'compare', 'report' and 'plan'; '-' is standard output, for the others too.")
    var json: String?

    @Option(help: "Write one line a second as CSV; beyond 15 minutes one each 2, 4, 8 … seconds.")
    var csv: String?

    @Option(help: "Write Prometheus text, for a node exporter's textfile directory.")
    var prometheus: String?

    @Option(help: "Write JUnit XML: whether the figures are the target's, and a case a condition.")
    var junit: String?

    @Option(help: "Write the report as one self-contained page.")
    var html: String?

    @Option(help: "Condition that must hold, or several with commas; may be given several times.")
    var require: [String] = []

    /// Reads the conditions before anything is sent, and tries the files that are to be written.
    func objectives() throws -> [Objective] {
        try Self.tryWriting([json, csv, prometheus, junit, html])
        var objectives: [Objective] = []
        for text in require { objectives.append(try reading("--require") { try Objective(parsing: text) }) }
        return objectives
    }

    /// Writes all files asked for. Gives what kept some from being written, after the others have been.
    func write(_ report: RunReport) -> Exit? {
        Self.write([
            (json, { () throws(FileError) in try ReportFile.json(report) }),
            (csv, { () throws(FileError) in TextOutputs.csv(report) }),
            (prometheus, { () throws(FileError) in TextOutputs.prometheus(report) }),
            (junit, { () throws(FileError) in TextOutputs.junit(report) }),
            (html, { () throws(FileError) in HTMLReport.page(report) }),
        ])
    }

    /// A run is too long to find out only behind it that its report has no place.
    static func tryWriting(_ paths: [String?]) throws {
        let paths = paths.compactMap { $0 }
        if paths.contains("-") { Console.leaveOutput() }
        guard Set(paths).count == paths.count else { throw Exit(.usage, "two reports would go to the same file") }
        do throws(FileError) {
            for path in paths { try ReportFile.tryWriting(path) }
        } catch {
            throw Exit(.unwritable, error.description)
        }
    }

    /// Writes those files that have a path.
    static func write(_ files: [(path: String?, text: () throws(FileError) -> String)]) -> Exit? {
        var failures: [String] = []
        for (path, text) in files {
            guard let path else { continue }
            do throws(FileError) {
                try ReportFile.write(try text(), to: path)
            } catch {
                failures.append(error.description)
            }
        }
        return failures.isEmpty ? nil : Exit(.unwritable, failures.joined(separator: "; "))
    }
}
