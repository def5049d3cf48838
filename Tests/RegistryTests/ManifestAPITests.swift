import Service
import Testing
import Vocabulary

@Suite("Manifest pushes and deletes", .takesTurns)
struct ManifestAPITests {
    private func put(
        _ client: Client, _ target: String, _ manifest: [UInt8], _ type: String = MediaType.ociManifest,
        _ headers: [String] = []
    ) async throws -> Answer {
        try await client.send("PUT", "/v2/\(target)", ["Content-Type: \(type)"] + headers, body: manifest)
    }

    @Test("every kind of manifest is taken and served as its type")
    func kinds() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let layer = try await client.push(Content.bytes(100), to: repository)
        try await client.pushImage(repository)
        let image = Content.image()
        let inner = Content.index([image])
        try await client.put(inner, repository, type: MediaType.ociIndex)
        let config = Content.digest(Content.config)
        let docker =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.dockerManifest)","config":{"mediaType":"\#(MediaType.dockerConfig)","digest":"\#(config)","size":2},"layers":[{"mediaType":"\#(MediaType.dockerLayerGzip)","digest":"\#(layer)","size":100}]}"#
        let foreign =
            #"{"schemaVersion":2,"config":{"mediaType":"\#(MediaType.dockerConfig)","digest":"\#(config)","size":2},"layers":[{"mediaType":"\#(MediaType.dockerForeignLayer)","digest":"\#(Content.digest([9]))","size":1,"urls":["http://localhost/x"]}]}"#
        let artifact =
            #"{"mediaType":"\#(MediaType.ociArtifact)","artifactType":"a/b","blobs":[{"mediaType":"a/b","digest":"\#(layer)","size":100}]}"#
        for (manifest, type) in [
            (Content.image("layers", layers: [Content.bytes(100), Content.bytes(100)]), MediaType.ociManifest),
            (Content.image("none"), MediaType.ociManifest),
            (Array(docker.utf8), MediaType.dockerManifest), (Array(foreign.utf8), MediaType.dockerManifest),
            (Array(artifact.utf8), MediaType.ociArtifact), (Content.index([]), MediaType.ociIndex),
            (Content.index([image], indexes: [inner]), MediaType.ociIndex),
            (Content.index([image], type: MediaType.dockerManifestList), MediaType.dockerManifestList),
        ] {
            let answer = try await put(client, "\(repository)/manifests/t", manifest, type + "; charset=utf-8")
            #expect(answer.status == 201, "\(type) \(answer.text)")
            #expect(answer["Docker-Content-Digest"] == Content.digest(manifest))
            let got = try await client.get("/v2/\(repository)/manifests/t", ["Accept: \(type)"])
            #expect(got.body == manifest)
            #expect(got["Content-Type"] == type)
        }
    }

    @Test("Docker schema 1 and other types are refused as MANIFEST_INVALID")
    func refused() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let schema1 = Array(
            #"{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[{"blobSum":"\#(Content.digest(Content.config))"}],"history":[{"v1Compatibility":"{}"}]}"#
                .utf8)
        for (manifest, type) in [
            (schema1, MediaType.dockerSchema1), (schema1, MediaType.dockerSchema1Signed), (schema1, "application/json"),
            (Content.image(), MediaType.ociIndex), (Content.image(), "application/json"),
            (Content.index([]), MediaType.ociManifest),
            (Array("{}".utf8), MediaType.ociManifest), ([], MediaType.ociManifest),
            (Array("not JSON".utf8), MediaType.ociManifest),
            ([0xff, 0xfe, 0x7b, 0x00], MediaType.ociManifest),
            (Array(String(repeating: "[", count: 1_000_000).utf8), MediaType.ociIndex),
        ] {
            try expect(await put(client, "\(repository)/manifests/t", manifest, type), 400, ErrorCode.manifestInvalid)
        }
        try expect(
            await client.send("PUT", "/v2/\(repository)/manifests/t", body: Array(#"{"schemaVersion":2}"#.utf8)), 400,
            ErrorCode.manifestInvalid)
        #expect(try await client.head("/v2/\(repository)/manifests/t").status == 404)
    }

    @Test("a manifest that names what is not there is refused, and each is named")
    func missing() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let contents = (1...3).map { [UInt8($0)] }
        let missing = contents.map { Content.digest($0) }
        for (manifest, type) in [
            (Content.image(layers: contents + contents), MediaType.ociManifest),
            (Content.index(contents), MediaType.ociIndex),
        ] {
            let answer = try await put(client, "\(repository)/manifests/t", manifest, type)
            let errors = try APIError.parse(answer)
            #expect((400...404).contains(answer.status))
            #expect(errors.allSatisfy { $0.code == ErrorCode.manifestBlobUnknown })
            #expect(errors.compactMap { $0.detail["digest"] } == missing)
            #expect(zip(errors, missing).allSatisfy { $0.message.contains($1) })
        }
        try expect(await client.get("/v2/\(repository)/manifests/t"), 404, ErrorCode.manifestUnknown)
    }

    @Test("a size or type that is not that of what the repository has is refused, with its place")
    func disagreements() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.pushImage(repository)
        let image = Content.image()
        let long = Content.descriptor(image, MediaType.ociManifest).replacing("size\":\(image.count)", with: "size\":7")
        for (child, place) in [
            (long, "manifests[0].size"), (Content.descriptor(image, MediaType.ociIndex), "manifests[0].mediaType"),
        ] {
            let index = Array(
                #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(child)]}"#.utf8)
            let answer = try await put(client, "\(repository)/manifests/i", index, MediaType.ociIndex)
            try expect(answer, 400, ErrorCode.manifestInvalid)
            #expect(try APIError.parse(answer).first?.message.hasPrefix(place) == true)
        }
        let config = String(decoding: image, as: UTF8.self).replacing(#""size":2"#, with: #""size":3"#)
        let answer = try await put(client, "\(repository)/manifests/c", Array(config.utf8))
        try expect(answer, 400, ErrorCode.manifestInvalid)
        #expect(try APIError.parse(answer).first?.message.hasPrefix("config.size") == true)
    }

    @Test("sparse indexes are taken where the operator allows them")
    func sparse() async throws {
        var limits = Registry.Limits()
        limits.sparseIndexes = true
        try await TestServer.with(limits: limits) { server in
            let client = server.client()
            let answer = try await put(
                client, "a/manifests/t", Content.index([[1]]), MediaType.ociIndex)
            #expect(answer.status == 201)
            try expect(await put(client, "a/manifests/t", Content.image()), 404, ErrorCode.manifestBlobUnknown)
            #expect(try await client.get("/v2/a/manifests/t").status == 200)
        }
    }

    @Test("a push by another digest than the content's is 400 DIGEST_INVALID", arguments: ["sha256", "sha512"])
    func wrongDigest(algorithm: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let wrong = Content.digest([1], algorithm)
        try expect(await put(client, "\(repository)/manifests/\(wrong)", Content.image()), 400, ErrorCode.digestInvalid)
        try expect(await put(client, "\(repository)/manifests/sha256:x", Content.image()), 400, ErrorCode.digestInvalid)
        #expect(try await client.head("/v2/\(repository)/manifests/\(wrong)").status == 404)
    }

    @Test(
        "a tag that is none is 400 on a push and 404 on a pull",
        arguments: [
            ".a", "-a", "a%20b", "ä".addingPercents, "a+b", "%00", "%", "a%zz", String(repeating: "x", count: 129),
        ])
    func badTag(tag: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let answer = try await put(client, "\(repository)/manifests/\(tag)", Content.image())
        #expect(answer.status == 400)
        for method in ["GET", "HEAD", "DELETE"] {
            #expect(try await client.send(method, "/v2/\(repository)/manifests/\(tag)").status == 404)
        }
    }

    @Test(
        "a repository name that is none is 400 NAME_INVALID",
        arguments: [
            "A", "a/B", "-a", "a-", "a//b", "a..b", "..", "../a", "a/../b", "a%2Fb", "a%2fb", "%2e%2e", "a%00", "a:b",
            "a~b", "a___b", "_a",
            String(repeating: "a", count: 256), String(repeating: "a/", count: 128) + "a",
        ])
    func badName(name: String) async throws {
        let client = try await TestServer.shared().client()
        let digest = Content.digest(Content.config)
        for (method, path) in [
            ("GET", "manifests/t"), ("PUT", "manifests/t"), ("DELETE", "manifests/t"), ("GET", "blobs/\(digest)"),
            ("DELETE", "blobs/\(digest)"),
            ("POST", "blobs/uploads/"), ("PATCH", "blobs/uploads/x"), ("GET", "tags/list"),
            ("GET", "referrers/\(digest)"),
        ] {
            try expect(
                await client.send(method, "/v2/\(name)/\(path)"), 400, ErrorCode.nameInvalid, "\(method) \(path)")
        }
        #expect(try await client.head("/v2/\(name)/manifests/t").status == 400)
    }

    @Test(
        "names that look like parts of the API work",
        arguments: ["v2", "manifests", "blobs", "blobs/uploads", "tags/list", "a/manifests/b", "referrers", "healthz"])
    func oddNames(name: String) async throws {
        let client = try await TestServer.shared().client()
        let repository = TestServer.repository() + "/" + name
        let manifest = try await client.pushImage(repository, "list")
        #expect(try await client.get("/v2/\(repository)/manifests/list")["Docker-Content-Digest"] == manifest)
        #expect(try await client.get("/v2/\(repository)/tags/list").texts("tags") == ["list"])
        let location = try await client.begin(repository)
        #expect(try await client.get(location).status == 204)
        #expect(try await client.get("/v2/\(repository)/blobs/\(Content.digest(Content.config))").status == 200)
    }

    @Test("4 MiB is taken, a byte more is 413, told or not, and the connection is drained")
    func size() async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let limit = 4 << 20
        let manifest = Content.image(padding: limit - Content.image().count)
        #expect(manifest.count == limit)
        #expect(try await put(client, "\(repository)/manifests/t", manifest).status == 201)
        #expect(try await client.get("/v2/\(repository)/manifests/t").body == manifest)
        let wire = try server.wire()
        let large = manifest + [0x20]
        try await wire.send(
            "PUT /v2/\(repository)/manifests/u HTTP/1.1\r\nHost: a\r\nContent-Length: \(large.count)\r\n\r\n")
        #expect(try await wire.send(large))
        try expect(await wire.answer(to: "PUT"), 413, ErrorCode.sizeInvalid)
        try await wire.send(
            "PUT /v2/\(repository)/manifests/u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(
            try await wire.send(
                Array("\(String(large.count, radix: 16))\r\n".utf8) + large + Array("\r\n0\r\n\r\n".utf8)))
        try expect(await wire.answer(to: "PUT"), 413, ErrorCode.sizeInvalid)
        try await wire.send("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try await wire.answer().status == 200, "the body was read to its end")
        #expect(try await client.head("/v2/\(repository)/manifests/u").status == 404)
    }

    @Test("several tags go with one push, and each is told")
    func tags() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let manifest = Content.image("tags")
        let digest = Content.digest(manifest)
        let tags = (0..<25).map { "t\($0)" }
        let query = (tags + ["t0"]).map { "tag=\($0)" }.joined(separator: "&")
        let answer = try await put(client, "\(repository)/manifests/\(digest)?\(query)", manifest)
        #expect(answer.status == 201)
        let told = answer.all("OCI-Tag").flatMap { $0.split(separator: ",").map { $0.trimmingPrefix(" ").description } }
        #expect(told == tags)
        #expect(try await client.get("/v2/\(repository)/tags/list").texts("tags") == tags.sorted())
        let many = (0..<101).map { "tag=t\($0)" }.joined(separator: "&")
        #expect(try await put(client, "\(repository)/manifests/\(digest)?\(many)", manifest).status == 414)
        #expect(try await put(client, "\(repository)/manifests/\(digest)?tag=.bad", manifest).status == 400)
        #expect(try await put(client, "\(repository)/manifests/\(digest)", manifest).all("OCI-Tag").isEmpty)
    }

    @Test(
        "no name of a tag is special",
        arguments: [
            "latest", "_", "list", "uploads", "sha256", "sha256-\(String(repeating: "a", count: 64))",
            String(repeating: "a", count: 64), "v2", "_catalog",
        ])
    func tagNames(tag: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.pushImage(repository, tag)
        #expect(try await client.get("/v2/\(repository)/manifests/\(tag)")["Docker-Content-Digest"] == digest)
        #expect(try await client.delete("/v2/\(repository)/manifests/\(tag)").status == 202)
        #expect(try await client.head("/v2/\(repository)/manifests/\(tag)").status == 404)
        #expect(try await client.head("/v2/\(repository)/manifests/\(digest)").status == 200)
    }

    @Test("deleting a manifest takes its tags and its referrer entry; deleting again is 404")
    func delete() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let subject = try await client.pushImage(repository, "subject")
        let digest = try await client.pushImage(repository, "t", mark: "x", subject: subject)
        try await client.put(Content.image("x", subject: subject), repository, "u")
        #expect(try await client.get("/v2/\(repository)/referrers/\(subject)").manifests().count == 1)
        #expect(try await client.delete("/v2/\(repository)/manifests/\(digest)").status == 202)
        for reference in ["t", "u", digest] {
            try expect(await client.get("/v2/\(repository)/manifests/\(reference)"), 404, ErrorCode.manifestUnknown)
            try expect(await client.delete("/v2/\(repository)/manifests/\(reference)"), 404, ErrorCode.manifestUnknown)
        }
        #expect(try await client.get("/v2/\(repository)/referrers/\(subject)").manifests().isEmpty)
        #expect(try await client.get("/v2/\(repository)/tags/list").texts("tags") == ["subject"])
        try expect(await client.delete("/v2/\(repository)/none/manifests/t"), 404, ErrorCode.nameUnknown)
    }

    @Test("a blob that a manifest names stays, and the answer names the manifest; behind that it goes")
    func blobsInUse() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.pushImage(repository, "latest")
        let blob = Content.digest(Content.config)
        let answer = try await client.delete("/v2/\(repository)/blobs/\(blob)")
        try expect(answer, 405, ErrorCode.unsupported)
        let error = try #require(try APIError.parse(answer).first)
        #expect(error.message.contains(digest) && error.detail["manifest"] == digest)
        #expect(answer["Allow"] == "GET, HEAD", "what is possible as long as it is in use")
        #expect(try await client.get("/v2/\(repository)/blobs/\(blob)").status == 200)
        #expect(try await client.get("/v2/\(repository)/manifests/latest").status == 200)
        try expect(await client.delete("/v2/\(repository)/none/blobs/\(blob)"), 404, ErrorCode.blobUnknown)
        #expect(try await client.delete("/v2/\(repository)/manifests/\(digest)").status == 202)
        #expect(try await client.delete("/v2/\(repository)/blobs/\(blob)").status == 202)
        try expect(await client.delete("/v2/\(repository)/blobs/\(blob)"), 404, ErrorCode.blobUnknown)
    }

    @Test("an operator may have blobs deleted that a manifest names")
    func blobsInUseAllowed() async throws {
        var limits = Registry.Limits()
        limits.deletesInUse = true
        try await TestServer.with(limits: limits) { server in
            let client = server.client()
            try await client.pushImage("a", "latest")
            #expect(try await client.delete("/v2/a/blobs/\(Content.digest(Content.config))").status == 202)
        }
    }

    @Test("where deletes are switched off, each is 405 with what is left, and nothing goes")
    func deletesOff() async throws {
        var limits = Registry.Limits()
        limits.deletes = false
        try await TestServer.with(limits: limits) { server in
            let client = server.client()
            let digest = try await client.pushImage("a", "latest")
            let blob = Content.digest(Content.config)
            for target in [
                "/v2/a/manifests/latest", "/v2/a/manifests/\(digest)", "/v2/a/manifests/none", "/v2/a/blobs/\(blob)",
            ] {
                let answer = try await client.delete(target)
                try expect(answer, 405, ErrorCode.unsupported)
                let allowed = answer["Allow"]?.split(separator: ",").map { $0.trimmingPrefix(" ") } ?? []
                #expect(allowed.contains("GET") && allowed.contains("HEAD") && !allowed.contains("DELETE"))
            }
            #expect(try await client.get("/v2/a/manifests/latest").status == 200)
            #expect(try await client.get("/v2/a/blobs/\(blob)").status == 200)
            let location = try await client.begin("a")
            #expect(try await client.delete(location).status == 204, "an upload can be cancelled all the same")
        }
    }
}

@Suite("Conditional pushes", .takesTurns)
struct ConditionalPushTests {
    private func put(_ client: Client, _ target: String, _ mark: String, _ headers: [String]) async throws -> Answer {
        try await client.send(
            "PUT", "/v2/\(target)", ["Content-Type: \(MediaType.ociManifest)"] + headers, body: Content.image(mark))
    }

    @Test("If-None-Match: * makes a tag and never moves one")
    func create() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let target = "\(repository)/manifests/t"
        #expect(try await put(client, target, "1", ["If-None-Match: *"]).status == 201)
        for mark in ["1", "2"] {
            let answer = try await put(client, target, mark, ["If-None-Match: *"])
            #expect(answer.status == 412)
        }
        #expect(try await client.get("/v2/\(target)")["Docker-Content-Digest"] == Content.digest(Content.image("1")))
    }

    @Test("If-Match moves a tag only from where the client saw it")
    func move() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let target = "\(repository)/manifests/t"
        #expect(try await put(client, target, "1", ["If-Match: *"]).status == 412)
        let etag = try #require(try await put(client, target, "1", [])["ETag"])
        #expect(try await put(client, target, "2", ["If-Match: \"sha256:other\""]).status == 412)
        #expect(try await put(client, target, "2", ["If-Match: \"other\", \(etag)"]).status == 201)
        #expect(try await put(client, target, "3", ["If-Match: \(etag)"]).status == 412)
        #expect(try await put(client, target, "3", ["If-Match: *"]).status == 201)
        #expect(try await client.get("/v2/\(target)")["ETag"] == "\"\(Content.digest(Content.image("3")))\"")
    }

    @Test("a delete with conditions removes only what the client saw (RFC 9110 section 13.1)")
    func conditionalDelete() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.pushImage(repository, "t")
        let blob = Content.digest(Content.config)
        for target in ["manifests/t", "manifests/\(digest)", "blobs/\(blob)"] {
            let current = target.hasPrefix("blobs") ? blob : digest
            let path = "/v2/\(repository)/\(target)"
            for condition in ["If-Match: \"sha256:other\"", "If-None-Match: *", "If-None-Match: \"\(current)\""] {
                #expect(try await client.send("DELETE", path, [condition]).status == 412, "\(target) \(condition)")
                #expect(try await client.get(path).status == 200)
            }
            #expect(try await client.send("DELETE", path, ["If-Match: \"\(current)\""]).status == 202)
            #expect(try await client.send("DELETE", path, ["If-Match: *"]).status == 404, "\(target)")
        }
    }

    @Test("of two writers with the same If-Match one wins, in every round", arguments: ["If-Match", "If-None-Match"])
    func race(header: String) async throws {
        let server = try await TestServer.shared()
        let repository = TestServer.repository()
        try await server.client().push(Content.config, to: repository)
        for round in 0..<20 {
            let target = "\(repository)/manifests/t\(header == "If-Match" ? "" : "\(round)")"
            var condition = "If-None-Match: *"
            if header == "If-Match" {
                let etag = try #require(try await put(server.client(), target, "base \(round)", [])["ETag"])
                condition = "If-Match: \(etag)"
            }
            let statuses = try await withThrowingTaskGroup(of: (Int, Int).self) { [condition] group in
                for writer in 0..<4 {
                    group.addTask {
                        let answer = try await put(server.client(), target, "\(round) \(writer)", [condition])
                        return (writer, answer.status)
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(statuses.values.sorted() == [201, 412, 412, 412])
            let winner = try #require(statuses.first { $0.value == 201 }?.key)
            let digest = Content.digest(Content.image("\(round) \(winner)"))
            #expect(try await server.client().get("/v2/\(target)")["Docker-Content-Digest"] == digest)
        }
    }

    @Test("no update is lost: writers that retry on 412 all get theirs in")
    func noLostUpdate() async throws {
        let server = try await TestServer.shared()
        let repository = TestServer.repository()
        try await server.client().pushImage(repository)
        try await server.client().put(
            Content.index([], more: #","annotations":{"n":""}"#), repository, "t", type: MediaType.ociIndex)
        try await withThrowingTaskGroup { group in
            for writer in 0..<6 {
                group.addTask {
                    let client = server.client()
                    while true {
                        let current = try await client.get("/v2/\(repository)/manifests/t")
                        let annotations = try current.object()["annotations"] as? [String: String] ?? [:]
                        let etag = try #require(current["ETag"])
                        let all = (annotations["n"] ?? "") + "\(writer)"
                        let next = Content.index([Content.image()], more: #","annotations":{"n":"\#(all)"}"#)
                        let answer = try await client.send(
                            "PUT", "/v2/\(repository)/manifests/t",
                            ["Content-Type: \(MediaType.ociIndex)", "If-Match: \(etag)"], body: next)
                        if answer.status == 201 { return }
                        #expect(answer.status == 412)
                    }
                }
            }
            try await group.waitForAll()
        }
        let annotations =
            try await server.client().get("/v2/\(repository)/manifests/t").object()["annotations"] as? [String: String]
        #expect(annotations?["n"]?.sorted() == Array("012345"))
    }
}

extension String {
    /// Every byte as `%xx`.
    var addingPercents: String { utf8.map { "%" + String($0, radix: 16) }.joined() }
}
