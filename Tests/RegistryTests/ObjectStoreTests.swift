import Foundation
import HTTP
import Runtime
import S3Driver
import Service
import Testing

/// The store that `ci/services start seaweedfs` names.
private enum ObjectStore {
    static let endpoint = Engine.variable("AERUGO_TEST_S3_ENDPOINT")
    static let missing: Comment = #"AERUGO_TEST_S3_ENDPOINT names no store: eval "$(ci/services start)""#
    static let key = Engine.variable("AERUGO_TEST_S3_ACCESS_KEY_ID") ?? ""
    static let secret = Engine.variable("AERUGO_TEST_S3_SECRET_ACCESS_KEY") ?? ""

    static func open(_ change: (inout S3Settings) -> Void = { _ in }) async throws -> S3BlobStore {
        let url = try #require(endpoint)
        let place = try #require(S3Endpoint(url))
        var settings = S3Settings(
            bucket: Engine.variable("AERUGO_TEST_S3_BUCKET") ?? "",
            region: Engine.variable("AERUGO_TEST_S3_REGION") ?? "", endpoint: place)
        settings.prefix = "http/\(IDSource().token())"
        change(&settings)
        var keys = S3CredentialSettings(environment: [:])
        keys.fixed = S3Credentials(accessKeyID: key, secretAccessKey: secret)
        return try await S3BlobStore.open(settings, credentials: keys)
    }
}

@Suite("Blobs in S3", .enabled(if: ObjectStore.endpoint != nil, ObjectStore.missing), .takesTurns)
struct ObjectStoreTests {
    /// Pushes as docker does: all in one PATCH, and a PUT without a body.
    private func pushAsDocker(_ content: [UInt8], _ client: Client, to repository: String) async throws -> String {
        let digest = Content.digest(content)
        let location = try await client.begin(repository)
        let patched = try await client.send("PATCH", location, body: content)
        #expect(patched.status == 202)
        #expect(patched["Range"] == "0-\(max(0, content.count - 1))")
        let put = try await client.send("PUT", "\(try #require(patched["Location"]))?digest=\(digest)")
        #expect(put.status == 201, "\(put.text)")
        return digest
    }

    @Test(
        "blobs of all sizes are pushed in every way, and come back through a redirect or without",
        arguments: [true, false])
    func pushAndPull(isRedirected: Bool) async throws {
        var http = HTTPSettings()
        if !isRedirected { http.unredirected = [try #require(AddressBlock("127.0.0.0/8"))] }
        let blobs = try await ObjectStore.open()
        defer { blobs.close() }
        try await TestServer.with(http: http, blobs: blobs) { server in
            let client = server.client()
            #expect(try await client.send("POST", "/v2/a/blobs/uploads/")["OCI-Chunk-Min-Length"] == "5242880")
            for count in [0, 1, 100_000, 6_000_000, 12_000_000] {
                let content = Content.bytes(count, seed: count + 2)
                let digest = try await pushAsDocker(content, client, to: "a/docker")
                let target = "/v2/a/docker/blobs/\(digest)"
                let head = try await client.head(target)
                #expect(head.status == 200 && head["Content-Length"] == "\(count)")
                #expect(try await client.push(content, to: "a/other") == digest)
                let answer = try await client.get(target)
                if isRedirected {
                    #expect(answer.status == 307)
                    let location = try #require(answer["Location"])
                    #expect(location.hasPrefix("\(ObjectStore.endpoint ?? "")/"))
                    #expect(location.contains("X-Amz-Signature="))
                    #expect(!location.contains(ObjectStore.secret))
                    #expect(try await fetch(location) == content)
                    guard count > 10 else { continue }
                    #expect(try await fetch(location, range: "bytes=3-9") == Array(content[3...9]))
                } else {
                    #expect(answer.status == 200 && answer.body == content)
                    guard count > 10 else { continue }
                    let part = try await client.get(target, ["Range: bytes=3-9"])
                    #expect(part.status == 206 && part.body == Array(content[3...9]))
                    #expect(try await client.get(target, ["Range: bytes=-4"]).body == Array(content.suffix(4)))
                    #expect(try await client.get(target, ["Range: bytes=\(count)-"]).status == 416)
                }
            }
        }
    }

    /// What a client gets that follows a redirect.
    private func fetch(_ url: String, range: String? = nil) async throws -> [UInt8] {
        let rest = try #require(url.wholeMatch(of: /http:\/\/[^:\/]+:(\d+)(\/.*)/))
        let wire = try Wire(port: try #require(Int(rest.1)))
        let host = try #require(url.dropFirst("http://".count).split(separator: "/").first)
        let header = range.map { "Range: \($0)\r\n" } ?? ""
        try await wire.send("GET \(rest.2) HTTP/1.1\r\nHost: \(host)\r\n\(header)\r\n")
        let answer = try await wire.answer(to: "GET")
        #expect(answer.status == (range == nil ? 200 : 206), "\(answer.text.prefix(300))")
        return answer.body
    }

    @Test("a redirect that is at hand is for who may read, and only as long as the repository has the blob")
    func redirectsAtHand() async throws {
        let blobs = try await ObjectStore.open()
        defer { blobs.close() }
        try await TestServer.with(blobs: blobs) { server in
            let client = server.client()
            let content = Content.bytes(1000, seed: 7)
            let digest = try await client.push(content, to: "a/one")
            #expect(try await client.push(content, to: "a/two") == digest)
            let first = try #require(try await client.get("/v2/a/one/blobs/\(digest)")["Location"])
            for _ in 0..<3 { #expect(try await client.get("/v2/a/one/blobs/\(digest)")["Location"] == first) }
            #expect(try await client.get("/v2/a/one/blobs/\(digest)", ["If-None-Match: \"\(digest)\""]).status == 304)
            #expect(try await client.get("/v2/a/one/blobs/\(digest)", ["Range: bytes=2000-"]).status == 416)
            #expect(try await client.head("/v2/a/one/blobs/\(digest)").status == 200)
            #expect(try await client.send("DELETE", "/v2/a/one/blobs/\(digest)").status == 202)
            #expect(try await client.get("/v2/a/one/blobs/\(digest)").status == 404)
            #expect(try await client.get("/v2/a/two/blobs/\(digest)").status == 307)
        }
    }

    @Test("chunks of any size, in order, are one blob; one that was cancelled, or that failed, leaves nothing")
    func chunks() async throws {
        let blobs = try await ObjectStore.open()
        defer { blobs.close() }
        try await TestServer.with(blobs: blobs) { server in
            let (client, content) = (server.client(), Content.bytes(13_000_000))
            for isFinished in [true, false] {
                let location = try await client.begin("a/b")
                var at = 0
                for size in [1, 1000, 50_000, 700_000, 5_000_000, 6_000_000, 3000] {
                    let answer = try await client.send(
                        "PATCH", location, ["Content-Range: \(at)-\(at + size - 1)"],
                        body: Array(content[at..<at + size]))
                    at += size
                    #expect(answer.status == 202 && answer["Range"] == "0-\(at - 1)")
                }
                #expect(
                    try await client.send("PATCH", location, ["Content-Range: 5-9"], body: Content.bytes(5)).status
                        == 416)
                if isFinished {
                    let digest = Content.digest(content)
                    let put = try await client.send("PUT", "\(location)?digest=\(digest)", body: Array(content[at...]))
                    #expect(put.status == 201, "\(put.text)")
                    #expect(try await client.head("/v2/a/b/blobs/\(digest)")["Content-Length"] == "13000000")
                } else {
                    #expect(try await client.delete(location).status == 204)
                }
            }
            // A wrong digest ends an upload too, and so does nobody's coming back.
            let location = try await client.begin("a/b")
            let wrong = try await client.send(
                "PUT", "\(location)?digest=\(Content.digest([1]))", body: Array(content[..<6_000_000]))
            #expect(wrong.status == 400)
            await server.registry.sweepOnce()
            #expect(try await blobs.keys(after: nil, limit: 100).count == 1)
        }
    }

    @Test("what was pushed is there after kill -9, and the program says where it keeps it, but no secret")
    func serves() async throws {
        let scratch = try Scratch()
        let file = "\(scratch.path)/secret"
        try (ObjectStore.secret + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let settings = [
            "s3.bucket=\(Engine.variable("AERUGO_TEST_S3_BUCKET") ?? "")", "s3.endpoint=\(ObjectStore.endpoint ?? "")",
            "s3.access-key-id=\(ObjectStore.key)", "s3.secret-key-file=\(file)", "s3.prefix=run/\(IDSource().token())",
            "s3.redirect=false",
        ]
        let (content, first) = (Content.bytes(7_000_000), try await Program.serve(scratch, settings))
        let digest = try await first.client().push(content, to: "a/b")
        first.signal(SIGKILL)
        _ = try await first.waitForEnd()
        let again = try await Program.serve(scratch, settings)
        #expect(try await again.client().get("/v2/a/b/blobs/\(digest)").body == content)
        #expect(try await again.client().get("/readyz").status == 200)
        #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/data/blobs"))
        again.signal(SIGTERM)
        #expect(try await again.waitForEnd() == 0)
        #expect(again.log.contains("blobs=") && !again.log.contains(ObjectStore.secret))
        // Its database belongs to that store: another place in the bucket is not taken for it.
        let other = settings.map { $0.hasPrefix("s3.prefix=") ? "s3.prefix=run/other" : $0 }
        let lost = try await Program.serve(scratch, other)
        #expect(try await lost.client().get("/readyz").status == 503)
        #expect(try await lost.client().get("/v2/a/b/blobs/\(digest)").status == 503)
    }
}

@Suite("Settings of S3", .takesTurns)
struct ObjectStoreSettingTests {
    @Test(
        "one that cannot be used is named, and no secret is shown",
        arguments: [
            (["endpoint=http://127.0.0.1:1"], "s3.bucket"), (["bucket=a b"], "s3.bucket"),
            (["bucket=b", "endpoint=127.0.0.1:1"], "s3.endpoint"),
            (["bucket=b", "endpoint=http://h/path"], "s3.endpoint"), (["bucket=b", "region="], "s3.region"),
            (["bucket=b", "addressing=dns"], "s3.addressing"), (["bucket=b", "prefix=/a"], "s3.prefix"),
            (["bucket=b", "credentials=magic"], "s3.credentials"),
            (["bucket=b", "credentials=settings"], "s3.secret-key-file"),
            (["bucket=b", "access-key-id=A"], "s3.secret-key-file"),
            (["bucket=b", "access-key-id=A", "secret-key-file=/nowhere/at/all"], "s3.secret-key-file"),
            (["bucket=b", "part-size=1000"], "s3.part-size"), (["bucket=b", "redirect=maybe"], "s3.redirect"),
            (["bucket=b", "proxy-networks=everywhere"], "s3.proxy-networks"),
        ])
    func bad(settings: [String], named: String) async throws {
        let scratch = try Scratch()
        let program = try Program(["config"] + settings.flatMap { ["--set", "s3.\($0)"] }, in: scratch)
        #expect(try await program.waitForEnd() == 2, "\(program.log)")
        #expect(program.log.contains(named), "\(program.log)")
    }

    @Test("a store that cannot be reached is a word of where, and the exit status 1")
    func away() async throws {
        let scratch = try Scratch()
        let program = try Program(
            [
                "serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data", "--set", "s3.bucket=b",
                "--set", "s3.endpoint=http://127.0.0.1:1", "--set", "s3.credentials=environment",
            ], ["AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "planted"], in: scratch)
        try await eventually("it gives up", within: .seconds(60)) { program.end() != nil }
        #expect(program.end() == 1)
        #expect(program.log.contains("http://127.0.0.1:1/b") && !program.log.contains("planted"), "\(program.log)")
    }
}
