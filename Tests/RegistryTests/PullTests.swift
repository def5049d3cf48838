import MemoryDriver
import Testing
import Vocabulary

@Suite("Pull", .takesTurns)
struct PullTests {
    @Test("a blob comes back whole, with its digest, length and tag", arguments: ["sha256", "sha512"])
    func blob(algorithm: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        for count in [0, 1, 1000, 3_000_000] {
            let content = Content.bytes(count, seed: count + 1)
            let digest = try await client.push(content, to: repository, algorithm: algorithm)
            let answer = try await client.get("/v2/\(repository)/blobs/\(digest)")
            #expect(answer.status == 200)
            #expect(answer.body == content)
            let head = try await client.head("/v2/\(repository)/blobs/\(digest)")
            for answer in [answer, head] {
                #expect(answer.status == 200)
                #expect(answer["Content-Length"] == "\(count)")
                #expect(answer["Docker-Content-Digest"] == digest)
                #expect(answer["ETag"] == "\"\(digest)\"")
                #expect(answer["Accept-Ranges"] == "bytes")
                #expect(answer["Content-Type"] == "application/octet-stream")
            }
        }
    }

    @Test("what is not there is 404 with the right code, for GET and HEAD")
    func unknown() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.pushImage(repository, "t")
        let digest = Content.digest(Content.bytes(77))
        try expect(await client.get("/v2/\(repository)/blobs/\(digest)"), 404, ErrorCode.blobUnknown)
        try expect(await client.get("/v2/\(repository)/manifests/\(digest)"), 404, ErrorCode.manifestUnknown)
        try expect(await client.get("/v2/\(repository)/manifests/none"), 404, ErrorCode.manifestUnknown)
        try expect(await client.get("/v2/\(repository)/none/manifests/t"), 404, ErrorCode.nameUnknown)
        for path in [
            "blobs/\(digest)", "manifests/\(digest)", "manifests/none", "none/manifests/t", "none/blobs/\(digest)",
        ] {
            let head = try await client.head("/v2/\(repository)/\(path)")
            #expect(head.status == 404)
            #expect(head.body.isEmpty)
        }
    }

    @Test(
        "a malformed digest is 400 DIGEST_INVALID",
        arguments: [
            "sha256:abc", "sha256:", "x", "sha384:" + String(repeating: "0", count: 96),
            "SHA256:" + String(repeating: "0", count: 64),
        ])
    func badDigest(text: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        for method in ["GET", "DELETE"] {
            try expect(await client.send(method, "/v2/\(repository)/blobs/\(text)"), 400, ErrorCode.digestInvalid)
        }
        try expect(await client.get("/v2/\(repository)/referrers/\(text)"), 400, ErrorCode.digestInvalid)
        #expect(try await client.head("/v2/\(repository)/blobs/\(text)").status == 400)
    }

    @Test(
        "a range gives these bytes",
        arguments: [
            ("0-0", 0, 0), ("0-", 0, 999), ("999-", 999, 999), ("10-19", 10, 19), ("990-5000", 990, 999),
            ("-1", 999, 999),
            ("-1000", 0, 999), ("-5000", 0, 999), ("500-999", 500, 999),
        ])
    func range(text: String, first: Int, last: Int) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let content = Content.bytes(1000)
        let digest = try await client.push(content, to: repository)
        let answer = try await client.get("/v2/\(repository)/blobs/\(digest)", ["Range: bytes=\(text)"])
        #expect(answer.status == 206)
        #expect(answer["Content-Range"] == "bytes \(first)-\(last)/1000")
        #expect(answer.body == Array(content[first...last]))
        #expect(answer["Docker-Content-Digest"] == digest)
        #expect(try await client.get("/v2/\(repository)/blobs/\(digest)").body == content, "the connection goes on")
    }

    @Test(
        "a range past the end is 416 and tells the size",
        arguments: ["1000-", "1000-1000", "5000-6000", "-0", "99999999999999999999-"])
    func pastTheEnd(text: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.push(Content.bytes(1000), to: repository)
        let answer = try await client.get("/v2/\(repository)/blobs/\(digest)", ["Range: bytes=\(text)"])
        #expect(answer.status == 416)
        #expect(answer["Content-Range"] == "bytes */1000")
        let empty = try await client.push([], to: repository)
        let other = try await client.get("/v2/\(repository)/blobs/\(empty)", ["Range: bytes=0-"])
        #expect(other.status == 416)
        #expect(other["Content-Range"] == "bytes */0")
    }

    @Test(
        "a range that is none is ignored",
        arguments: ["bytes=5-2", "bytes=a-b", "items=0-1", "bytes=0-1,b", "bytes=", "nonsense"])
    func ignored(header: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.push(Content.bytes(1000), to: repository)
        let answer = try await client.get("/v2/\(repository)/blobs/\(digest)", ["Range: \(header)"])
        #expect(answer.status == 200)
        #expect(answer.body.count == 1000)
    }

    @Test("several ranges come as parts, from a file and in pieces", arguments: [false, true])
    func parts(isStreamed: Bool) async throws {
        try await TestServer.with(blobs: MemoryBlobStore(isStreamed: isStreamed)) { server in
            let client = server.client()
            let content = Content.bytes(2_000_000)
            let target = "/v2/a/blobs/\(try await client.push(content, to: "a"))"
            for (header, ranges) in [
                ("0-9,1000-1009", [0..<10, 1000..<1010]), ("1999990-,0-0", [1_999_990..<2_000_000, 0..<1]),
                ("0-999999,1000500-", [0..<1_000_000, 1_000_500..<2_000_000]),
                ("0-9,5000000-,-1,20-29", [0..<30, 1_999_999..<2_000_000]),
            ] {
                let answer = try await client.get(target, ["Range: bytes=\(header)"])
                #expect(answer.status == 206)
                #expect(answer["Content-Range"] == nil)
                let type = try #require(answer["Content-Type"])
                let boundary = try #require(type.wholeMatch(of: /multipart\/byteranges; boundary=([0-9a-z]{10,60})/)?.1)
                var expected: [UInt8] = []
                for (index, range) in ranges.enumerated() {
                    expected += Array((index == 0 ? "" : "\r\n").utf8)
                    expected += Array("--\(boundary)\r\nContent-Type: application/octet-stream\r\n".utf8)
                    expected += Array(
                        "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/2000000\r\n\r\n".utf8)
                    expected += content[range]
                }
                expected += Array("\r\n--\(boundary)--\r\n".utf8)
                #expect(answer.body == expected, "\(header)")
                #expect(try await client.get(target).body == content, "the connection goes on")
            }
            #expect(try await client.get(target, ["Range: bytes=0-9,5000000-"])["Content-Range"] == "bytes 0-9/2000000")
            #expect(try await client.get(target, ["Range: bytes=5000000-,-0"]).status == 416)
            #expect(try await client.head(target, ["Range: bytes=0-9,100000-100009"])["Content-Length"] == "2000000")
        }
    }

    @Test("a HEAD ignores the range")
    func headRange() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.push(Content.bytes(1000), to: repository)
        let answer = try await client.head("/v2/\(repository)/blobs/\(digest)", ["Range: bytes=0-1"])
        #expect(answer.status == 200)
        #expect(answer["Content-Length"] == "1000")
    }

    @Test("If-Range decides whether the range counts")
    func ifRange() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.push(Content.bytes(1000), to: repository)
        for (condition, status) in [
            ("\"\(digest)\"", 206), ("\"other\"", 200), ("W/\"\(digest)\"", 200),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 200),
        ] {
            let answer = try await client.get(
                "/v2/\(repository)/blobs/\(digest)", ["Range: bytes=0-9", "If-Range: \(condition)"])
            #expect(answer.status == status, "\(condition)")
            #expect(answer.body.count == (status == 206 ? 10 : 1000))
        }
    }

    @Test("If-None-Match gives 304 without a body, If-Match 412", arguments: ["blobs", "manifests"])
    func conditions(kind: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let manifest = try await client.pushImage(repository, "t")
        let target = "/v2/\(repository)/\(kind)/\(kind == "blobs" ? Content.digest(Content.config) : manifest)"
        let tag = try #require(try await client.get(target)["ETag"])
        for (header, status) in [
            ("If-None-Match: \(tag)", 304), ("If-None-Match: W/\(tag)", 304), ("If-None-Match: *", 304),
            ("If-None-Match: \"a\", \(tag)", 304), ("If-None-Match: \"a\"", 200), ("If-Match: \(tag)", 200),
            ("If-Match: *", 200),
            ("If-Match: \"a\", \"b\"", 412), ("If-Match: \"a\", \(tag)", 200),
        ] {
            for method in ["GET", "HEAD"] {
                let answer = try await client.send(method, target, [header])
                #expect(answer.status == status, "\(method) \(header)")
                if status == 304 {
                    #expect(answer["ETag"] == tag)
                    #expect(answer.body.isEmpty)
                }
            }
        }
    }

    @Test("If-Match takes no weak tag (RFC 9110 section 13.1.1)")
    func weakMatch() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.push(Content.bytes(10), to: repository)
        let answer = try await client.get("/v2/\(repository)/blobs/\(digest)", ["If-Match: W/\"\(digest)\""])
        #expect(answer.status == 412)
    }

    @Test("a manifest comes back byte for byte, with its type, digest and tag", arguments: ["sha256", "sha512"])
    func manifest(algorithm: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let content = Array(" \n".utf8) + Content.image("ä🐳\\u0041") + Array("\n\n ".utf8)
        let digest = Content.digest(content, algorithm)
        let put = try await client.send(
            "PUT", "/v2/\(repository)/manifests/\(digest)?tag=t", ["Content-Type: \(MediaType.ociManifest)"],
            body: content)
        #expect(put.status == 201)
        #expect(put["Docker-Content-Digest"] == digest)
        let location = try #require(put["Location"])
        for target in [location, "/v2/\(repository)/manifests/\(digest)", "/v2/\(repository)/manifests/t"] {
            let answer = try await client.get(target)
            let head = try await client.head(target)
            #expect(answer.body == content)
            for answer in [answer, head] {
                #expect(answer.status == 200)
                #expect(answer["Content-Type"] == MediaType.ociManifest)
                #expect(answer["Content-Length"] == "\(content.count)")
                #expect(answer["Docker-Content-Digest"] == digest)
                #expect(answer["ETag"] == "\"\(digest)\"")
            }
        }
    }

    @Test("a tag of an index gives a client that takes images alone the linux/amd64 one")
    func negotiation() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let image = try await client.pushImage(repository, mark: "amd64")
        try await client.pushImage(repository, mark: "arm64")
        let index = Array(
            (#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":["#
                + ["arm64", "amd64"].map {
                    Content.descriptor(
                        Content.image($0), MediaType.ociManifest,
                        more: #","platform":{"os":"linux","architecture":"\#($0)"}"#)
                }.joined(separator: ",") + "]}").utf8)
        let digest = try await client.put(index, repository, "t", type: MediaType.ociIndex)
        let target = "/v2/\(repository)/manifests/t"
        for (accept, expected) in [
            ([], digest), (["*/*"], digest), ([MediaType.ociManifest], image),
            ([MediaType.ociManifest, MediaType.ociIndex], digest),
            ([MediaType.dockerManifest + ";q=0.5", MediaType.ociManifest], image), (["application/json"], digest),
            (["text/html"], digest),
        ] {
            let answer = try await client.get(target, accept.map { "Accept: \($0)" })
            #expect(answer["Docker-Content-Digest"] == expected, "\(accept)")
            #expect(Content.digest(answer.body) == expected)
        }
        let byDigest = try await client.get(
            "/v2/\(repository)/manifests/\(digest)", ["Accept: \(MediaType.ociManifest)"])
        #expect(byDigest["Docker-Content-Digest"] == digest, "a digest is never answered with something else")
        let etag = "If-None-Match: \"\(digest)\""
        let unchanged = try await client.get(target, [etag])
        #expect(unchanged.status == 304)
        #expect(unchanged["Vary"] == "Accept", "as the 200 has it (RFC 9110 section 15.4.5)")
        _ = try await client.delete("/v2/\(repository)/manifests/\(image)")
        let left = try await client.get(target, ["Accept: \(MediaType.ociManifest)"])
        #expect(left["Docker-Content-Digest"] == digest, "the tag is there, whatever became of the image")
    }

    @Test("what is pulled is what is there now, on another connection too (CVE-2026-35172)")
    func fresh() async throws {
        let server = try await TestServer.shared()
        let (a, b, repository) = (server.client(), server.client(), TestServer.repository())
        let digest = try await a.push(Content.bytes(100), to: repository)
        let target = "/v2/\(repository)/blobs/\(digest)"
        let tag = "/v2/\(repository)/manifests/t"
        for round in 0..<30 {
            try await a.push(Content.bytes(100), to: repository)
            let manifest = try await a.pushImage(repository, "t", mark: "\(round)")
            for client in [a, b] {
                #expect(try await client.get(target).status == 200)
                #expect(try await client.get(tag)["Docker-Content-Digest"] == manifest)
            }
            #expect(try await a.delete(target).status == 202)
            #expect(try await a.delete("/v2/\(repository)/manifests/\(manifest)").status == 202)
            for client in [b, a] {
                #expect(try await client.head(target).status == 404)
                #expect(try await client.head(tag).status == 404)
            }
        }
    }
}
