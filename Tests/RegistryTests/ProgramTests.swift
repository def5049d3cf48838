import Foundation
import Glibc
import Testing
import Vocabulary

@Suite("The program", .takesTurns)
struct ProgramTests {
    /// Runs it to its end.
    private func run(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> (
        code: Int32, out: String, err: String
    ) {
        let scratch = try Scratch()
        let program = try Program(arguments, environment, in: scratch)
        return (try await program.waitForEnd(), program.printed, program.log)
    }

    @Test(
        "--open is refused where others reach it",
        arguments: [
            ["--open", "--listen", "0.0.0.0:0"], ["--open", "--listen", "[::]:0"],
            ["--open", "--listen", "192.0.2.1:0"],
            ["--open", "--listen", "example.org:0"],
        ])
    func open(flags: [String]) async throws {
        let scratch = try Scratch()
        let (code, _, err) = try await run(["serve", "--data", "\(scratch.path)/data"] + flags)
        #expect(code == 2)
        #expect(err.contains("--open"))
        #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/data"), "nothing was touched")
    }

    @Test("--open-anywhere allows it")
    func openAnywhere() async throws {
        let scratch = try Scratch()
        let program = try Program(
            ["serve", "--open", "--open-anywhere", "--listen", "0.0.0.0:0", "--data", "\(scratch.path)/data"],
            in: scratch)
        try await eventually("it serves") { program.log.contains("serving address=0.0.0.0:") }
        program.signal(SIGTERM)
        let code = try await program.waitForEnd()
        #expect(code == 0)
    }

    @Test("variables of the programs beside it do not keep it from starting")
    func foreignVariables() async throws {
        let scratch = try Scratch()
        let program = try Program(
            ["serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data"],
            ["AERUGO_CONFORMANCE_PASSWORD": "x", "AERUGO_LOAD_PASSWORD": "y"], in: scratch)
        try await eventually("it serves") { program.log.contains("serving address=127.0.0.1:") }
        program.signal(SIGTERM)
        let code = try await program.waitForEnd()
        #expect(code == 0)
    }

    @Test(
        "a bad value ends it with 2 and its key",
        arguments: [
            ("limits.manifest", "x"), ("limits.manifest", "-1"), ("limits.page", "0"), ("open", "maybe"),
            ("listen", "nonsense"), ("listen", "127.0.0.1"),
            ("listen", "127.0.0.1:99999"), ("listen", ":5000"), ("listen", "::1:5000"), ("log.level", "loud"),
            ("log.format", "xml"),
            ("http.trusted-proxies", "10.0.0.0/33"), ("http.trusted-proxies", "localhost"), ("deletes", "1"),
            ("http.idle-timeout", ""),
        ])
    func badValues(key: String, value: String) async throws {
        let variable = "AERUGO_" + key.uppercased().replacing(".", with: "_").replacing("-", with: "_")
        for (flags, environment) in [(["--set", "\(key)=\(value)"], [:]), ([], [variable: value])] {
            let given = key == "open" ? [] : ["--open"]
            let (code, _, err) = try await run(
                ["serve"] + given + (key == "listen" ? [] : ["--listen", "127.0.0.1:0"]) + flags, environment)
            #expect(code == 2, "\(err)")
            #expect(err.contains(key), "\(err)")
        }
    }

    @Test("an unknown key is named, wherever it stands")
    func unknownKeys() async throws {
        let scratch = try Scratch()
        let file = "\(scratch.path)/aerugo.yaml"
        try "http:\n  idel-timeout: 5\n".write(toFile: file, atomically: true, encoding: .utf8)
        for (arguments, environment, key) in [
            (["--set", "http.idel-timeout=5"], [:], "http.idel-timeout"),
            ([], ["AERUGO_HTTP_IDEL_TIMEOUT": "5"], "AERUGO_HTTP_IDEL_TIMEOUT"),
            (["--config", file], [:], "http.idel-timeout"), ([], ["AERUGO_CONFIG": file], "http.idel-timeout"),
        ] {
            for command in ["serve", "config"] {
                let (code, _, err) = try await run([command] + arguments, environment)
                #expect(code == 2)
                #expect(err.contains(key), "\(err)")
            }
        }
    }

    @Test(
        "a file that cannot be read or is no YAML is an error that names it",
        arguments: ["a: [1", "- a\n- b\n", "just text", "a:\n\tb: 1\n", nil])
    func badFiles(text: String?) async throws {
        let scratch = try Scratch()
        let file = "\(scratch.path)/aerugo.yaml"
        try text?.write(toFile: file, atomically: true, encoding: .utf8)
        let (code, _, err) = try await run(["config", "--config", file])
        #expect(code == 2, "\(err)")
        #expect(err.contains(file), "\(err)")
    }

    @Test("flags win over the environment, which wins over the file, which wins over the defaults")
    func precedence() async throws {
        let scratch = try Scratch()
        let file = "\(scratch.path)/aerugo.yaml"
        try """
        limits:
          page: 11
          tags-per-push: 12
          manifest: 2048
        http.trusted-proxies: [10.0.0.0/8, "::1"]
        """.write(toFile: file, atomically: true, encoding: .utf8)
        let (code, out, err) = try await run(
            ["config", "--config", file, "--set", "limits.page=31", "--log-level", "debug"],
            ["AERUGO_LIMITS_PAGE": "21", "AERUGO_LIMITS_TAGS_PER_PUSH": "22", "AERUGO_LOG_LEVEL": "error"])
        #expect(code == 0, "\(err)")
        let lines = out.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        for line in [
            "limits.page 31 (flag)", "limits.tags-per-push 22 (environment)", "limits.manifest 2048 (\(file))",
            "log.level debug (flag)",
            "http.trusted-proxies 10.0.0.0/8,::1 (\(file))", "listen 127.0.0.1:5000 (default)",
            "deletes true (default)",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test(
        "a file that says something unusable, or the same twice, is refused with the key",
        arguments: [
            ("data: ~", "data"), ("data: [a, [b]]", "data"), ("http.trusted-proxies: [{a: 1}, ::1]", "trusted-proxies"),
            ("limits.manifest: 5000\nlimits: {manifest: 6000}", "limits.manifest"), ("data: {a: 1}", "data.a"),
        ])
    func badFiles(text: String, key: String) async throws {
        let scratch = try Scratch()
        let file = "\(scratch.path)/aerugo.yaml"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let (code, _, err) = try await run(["config", "--config", file])
        #expect(code == 2)
        #expect(err.contains(key), "\(err)")
    }

    @Test("every setting can be given in the environment and in a file")
    func everySetting() async throws {
        let (_, out, _) = try await run(["config", "--explain"])
        let settings = out.matches(of: #/([a-z.-]+) \((AERUGO_[A-Z_]+)\): /#).map { match in
            (key: String(match.1), variable: String(match.2))
        }
        #expect(settings.count > 15)
        let scratch = try Scratch()
        let file = "\(scratch.path)/aerugo.yaml"
        try settings.map { "\($0.key): from-file\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
        for (source, text) in [("environment", "from-environment"), (file, "from-file")] {
            let environment =
                source == file ? [:] : Dictionary(uniqueKeysWithValues: settings.map { ($0.variable, text) })
            let (code, out, err) = try await run(["config"] + (source == file ? ["--config", file] : []), environment)
            #expect(code == 2, "text is no value for most of them: \(err)")
            let lines = out.split(separator: "\n")
            for (key, _) in settings {
                // It may have a password in it.
                let shown = ["database.url", "redis.url"].contains(key) ? "********" : text
                let isThere = lines.contains { $0.hasPrefix(key + " ") && $0.hasSuffix("\(shown)  (\(source))") }
                #expect(isThere, "\(key)")
            }
        }
    }

    @Test("a second server on the same data directory is refused, and says why")
    func secondServer() async throws {
        let scratch = try Scratch()
        let first = try await Program.serve(scratch)
        let (code, _, err) = try await run([
            "serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data",
        ])
        #expect(code == 1)
        #expect(err.contains("another aerugo") && err.contains("\(scratch.path)/data"), "\(err)")
        #expect(try await first.client().get("/readyz").status == 200)
        first.signal(SIGKILL)
        _ = try await first.waitForEnd()
        let second = try await Program.serve(scratch)
        #expect(try await second.client().get("/readyz").status == 200, "a lock does not outlive its process")
        #expect(second.end() == nil)
    }

    @Test("a port that is taken, or a directory that cannot be had, ends it with 1 and a message")
    func cannotServe() async throws {
        let scratch = try Scratch()
        let first = try await Program.serve(scratch)
        let port = try #require(first.port)
        let taken = try await run([
            "serve", "--open", "--listen", "127.0.0.1:\(port)", "--data", "\(scratch.path)/other",
        ])
        #expect(taken.code == 1)
        #expect(taken.err.contains("\(port)"))
        let noDirectory = try await run(["serve", "--open", "--listen", "127.0.0.1:0", "--data", "/proc/none/data"])
        #expect(noDirectory.code == 1)
        #expect(noDirectory.err.contains("/proc/none/data"))
    }

    @Test("SIGTERM and SIGINT let an upload end and exit 0", arguments: [SIGTERM, SIGINT])
    func cleanStop(signal: Int32) async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch)
        let port = try #require(program.port)
        let content = Content.bytes(1_000_000)
        let location = try await program.client().begin("a")
        let wire = try Wire(port: port)
        let target = "\(location)?digest=\(Content.digest(content))"
        try await wire.send(
            "PUT \(target) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(content.count)\r\n\r\n")
        #expect(try await wire.answer().status == 100)
        try await wire.send(Array(content[..<500_000]))
        program.signal(signal)
        try await eventually("nobody new is let in") {
            do {
                _ = try Wire(port: port)
                return false
            } catch is WireError { return true }
        }
        #expect(program.end() == nil)
        try await wire.send(Array(content[500_000...]))
        #expect(try await wire.answer(to: "PUT").status == 201)
        #expect(try await program.waitForEnd() == 0)
        #expect(program.log.contains("stopped"))
        let again = try await Program.serve(scratch)
        #expect(try await again.client().get("/v2/a/blobs/\(Content.digest(content))").body == content)
    }

    @Test("a shutdown does not wait for ever")
    func shutdownDeadline() async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch, ["http.shutdown-timeout=1"])
        let location = try await program.client().begin("a")
        let wire = try Wire(port: #require(program.port))
        try await wire.send(
            "PATCH \(location) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        #expect(try await wire.answer().status == 100)
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
    }

    @Test(
        "log lines carry the request's id, and text from outside cannot make lines of its own",
        arguments: ["text", "json"])
    func logs(format: String) async throws {
        let scratch = try Scratch()
        let program = try Program(
            [
                "serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data", "--log-format", format,
                "--log-level", "trace",
            ], in: scratch)
        try await eventually("it serves") { program.log.contains("serving") }
        let port = try #require(program.log.firstMatch(of: /127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) })
        let answer = try await Client(port: port).send(
            "POST", "/v2/a/blobs/uploads/?mount=a%0a2026-01-01T00:00:00Z%20notice%20forged")
        let id = try #require(answer["X-Request-Id"])
        let read = try #require(try await Client(port: port).get("/v2/")["X-Request-Id"])
        let wire = try Wire(port: port)
        try await wire.send("nonsense\r\n\r\n")
        let refused = try #require(try await wire.answer()["X-Request-Id"])
        try await eventually("reads and what is no request are logged") {
            program.log.contains(read) && program.log.contains(refused)
        }
        try await eventually("the request is logged") { program.log.contains(id) }
        let lines = program.log.split(separator: "\n")
        #expect(!lines.contains { $0.hasPrefix("2026-01-01T00:00:00Z") })
        for line in lines where format == "json" {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["level"] is String && object?["message"] is String && object?["time"] is String)
            if line.contains(refused) { #expect((object?["reason"] as? String)?.isEmpty == false) }
        }
    }

    @Test("a log that cannot be written stops nothing", arguments: ["full", "stalled", "closed"])
    func lostLog(how: String) async throws {
        let scratch = try Scratch()
        let pipe = "\(scratch.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = Glibc.open(pipe, O_RDONLY | O_NONBLOCK)
        defer { if how != "closed" { close(reader) } }
        // An address of its own, as nobody can read the port.
        let (host, port) = ("127.0.0.\(how.utf8.count + 10)", 5999)
        let program = try Program(
            ["serve", "--open", "--listen", "\(host):\(port)", "--data", "\(scratch.path)/data"], in: scratch,
            errors: how == "full" ? "/dev/full" : pipe)
        try await eventually("it serves") {
            guard program.end() == nil else { throw WireError(description: "it ended") }
            do { _ = try Wire(port: port, host: host) } catch is WireError { return false }
            return true
        }
        if how == "closed" { close(reader) }
        let wire = try Wire(port: port, host: host)
        for _ in 0..<1000 {
            try await wire.send("PUT /v2/a/manifests/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n{")
            #expect(try await wire.answer(to: "PUT").status == 400)
        }
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
    }

    @Test("memory stays flat under a flood of bad and large requests")
    func memory() async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch, ["log.level=notice"])
        let port = try #require(program.port)
        let flood = Array(
            ("GET /v2/ HTTP/1.1\r\nHost: a\r\n"
                + String(repeating: "X: \(String(repeating: "y", count: 1000))\r\n", count: 3000)).utf8)
        let body = Content.bytes(4_000_000)
        func round() async throws {
            try await withThrowingTaskGroup { group in
                for index in 0..<24 {
                    group.addTask {
                        let wire = try Wire(port: port)
                        switch index % 4 {
                        case 0: try await wire.send(flood)
                        case 1:
                            try await wire.send(
                                "PUT /v2/a/manifests/t\(index) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n"
                            )
                            try await wire.send(body)
                        case 2:
                            try await wire.send(
                                "PUT /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                            )
                            try await wire.send(
                                Array("\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n".utf8))
                        default:
                            try await wire.send(
                                "GET /v2/_catalog?n=\(Int.max) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                        }
                        wire.finishSending()
                        _ = try await wire.rest()
                    }
                }
                try await group.waitForAll()
            }
        }
        // The first rounds fill what is kept on purpose: pools of buffers and caches.
        for _ in 0..<3 { try await round() }
        let before = try program.residentMemory()
        for _ in 0..<6 { try await round() }
        let after = try program.residentMemory()
        #expect(after < before + (24 << 20), "\(before >> 20) MiB, then \(after >> 20) MiB")
        #expect(after < 160 << 20)
        #expect(try await program.client().get("/readyz").status == 200)
    }
}
