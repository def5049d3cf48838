import HTTPServer
import NIOCore
import Testing
import Vocabulary

/// What many hostile clients do at once: judged by who is answered before whom and by what is held, never by the clock.
@Suite("Under siege", .takesTurns)
struct SiegeTests {
    private static let largest = (4 << 20) - 1000

    @Test("large manifests that stand still, and hundreds that were abandoned, stop nobody's push")
    func trickles() async throws {
        try await TestServer.with { server in
            let client = server.client()
            try await client.push(Content.config, to: "a")
            let head = "PUT /v2/a/manifests/t HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n"
            var standing: [Wire] = []
            for _ in 0..<8 {
                let wire = try server.wire()
                try await wire.send(Array(head.utf8) + Content.bytes(100_000))
                standing.append(wire)
            }
            try await eventually("they hold memory, or wait for it") {
                server.application.manifestMemory.usage.held > 4 << 20
            }
            for _ in 0..<40 {
                var abandoned: [Wire] = []
                for _ in 0..<10 {
                    let wire = try server.wire()
                    try await wire.send(Array(head.utf8) + Content.bytes(1000))
                    abandoned.append(wire)
                }
            }
            #expect(try await client.get("/v2/").status == 200)
            let manifest = Content.image("small")
            try await client.put(manifest, "a", "small")
            // From another address there is room; from the same one once a body that stands still has lost its own.
            for source in ["127.0.0.2", nil] {
                let large = Content.image(source ?? "", padding: 1 << 20)
                let wire = try server.wire(source: source)
                let type = "Content-Type: \(MediaType.ociManifest)\r\n"
                try await wire.send(
                    Array(
                        "PUT /v2/a/manifests/large HTTP/1.1\r\nHost: a\r\n\(type)Content-Length: \(large.count)\r\n\r\n"
                            .utf8) + large)
                #expect(try await wire.answer(to: "PUT").status == 201)
            }
            #expect(server.application.manifestMemory.usage.held <= 32 << 20)
            standing = []
            try await eventually("all memory is back") { server.application.manifestMemory.usage == (0, 0) }
        }
    }

    @Test("an answer of the cache's counts once, however many do not read it, and others are served")
    func readers() async throws {
        try await TestServer.with { server in
            let client = server.client()
            try await client.push(Content.config, to: "a")
            let manifest = Content.image(padding: Self.largest)
            try await client.put(manifest, "a", "t")
            let wires = try (0..<60).map { _ in try server.wire(receiveBuffer: 4096) }
            for wire in wires { try await wire.send("GET /v2/a/manifests/t HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(try await client.get("/v2/").status == 200)
            #expect(try await client.get("/v2/a/manifests/t").body == manifest)
            #expect(server.application.answerMemory.usage.held <= 2 * manifest.count)
            #expect(try await wires[0].answer().body == manifest)
        }
    }

    @Test("pages that nobody reads wait for room, and give it back when their clients go")
    func pages() async throws {
        try await TestServer.with { server in
            let client = server.client()
            let subject = Content.digest([])
            for mark in 0..<4 {
                let text = "\(mark)" + String(repeating: "x", count: 1_000_000)
                try await client.pushImage("a", mark: text, subject: subject)
            }
            let request = "GET /v2/a/referrers/\(subject) HTTP/1.1\r\nHost: a\r\n\r\n"
            var wires: [Wire] = []
            for _ in 0..<30 {
                let wire = try server.wire(receiveBuffer: 4096)
                try await wire.send(request)
                wires.append(wire)
            }
            try await eventually("some wait") { server.application.answerMemory.usage.waiting > 0 }
            #expect(server.application.answerMemory.usage.held <= 32 << 20)
            #expect(try await client.get("/v2/").status == 200)
            let other = try server.wire(source: "127.0.0.2")
            try await other.send(request)
            #expect(try await other.answer().manifests().count == 4)
            wires = []
            try await eventually("all memory is back") { server.application.answerMemory.usage == (0, 0) }
        }
    }

    @Test(
        "a download of which nothing is taken ends, from memory and from a file", arguments: ["manifests/t", "blobs/"])
    func noProgress(what: String) async throws {
        var settings = ServerSettings()
        settings.timeouts.send = .seconds(1)
        settings.connections = 1
        try await TestServer.with(settings) { server in
            let client = server.client()
            try await client.push(Content.config, to: "a")
            try await client.put(Content.image(padding: Self.largest), "a", "t")
            let blob = try await client.push(Content.bytes(16 << 20), to: "a")
            _ = try await client.send("GET", "/v2/", ["Connection: close"])
            let target = what.hasPrefix("blobs") ? what + blob : what
            let wire = try await eventuallyConnected(server)
            try await wire.send("GET /v2/a/\(target) HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("there is room for another") {
                do {
                    return try await server.client().get("/v2/").status == 200
                } catch is WireError { return false }
            }
            await #expect(throws: WireError.self) { try await wire.answer() }
        }
    }

    /// A connection that is served where one is allowed.
    private func eventuallyConnected(_ server: TestServer) async throws -> Wire {
        var served: Wire?
        try await eventually("there is room") {
            let wire = try server.wire(receiveBuffer: 4096)
            try await wire.send("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n")
            do {
                guard try await wire.answer().status == 200 else { return false }
            } catch is WireError { return false }
            served = wire
            return true
        }
        return try #require(served)
    }

    @Test("one address cannot take all connections")
    func addresses() async throws {
        var settings = ServerSettings()
        (settings.connections, settings.connectionsPerAddress) = (8, 3)
        try await TestServer.with(settings) { server in
            func served(_ wire: Wire) async throws -> Bool {
                try await wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                do {
                    return try await wire.answer().status == 200
                } catch is WireError { return false }
            }
            var wires: [Wire] = []
            var count = 0
            for _ in 0..<6 {
                wires.append(try server.wire())
                count += try await served(wires[wires.count - 1]) ? 1 : 0
            }
            #expect(count == 3)
            #expect(try await served(server.wire(source: "127.0.0.2")))
        }
    }

    @Test("heads that do not end, and what waits behind an answer, have a bounded room, one address half of it")
    func heads() async throws {
        var settings = ServerSettings()
        settings.unreadBudget = 64 << 10
        try await TestServer.with(settings) { server in
            func head(_ count: Int) -> String {
                let line = "X: " + String(repeating: "x", count: 995) + "\r\n"
                return "GET /v2/ HTTP/1.1\r\nHost: a\r\n" + String(repeating: line, count: count / 1000)
            }
            let client = server.client()
            try await client.push(Content.config, to: "a")
            try await client.put(Content.image(padding: Self.largest), "a", "t")
            let greedy = try server.wire()
            try await greedy.send(head(50_000))
            #expect(try await greedy.answer().status == 503)
            var standing = [try server.wire()]
            try await standing[0].send(head(14_000))
            try await eventually("it is held") { server.server.unreadBytes > 0 }
            let second = try server.wire()
            try await second.send(head(30_000))
            #expect(try await second.answer().status == 503)
            #expect(server.server.unreadBytes <= 32 << 10)
            #expect(try await client.get("/v2/").status == 200)
            let other = try server.wire(source: "127.0.0.2")
            try await other.send(head(10_000))
            try await eventually("both are held") { server.server.unreadBytes > 14_000 }
            try await other.send("\r\n")
            #expect(try await other.answer().status == 200)
            standing = []
            try await eventually("all room is back") { server.server.unreadBytes == 0 }
            let reader = try server.wire(receiveBuffer: 4096)
            try await reader.send("GET /v2/a/manifests/t HTTP/1.1\r\nHost: a\r\n\r\n" + head(12_000))
            try await eventually("what waits behind an answer is counted") { server.server.unreadBytes > 0 }
            #expect(try await reader.answer().status == 200)
            try await reader.send("\r\n")
            #expect(try await reader.answer().status == 200)
            try await eventually("and given back") { server.server.unreadBytes == 0 }
        }
    }

    @Test("an answer tells a hundred errors, and how many more there are")
    func manyErrors() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let missing = (0..<300).map { Content.bytes(3, seed: $0 + 1) }
        let manifest = Content.image(layers: missing)
        let answer = try await client.send(
            "PUT", "/v2/\(repository)/manifests/t", ["Content-Type: \(MediaType.ociManifest)"], body: manifest)
        let errors = try APIError.parse(answer)
        #expect(errors.count == 101)
        #expect(errors.last?.message == "… and 201 more")
        #expect(Set(errors.map(\.code)) == [ErrorCode.manifestBlobUnknown])
    }
}
