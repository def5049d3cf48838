import Model
import Runtime
import Service
import Store
import Testing
import Vocabulary

@Suite("Collection", .takesTurns)
struct CollectionTests {
    private static let hour = Duration.seconds(3600)
    private static let day = Duration.seconds(86_400)

    /// A server whose time a test lets pass.
    private struct Stage {
        let server: TestServer
        let time: TestClocks
        let client: Client

        /// Time passes, and a node has its turn, as often as it takes for what is due to go.
        func pass(_ duration: Duration, turns: Int = 1) async {
            for _ in 0..<turns {
                time.pass(duration / turns)
                await server.registry.collector.turn()
                await server.registry.sweepOnce()
            }
        }

        func status(_ target: String) async throws -> Int { try await client.head("/v2/\(target)").status }
    }

    private static func with(
        _ rules: CollectionRules = .init(), blobs: (any BlobStore)? = nil, _ body: (Stage) async throws -> Void
    ) async throws {
        var limits = Registry.Limits()
        limits.collection = rules
        let time = TestClocks()
        try await TestServer.with(limits: limits, blobs: blobs ?? ProbeStore(), clocks: time.clocks) { server in
            try await body(Stage(server: server, time: time, client: server.client()))
        }
    }

    private static func days(_ count: Int64) -> CollectionRules {
        var rules = CollectionRules()
        rules.untagged = .seconds(count * 86_400)
        return rules
    }

    @Test("a blob that was pushed and forgotten goes with its object a day later, and no sooner")
    func forgotten() async throws {
        let store = ProbeStore()
        try await Self.with(blobs: store) { its in
            let blob = "a/blobs/\(try await its.client.push(Content.bytes(100), to: "a"))"
            await its.pass(Self.hour * 23, turns: 23)
            #expect(try await store.keys(after: nil, limit: 9).count == 1)
            await its.pass(Self.hour * 2, turns: 2)
            #expect(try await its.status(blob) == 404)
            #expect(try await store.keys(after: nil, limit: 9).isEmpty)
        }
    }

    @Test("what a manifest names stays, and goes once the manifest has gone")
    func named() async throws {
        try await Self.with { its in
            let layer = Content.bytes(200)
            let blob = "a/blobs/\(try await its.client.push(layer, to: "a"))"
            try await its.client.push(Content.config, to: "a")
            let manifest = try await its.client.put(Content.image(layers: [layer]), "a", "t")
            await its.pass(Self.day * 4, turns: 8)
            #expect(try await its.client.get("/v2/\(blob)").body == layer)
            #expect(try await its.client.delete("/v2/a/manifests/\(manifest)").status == 202)
            #expect(try await its.status(blob) == 200)
            await its.pass(Self.day * 2, turns: 4)
            #expect(try await its.status(blob) == 404)
        }
    }

    @Test("a blob that another repository needs goes from the one that does not, and its object stays")
    func shared() async throws {
        try await Self.with { its in
            try await its.client.pushImage("a", "t")
            let digest = Content.digest(Content.config)
            let mount = try await its.client.send("POST", "/v2/b/blobs/uploads/?mount=\(digest)&from=a")
            #expect(mount.status == 201)
            await its.pass(Self.day * 2, turns: 4)
            #expect(try await its.status("b/blobs/\(digest)") == 404)
            #expect(try await its.client.get("/v2/a/blobs/\(digest)").body == Content.config)
        }
    }

    @Test("who is told that a blob is there has half a grace to name it", arguments: ["HEAD", "mount", "push"])
    func renewed(_ how: String) async throws {
        try await Self.with { its in
            let digest = try await its.client.push(Content.config, to: "a")
            await its.pass(Self.hour * 18, turns: 18)
            switch how {
            case "HEAD": #expect(try await its.status("a/blobs/\(digest)") == 200)
            case "mount":
                try await its.client.push(Content.config, to: "b")
                let mount = try await its.client.send("POST", "/v2/a/blobs/uploads/?mount=\(digest)&from=b")
                #expect(mount.status == 201)
            default: try await its.client.push(Content.config, to: "a")
            }
            await its.pass(Self.hour * 11, turns: 11)
            try await its.client.put(Content.image(), "a", "t")
            await its.pass(Self.day * 3, turns: 6)
            #expect(try await its.status("a/blobs/\(digest)") == 200)
        }
    }

    @Test("what was cached before a blob was marked does not answer for it")
    func cached() async throws {
        try await Self.with { its in
            let blob = "a/blobs/\(try await its.client.push(Content.bytes(100), to: "a"))"
            await its.pass(Self.hour * 11)
            #expect(try await its.status(blob) == 200)
            await its.pass(Self.hour * 2, turns: 2)
            // Marked meanwhile: so this renews it.
            #expect(try await its.status(blob) == 200)
            await its.pass(Self.hour * 11, turns: 11)
            #expect(try await its.status(blob) == 200)
        }
    }

    @Test("untagged manifests stay for ever, unless there are days for them")
    func kept() async throws {
        for days in [Int64?.none, 3] {
            try await Self.with(days.map(Self.days) ?? .init()) { its in
                let old = try await its.client.pushImage("a", "t", mark: "old")
                let new = try await its.client.pushImage("a", "t", mark: "new")
                await its.pass(Self.day * 2, turns: 4)
                #expect(try await its.status("a/manifests/\(old)") == 200)
                await its.pass(Self.day * 6, turns: 12)
                #expect(try await its.status("a/manifests/\(old)") == (days == nil ? 200 : 404))
                #expect(try await its.status("a/manifests/\(new)") == 200)
                #expect(try await its.status("a/blobs/\(Content.digest(Content.config))") == 200)
            }
        }
    }

    @Test("children live as long as their index, referrers as long as their subject, and blobs as long as either")
    func together() async throws {
        try await Self.with(Self.days(2)) { its in
            let image = Content.image("child")
            try await its.client.push(Content.config, to: "a")
            let child = try await its.client.put(image, "a")
            let index = try await its.client.put(Content.index([image]), "a", "t", type: MediaType.ociIndex)
            let referrer = try await its.client.put(Content.image("signature", subject: index), "a")
            let stray = try await its.client.put(
                Content.image("stray", subject: Content.digest(Content.bytes(9))), "a")
            await its.pass(Self.day * 8, turns: 16)
            for digest in [child, index, referrer] { #expect(try await its.status("a/manifests/\(digest)") == 200) }
            #expect(try await its.status("a/manifests/\(stray)") == 404)
            #expect(try await its.client.delete("/v2/a/manifests/t").status == 202)
            await its.pass(Self.day * 8, turns: 16)
            for digest in [child, index, referrer] { #expect(try await its.status("a/manifests/\(digest)") == 404) }
            #expect(try await its.status("a/blobs/\(Content.digest(Content.config))") == 404)
        }
    }

    @Test("what another rule left alone is looked at again under the new one")
    func anotherRule() async throws {
        let (time, database) = (TestClocks(), try await Engine.empty())
        for (rules, status) in [(CollectionRules(), 200), (Self.days(1), 404)] {
            var limits = Registry.Limits()
            limits.collection = rules
            try await TestServer.with(
                limits: limits, clocks: time.clocks, database: database.database, versions: database.versions
            ) { server in
                let its = Stage(server: server, time: time, client: server.client())
                if status == 200 { try await its.client.pushImage("a", nil) }
                await its.pass(Self.day * 6, turns: 12)
                #expect(try await its.status("a/manifests/\(Content.digest(Content.image()))") == status)
            }
        }
    }

    @Test("a repository that was deleted is left alone, and what is unneeded in it goes once it is restored")
    func deleted() async throws {
        let time = TestClocks()
        try await Household.with(clocks: time.clocks) { house in
            let (client, line) = (house.server.client(), house.line("root"))
            func pass(_ days: Int) async {
                for _ in 0..<(2 * days) {
                    time.pass(Self.hour * 12)
                    await house.server.registry.collector.turn()
                    await house.server.registry.sweepOnce()
                }
            }
            func status(_ target: String) async throws -> Int {
                try await client.head("/v2/root/a/\(target)", [line]).status
            }
            #expect(try await house.push("root", "root/a") == 201)
            let blob = "blobs/\(try await Self.forget(client, "root/a", line))"
            try await house.done("root", "DELETE", "/api/v1/repositories/root%2Fa")
            await pass(5)
            try await house.done("root", "POST", "/api/v1/repositories/root%2Fa/restore")
            #expect(try await status(blob) == 200)
            #expect(try await status("manifests/t") == 200)
            await pass(2)
            #expect(try await status(blob) == 404)
            #expect(try await status("manifests/t") == 200)
        }
    }

    /// Pushes a blob that nothing will name; gives its digest.
    private static func forget(
        _ client: Client, _ repository: String, _ line: String, seed: Int = 1
    ) async throws -> String {
        let content = Content.bytes(100, seed: seed)
        let digest = Content.digest(content)
        let pushed = try await client.send(
            "POST", "/v2/\(repository)/blobs/uploads/?digest=\(digest)", [line], body: content)
        #expect(pushed.status == 201)
        return digest
    }

    @Test("a dry run lists what will go, when and why, and takes nothing; a run takes what is due")
    func dryRun() async throws {
        let time = TestClocks()
        try await Household.with(clocks: time.clocks) { house in
            #expect(try await house.push("root", "root/a") == 201)
            let digest = try await Self.forget(house.server.client(), "root/a", house.line("root"))
            func listed() async throws -> [[String: Any]] {
                try await house.done("root", "GET", "/api/v1/system/collection").object()["items"] as? [[String: Any]]
                    ?? []
            }
            time.pass(Self.hour * 13)
            await house.server.registry.collector.turn()
            var items = try await listed()
            #expect(items.count == 1 && items[0]["digest"] as? String == digest)
            #expect(items[0]["due"] as? Bool == false && items[0]["kind"] as? String == "blob")
            var done = try await house.done("root", "POST", "/api/v1/system/collection").object()
            #expect(done["blobs"] as? Int == 0 && done["done"] as? Bool == true)
            time.pass(Self.hour * 13)
            items = try await listed()
            #expect(items.count == 1 && items[0]["due"] as? Bool == true)
            done = try await house.done("root", "POST", "/api/v1/system/collection").object()
            #expect(done["blobs"] as? Int == 1 && done["bytes"] as? Int == 100)
            #expect(try await listed().isEmpty)
            try await house.addUsers("ann")
            for method in ["GET", "POST"] {
                #expect(try await house.send("ann", method, "/api/v1/system/collection").status == 403)
            }
        }
    }

    @Test("the list of what will go has pages")
    func pages() async throws {
        try await Household.with { house in
            let (client, line) = (house.server.client(), house.line("root"))
            var digests: Set<String> = []
            for name in ["root/a", "root/b"] { #expect(try await house.push("root", name) == 201) }
            for seed in 1...7 {
                digests.insert(
                    try await Self.forget(client, seed.isMultiple(of: 2) ? "root/a" : "root/b", line, seed: seed))
            }
            var (found, target): (Set<String>, String?) = ([], "/api/v1/system/collection?n=3")
            while let page = target {
                let answer = try await client.get(page, [line])
                let items = try answer.object()["items"] as? [[String: Any]] ?? []
                #expect(items.count <= 3)
                for item in items { found.insert(item["digest"] as? String ?? "") }
                target = try answer.next()
            }
            #expect(found == digests)
            #expect(try await client.get("/api/v1/system/collection?after=x", [line]).status == 400)
            // As the document has it, and larger than any id.
            let far = "9999999999999999999:sha256:" + String(repeating: "0", count: 64)
            #expect(try await client.get("/api/v1/system/collection?after=\(far)", [line]).status == 200)
        }
    }
}
