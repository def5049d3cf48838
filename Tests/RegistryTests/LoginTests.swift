import Foundation
import Glibc
import Testing

/// A registry that serves, and people who ask it from elsewhere: each with a keyring of their own.
private struct Town {
    let scratch: Scratch
    let program: Program
    let url: String
    static let password = "correct horse battery"

    init(_ flags: [String] = []) async throws {
        let scratch = try Scratch()
        try (Self.password + "\n").write(toFile: "\(scratch.path)/password", atomically: true, encoding: .utf8)
        let program = try Program(
            ["serve", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data"] + flags,
            ["AERUGO_ADMIN_PASSWORD_FILE": "\(scratch.path)/password"], in: scratch)
        try await eventually("it serves: \(program.log)") { program.port != nil }
        self.scratch = scratch
        self.program = program
        url = "http://127.0.0.1:\(try #require(program.port))"
    }

    func keyring(_ who: String) -> String { "\(scratch.path)/\(who)/aerugo/keyring.json" }

    /// Runs a command as somebody to its end.
    func run(_ who: String, _ words: String, input: String? = nil) async throws -> (
        code: Int32, out: String, err: String
    ) {
        var shell: (before: String, redirections: String)?
        if let input {
            try input.write(toFile: "\(scratch.path)/input-\(who)", atomically: true, encoding: .utf8)
            shell = (":", "< \(scratch.path)/input-\(who)")
        }
        let command = try Program(
            words.split(separator: " ").map(String.init), ["XDG_CONFIG_HOME": "\(scratch.path)/\(who)"], in: scratch,
            shell: shell)
        return (try await command.waitForEnd(), command.printed, command.log)
    }

    /// The same, which has to succeed.
    @discardableResult
    func done(_ who: String, _ words: String, input: String? = nil) async throws -> String {
        let (code, out, err) = try await run(who, words, input: input)
        guard code == 0 else { throw WireError(description: "\(who) \(words): \(code) \(err)") }
        return out
    }

    func logIn(_ who: String, _ name: String, _ password: String) async throws {
        try await done(who, "login \(url) --user \(name) --password-stdin", input: password + "\n")
    }
}

@Suite("The command line of people, elsewhere", .takesTurns)
struct LoginTests {
    @Test("a login is kept for its owner alone, is used by the other commands, and ends here and there")
    func login() async throws {
        let town = try await Town()
        let before = try await town.run("ann", "whoami --registry \(town.url)")
        #expect(before.code == 4 && before.err.contains("aerugo login \(town.url)"), "\(before)")
        let wrong = try await town.run(
            "ann", "login \(town.url) --user admin --password-stdin", input: "no such password\n")
        #expect(wrong.code == 4, "\(wrong)")
        #expect(!FileManager.default.fileExists(atPath: town.keyring("ann")))
        try await town.logIn("ann", "admin", Town.password)
        var status = stat()
        #expect(stat(town.keyring("ann"), &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat("\(town.scratch.path)/ann/aerugo", &status) == 0 && status.st_mode & 0o077 == 0)
        let kept = try String(contentsOfFile: town.keyring("ann"), encoding: .utf8)
        #expect(kept.contains(town.url) && !kept.contains(Town.password))
        #expect(try await town.done("ann", "whoami").contains("admin: yes"))
        try await town.done("ann", "user create bob")
        #expect(try await town.done("ann", "user list").contains("bob"))
        #expect(try await town.done("ann", "user list --registry \(town.url) --json").contains("\"items\""))
        let refused = try await town.run("ann", "user create bob")
        #expect(refused.code == 1 && refused.err.contains("bob"), "\(refused)")
        #expect(chmod(town.keyring("ann"), 0o644) == 0)
        let open = try await town.run("ann", "whoami")
        #expect(open.code == 1 && open.err.contains("chmod 600"), "\(open)")
        #expect(chmod(town.keyring("ann"), 0o600) == 0)
        let copy = kept
        try await town.done("ann", "logout")
        #expect(try await town.run("ann", "whoami --registry \(town.url)").code == 4)
        // It is over at the registry too.
        try copy.write(toFile: town.keyring("ann"), atomically: true, encoding: .utf8)
        #expect(chmod(town.keyring("ann"), 0o600) == 0)
        #expect(try await town.run("ann", "whoami").code == 4)
    }

    @Test("a session that is over is renewed, once for all commands that run at once")
    func renewal() async throws {
        let town = try await Town(["--set", "auth.token-life=60"])
        try await town.logIn("ann", "admin", Town.password)
        func expire() throws -> String {
            let text = try String(contentsOfFile: town.keyring("ann"), encoding: .utf8)
            let over = text.replacing(/"expiresAt" : \d+/, with: "\"expiresAt\" : 0")
            #expect(over != text)
            try over.write(toFile: town.keyring("ann"), atomically: true, encoding: .utf8)
            #expect(chmod(town.keyring("ann"), 0o600) == 0)
            return over
        }
        let before = try expire()
        try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<5 { group.addTask { try await town.run("ann", "whoami").code } }
            for try await code in group { #expect(code == 0) }
        }
        let after = try String(contentsOfFile: town.keyring("ann"), encoding: .utf8)
        #expect(after != before)
        var status = stat()
        #expect(stat(town.keyring("ann"), &status) == 0 && status.st_mode & 0o777 == 0o600)
        // What ended at the registry cannot be renewed.
        try await town.done("ann", "account password --stdin", input: "\(Town.password)\nanother good one\n")
        let over = try await town.run("ann", "whoami")
        #expect(over.code == 4 && over.err.contains("aerugo login"), "\(over)")
    }

    @Test("who was invited sees it, and accepts or declines; who invited withdraws")
    func invitations() async throws {
        let town = try await Town()
        try await town.logIn("root", "admin", Town.password)
        for name in ["ann", "bob"] {
            try await town.done("root", "user create \(name) --password-stdin", input: "password of \(name)\n")
            try await town.logIn(name, name, "password of \(name)")
        }
        try await town.done("ann", "org create acme")
        func id() async throws -> String {
            let list = try await town.done("bob", "invitation list")
            return String(try #require(list.split(separator: "\n").last?.split(separator: " ").first, "\(list)"))
        }
        try await town.done("ann", "invitation create acme bob developer")
        #expect(try await town.done("ann", "invitation list --organization acme").contains("bob"))
        let first = try await id()
        #expect(try await town.run("ann", "invitation accept \(first)").code == 1)
        try await town.done("bob", "invitation decline \(first)")
        #expect(try await town.run("bob", "invitation accept \(first)").code == 1)
        try await town.done("ann", "invitation create acme bob developer")
        let second = try await id()
        try await town.done("ann", "invitation withdraw acme \(second)")
        #expect(try await town.run("bob", "invitation accept \(second)").code == 1)
        try await town.done("ann", "invitation create acme bob developer")
        try await town.done("bob", "invitation accept \(try await id())")
        #expect(try await town.done("bob", "member list acme").contains("developer"))
        #expect(try await town.done("bob", "invitation list --json").contains("\"items\":[]"))
    }

    @Test("people register and change their own address where no mail is sent; what is not offered is said")
    func accounts() async throws {
        let town = try await Town(["--set", "accounts.registration=true"])
        let made = try await town.done("eve", "account register \(town.url) eve --stdin", input: "password of eve\n")
        #expect(made.contains("aerugo login \(town.url)"), "\(made)")
        try await town.logIn("eve", "eve", "password of eve")
        let wrong = try await town.run("eve", "account email eve@example.org --stdin", input: "another password\n")
        #expect(wrong.code == 1 && wrong.err.contains("password"), "\(wrong)")
        #expect(
            try await town.done("eve", "account email eve@example.org --stdin", input: "password of eve\n")
                .contains("eve@example.org"))
        #expect(try await town.done("eve", "whoami").contains("eve@example.org"))
        #expect(try await town.done("eve", "account email --stdin", input: "password of eve\n").contains("no address"))
        for words in ["account reset \(town.url) eve", "account confirm-reset \(town.url) --stdin"] {
            let outcome = try await town.run("eve", words, input: "no-such-code\npassword of eve\n")
            #expect(outcome.code == 1 && !outcome.err.isEmpty, "\(words): \(outcome)")
        }
        for words in ["account confirm \(town.url) --stdin", "account confirm-email \(town.url) --stdin"] {
            let outcome = try await town.run("eve", words, input: "no-such-code\n")
            #expect(outcome.code == 1 && outcome.err.contains("code"), "\(words): \(outcome)")
        }
    }

    @Test("passwords are sent in the clear to this machine alone, and what is no registry is said to be none")
    func addresses() async throws {
        let scratch = try Scratch()
        func run(_ words: [String]) async throws -> (Int32, String) {
            let command = try Program(words, ["XDG_CONFIG_HOME": scratch.path], in: scratch)
            return (try await command.waitForEnd(), command.log)
        }
        let clear = try await run(["login", "http://registry.example.com", "--user", "a"])
        #expect(clear.0 == 2 && clear.1.contains("--plain-http"), "\(clear)")
        for url in ["ftp://h", "https://u:p@h", "https://h/path", "https://h?x", "", "https://"] {
            let outcome = try await run(["login", url, "--user", "a"])
            #expect(outcome.0 == 64, "\(url): \(outcome)")
        }
        let nobody = try await run(["account", "reset", "http://127.0.0.1:9", "ann"])
        #expect(nobody.0 == 3 && nobody.1.contains("cannot be reached"), "\(nobody)")
        let both = try await run(["user", "list", "--registry", "h", "--data", "x"])
        #expect(both.0 == 64, "\(both)")
        // Every command has its completion.
        let script = try Program(["--generate-completion-script", "bash"], in: scratch)
        #expect(try await script.waitForEnd() == 0)
        for word in ["invitation", "confirm-email", "withdraw", "whoami", "permission", "export"] {
            #expect(script.printed.contains(word), "\(word)")
        }
    }
}
