import Foundation
import TestSupport

/// The built program `aerugo-load` as a child process, killed with the last reference to it.
final class Command: Sendable {
    /// Beside the test bundle, in the folder of the build's products.
    private static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "aerugo-load")

    private let process: ChildProcess
    private let folder: URL

    /// Starts it. What it says goes to a file, of standard error only where that is not kept apart.
    init(_ arguments: [String], separatesErrors: Bool = false) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "aerugo-load-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process = try ChildProcess(
            [Self.executable.path] + arguments, environment: ["PATH": "/usr/bin:/bin"],
            output: folder.appending(path: "log").path,
            errors: separatesErrors ? folder.appending(path: "errors").path : nil)
    }

    deinit {
        kill()
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            print(error)
        }
    }

    /// A place for a file of its own.
    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// What it has said so far.
    var said: String {
        String(decoding: FileManager.default.contents(atPath: path("log")) ?? Data(), as: UTF8.self)
    }

    /// Ctrl-C.
    func interrupt() { process.signal(SIGINT) }

    /// Ends it as a crash of the machine would.
    func kill() { process.kill() }

    /// Exit code, or the negative signal; nil while it runs.
    var end: Int32? { process.end() }

    /// Waits for its end: the exit code.
    func waitForEnd() async throws -> Int32? {
        _ = try await eventually { end != nil }
        return end
    }
}
