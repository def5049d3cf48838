import Foundation
import Glibc
import HTTP
import HTTPServer
import Testing

@Suite("TLS, as real clients speak it", .takesTurns)
struct TLSTests {
    /// Runs `body` against a server of TLS; `curl` trusts its certificate.
    private func serving(
        _ settings: ServerSettings = .init(), http: HTTPSettings = .init(),
        _ body: (TestServer, TestCertificate, _ curl: ([String]) async throws -> Tool.Outcome) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let pair = try await TestCertificate.make("first", in: scratch)
        var settings = settings
        settings.identity = try pair.identity()
        try await TestServer.with(http: http, settings) { server in
            try await body(server, pair) { words in
                try await Tool.run(
                    ["curl", "-sS", "--max-time", "50", "--cacert", pair.certificate] + words, in: scratch)
            }
        }
    }

    @Test("a blob of many pieces comes back byte for byte, whole and in parts", arguments: ["1.2", "1.3"])
    func roundTrip(version: String) async throws {
        try await serving { server, pair, curl in
            let blob = Content.bytes(9_000_001)
            let digest = Content.digest(blob)
            let file = "\(pair.scratch.path)/blob"
            try Data(blob).write(to: URL(fileURLWithPath: file))
            let versions = ["--tlsv\(version)", "--tls-max", version]
            let base = "https://localhost:\(server.port)/v2/tls/blobs"
            let pushed = try await curl(
                versions + ["--data-binary", "@\(file)", "-w", "%{http_code}", "\(base)/uploads/?digest=\(digest)"])
            #expect(pushed.text == "201", "\(pushed.err)")
            let whole = try await curl(versions + ["\(base)/\(digest)"])
            #expect(whole.out == blob, "\(whole.err)")
            let part = try await curl(versions + ["-r", "70000-140000", "\(base)/\(digest)"])
            #expect(part.out == Array(blob[70000...140_000]))
            let parts = try await curl(versions + ["-r", "5-6,200000-200001", "\(base)/\(digest)"])
            #expect(parts.out.firstRange(of: blob[200_000...200_001]) != nil)
            let head = try await curl(versions + ["-I", "\(base)/\(digest)"])
            #expect(head.text.contains("Content-Length: 9000001\r\n"), "\(head.text)")
        }
    }

    @Test("several requests share a connection, and what is absolute says https")
    func keepAlive() async throws {
        var http = HTTPSettings()
        http.absoluteLocations = true
        try await serving(http: http) { server, _, curl in
            let url = "https://localhost:\(server.port)/v2/"
            let outcome = try await curl(["-w", "%{num_connects} ", "-o", "/dev/null", url, "-o", "/dev/null", url])
            #expect(outcome.text == "1 0 ", "\(outcome.err)")
            let begun = try await curl(["-i", "-X", "POST", "\(url)a/blobs/uploads/"])
            #expect(begun.text.contains("Location: https://localhost:\(server.port)/v2/a/"), "\(begun.text)")
        }
    }

    @Test("who speaks plain HTTP to it is told so")
    func plain() async throws {
        try await serving { server, _, curl in
            let outcome = try await curl(["-w", "%{http_code}", "http://127.0.0.1:\(server.port)/v2/"])
            #expect(outcome.code == 0, "\(outcome.err)")
            #expect(outcome.text.hasSuffix("400") && outcome.text.contains("https://"), "\(outcome.text)")
        }
    }

    @Test("versions before 1.2 are refused")
    func oldVersions() async throws {
        try await serving { server, _, curl in
            let outcome = try await curl([
                "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0",
                "https://localhost:\(server.port)/v2/",
            ])
            #expect(outcome.code == 35, "\(outcome.err)")
        }
    }

    @Test("a handshake that does not come, or stops half-way, ends with the time for a head", arguments: [0, 1, 40])
    func slowHandshake(count: Int) async throws {
        var settings = ServerSettings()
        settings.timeouts.head = .seconds(1)
        try await serving(settings) { server, _, _ in
            let wire = try server.wire()
            if count > 0 {
                let hello: [UInt8] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3] + Content.bytes(60)
                try await wire.send(Array(hello.prefix(count)))
            }
            let rest = try await wire.rest()
            #expect(rest.isEmpty)
        }
    }

    @Test("noise instead of a handshake ends the connection and nothing else")
    func noise() async throws {
        try await serving { server, _, curl in
            for seed in 1...20 {
                let wire = try server.wire()
                try await wire.send([22, 3, 1] + Content.bytes(seed * 37, seed: seed))
                wire.finishSending()
                _ = try await wire.rest()
            }
            let outcome = try await curl(["-w", "%{http_code}", "https://localhost:\(server.port)/v2/"])
            #expect(outcome.text.hasSuffix("200"), "\(outcome.err)")
        }
    }

    @Test("a new pair is shown to new connections; one that does not fit is told, and the old one stays")
    func reload() async throws {
        let scratch = try Scratch()
        let first = try await TestCertificate.make("first", in: scratch)
        let second = try await TestCertificate.make("second", in: scratch)
        let old = "\(scratch.path)/old.crt"
        try FileManager.default.copyItem(atPath: first.certificate, toPath: old)
        var settings = ServerSettings()
        let identity = try first.identity()
        settings.identity = identity
        try await TestServer.with(settings) { server in
            func answers(_ trusted: String) async throws -> Bool {
                let url = "https://localhost:\(server.port)/v2/"
                return try await Tool.run(["curl", "-sS", "--cacert", trusted, url], in: scratch).code == 0
            }
            #expect(try await answers(old))
            try first.replace(with: second, key: false)
            guard case .refused = identity.refresh(atOnce: true) else { throw WireError(description: "not refused") }
            #expect(try await answers(old))
            guard case .none = identity.refresh(atOnce: true) else { throw WireError(description: "told twice") }
            try first.replace(with: second)
            guard case .none = identity.refresh(atOnce: false) else { throw WireError(description: "not waited") }
            guard case .taken = identity.refresh(atOnce: false) else { throw WireError(description: "not taken") }
            #expect(try await answers(second.certificate))
            #expect(try await !answers(old))
        }
    }
}

@Suite("TLS of the program", .takesTurns)
struct TLSProgramTests {
    private func serve(_ scratch: Scratch, _ pair: TestCertificate, data: String = "data") async throws -> Program {
        try await Program.serve(
            scratch, data: data, ["tls.certificate=\(pair.certificate)", "tls.key=\(pair.key)"])
    }

    @Test("requests go on while the certificate changes again and again, files or SIGHUP")
    func reloadUnderLoad() async throws {
        let scratch = try Scratch()
        let pairs = [
            try await TestCertificate.make("first", in: scratch), try await TestCertificate.make("second", in: scratch),
        ]
        let shown = try await TestCertificate.make("shown", in: scratch)
        let program = try await serve(scratch, shown)
        let port = try #require(program.port)
        let url = "https://localhost:\(port)/v2/"
        let load = (0..<2).map { _ in
            Task {
                var failures: [String] = []
                for _ in 0..<15 {
                    let outcome = try await Tool.run(["curl", "-ksS", "-o", "/dev/null", url, url], in: scratch)
                    if outcome.code != 0 { failures.append(outcome.err) }
                }
                return failures
            }
        }
        for turn in 0..<10 {
            try shown.replace(with: pairs[turn % 2])
            program.signal(SIGHUP)
        }
        for task in load { #expect(try await task.value == []) }
        // Without a signal, a change is seen as well.
        try shown.replace(with: pairs[0])
        try await eventually("the first pair is shown") {
            try await Tool.run(["curl", "-sS", "--cacert", pairs[0].certificate, url], in: scratch).code == 0
        }
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: shown.key))
        program.signal(SIGHUP)
        try await eventually("it is told") { program.log.contains("the old one stays") }
        #expect(try await Tool.run(["curl", "-sS", "--cacert", pairs[0].certificate, url], in: scratch).code == 0)
    }

    @Test("readers that stop hold little memory each")
    func slowReaders() async throws {
        let scratch = try Scratch()
        let pair = try await TestCertificate.make("first", in: scratch)
        let program = try await serve(scratch, pair)
        let port = try #require(program.port)
        let base = "https://localhost:\(port)/v2/slow/blobs"
        let blob = Content.bytes(32 << 20)
        try Data(blob).write(to: URL(fileURLWithPath: "\(scratch.path)/blob"))
        let pushed = try await Tool.run(
            [
                "curl", "-ksS", "--data-binary", "@\(scratch.path)/blob",
                "\(base)/uploads/?digest=\(Content.digest(blob))",
            ],
            in: scratch)
        #expect(pushed.code == 0, "\(pushed.err)")
        let before = try program.residentMemory()
        let readers = try (0..<30).map { _ in
            try Tool.start(
                ["curl", "-ksS", "--limit-rate", "1", "-o", "/dev/null", "\(base)/\(Content.digest(blob))"], in: scratch
            )
        }
        // Once each has as much as the kernel takes, nothing more is read for it.
        try await Task.sleep(for: .seconds(3))
        #expect(readers.allSatisfy { $0.process.end() == nil })
        let grown = try program.residentMemory() - before
        #expect(grown < 30 * (512 << 10), "\(grown) bytes for 30 readers")
        for reader in readers { reader.process.kill() }
    }

    @Test("a pair that cannot be used ends it with 2, one that others can read is told")
    func badPairs() async throws {
        let scratch = try Scratch()
        let first = try await TestCertificate.make("first", in: scratch)
        let second = try await TestCertificate.make("second", in: scratch)
        for flags in [
            ["--tls-certificate", first.certificate], ["--tls-key", first.key],
            ["--tls-certificate", first.certificate, "--tls-key", second.key],
            ["--tls-certificate", first.key, "--tls-key", first.key],
            ["--tls-certificate", first.certificate, "--tls-key", first.certificate],
            ["--tls-certificate", first.certificate, "--tls-key", "\(scratch.path)/none"],
        ] {
            let program = try Program(
                ["serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/none"] + flags, in: scratch)
            #expect(try await program.waitForEnd() == 2, "\(flags)")
            #expect(program.log.contains("tls."), "\(program.log)")
        }
        chmod(first.key, 0o644)
        let program = try await serve(scratch, first)
        #expect(program.log.contains("can read the TLS key"))
        #expect(program.log.contains("TLS certificate taken"))
    }

    @Test(
        "on an address that others reach, passwords in the clear have to be meant",
        arguments: ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
    func inTheClear(listen: String) async throws {
        let scratch = try Scratch()
        let program = try Program(["serve", "--listen", listen, "--data", "\(scratch.path)/data"], in: scratch)
        #expect(try await program.waitForEnd() == 2)
        #expect(program.log.contains("--plain-http") && program.log.contains("--tls-certificate"), "\(program.log)")
        #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/data"), "nothing was touched")
    }
}
