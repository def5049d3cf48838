import Testing
import Vocabulary

@Suite("Mounts and isolation", .takesTurns)
struct MountTests {
    @Test("a blob of another repository is mounted, with its parameters escaped or not")
    func mount() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let content = Content.bytes(500)
        for algorithm in ["sha256", "sha512"] {
            let digest = try await client.push(content, to: repository, algorithm: algorithm)
            let (source, escaped) = (repository.replacing("/", with: "%2F"), digest.replacing(":", with: "%3A"))
            for (index, query) in [
                "mount=\(digest)&from=\(repository)", "from=\(source)&mount=\(escaped)",
                "mount=\(digest)&from=\(repository)&x=y",
            ].enumerated() {
                let target = "\(repository)/\(algorithm)/\(index)"
                let answer = try await client.send("POST", "/v2/\(target)/blobs/uploads/?\(query)")
                #expect(answer.status == 201)
                #expect(answer["Location"] == "/v2/\(target)/blobs/\(digest)")
                #expect(answer["Docker-Content-Digest"] == digest)
                #expect(try await client.get("/v2/\(target)/blobs/\(digest)").body == content)
            }
        }
    }

    @Test("what cannot be mounted begins an upload that can be gone on with")
    func fallback() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let content = Content.bytes(501)
        let digest = try await client.push(content, to: repository)
        let unknown = Content.digest(Content.bytes(502))
        for query in [
            "mount=\(digest)", "mount=\(digest)&from=", "mount=\(digest)&from=\(repository)/none",
            "mount=\(digest)&from=UPPER",
            "mount=\(unknown)&from=\(repository)", "mount=\(digest)&from=..%2F..%2Fetc",
        ] {
            let answer = try await client.send("POST", "/v2/\(repository)/target/blobs/uploads/?\(query)")
            #expect(answer.status == 202, "\(query)")
            let location = try #require(answer["Location"])
            #expect(try await client.head("/v2/\(repository)/target/blobs/\(digest)").status == 404)
            #expect(try await client.delete(location).status == 204)
        }
        let location = try await client.begin("\(repository)/target", "?mount=\(digest)&from=\(repository)/none")
        #expect(try await client.send("PUT", "\(location)?digest=\(digest)", body: content).status == 201)
    }

    @Test("a mount of what is no digest is 400")
    func badDigest() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try expect(
            await client.send("POST", "/v2/\(repository)/blobs/uploads/?mount=x&from=\(repository)"), 400,
            ErrorCode.digestInvalid)
    }

    @Test("a digest known elsewhere is 404 here, in every way of asking")
    func isolation() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.push(Content.bytes(503), to: repository)
        let manifest = try await client.pushImage(repository, "t")
        for other in ["\(repository)/x", "other", repository.split(separator: "/")[0].description] {
            for method in ["GET", "HEAD", "DELETE"] {
                #expect(
                    try await client.send(method, "/v2/\(other)/blobs/\(digest)").status == 404, "\(method) \(other)")
                #expect(try await client.send(method, "/v2/\(other)/manifests/\(manifest)").status == 404)
                #expect(try await client.send(method, "/v2/\(other)/manifests/t").status == 404)
            }
            #expect(try await client.get("/v2/\(other)/referrers/\(manifest)").manifests().isEmpty)
        }
        try await client.push(Content.config, to: "\(repository)/y")
        let image = Content.image("isolation", layers: [Content.bytes(503)])
        let put = try await client.send(
            "PUT", "/v2/\(repository)/y/manifests/t", ["Content-Type: \(MediaType.ociManifest)"], body: image)
        try expect(put, 404, ErrorCode.manifestBlobUnknown, "a blob of another repository cannot be had by naming it")
        #expect(try await client.get("/v2/\(repository)/blobs/\(digest)").status == 200)
    }

    @Test("deleting a mounted blob in one repository leaves it in the other")
    func delete() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.push(Content.bytes(504), to: repository)
        _ = try await client.send("POST", "/v2/\(repository)/m/blobs/uploads/?mount=\(digest)&from=\(repository)")
        #expect(try await client.delete("/v2/\(repository)/blobs/\(digest)").status == 202)
        try expect(await client.delete("/v2/\(repository)/blobs/\(digest)"), 404, ErrorCode.blobUnknown)
        #expect(try await client.head("/v2/\(repository)/blobs/\(digest)").status == 404)
        #expect(try await client.get("/v2/\(repository)/m/blobs/\(digest)").body == Content.bytes(504))
        #expect(try await client.delete("/v2/\(repository)/m/blobs/\(digest)").status == 202)
        #expect(try await client.head("/v2/\(repository)/m/blobs/\(digest)").status == 404)
        #expect(
            try await client.send("POST", "/v2/\(repository)/blobs/uploads/?mount=\(digest)&from=\(repository)/m")
                .status == 202)
        try await client.push(Content.bytes(504), to: repository)
        #expect(try await client.get("/v2/\(repository)/blobs/\(digest)").body == Content.bytes(504))
    }
}
