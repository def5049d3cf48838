import Foundation
import Glibc
import Testing
import TestSupport

@Suite("The doctor", .takesTurns)
struct DoctorTests {
    private struct Finding {
        let state: String
        let seen: String
        let advice: String
    }

    /// What it says of a directory with these settings: by subject, and its exit status.
    private func examine(
        _ scratch: Scratch, _ settings: [String] = [], before: String = "true", more: [String] = []
    ) async throws -> (findings: [String: Finding], code: Int32) {
        let program = try Program(
            ["doctor", "--json", "--data", "\(scratch.path)/data"]
                + (["listen=127.0.0.1:0"] + settings).flatMap { ["--set", $0] } + more,
            in: scratch, shell: (before: before, redirections: ""))
        let code = try await program.waitForEnd()
        guard let object = try JSONSerialization.jsonObject(with: Data(program.printed.utf8)) as? [String: Any],
            let items = object["findings"] as? [[String: String]]
        else { throw WireError(description: "no findings: \(program.printed) \(program.log)") }
        var findings: [String: Finding] = [:]
        for item in items {
            findings[item["subject"] ?? ""] = Finding(
                state: item["state"] ?? "", seen: item["seen"] ?? "", advice: item["advice"] ?? "")
        }
        let failed = items.count { $0["state"] == "failed" }
        #expect(object["failed"] as? Int == failed && code == (failed > 0 ? 1 : 0))
        #expect(findings.values.allSatisfy { ($0.state == "ok") == $0.advice.isEmpty })
        return (findings, code)
    }

    /// A directory that a server has made, which is stopped again.
    private func served(_ settings: [String] = []) async throws -> Scratch {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch, settings)
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
        return scratch
    }

    @Test("all is well where it is: before the first start, beside a server, and behind it")
    func well() async throws {
        let scratch = try Scratch()
        let fresh = try await examine(scratch)
        #expect(fresh.code == 0 && fresh.findings["data directory"]?.state == "warning")
        #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/data"), "it makes nothing")
        let program = try await Program.serve(scratch)
        let beside = try await examine(scratch)
        #expect(beside.code == 0 && beside.findings["server"]?.seen.contains("runs") == true)
        #expect(try await program.client().get("/readyz").status == 200)
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
        let behind = try await examine(scratch)
        #expect(behind.code == 0 && behind.findings["database"]?.seen.contains("can be read") == true)
        for subject in ["settings", "data directory", "blobs", "listen"] {
            #expect(behind.findings[subject]?.state == "ok", "\(subject): \(behind.findings)")
        }
    }

    @Test("a server with accounts says itself how its stores are")
    func asked() async throws {
        let scratch = try Scratch()
        let program = try Program(
            ["serve", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data", "--set", "auth.password-cost=1"],
            in: scratch)
        try await eventually("it serves") { program.port != nil }
        let (findings, code) = try await examine(scratch)
        #expect(code == 0 && findings["database (SQLite)"]?.state == "ok" && findings["blobs (files)"]?.state == "ok")
        try FileManager.default.moveItem(atPath: "\(scratch.path)/data/blobs", toPath: "\(scratch.path)/away")
        let without = try await examine(scratch)
        #expect(without.code == 1 && without.findings["blobs (files)"]?.state == "failed")
    }

    @Test("settings that cannot be used are told as serve tells them")
    func settings() async throws {
        let (findings, code) = try await examine(try Scratch(), ["limits.page=0"])
        #expect(code == 1 && findings["settings"]?.seen.contains("limits.page") == true)
    }

    @Test("a database that is damaged, and blobs that are not there")
    func stores() async throws {
        let scratch = try await served()
        let path = "\(scratch.path)/data"
        try FileManager.default.moveItem(atPath: "\(path)/blobs", toPath: "\(scratch.path)/blobs")
        #expect(try await examine(scratch).findings["blobs"]?.state == "failed")
        try FileManager.default.moveItem(atPath: "\(scratch.path)/blobs", toPath: "\(path)/blobs")
        #expect(try await examine(scratch).findings["blobs"]?.state == "ok")
        try Data(repeating: 7, count: 10_000).write(to: URL(fileURLWithPath: "\(path)/aerugo.db"))
        let broken = try await examine(scratch)
        #expect(broken.code == 1 && broken.findings["database"]?.state == "failed")
    }

    @Test("files and directories that too many can read, and files that are not there")
    func modes() async throws {
        let scratch = try await served()
        let secret = "\(scratch.path)/token"
        try "s3cret".write(toFile: secret, atomically: true, encoding: .utf8)
        chmod(secret, 0o644)
        chmod("\(scratch.path)/data", 0o755)
        let open = try await examine(scratch, ["metrics.token-file=\(secret)"])
        #expect(open.code == 0 && open.findings["metrics.token-file"]?.state == "warning")
        #expect(open.findings["data directory"]?.advice.contains("chmod") == true)
        #expect(!open.findings.values.contains { $0.seen.contains("s3cret") })
        chmod(secret, 0o600)
        chmod("\(scratch.path)/data", 0o750)
        let closed = try await examine(scratch, ["metrics.token-file=\(secret)"])
        #expect(
            closed.findings["metrics.token-file"]?.state == "ok" && closed.findings["data directory"]?.state == "ok")
        let absent = try await examine(scratch, ["admin.password-file=\(scratch.path)/none"])
        #expect(absent.code == 1)
        let file = try Scratch()
        try "".write(toFile: "\(file.path)/data", atomically: true, encoding: .utf8)
        #expect(try await examine(file).findings["data directory"]?.state == "failed")
    }

    @Test("certificates: none of its key, and one that ends soon or has ended")
    func certificates() async throws {
        let scratch = try Scratch()
        let (one, other) = (
            try await TestCertificate.make("one", in: scratch), try await TestCertificate.make("other", in: scratch)
        )
        func settings(_ key: TestCertificate) -> [String] {
            ["tls.certificate=\(one.certificate)", "tls.key=\(key.key)"]
        }
        let soon = try await examine(scratch, settings(one))
        #expect(soon.code == 0 && soon.findings["certificate"]?.seen.contains("expires in") == true)
        let foreign = try await examine(scratch, settings(other))
        #expect(foreign.code == 1 && foreign.findings["settings"]?.seen.contains("is not the key") == true)
        let outcome = try await Tool.run(
            [
                "openssl", "req", "-x509", "-key", one.key, "-days", "-1", "-subj", "/CN=one", "-out", one.certificate,
            ], in: scratch)
        // Not every openssl makes one that has ended.
        guard outcome.code == 0 else { return }
        let ended = try await examine(scratch, settings(one))
        #expect(ended.code == 1 && ended.findings["certificate"]?.seen.contains("has expired") == true)
    }

    @Test("a limit of open files that is too low, an address that is taken, servers that do not answer")
    func surroundings() async throws {
        let scratch = try await served()
        let low = try await examine(scratch, before: "ulimit -n 300")
        #expect(low.code == 0 && low.findings["open files"]?.state == "warning")
        let other = try Scratch()
        let program = try await Program.serve(other)
        let port = try #require(program.port)
        let taken = try await examine(scratch, more: ["--listen", "127.0.0.1:\(port)"])
        #expect(taken.code == 1 && taken.findings["listen"]?.state == "failed")
        let away = try await examine(
            scratch,
            [
                "redis.host=127.0.0.1", "redis.port=1", "mail.server=127.0.0.1", "mail.port=1", "mail.security=none",
                "mail.from=registry@example.com",
            ])
        #expect(
            away.code == 1 && away.findings["Redis"]?.state == "warning" && away.findings["mail"]?.state == "failed")
        let database = try await examine(scratch, ["database.url=postgresql://user:s3cret@127.0.0.1:1/none"])
        #expect(database.code == 1 && database.findings["database"]?.state == "failed")
        #expect(database.findings["database"]?.seen.contains("s3cret") == false)
    }

    @Test("a disk that is nearly full", .enabled(if: geteuid() == 0, "only root can mount one"))
    func disk() async throws {
        let scratch = try Scratch()
        let data = "\(scratch.path)/data"
        let script =
            "mkdir -p \(data) && mount -t tmpfs -o size=20m none \(data) && exec \"$0\" doctor --json --data \(data)"
        let outcome = try await Tool.run(
            ["unshare", "-m", "sh", "-c", script, Program.executable], in: scratch)
        // A container may not mount either.
        guard outcome.text.contains("findings") else { return }
        #expect(outcome.code == 1 && outcome.text.contains("MiB are free"))
    }

    @Test("it says it in lines for people")
    func table() async throws {
        let scratch = try await served()
        let program = try Program(
            [
                "doctor", "--data", "\(scratch.path)/data", "--listen", "127.0.0.1:0", "--set", "redis.host=127.0.0.1",
                "--set", "redis.port=1",
            ],
            in: scratch)
        #expect(try await program.waitForEnd() == 0)
        #expect(program.printed.contains("ok       database") && program.printed.contains("warning  Redis"))
        let broken = try Program(["doctor", "--set", "limits.page=0"], in: scratch)
        #expect(try await broken.waitForEnd() == 1)
        #expect(broken.printed.hasPrefix("FAILED   settings"))
    }
}
