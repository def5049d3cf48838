import Foundation
import TestSupport

/// Runs bash scripts that cannot outlive a test: `timeout` ends them, their output goes to a file that nobody has to
/// drain, and they inherit none of the stub's sockets, which would keep its connections open (`ChildProcess`).
enum Shell {
    /// How a script ended.
    struct Ended: Sendable {
        /// The exit code; 124 or 137 when the deadline ended it.
        let status: Int32
        /// What it wrote to standard output and standard error.
        let output: String
    }

    /// Runs a script with BASE in its environment, for so many seconds at most.
    static func run(_ script: String, base: String, seconds: Int) throws -> Ended {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("script-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { do { try FileManager.default.removeItem(at: folder) } catch { print(error) } }
        let (file, log) = (folder.appendingPathComponent("script"), folder.appendingPathComponent("log"))
        try script.write(to: file, atomically: true, encoding: .utf8)

        let environment = ProcessInfo.processInfo.environment.merging(["BASE": base]) { $1 }
        let child = try ChildProcess(
            ["timeout", "--kill-after=2", "\(seconds)", "bash", file.path], environment: environment, output: log.path)
        let status = child.wait()
        return Ended(
            status: status < 0 ? 128 - status : status,
            output: String(decoding: try Data(contentsOf: log), as: UTF8.self))
    }
}
