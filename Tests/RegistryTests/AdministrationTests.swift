import Foundation
import Glibc
import Testing

/// A registry with accounts, on a port of its own, and the command line beside it.
private struct House {
    let scratch: Scratch
    static let password = "correct horse battery"

    var data: String { "\(scratch.path)/data" }

    init() throws {
        scratch = try Scratch()
        try (Self.password + "\n").write(toFile: "\(scratch.path)/password", atomically: true, encoding: .utf8)
    }

    /// Serves; the administrator's password is that of the file.
    func serve(_ flags: [String] = []) async throws -> Program {
        let program = try Program(
            ["serve", "--listen", "127.0.0.1:0", "--data", data] + flags,
            ["AERUGO_ADMIN_PASSWORD_FILE": "\(scratch.path)/password"], in: scratch)
        try await eventually("it serves: \(program.log)") {
            guard program.end() == nil else { throw WireError(description: "it ended: \(program.log)") }
            return program.port != nil
        }
        return program
    }

    /// Runs a command to its end. `input`: what is on its standard input.
    func run(_ words: [String], input: String? = nil) async throws -> (code: Int32, out: String, err: String) {
        var shell: (before: String, redirections: String)?
        if let input {
            try input.write(toFile: "\(scratch.path)/input", atomically: true, encoding: .utf8)
            shell = (":", "< \(scratch.path)/input")
        }
        let program = try Program(words + ["--data", data], in: scratch, shell: shell)
        return (try await program.waitForEnd(), program.printed, program.log)
    }

    /// The same, which has to succeed.
    func done(_ words: String, input: String? = nil) async throws -> String {
        let (code, out, err) = try await run(words.split(separator: " ").map(String.init), input: input)
        guard code == 0 else { throw WireError(description: "\(words): \(code) \(err)") }
        return out
    }

    /// The same, which has to be refused in these words.
    func refused(_ words: String, _ part: String, code: Int32 = 1, at place: SourceLocation = #_sourceLocation)
        async throws
    {
        let outcome = try await run(words.split(separator: " ").map(String.init))
        #expect(outcome.code == code, "\(words): \(outcome.err)", sourceLocation: place)
        #expect(outcome.err.contains(part), "\(words): \(outcome.err)", sourceLocation: place)
    }
}

@Suite("The command line of accounts", .takesTurns)
struct AdministrationTests {
    private func secret(_ text: String) throws -> String {
        guard let match = text.firstMatch(of: /shown only now\): (\S+)/) else { throw WireError(description: text) }
        return String(match.1)
    }

    @Test("all of it works beside a server and without one", arguments: [true, false])
    func commands(isServed: Bool) async throws {
        let house = try House()
        let program = try await house.serve()
        if !isServed {
            program.signal(SIGTERM)
            _ = try await program.waitForEnd()
        }
        let made = try await house.done("user create alice --email alice@example.org")
        #expect(try secret(made).count >= 16)
        let chosen = try await house.done("user create bob --password-stdin", input: "another good one\n")
        #expect(!chosen.contains("another good one"))
        try await house.refused("user create alice", "alice")
        try await house.refused("user create No-Such*Name", "name")
        let list = try await house.done("user list")
        #expect(list.contains("admin") && list.contains("alice@example.org"), "\(list)")
        let json = try await house.done("user list --json")
        let page = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect((page?["items"] as? [Any])?.count == 3, "\(json)")
        for words in [
            "user disable bob", "user enable bob", "org create acme --description Rockets",
            "member set acme alice owner",
            "member set acme bob developer", "team create acme builders", "team add acme builders bob",
            "robot create acme+ci --role developer", "robot disable acme+ci", "robot enable acme+ci",
        ] { _ = try await house.done(words) }
        #expect(try await house.done("org list").contains("Rockets"))
        #expect(try await house.done("member list acme").contains("developer"))
        #expect(try await house.done("team list acme").contains("builders"))
        #expect(try await house.done("team members acme builders").contains("bob"))
        #expect(try await house.done("robot list acme").contains("acme+ci"))
        let key = try await house.done("key create acme+ci pipeline --scope acme/*:pull,push --days 30")
        #expect(try secret(key).hasPrefix("ak_"))
        let keys = try await house.done("key list acme+ci")
        #expect(keys.contains("pipeline") && keys.contains("acme/*:pull,push"), "\(keys)")
        let id = try #require(keys.split(separator: "\n").last?.split(separator: " ").first)
        #expect(try secret(try await house.done("key rotate acme+ci \(id)")) != secret(key))
        for words in [
            "key revoke acme+ci \(id)", "team remove acme builders bob", "team delete acme builders",
            "member remove acme bob", "robot delete acme+ci", "user delete bob", "repo list",
        ] { _ = try await house.done(words) }
        try await house.refused("user reset-password nobody", "nobody")
        try await house.refused("repo public alice/none", "alice/none")
    }

    @Test("a user who was made logs in, pushes, and shares; a robot's key does what its scope says")
    func whole() async throws {
        let house = try House()
        let program = try await house.serve()
        let port = try #require(program.port)
        _ = try await house.done("user create alice --password-stdin", input: "a long enough one\n")
        let bob = try secret(try await house.done("user create bob"))
        func status(_ user: String?, _ words: [String]) async throws -> String {
            try await Tool.run(
                ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}"] + (user.map { ["--user", $0] } ?? []) + words,
                in: house.scratch
            ).text
        }
        let base = "http://127.0.0.1:\(port)/v2/alice/hello"
        let digest = Content.digest(Content.config)
        #expect(
            try await status(
                "alice:a long enough one", ["--data-binary", "{}", "\(base)/blobs/uploads/?digest=\(digest)"]) == "201")
        let blob = ["\(base)/blobs/\(digest)"]
        // Who could delete anything here hears that there is nothing, and nobody else does.
        let never = ["-X", "DELETE", "http://127.0.0.1:\(port)/v2/alice/never/blobs/\(digest)"]
        #expect(try await status("alice:a long enough one", never) == "404")
        #expect(try await status("bob:\(bob)", never) == "403")
        // A client takes a 200 here for a registry that wants no login.
        #expect(try await status(nil, ["http://127.0.0.1:\(port)/v2/"]) == "401")
        #expect(try await status("bob:wrong", ["http://127.0.0.1:\(port)/v2/"]) == "401")
        #expect(try await status("bob:\(bob)", ["http://127.0.0.1:\(port)/v2/"]) == "200")
        #expect(try await status("bob:\(bob)", blob) == "404")
        _ = try await house.done("repo grant alice/hello bob pull")
        #expect(try await house.done("repo permissions alice/hello").contains("user:bob"))
        #expect(try await status("bob:\(bob)", blob) == "200")
        #expect(try await status(nil, blob) == "401")
        _ = try await house.done("repo revoke alice/hello bob")
        #expect(try await status("bob:\(bob)", blob) == "404")
        _ = try await house.done("repo public alice/hello")
        #expect(try await status(nil, blob) == "200")
        _ = try await house.done("repo private alice/hello")
        #expect(try await status(nil, blob) == "401")
        _ = try await house.done("user disable alice")
        #expect(try await status("alice:a long enough one", blob) == "401")
    }

    @Test("what is listed, shown, changed and searched, each with a table and as JSON")
    func more() async throws {
        let house = try House()
        let program = try await house.serve()
        let port = try #require(program.port)
        for words in [
            "user create ann --email ann@example.org", "user update ann --email new@example.org --admin",
            "user update ann --no-admin", "org create acme --description Rockets", "member set acme ann owner",
            "org update acme --website https://acme.example.org", "repo create acme/web-app --public",
            "repo describe acme/web-app Shop", "repo private acme/web-app", "permission grant acme/web-app ann pull",
        ] { _ = try await house.done(words) }
        func shows(_ words: String, _ parts: String..., at place: SourceLocation = #_sourceLocation) async throws {
            let text = try await house.done(words).replacing(#/ +/#, with: " ")
            for part in parts { #expect(text.contains(part), "\(words): \(text)", sourceLocation: place) }
        }
        try await shows("user show ann", "new@example.org", "admin: no")
        try await shows("user list --containing an", "ann")
        try await shows("org show acme", "Rockets", "https://acme.example.org")
        try await shows("repo list --containing app", "acme/web-app", "private")
        try await shows("repo show acme/web-app", "Shop", "tags: 0")
        try await shows("permission list acme/web-app", "user:ann")
        try await shows("permission show acme/web-app ann", "role owner: ", "permission user:ann: pull")
        try await shows("audit list --action user.create", "WHO", "user.create")
        try await shows("audit list --organization acme", "repository.create")
        try await shows("system info", "version:")
        try await shows("system health", "yes")
        try await shows("system settings", "VALUE")
        try await shows("system statistics", "organizations: 1")
        let lines = try await house.done("audit export --action user.create").split(separator: "\n")
        #expect(lines.count == 2 && lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") }, "\(lines)")
        let digest = Content.digest(Content.config)
        let password = Self.firstPassword
        let base = "http://127.0.0.1:\(port)/v2/acme/web-app"
        for words in [
            ["--data-binary", "{}", "\(base)/blobs/uploads/?digest=\(digest)"],
            [
                "-X", "PUT", "-H", "Content-Type: application/vnd.oci.image.manifest.v1+json", "--data-binary",
                String(decoding: Content.image(), as: UTF8.self), "\(base)/manifests/v1",
            ],
        ] {
            _ = try await Tool.run(["curl", "-sSf", "--user", "admin:\(password)"] + words, in: house.scratch)
        }
        let image = Content.digest(Content.image())
        try await shows("tag list acme/web-app", "v1", image)
        try await shows("tag show acme/web-app:v1", image)
        _ = try await house.done("tag delete acme/web-app:v1")
        try await shows("tag history acme/web-app:v1", image, "admin")
        _ = try await house.done("tag restore acme/web-app:v1 \(image)")
        try await shows("tag list acme/web-app --json", "\"items\"")
        try await house.refused("org delete acme", "repositories")
        for words in ["repo delete acme/web-app", "repo restore acme/web-app", "org delete acme --confirm acme"] {
            _ = try await house.done(words)
        }
        try await house.refused("repo show acme/web-app", "acme/web-app")
        try await house.refused("user update ann", "say what to change", code: 64)
    }

    static let firstPassword = "correct horse battery"

    @Test("the socket is its user's alone, goes with the server, and one that a crash left is replaced")
    func socket() async throws {
        let house = try House()
        let path = house.data + "/admin.sock"
        let crashed = try await house.serve()
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK && status.st_mode & 0o777 == 0o600)
        crashed.signal(SIGKILL)
        _ = try await crashed.waitForEnd()
        #expect(stat(path, &status) == 0)
        // Nobody listens there: the command opens the data itself.
        #expect(try await house.done("user list").contains("admin"))
        let next = try await house.serve()
        #expect(try await house.done("user list").contains("admin"))
        next.signal(SIGTERM)
        #expect(try await next.waitForEnd() == 0)
        #expect(stat(path, &status) != 0)
    }

    @Test("an open registry has no socket, a path that is too long is told")
    func noSocket() async throws {
        let scratch = try Scratch()
        let open = try await Program.serve(scratch)
        #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/data/admin.sock"))
        open.signal(SIGTERM)
        _ = try await open.waitForEnd()
        let house = try House()
        let long = "\(house.scratch.path)/" + String(repeating: "d", count: 100)
        let program = try Program(
            ["serve", "--listen", "127.0.0.1:0", "--data", long],
            ["AERUGO_ADMIN_PASSWORD_FILE": "\(house.scratch.path)/password"], in: house.scratch)
        try await eventually("it serves: \(program.log)") { program.port != nil }
        #expect(program.log.contains("107"), "\(program.log)")
    }

    @Test("what is no registry is not made into one; the first password has to be one")
    func misuse() async throws {
        let house = try House()
        try await house.refused("user list", "there is no registry", code: 2)
        #expect(!FileManager.default.fileExists(atPath: house.data))
        for text in ["", "\n", "short"] {
            try text.write(toFile: "\(house.scratch.path)/password", atomically: true, encoding: .utf8)
            let program = try Program(
                ["serve", "--listen", "127.0.0.1:0", "--data", house.data],
                ["AERUGO_ADMIN_PASSWORD_FILE": "\(house.scratch.path)/password"], in: house.scratch)
            #expect(try await program.waitForEnd() == 2, "\(program.log)")
            #expect(program.log.contains("admin.password-file"), "\(program.log)")
        }
    }

    @Test("without a terminal and a file nobody is made, and it is told how")
    func nobody() async throws {
        let house = try House()
        let program = try Program(["serve", "--listen", "127.0.0.1:0", "--data", house.data], in: house.scratch)
        try await eventually("it serves") { program.port != nil }
        #expect(program.log.contains("aerugo user create admin --admin"), "\(program.log)")
        #expect(program.printed.isEmpty)
        _ = try await house.done("user create root --admin")
        #expect(try await house.done("user list").contains("root"))
    }

    @Test("on a terminal the first password is told there once, and never to the log")
    func terminal() async throws {
        let house = try House()
        let log = "\(house.scratch.path)/log"
        // script(1) gives it a terminal, whose output goes to the file `typescript`, and ends it with itself: the hang-up of
        // a terminal does not.
        let typescript = "\(house.scratch.path)/typescript"
        let (process, _) = try Tool.start(
            [
                "script", "--quiet", "--flush", "--command",
                "exec setpriv --pdeathsig KILL -- '\(Program.executable)' serve --listen 127.0.0.1:0 --data '\(house.data)' --set log.file='\(log)'",
                typescript,
            ], in: house.scratch)
        func text(_ file: String) -> String {
            String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        }
        try await eventually("it serves") { text(log).contains("serving") }
        let match = try #require(text(typescript).firstMatch(of: /password: +(\S+)/))
        #expect(!text(log).contains(match.1))
        let port = try #require(text(log).firstMatch(of: /serving address=127\.0\.0\.1:(\d+)/)).1
        let outcome = try await Tool.run(
            ["curl", "-sS", "--user", "admin:\(match.1)", "http://127.0.0.1:\(port)/api/v1/auth/me"], in: house.scratch)
        #expect(outcome.text.contains("\"admin\""), "\(outcome.text)")
        process.kill()
    }
}
