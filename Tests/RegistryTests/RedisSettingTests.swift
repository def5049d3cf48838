import Foundation
import Glibc
import Testing

@Suite("Settings of Redis", .takesTurns)
struct RedisSettingTests {
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
            (["url=nonsense://u:planted@h"], "redis.url"), (["url=redis://u:planted@h:x/0"], "redis.url"),
            (["url=redis://u:planted@h/x"], "redis.url"), (["url=redis://u:planted@h/0?a=b"], "redis.url"),
            (["url=rediss://u:planted@h"], "tunnel"), (["port=6379"], "redis.host"),
            (["password-file=/nowhere"], "redis.host"),
            (["host=h", "password-file=/nowhere/at/all"], "redis.password-file"),
            (["host=h", "user=u"], "redis.password-file"), (["host=h", "port=0"], "redis.port"),
            (["host=h", "database=-1"], "redis.database"), (["host=h", "timeout=0"], "redis.timeout"),
            (["host=h", "connect-timeout=0"], "redis.connect-timeout"),
            (["host=h", "value-limit=-1"], "redis.value-limit"),
        ])
    func bad(settings: [String], named: String) async throws {
        let (code, text) = try await run(["config"] + settings.flatMap { ["--set", "redis.\($0)"] })
        #expect(code == 2, "\(text)")
        #expect(text.contains(named), "\(text)")
        #expect(!text.contains("planted"))
    }

    @Test("a password in the URL is not shown, wherever it comes from")
    func secret() async throws {
        let url = "redis://u:planted@[::1]:6379/3"
        for (arguments, environment) in [
            (["--set", "redis.url=\(url)"], [:]), ([], ["AERUGO_REDIS_URL": url]),
        ] {
            let (code, text) = try await run(["config"] + arguments, environment)
            #expect(code == 0, "\(text)")
            #expect(text.contains("redis.url") && !text.contains("planted"))
        }
    }

    @Test("a Redis that is not there is a word in the log, and stops nothing")
    func away() async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch, ["redis.url=redis://u:planted@127.0.0.1:1/0"])
        let manifest = #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        let client = try program.client()
        let pushed = try await client.send(
            "PUT", "/v2/a/b/manifests/t", ["Content-Type: application/vnd.oci.image.index.v1+json"],
            body: Array(manifest.utf8))
        #expect(pushed.status == 201)
        #expect(try await client.send("GET", "/v2/a/b/manifests/t").text == manifest)
        #expect(try await client.send("GET", "/readyz").status == 200)
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
        #expect(program.log.contains("Redis is away") && program.log.contains("redis=127.0.0.1:1"))
        #expect(!program.log.contains("planted"))
    }
}
