import Foundation
import Glibc

/// Runs bash scripts that cannot outlive a test: `timeout` ends them, their output goes to a file that nobody has to
/// drain, and they inherit none of the stub's sockets, which would keep its connections open.
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

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log.path, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Whoever runs the tests may ignore or block signals; a deadline that cannot end its script is none.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let begin = closing + "exec timeout --kill-after=2 \"$@\""
        let words = ["bash", "-c", begin, "bash", "\(seconds)", "bash", file.path]
        let environment = ProcessInfo.processInfo.environment.merging(["BASE": base]) { $1 }
        var child: pid_t = 0
        let problem = withStrings(words) { arguments in
            withStrings(environment.map { "\($0)=\($1)" }) { variables in
                posix_spawnp(&child, "bash", &actions, &attributes, arguments, variables)
            }
        }
        guard problem == 0 else { throw StubFailure("bash does not start: \(problem)") }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw StubFailure("nobody to wait for: \(errno)") }
        }
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        return Ended(status: code, output: String(decoding: try Data(contentsOf: log), as: UTF8.self))
    }

    /// Closes what a shell was left open by its parent, but for its three streams.
    private static let closing =
        "for fd in /proc/self/fd/*; do fd=${fd##*/}; if [ \"$fd\" -gt 2 ]; then eval \"exec $fd>&-\"; fi; done; "

    private static func withStrings<Result>(
        _ texts: [String], _ work: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return work(copies + [nil])
    }
}
