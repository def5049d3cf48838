import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Children of the tests")
struct ChildTests {
    @Test("a child has a session of its own, none of the tests' descriptors, and goes with its reference")
    func child() async throws {
        let scratch = try Scratch()
        let output = scratch.path + "/out"
        // One that a shell would inherit.
        let open = Glibc.open("/dev/null", O_RDONLY)
        defer { close(open) }
        _ = fcntl(open, F_SETFD, 0)
        var child: ChildProcess? = try ChildProcess(
            ["sh", "-c", "ls /proc/$$/fd; ps -o sid= -p $$; echo done; exec tail -f /dev/null"],
            environment: ["PATH": "/usr/bin:/bin"], output: output)
        let pid = try #require(child?.pid)
        func said() -> [String] {
            let text = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
            return text.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        try await eventually("the child speaks: \(said())") { said().last == "done" }
        #expect(said().dropLast().prefix { $0.count < 3 }.allSatisfy { ["0", "1", "2"].contains($0) }, "\(said())")
        #expect(said().dropLast().last == "\(pid)")
        child = nil
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    @Test("a child dies with the process that started it, even by SIGKILL")
    func orphan() async throws {
        // The kernel is asked to see to it: the child's parent-death signal is on.
        let scratch = try Scratch()
        let child = try ChildProcess(
            ["setpriv", "--dump"], environment: ["PATH": "/usr/bin:/bin"], output: scratch.path + "/out")
        #expect(child.wait() == 0)
        let text = String(
            decoding: FileManager.default.contents(atPath: scratch.path + "/out") ?? Data(), as: UTF8.self)
        #expect(text.contains("Parent death signal: KILL") || text.contains("Parent death signal: SIGKILL"), "\(text)")
    }
}
