import Foundation
import Glibc
import Runtime
import TestSupport

/// A directory of its own for a test, removed with the last reference to it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "aerugo-test-\(IDSource().token())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            FileHandle.standardError.write(Data("cannot remove \(path): \(error)\n".utf8))
        }
    }

    /// Paths of all files below a folder, but the marker of a store.
    func files(_ folder: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: "\(path)/\(folder)")?.compactMap { $0 as? String } ?? []
        return all.map { "\(path)/\(folder)/\($0)" }.filter { file in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory) && !isDirectory.boolValue
                && !file.hasSuffix("/store-id")
        }
    }
}

/// The built program `aerugo` as a child process, killed with the last reference to it.
final class Program: Sendable {
    /// Beside the test bundle, in the folder of the build's products.
    static let executable =
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path + "/aerugo"

    private let process: ChildProcess
    private let scratch: Scratch
    private let output: String

    var pid: pid_t { process.pid }

    /// Starts it with these arguments, and of the environment no more than `environment`; its standard error
    /// goes to the file `errors`, if one is given. `shell`: what a shell does before it becomes the program.
    init(
        _ arguments: [String], _ environment: [String: String] = [:], in scratch: Scratch, errors: String? = nil,
        shell: (before: String, redirections: String)? = nil
    ) throws {
        self.scratch = scratch
        output = "\(scratch.path)/output-\(IDSource().token())"
        let script = shell.map { ["/bin/sh", "-c", "\($0.before); exec \"$0\" \"$@\" \($0.redirections)"] } ?? []
        process = try ChildProcess(
            script + [Self.executable] + arguments, environment: environment, output: output + ".out",
            errors: errors ?? output + ".err")
    }

    /// Serves a data directory on a free port, once it does. `settings`: `key=value`.
    static func serve(
        _ scratch: Scratch, data: String = "data", _ settings: [String] = []
    ) async throws -> Program {
        let program = try Program(
            ["serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/\(data)"]
                + settings.flatMap { ["--set", $0] },
            in: scratch)
        try await eventually("the program serves: \(program.log)") {
            guard program.end() == nil else { throw WireError(description: "the program ended: \(program.log)") }
            return program.port != nil
        }
        return program
    }

    /// What it has written to standard error, and to standard output.
    var log: String { Self.read(output + ".err") }
    var printed: String { Self.read(output + ".out") }

    private static func read(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    /// The port that it says it serves.
    var port: Int? { log.firstMatch(of: /serving address=127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) } }

    func client() throws -> Client {
        guard let port else { throw WireError(description: "the program does not serve: \(log)") }
        return Client(port: port)
    }

    func signal(_ signal: Int32) { process.signal(signal) }

    /// Exit code, or the negative signal that ended it; nil while it runs.
    func end() -> Int32? { process.end() }

    /// Waits for its end.
    func waitForEnd() async throws -> Int32 {
        try await eventually("the program ends") { end() != nil }
        return end() ?? 0
    }

    /// Bytes of memory that are its own now.
    func residentMemory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        guard let match = text.firstMatch(of: /VmRSS:\s*(\d+) kB/), let count = Int(match.1) else {
            throw WireError(description: "no VmRSS")
        }
        return count * 1024
    }
}
