import Foundation
import LoadKit
import TestSupport
import Testing

/// The built program `aerugo` with an administrator, on a port of its own.
private final class House: Sendable {
    private static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "aerugo").path
    let folder: URL
    let process: ChildProcess

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "load-manage-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("a long enough one\n".utf8).write(to: folder.appending(path: "password"))
        let password = folder.appending(path: "password")
        self.folder = folder
        process = try ChildProcess(
            [Self.executable, "serve", "--listen", "127.0.0.1:0", "--data", folder.appending(path: "data").path],
            environment: ["AERUGO_ADMIN_PASSWORD_FILE": password.path], output: folder.appending(path: "log").path)
    }

    deinit {
        process.kill()
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            print(error)
        }
    }

    var password: String { folder.appending(path: "password").path }
    var log: String {
        String(
            decoding: FileManager.default.contents(atPath: folder.appending(path: "log").path) ?? Data(), as: UTF8.self)
    }

    /// Where it serves, once it does.
    func url() async throws -> String {
        var port: Substring?
        _ = try await eventually {
            port = log.firstMatch(of: /serving address=127\.0\.0\.1:(\d+)/)?.1
            return port != nil
        }
        return "http://127.0.0.1:\(try #require(port, "\(log)"))"
    }

    /// What a command of its administration lists, a line each.
    func listed(_ words: String) throws -> [String] {
        let output = folder.appending(path: "list-\(UUID().uuidString)")
        let command = try ChildProcess(
            [Self.executable] + words.split(separator: " ").map(String.init)
                + ["--data", folder.appending(path: "data").path],
            environment: [:], output: output.path)
        #expect(command.wait() == 0)
        return String(decoding: try Data(contentsOf: output), as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

@Suite("The management API of a registry that runs")
struct ManageTests {
    @Test("lists, searches, single answers and the audit at a rate, and nothing is left")
    func manage() async throws {
        let house = try House()
        let url = try await house.url()
        let report = house.folder.appending(path: "run.json").path
        let command = try Command([
            "run", url, "--scenario", "manage", "--users", "3", "--repositories", "40", "--rate", "40", "--duration",
            "5s",
            "--user", "admin", "--password-file", house.password, "--json", report, "--require", "errors<0.1%",
        ])
        let made = try await eventually { try house.listed("repo list").count > 1 }
        #expect(made, "\(command.said)")
        #expect(try await command.waitForEnd() == 0, "\(command.said)")
        #expect(command.said.contains("set-up: 3 users, 40 repositories"))
        let run = try ReportFile.decode(
            RunReport.self, Array(try Data(contentsOf: URL(fileURLWithPath: report))), report)
        for name in [
            "api.repositories", "api.repositories.search", "api.repository", "api.users", "api.users.search",
            "api.user",
            "api.audit",
        ] { #expect(run.operations[name]?.succeeded ?? 0 > 0, "\(name)") }
        #expect(run.operations["api.login"] == nil, "the session was begun before")
        #expect(try house.listed("repo list").count <= 1)
        #expect(try house.listed("org list").count <= 1)
        #expect(try house.listed("user list").count == 2)
        // What it made is gone for good: the same names can be made again.
        let again = try Command([
            "run", url, "--scenario", "manage", "--users", "2", "--repositories", "2", "--rate", "10", "--duration",
            "1s",
            "--seed", "\(run.seed)", "--user", "admin", "--password-file", house.password, "--require", "errors<0.1%",
        ])
        #expect(try await again.waitForEnd() == 0, "\(again.said)")
    }

    @Test("who may not make users is told so, and what was made until then is gone")
    func refused() async throws {
        let house = try House()
        let url = try await house.url()
        let password = try house.listed("user create bob").last?.split(separator: " ").last
        let file = house.folder.appending(path: "bob").path
        try Data((try #require(password) + "\n").utf8).write(to: URL(fileURLWithPath: file))
        let command = try Command([
            "run", url, "--scenario", "manage", "--users", "2", "--repositories", "2", "--rate", "5", "--duration",
            "1s",
            "--user", "bob", "--password-file", file,
        ])
        #expect(try await command.waitForEnd() == 3)
        #expect(command.said.contains("set-up failed: status-403"), "\(command.said)")
        #expect(try house.listed("org list").count <= 1)
    }
}
