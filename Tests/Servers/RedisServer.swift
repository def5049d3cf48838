import Foundation
import Glibc
import Synchronization
import TestSupport

/// A real redis-server of a test's own, on a socket below its directory, which the test may stop, hold and lie by.
package final class RedisServer: Sendable {
    /// What goes wrong around it.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package static let password = "planted-redis-password"
    private let directory: String
    private let process = Mutex<ChildProcess?>(nil)
    private let runs = Atomic(0)

    /// The path of its socket.
    package var socket: String { "\(directory)/redis.sock" }

    /// Starts one in this directory, and waits until it answers.
    package init(_ directory: String) async throws {
        self.directory = directory
        try await start()
    }

    /// Starts it, empty.
    package func start() async throws {
        let run = runs.wrappingAdd(1, ordering: .relaxed).newValue
        let words = [
            "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--requirepass",
            Self.password, "--enable-debug-command", "yes", "--dir", directory,
        ]
        let child = try ChildProcess(words, environment: Self.environment, output: "\(directory)/redis-\(run).log")
        process.withLock { $0 = child }
        let deadline = ContinuousClock.now + .seconds(60)
        while try await cli("PING") != "PONG" {
            guard ContinuousClock.now < deadline, child.end() == nil else {
                throw Failure(description: "redis-server does not start")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Takes it away without a word.
    package func kill() { process.withLock { $0.take() }?.kill() }

    /// Lets it stand still: connections are taken by the kernel, and nothing is answered.
    package func pause() { process.withLock { $0?.signal(SIGSTOP) } }

    /// Lets it go on.
    package func resume() { process.withLock { $0?.signal(SIGCONT) } }

    /// What redis-cli prints for a command, without the line's end.
    package func cli(_ words: String...) async throws -> String { try await cli(words) }

    /// The same.
    package func cli(_ words: [String]) async throws -> String {
        let output = "\(directory)/cli-\(UUID().uuidString)"
        let child = try ChildProcess(
            ["redis-cli", "-s", socket, "--raw"] + words,
            environment: Self.environment.merging(["REDISCLI_AUTH": Self.password]) { $1 }, output: output,
            errors: "/dev/null")
        while child.end() == nil { try await Task.sleep(for: .milliseconds(2)) }
        let data = FileManager.default.contents(atPath: output) ?? Data()
        try FileManager.default.removeItem(atPath: output)
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    /// All that it keeps: keys and what they have.
    package func contents() async throws -> [(key: String, value: String)] {
        var all: [(String, String)] = []
        for key in try await cli("KEYS", "*").split(separator: "\n").map(String.init) {
            all.append((key, try await cli("GET", key)))
        }
        return all
    }

    private static let environment = ["PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
}
