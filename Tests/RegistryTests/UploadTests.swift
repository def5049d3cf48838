import MemoryDriver
import Service
import Testing
import Vocabulary

@Suite("Uploads", .takesTurns)
struct UploadTests {
    @Test("POST then PUT", arguments: ["sha256", "sha512"])
    func monolithic(algorithm: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let content = Content.bytes(100_000)
        let digest = Content.digest(content, algorithm)
        let post = try await client.send("POST", "/v2/\(repository)/blobs/uploads/")
        #expect(post.status == 202)
        #expect(post["Range"] == "0-0")
        let location = try #require(post["Location"])
        #expect(location.hasPrefix("/v2/\(repository)/blobs/uploads/"))
        #expect(location.contains(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/))
        #expect(post["Docker-Upload-UUID"].map(location.hasSuffix) == true)
        let put = try await client.send("PUT", "\(location)?digest=\(digest)", body: content)
        #expect(put.status == 201)
        #expect(put["Docker-Content-Digest"] == digest)
        #expect(put["Location"] == "/v2/\(repository)/blobs/\(digest)")
        #expect(try await client.get("/v2/\(repository)/blobs/\(digest)").body == content)
        try expect(await client.get(location), 404, ErrorCode.blobUploadUnknown)
        try expect(
            await client.send("PUT", "\(location)?digest=\(digest)", body: content), 404, ErrorCode.blobUploadUnknown)
    }

    @Test("one POST with a digest", arguments: ["sha256", "sha512"])
    func single(algorithm: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = Content.digest(Content.bytes(10), algorithm)
        let answer = try await client.send(
            "POST", "/v2/\(repository)/blobs/uploads?digest=\(digest)", body: Content.bytes(10))
        #expect(answer.status == 201)
        #expect(answer["Location"] == "/v2/\(repository)/blobs/\(digest)")
        #expect(answer["Docker-Content-Digest"] == digest)
        try expect(
            await client.send("POST", "/v2/\(repository)/blobs/uploads/?digest=\(digest)", body: Content.bytes(11)),
            400,
            ErrorCode.digestInvalid)
        try expect(
            await client.send("POST", "/v2/\(repository)/blobs/uploads/?digest=nonsense", body: Content.bytes(11)), 400,
            ErrorCode.digestInvalid)
    }

    @Test(
        "chunks with Content-Range, the last one in PATCH or in PUT; the algorithm told or not",
        arguments: ["sha256", "sha512"], [true, false])
    func chunked(algorithm: String, lastInPut: Bool) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let content = Content.bytes(300_001)
        let digest = Content.digest(content, algorithm)
        for query in ["", "?digest-algorithm=\(algorithm)"] {
            var location = try await client.begin(repository, query)
            let cuts = [0, 1, 100_000, 300_000]
            for (first, end) in zip(cuts, cuts.dropFirst()) {
                let answer = try await client.send(
                    "PATCH", location,
                    ["Content-Range: \(first)-\(end - 1)", "Content-Type: application/octet-stream"],
                    body: Array(content[first..<end]))
                #expect(answer.status == 202)
                #expect(answer["Range"] == "0-\(end - 1)")
                location = try #require(answer["Location"])
                let status = try await client.get(location)
                #expect(status.status == 204)
                #expect(status["Range"] == "0-\(end - 1)")
                #expect(status["Location"] != nil)
            }
            let last = Array(content[300_000...])
            if !lastInPut { _ = try await client.send("PATCH", location, ["Content-Range: 300000-300000"], body: last) }
            let put = try await client.send(
                "PUT", "\(location)?digest=\(digest)", lastInPut ? ["Content-Range: 300000-300000"] : [],
                body: lastInPut ? last : nil)
            #expect(put.status == 201)
            #expect(put["Docker-Content-Digest"] == digest)
            #expect(try await client.get("/v2/\(repository)/blobs/\(digest)").body == content)
            #expect(try await client.delete("/v2/\(repository)/blobs/\(digest)").status == 202)
        }
    }

    @Test("a streamed PATCH, in chunked transfer coding and without Content-Range")
    func streamed() async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        let content = Content.bytes(200_000)
        let location = try await client.begin(repository)
        let wire = try server.wire()
        try await wire.send("PATCH \(location) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in stride(from: 0, to: content.count, by: 7000) {
            let piece = content[start..<min(start + 7000, content.count)]
            try await wire.send(Array("\(String(piece.count, radix: 16));ext=1\r\n".utf8) + piece + Array("\r\n".utf8))
        }
        try await wire.send("0\r\nTrailer: x\r\n\r\n")
        let answer = try await wire.answer(to: "PATCH")
        #expect(answer.status == 202)
        #expect(answer["Range"] == "0-199999")
        let digest = Content.digest(content)
        #expect(try await client.send("PUT", "\(location)?digest=\(digest)").status == 201)
        #expect(try await client.get("/v2/\(repository)/blobs/\(digest)").body == content)
    }

    @Test("a chunk out of order is 416, tells where to go on, and the session lives")
    func outOfOrder() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let content = Content.bytes(1000)
        let location = try await client.begin(repository)
        _ = try await client.send("PATCH", location, ["Content-Range: 0-99"], body: Array(content[..<100]))
        for (method, query, range) in [
            ("PATCH", "", "0-99"), ("PATCH", "", "99-198"), ("PATCH", "", "101-200"),
            ("PUT", "?digest=\(Content.digest(content))", "200-299"),
            ("PATCH", "", "9223372036854775000-9223372036854775099"),
        ] {
            let answer = try await client.send(
                method, location + query, ["Content-Range: \(range)"], body: Content.bytes(100, seed: 9))
            #expect(answer.status == 416, "\(method) \(range)")
            #expect(answer["Range"] == "0-99")
            #expect(answer["Location"] == location)
        }
        #expect(try await client.get(location)["Range"] == "0-99")
        _ = try await client.send("PATCH", location, ["Content-Range: 100-999"], body: Array(content[100...]))
        #expect(try await client.send("PUT", "\(location)?digest=\(Content.digest(content))").status == 201)
    }

    @Test("a length that differs from Content-Range is 400 SIZE_INVALID, a malformed range 400, and the session lives")
    func wrongLength() async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        let location = try await client.begin(repository)
        for range in ["0-98", "0-100"] {
            try expect(
                await client.send("PATCH", location, ["Content-Range: \(range)"], body: Content.bytes(100)), 400,
                ErrorCode.sizeInvalid)
        }
        for range in ["abc", "9-0", "-", "0-", "0-99999999999999999999"] {
            try expect(
                await client.send("PATCH", location, ["Content-Range: \(range)"], body: Content.bytes(100)), 400,
                ErrorCode.blobUploadInvalid)
        }
        let wire = try server.wire()
        try await wire.send(
            "PATCH \(location) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Range: 0-9\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        )
        try expect(await wire.answer(to: "PATCH"), 400, ErrorCode.sizeInvalid)
        #expect(try await client.get(location)["Range"] == "0-0")
        #expect(
            try await client.send("PATCH", location, ["Content-Range: 0-99"], body: Content.bytes(100)).status == 202)
        #expect(try await client.send("PUT", "\(location)?digest=\(Content.digest(Content.bytes(100)))").status == 201)
    }

    @Test(
        "a PUT with a wrong digest is 400 DIGEST_INVALID and nothing becomes visible", arguments: ["sha256", "sha512"])
    func wrongDigest(algorithm: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let (good, wrong) = (Content.bytes(1000), Content.digest(Content.bytes(1001), algorithm))
        for inPut in [true, false] {
            let location = try await client.begin(repository)
            if !inPut { _ = try await client.send("PATCH", location, body: good) }
            let put = try await client.send("PUT", "\(location)?digest=\(wrong)", body: inPut ? good : nil)
            try expect(put, 400, ErrorCode.digestInvalid)
            #expect(try await client.head("/v2/\(repository)/blobs/\(wrong)").status == 404)
            #expect(try await client.head("/v2/\(repository)/blobs/\(Content.digest(good, algorithm))").status == 404)
        }
    }

    @Test(
        "a PUT without digest, or with one that is none, is 400 and the session lives",
        arguments: ["", "?digest=", "?digest=x", "?digest=md5:00", "?digest=sha256:00"])
    func noDigest(query: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let location = try await client.begin(repository)
        try expect(await client.send("PUT", location + query, body: Content.bytes(100)), 400, ErrorCode.digestInvalid)
        #expect(try await client.get(location).status == 204)
    }

    @Test("an algorithm that is not computed is 400", arguments: ["md5", "sha384", "", "SHA256"])
    func badAlgorithm(name: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try expect(
            await client.send("POST", "/v2/\(repository)/blobs/uploads/?digest-algorithm=\(name)"), 400,
            ErrorCode.digestInvalid)
    }

    @Test("a cancelled upload is gone")
    func cancel() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let location = try await client.begin(repository)
        _ = try await client.send("PATCH", location, body: Content.bytes(100))
        let answer = try await client.delete(location)
        #expect(answer.status == 204)
        #expect(answer["Content-Length"] == nil)
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let query = method == "PUT" ? "?digest=\(Content.digest([]))" : ""
            try expect(await client.send(method, location + query), 404, ErrorCode.blobUploadUnknown, "\(method)")
        }
    }

    @Test("an upload belongs to its repository (CVE-2026-32589)")
    func otherRepository() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let location = try await client.begin(repository)
        _ = try await client.send("PATCH", location, body: Content.bytes(100))
        let other = location.replacing(repository, with: repository + "/other")
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let query = method == "PUT" ? "?digest=\(Content.digest(Content.bytes(100)))" : ""
            try expect(await client.send(method, other + query), 404, ErrorCode.blobUploadUnknown, "\(method)")
        }
        #expect(try await client.get(location)["Range"] == "0-99")
    }

    @Test(
        "an unknown upload is 404 BLOB_UPLOAD_UNKNOWN",
        arguments: [
            "x", "..", "%2e%2e", "%00", "'; DROP TABLE blobs;--".replacing(" ", with: "%20"),
            String(repeating: "a", count: 1000),
        ])
    func unknown(id: String) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try expect(await client.get("/v2/\(repository)/blobs/uploads/\(id)"), 404, ErrorCode.blobUploadUnknown)
        try expect(
            await client.send("PATCH", "/v2/\(repository)/blobs/uploads/\(id)", body: [1]), 404,
            ErrorCode.blobUploadUnknown)
    }

    @Test(
        "what arrived before a cut in mid-PATCH stays, is told, and is gone on from",
        arguments: ["close", "half-close", "reset"])
    func resume(how: String) async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        let content = Content.bytes(2_000_000)
        let location = try await client.begin(repository)
        var wire: Wire? = try server.wire()
        try await wire?.send(
            "PATCH \(location) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(content.count)\r\n\r\n")
        #expect(try await wire?.answer(to: "PATCH").status == 100)
        try await wire?.send(Array(content[..<1_000_000]))
        switch how {
        case "half-close":
            wire?.finishSending()
            let answer = try await wire?.answer(to: "PATCH")
            #expect(answer.map { (400..<500).contains($0.status) } == true)
        // A reset throws away what the peer has not read.
        case "reset": wire?.reset()
        default: break
        }
        wire = nil
        var received = 0
        try await eventually("the cut upload is told") {
            guard let range = try await client.get(location)["Range"], let last = Int(range.dropFirst(2)) else {
                return false
            }
            received = last == 0 ? 0 : last + 1
            return how == "reset" || received > 0
        }
        if how != "reset" { #expect(received == 1_000_000) }
        // After a reset nobody knows when the last of it was taken in: 416 tells where to go on.
        try await eventually("the upload goes on") {
            let answer = try await client.send(
                "PATCH", location, ["Content-Range: \(received)-\(content.count - 1)"],
                body: Array(content[received...]))
            if answer.status == 202 { return true }
            #expect(answer.status == 416 && how == "reset")
            received = (answer["Range"].flatMap { Int($0.dropFirst(2)) } ?? 0) + 1
            return false
        }
        #expect(try await client.send("PUT", "\(location)?digest=\(Content.digest(content))").status == 201)
        #expect(try await client.get("/v2/\(repository)/blobs/\(Content.digest(content))").body == content)
    }

    @Test("a cut PUT makes nothing visible and leaves what was there before it")
    func cutPut() async throws {
        let server = try await TestServer.shared()
        let (client, repository) = (server.client(), TestServer.repository())
        let content = Content.bytes(1_000_000)
        let digest = Content.digest(content)
        let location = try await client.begin(repository)
        _ = try await client.send("PATCH", location, body: Array(content[..<500_000]))
        var wire: Wire? = try server.wire()
        try await wire?.send("PUT \(location)?digest=\(digest) HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n")
        try await wire?.send(Array(content[500_000..<900_000]))
        wire?.finishSending()
        _ = try await wire?.rest()
        wire = nil
        #expect(try await client.head("/v2/\(repository)/blobs/\(digest)").status == 404)
        #expect(try await client.get(location)["Range"] == "0-499999")
        let put = try await client.send("PUT", "\(location)?digest=\(digest)", body: Array(content[500_000...]))
        #expect(put.status == 201)
    }

    @Test("two requests on one upload take turns")
    func turns() async throws {
        let server = try await TestServer.shared()
        let repository = TestServer.repository()
        let location = try await server.client().begin(repository)
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let answer = try await server.client().send("PATCH", location, body: Content.bytes(10_000))
                    #expect(answer.status == 202)
                }
            }
            try await group.waitForAll()
        }
        let content = Array(repeatElement(Content.bytes(10_000), count: 8).joined())
        let put = try await server.client().send("PUT", "\(location)?digest=\(Content.digest(content))")
        #expect(put.status == 201)
    }

    @Test("64 clients pushing the same digest at once all succeed, and one object is kept")
    func sameDigest() async throws {
        let server = try await TestServer.shared()
        let repository = TestServer.repository()
        let content = Content.bytes(200_000, seed: 64)
        let digest = Content.digest(content)
        try await withThrowingTaskGroup { group in
            for index in 0..<64 {
                group.addTask {
                    let client = server.client()
                    let target = "\(repository)/\(index % 4)"
                    let location = try await client.begin(target)
                    #expect(try await client.send("PATCH", location, body: content).status == 202)
                    #expect(try await client.send("PUT", "\(location)?digest=\(digest)").status == 201)
                    #expect(try await client.get("/v2/\(target)/blobs/\(digest)").body == content)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a blob past the limit is 413 SIZE_INVALID, told or not, and the session lives")
    func limit() async throws {
        var limits = Registry.Limits()
        limits.blob = 1000
        try await TestServer.with(limits: limits) { server in
            let client = server.client()
            #expect(try await client.push(Content.bytes(1000), to: "a").isEmpty == false)
            let location = try await client.begin("a")
            try expect(await client.send("PATCH", location, body: Content.bytes(1001)), 413, ErrorCode.sizeInvalid)
            let wire = try server.wire()
            try await wire.send("PATCH \(location) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<3 { try await wire.send(Array("190\r\n".utf8) + Content.bytes(400) + Array("\r\n".utf8)) }
            try await wire.send("0\r\n\r\n")
            try expect(await wire.answer(to: "PATCH"), 413, ErrorCode.sizeInvalid)
            #expect(try await client.get(location)["Range"] == "0-0")
            #expect(try await client.send("PATCH", location, body: Content.bytes(600)).status == 202)
            try expect(await client.send("PATCH", location, body: Content.bytes(401)), 413, ErrorCode.sizeInvalid)
            #expect(try await client.get(location)["Range"] == "0-599")
        }
    }

    @Test("idle uploads expire, one that is being written to does not")
    func expiry() async throws {
        let time = TestClocks()
        try await TestServer.with(clocks: time.clocks) { server in
            let sweeper = Task { [registry = server.registry] in await registry.sweep(every: .milliseconds(50)) }
            defer { sweeper.cancel() }
            let client = server.client()
            let (idle, busy) = (try await client.begin("a"), try await client.begin("a"))
            let wire = try server.wire()
            let content = Content.bytes(40_000)
            try await wire.send(
                "PATCH \(busy) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(content.count)\r\n\r\n")
            #expect(try await wire.answer(to: "PATCH").status == 100)
            try await wire.send(Array(content[..<100]))
            time.pass(server.registry.limits.uploadIdle + .seconds(1))
            // Asking about an upload is no traffic.
            try await eventually("the idle upload expires") { try await client.get(idle).status == 404 }
            try await wire.send(Array(content[100...]))
            #expect(try await wire.answer(to: "PATCH").status == 202)
        }
    }

    @Test("a store that takes no small chunks says so when an upload begins, others say nothing")
    func smallestChunk() async throws {
        for (smallest, told) in [(Int64(1), String?.none), (5 << 20, "5242880")] {
            try await TestServer.with(blobs: MemoryBlobStore(smallestChunk: smallest)) { server in
                let answer = try await server.client().send("POST", "/v2/a/blobs/uploads/")
                #expect(answer.status == 202)
                #expect(answer["OCI-Chunk-Min-Length"] == told)
            }
        }
    }
}
