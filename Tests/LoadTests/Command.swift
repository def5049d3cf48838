import Foundation
import Synchronization

/// The built program `aerugo-load` as a child process, killed with the last reference to it.
final class Command: Sendable {
    /// Beside the test bundle, in the folder of the build's products.
    private static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "aerugo-load")

    private let process: Process
    private let folder: URL
    private let status = Status()

    /// The exit code, or the negative signal. Of its own, so that what waits for it does not keep the program.
    private final class Status: Sendable {
        let code = Mutex<Int32?>(nil)
    }

    /// Starts it. What it says goes to a file.
    init(_ arguments: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "aerugo-load-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let log = folder.appending(path: "log")
        try Data().write(to: log)
        let output = try FileHandle(forWritingTo: log)
        process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        process.terminationHandler = { [status] ended in
            status.code.withLock {
                $0 = ended.terminationReason == .exit ? ended.terminationStatus : -ended.terminationStatus
            }
        }
        try process.run()
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
    func interrupt() { process.interrupt() }

    /// Ends it as a crash of the machine would.
    func kill() {
        if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
    }

    /// Exit code, or the negative signal; nil while it runs.
    var end: Int32? { status.code.withLock { $0 } }

    /// Waits for its end: the exit code.
    func waitForEnd() async throws -> Int32? {
        _ = try await eventually { end != nil }
        return end
    }
}
