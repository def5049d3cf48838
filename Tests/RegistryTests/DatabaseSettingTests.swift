import Foundation
import Glibc
import Testing

@Suite("Settings of the database", .takesTurns)
struct DatabaseSettingTests {
    private func run(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> (
        code: Int32, text: String
    ) {
        let scratch = try Scratch()
        let program = try Program(arguments, environment, in: scratch)
        return (try await program.waitForEnd(), program.printed + program.log)
    }

    @Test(
        "one that cannot be used is named, and no password is shown",
        arguments: [
            (["url=nonsense://u:planted@h/d"], "database.url"),
            (["url=postgresql://u:planted@h:x:y/d"], "database.url"),
            (["port=5432"], "database.host"), (["password-file=/nowhere"], "database.host"),
            (["host=h", "password-file=/nowhere/at/all"], "password-file"),
            (["url=postgresql://u:planted@h/d", "connections=1"], "database.connections"),
            (["url=postgresql://u:planted@h/d", "pooling=statement"], "database.pooling"),
        ])
    func bad(settings: [String], named: String) async throws {
        let (code, text) = try await run(["config"] + settings.flatMap { ["--set", "database.\($0)"] })
        #expect(code == 2, "\(text)")
        #expect(text.contains(named), "\(text)")
        #expect(!text.contains("planted"))
    }

    @Test("a password in the URL is not shown, wherever it comes from")
    func secret() async throws {
        let url = "postgresql://u:planted@h/d"
        for (arguments, environment) in [
            (["--set", "database.url=\(url)"], [:]), ([], ["AERUGO_DATABASE_URL": url]),
        ] {
            let (code, text) = try await run(["config"] + arguments, environment)
            #expect(code == 0, "\(text)")
            #expect(text.contains("database.url") && !text.contains("planted"))
        }
    }

    @Test("a database that cannot be reached is a word of where, and the exit status 1")
    func away() async throws {
        let scratch = try Scratch()
        let (code, text) = try await run([
            "serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data", "--set",
            "database.url=postgresql://u:planted@127.0.0.1:1/d",
        ])
        #expect(code == 1, "\(text)")
        #expect(text.contains("127.0.0.1:1/d") && !text.contains("planted"), "\(text)")
    }

    @Test("what was pushed is there after kill -9", .enabled(if: Self.url != nil))
    func serves() async throws {
        let scratch = try Scratch()
        let schema = try await Engine.schema()
        let settings = ["database.url=\(try #require(Self.url))&options=-csearch_path%3D\(schema)"]
        let manifest = #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        let first = try await Program.serve(scratch, settings)
        let pushed = try await first.client().send(
            "PUT", "/v2/a/b/manifests/t", ["Content-Type: application/vnd.oci.image.index.v1+json"],
            body: Array(manifest.utf8))
        #expect(pushed.status == 201)
        first.signal(SIGKILL)
        _ = try await first.waitForEnd()
        let again = try await Program.serve(scratch, settings)
        #expect(try await again.client().send("GET", "/v2/a/b/manifests/t").text == manifest)
        #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/data/aerugo.db"))
        #expect(try await again.client().send("GET", "/readyz").status == 200)
        again.signal(SIGTERM)
        #expect(try await again.waitForEnd() == 0)
        #expect(again.log.contains("database=") && !again.log.contains("password"))
    }

    private static let url = Engine.variable("AERUGO_TEST_POSTGRES")
}
