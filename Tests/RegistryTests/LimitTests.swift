import HTTPServer
import NIOCore
import Testing
import Vocabulary

@Suite("Slow, silent and too many clients", .takesTurns)
struct LimitTests {
    /// These deadlines so short that they are waited for, and so long that a busy machine does not miss them; the others far away.
    private static func impatient(
        _ deadlines: WritableKeyPath<ServerSettings.Timeouts, TimeAmount>...
    ) -> ServerSettings {
        var settings = ServerSettings.patient
        for deadline in deadlines { settings.timeouts[keyPath: deadline] = .seconds(4) }
        return settings
    }

    @Test("a silent client, one that trickles its head and an idle one are closed; others are served all the while")
    func slowHeads() async throws {
        try await TestServer.with(Self.impatient(\.head, \.idle)) { server in
            let (silent, trickling, idle) = (try server.wire(), try server.wire(), try server.wire())
            try await idle.send("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await idle.answer().status == 200)
            try await trickling.send("GET /v2/ HTTP/1.1\r\n")
            let trickle = Task {
                var isOpen = true
                while isOpen {
                    isOpen = try await trickling.send("X: y\r\n")
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            #expect(try await server.client().get("/v2/").status == 200)
            for wire in [silent, idle] {
                let rest = String(decoding: try await wire.rest(), as: UTF8.self)
                #expect(rest.isEmpty || rest.hasPrefix("HTTP/1.1 408"))
            }
            try await trickle.value
            #expect(try await server.client().get("/v2/").status == 200)
        }
    }

    @Test("a body that trickles or stops is 408, and what arrived stays", arguments: [true, false])
    func slowBodies(trickles: Bool) async throws {
        try await TestServer.with(Self.impatient(\.body)) { server in
            let (client, content) = (server.client(), Content.bytes(40_000))
            let location = try await client.begin("a")
            let wire = try server.wire()
            let head = "PATCH \(location) HTTP/1.1\r\nHost: a\r\nContent-Length: \(content.count)\r\n\r\n"
            try await wire.send(Array(head.utf8) + content[..<10_000])
            let trickle = Task {
                var sent = 10_000
                while trickles, !Task.isCancelled, sent < 20_000, try await wire.send([content[sent]]) {
                    sent += 1
                    do { try await Task.sleep(for: .milliseconds(50)) } catch { break }
                }
                return sent
            }
            // The thread of the wire sends; what has come is asked of the server. How much that is hangs on how busy the
            // machine is, that it is a beginning of what was sent does not.
            if trickles {
                try await eventually("the trickling upload ends") { try await Self.received(location, server) > 0 }
                trickle.cancel()
            }
            let sent = try await trickle.value
            try expect(await wire.answer(to: "PATCH"), 408, ErrorCode.unsupported)
            let received = try await Self.received(location, server)
            #expect(received <= sent)
            let rest = Array(content[received...])
            let end = try await client.send("PUT", "\(location)?digest=\(Content.digest(content))", body: rest)
            #expect(end.status == 201)
            #expect(try await client.get("/v2/").status == 200)
        }
    }

    @Test("a body that nobody took does not stop the clock for the request behind it")
    func unreadBefore() async throws {
        try await TestServer.with(Self.impatient(\.body)) { server in
            let location = try await server.client().begin("a")
            let wire = try server.wire()
            let unread = "GET /v2/a/manifests/t HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n"
            try await wire.send(Array(unread.utf8) + Content.bytes(20_000))
            #expect(try await wire.answer().status == 404)
            try await wire.send("PATCH \(location) HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
            try expect(await wire.answer(to: "PATCH"), 408, ErrorCode.unsupported)
        }
    }

    private static func received(_ location: String, _ server: TestServer) async throws -> Int {
        guard let range = try await server.client().get(location)["Range"], let last = Int(range.dropFirst(2)) else {
            return 0
        }
        return last == 0 ? 0 : last + 1
    }

    @Test("an answer that is being read slowly is not cut off by the idle deadline")
    func slowReader() async throws {
        try await TestServer.with(Self.impatient(\.idle, \.head)) { server in
            let client = server.client()
            try await client.push(Content.config, to: "a")
            let manifest = Content.image(padding: (4 << 20) - 1000)
            try await client.put(manifest, "a", "t")
            let wire = try server.wire(receiveBuffer: 4096)
            try await wire.send("GET /v2/a/manifests/t HTTP/1.1\r\nHost: a\r\n\r\n")
            // An idle connection that began later is closed: then the deadline has passed for this one too.
            _ = try await server.wire().rest()
            _ = try await server.wire().rest()
            #expect(try await wire.answer().body == manifest)
        }
    }

    @Test("past the limit connections are closed at once, and there is room again when others go")
    func connections() async throws {
        var settings = ServerSettings()
        settings.connections = 4
        settings.threads = 2
        try await TestServer.with(settings) { server in
            var wires: [Wire] = []
            var served = 0
            for _ in 0..<12 {
                let wire = try server.wire()
                try await wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                do {
                    served += try await wire.answer().status == 200 ? 1 : 0
                } catch is WireError {}
                wires.append(wire)
            }
            #expect((1...4).contains(served))
            wires = []
            try await eventually("there is room again") {
                do {
                    return try await server.client().get("/healthz").status == 200
                } catch is WireError { return false }
            }
        }
    }

    @Test("a shutdown lets a request end and closes idle connections")
    func shutdown() async throws {
        var settings = ServerSettings()
        settings.shutdownGrace = .seconds(20)
        let server = try await TestServer.start(settings)
        let location = try await server.client().begin("a")
        let (busy, idle) = (try server.wire(), try server.wire())
        try await idle.send("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try await idle.answer().status == 200)
        try await busy.send(
            "PATCH \(location) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        #expect(try await busy.answer().status == 100)
        async let stopped: Void = server.server.shutDown()
        #expect(try await idle.rest().isEmpty)
        #expect(throws: WireError.self) { try server.wire() }
        try await busy.send("0123456789")
        let answer = try await busy.answer(to: "PATCH")
        #expect(answer.status == 202)
        #expect(answer["Connection"] == "close")
        try await stopped
    }
}
