import Access
import HTTP
import Synchronization
import Testing
import Vocabulary

@Suite("Answers that are ready", .takesTurns)
struct PreparedAnswerTests {
    private let target = "/v2/a/manifests/t"

    /// Asks until it is answered from what is ready: the first time is read, the second is cached.
    private func warm(_ client: Client, _ target: String) async throws -> Answer {
        _ = try await client.get(target)
        _ = try await client.get(target)
        return try await client.get(target)
    }

    @Test("they are what was answered the first time, for HEAD, conditions and queries too")
    func same() async throws {
        let (client, name) = (try await TestServer.shared().client(), TestServer.repository())
        let digest = try await client.pushImage(name, "t")
        for target in ["/v2/\(name)/manifests/t", "/v2/\(name)/manifests/\(digest)"] {
            let cold = try await client.get(target)
            let ready = try await warm(client, target)
            #expect(ready.body == cold.body)
            for field in ["Content-Type", "Docker-Content-Digest", "ETag", "Vary", "Content-Length"] {
                #expect(ready[field] == cold[field] && ready[field] != nil, "\(field)")
            }
            #expect(ready["X-Request-Id"] != cold["X-Request-Id"])
            let head = try await client.head(target)
            #expect(head["Content-Length"] == "\(cold.body.count)" && head["ETag"] == cold["ETag"])
            #expect(try await client.get(target, ["If-None-Match: \"\(digest)\""]).status == 304)
            #expect(try await client.get(target, ["If-Match: \"sha256:0\""]).status == 412)
            #expect(try await client.get(target + "?x=y").body == cold.body)
        }
    }

    @Test("whether the caller may have one is asked every time")
    func rights() async throws {
        let told = Told()
        let policy = Policy { right, _, _ in right == .pull ? told.verdict : .allowed }
        try await TestServer.with(policy: policy) { server in
            let client = server.client()
            try await client.pushImage("a", "t")
            #expect(try await warm(client, target).status == 200)
            for (verdict, status) in [(Verdict.hidden, 404), (.denied, 403), (.challenge, 401), (.allowed, 200)] {
                told.verdict = verdict
                #expect(try await client.get(target).status == status)
            }
        }
    }

    /// A verdict that a test changes.
    private final class Told: Sendable {
        private let state = Mutex(Verdict.allowed)
        var verdict: Verdict {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    @Test("none outlives its tag, its manifest or what it was made from")
    func changes() async throws {
        try await TestServer.with { server in
            let client = server.client()
            let first = try await client.pushImage("a", "t", mark: "1")
            #expect(try await warm(client, target)["Docker-Content-Digest"] == first)
            let second = try await client.pushImage("a", "t", mark: "2")
            #expect(try await client.get(target)["Docker-Content-Digest"] == second)
            #expect(try await warm(client, target)["Docker-Content-Digest"] == second)
            #expect(try await client.delete("/v2/a/manifests/\(second)").status == 202)
            #expect(try await client.get(target).status == 404)
            #expect(try await client.get(target).status == 404)
        }
    }

    @Test("a tag of an index is answered by what the client takes")
    func negotiated() async throws {
        try await TestServer.with { server in
            let client = server.client()
            try await client.push(Content.config, to: "a")
            let image = Content.image()
            try await client.put(image, "a")
            let platform = #","platform":{"os":"linux","architecture":"amd64"}}"#
            let descriptor = Content.descriptor(image, MediaType.ociManifest).dropLast() + platform
            let index = Array(
                #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(descriptor)]}"#.utf8)
            try await client.put(index, "a", "t", type: MediaType.ociIndex)
            for _ in 0..<3 {
                #expect(try await client.get(target).body == index)
                #expect(try await client.get(target, ["Accept: \(MediaType.ociManifest)"]).body == image)
            }
        }
    }
}
