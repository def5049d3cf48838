import Foundation
import Glibc
import Testing

/// What the program takes from and leaves to the machine around it: streams, modes, signals, its log.
@Suite("The process", .takesTurns)
struct ProcessTests {
    private static func mode(_ path: String) throws -> mode_t {
        var status = stat()
        guard stat(path, &status) == 0 else { throw WireError(description: "stat \(path): \(errno)") }
        return status.st_mode & 0o777
    }

    private static func arguments(_ scratch: Scratch, _ more: [String] = []) -> [String] {
        ["serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data"] + more
    }

    private static func port(_ log: String) -> Int? {
        log.firstMatch(of: /serving address=127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
    }

    private static func read(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    @Test(
        "whatever umask it inherits, nobody outside the group may read what it keeps; a directory that all may is told")
    func modes() async throws {
        let scratch = try Scratch()
        #expect(mkdir("\(scratch.path)/data", 0o755) == 0)
        let program = try Program(Self.arguments(scratch), in: scratch, shell: ("umask 0", ""))
        try await eventually("it serves: \(program.log)") { program.port != nil }
        try await program.client().pushImage("a", "t")
        for file in scratch.files("data") { #expect(try Self.mode(file) & 0o027 == 0, "\(file)") }
        #expect(try Self.mode("\(scratch.path)/data/blobs") & 0o027 == 0)
        #expect(program.log.contains("everybody on this machine can look into the data directory"))
    }

    @Test("standard streams that are closed are not taken for files or sockets")
    func closedStreams() async throws {
        let scratch = try Scratch()
        let log = "\(scratch.path)/log"
        let program = try Program(
            Self.arguments(scratch, ["--set", "log.file=\(log)"]), in: scratch, shell: (":", "<&- >&- 2>&-"))
        try await eventually("it serves") { Self.port(Self.read(log)) != nil }
        for (stream, flags) in [(0, O_RDONLY), (1, O_WRONLY), (2, O_WRONLY)] {
            let path = "/proc/\(program.pid)/fd/\(stream)"
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "/dev/null")
            let info = try String(contentsOfFile: "/proc/\(program.pid)/fdinfo/\(stream)", encoding: .utf8)
            let octal = try #require(info.firstMatch(of: /flags:\s*([0-7]+)/)?.1)
            #expect(try #require(Int32(octal, radix: 8)) & O_ACCMODE == flags)
        }
        let port = try #require(Self.port(Self.read(log)))
        try await Client(port: port).pushImage("a", "t")
        #expect(try await Client(port: port).get("/v2/a/manifests/t").status == 200)
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
    }

    @Test("SIGHUP opens the log again and ends nothing")
    func hangUp() async throws {
        let scratch = try Scratch()
        let (log, moved) = ("\(scratch.path)/log", "\(scratch.path)/log.1")
        let program = try Program(Self.arguments(scratch, ["--set", "log.file=\(log)"]), in: scratch)
        try await eventually("it serves") { Self.port(Self.read(log)) != nil }
        let client = Client(port: try #require(Self.port(Self.read(log))))
        #expect(rename(log, moved) == 0)
        program.signal(SIGHUP)
        try await eventually("there is a new log") {
            _ = try await client.begin("a")
            return Self.read(log).contains("POST")
        }
        #expect(try Self.mode(log) & 0o027 == 0)
        #expect(program.end() == nil)
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
        #expect(Self.read(log).contains("stopped") && !Self.read(moved).contains("stopped"))
    }

    @Test(
        "controls and what turns or hides text never reach the log as they are, and a value is cut off",
        arguments: ["text", "json"])
    func escapes(format: String) async throws {
        let scratch = try Scratch()
        let program = try Program(
            Self.arguments(scratch, ["--log-format", format, "--log-level", "debug"]), in: scratch)
        try await eventually("it serves") { program.log.contains("serving") }
        let port = try #require(program.log.firstMatch(of: /127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) })
        let client = Client(port: port)
        for (character, escape) in [
            ("%C2%85", "\\u0085"), ("%C2%9B", "\\u009b"), ("%E2%80%AE", "\\u202e"), ("%E2%80%A8", "\\u2028"),
            ("%1B", "\\u001b"), ("%F3%A0%81%81", "\\udb40\\udc41"), ("%E2%81%A6", "\\u2066"), ("%7F", "\\u007f"),
        ] {
            _ = try await client.send("POST", "/v2/a/blobs/uploads/?mount=x\(character)y")
            try await eventually("\(escape) is in the log") { program.log.contains(escape) }
        }
        _ = try await client.get("/v2/a/manifests/\(String(repeating: "z", count: 1900))")
        let lines = program.log.utf8.split(separator: 0x0a)
        #expect(lines.allSatisfy { $0.count <= 16 << 10 })
        let raw = program.log.unicodeScalars.filter { scalar in
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            return scalar != "\n" && (isControl || scalar.properties.generalCategory == .format)
        }
        #expect(raw.isEmpty)
        for line in lines where format == "json" {
            #expect(try JSONSerialization.jsonObject(with: Data(line)) is [String: String])
        }
    }

    @Test("a log that cannot be opened ends it with its name")
    func noLog() async throws {
        let scratch = try Scratch()
        let program = try Program(Self.arguments(scratch, ["--set", "log.file=/proc/none/log"]), in: scratch)
        #expect(try await program.waitForEnd() == 1)
        #expect(program.log.contains("/proc/none/log"))
    }
}
