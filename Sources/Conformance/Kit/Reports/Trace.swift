import Foundation

/// Writes every exchange of a check to a file of its own.
enum Trace {
    /// One text file a check, named by its id. Throws what the file system says.
    static func write(_ exchanges: [Exchange], of check: Check, in folder: String, _ masker: Masker) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let head = "\(check.id) (\(check.level.rawValue)) \(check.section)\n\(check.gist)\n"
        let body = exchanges.map { $0.masked(by: masker) }
            .map { "\n#\($0.number) (\(Milliseconds($0.duration)) ms)\n\($0.text)\n" }.joined()
        try (head + body).write(toFile: folder + "/\(check.id).txt", atomically: true, encoding: .utf8)
    }
}

/// A duration in milliseconds with one decimal, for reports.
package struct Milliseconds: CustomStringConvertible {
    /// Milliseconds.
    package let value: Double

    /// Converts.
    package init(_ duration: Duration) {
        value = Double(duration.components.seconds) * 1_000 + Double(duration.components.attoseconds) / 1e15
    }

    /// With one decimal.
    package var description: String { String(format: "%.1f", value) }
}
