import Foundation
import HTTP
import HTTPServer
import Logging
import Metrics
import Model
import Service
import Synchronization
import Testing

@Suite("The access log", .takesTurns)
struct AccessLogTests {
    /// Lines that were taken.
    private final class Lines: Sendable {
        private let bytes = Mutex<[UInt8]>([])
        func take(_ lines: [UInt8]) -> Bool {
            bytes.withLock { $0 += lines }
            return true
        }
        var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
        /// As JSON. Throws for a line that is none.
        func objects() throws -> [[String: Any]] {
            try text.split(separator: "\n").map { line in
                guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                    throw WireError(description: "no object: \(line)")
                }
                return object
            }
        }
    }

    /// The line of a request for this target.
    private func line(_ target: String, _ format: AccessLog.Format) -> String {
        var head = RequestHead()
        head.target = target
        let request = Request(head, peer: "192.0.2.1", id: "abc", body: NoBody())
        var exchange = RequestCounts.Exchange()
        (exchange.status, exchange.time, exchange.sent) = (404, 1_234_567_890, 17)
        var line = AccessLine(format)
        line.append(AccessLine.Entry(request, exchange, sending: 1000))
        return String(decoding: line.bytes, as: UTF8.self)
    }

    private final class NoBody: RequestBody {
        let length: Int64? = 0
        func require(within patience: Duration) {}
        func expire() {}
        func next() async throws(RegistryError) -> [any ByteChunk]? { nil }
    }

    @Test("a line says what there is to say, and nothing of a query")
    func content() throws {
        let text = line("/v2/a/blobs/uploads/x?_state=s3cret&digest=sha256:0", .text)
        #expect(
            text.wholeMatch(
                of:
                    /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info request id=abc method=GET route="" path=\/v2\/a\/blobs\/uploads\/x status=404 principal="" address=192\.0\.2\.1 received=0 sent=17 seconds=1\.234567 send=0\.000001\n/
            ) != nil, "\(text)")
        let json = line("/v2/a/blobs/uploads/x?_state=s3cret", .json)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(object["path"] as? String == "/v2/a/blobs/uploads/x" && object["status"] as? Int == 404)
        #expect(object["seconds"] as? Double == 1.234567 && object["route"] as? String == "")
        #expect(!text.contains("s3cret") && !json.contains("s3cret"))
    }

    @Test(
        "text from outside cannot leave its place",
        arguments: [
            "/a\nb", "/a\"b", "/a\\", "/a b=c status=200", "/\u{1b}[2J", "/\u{202e}x", "/\u{0}", "/ä", "/\u{2028}",
            "/" + String(repeating: "x", count: 5000),
        ])
    func neutral(target: String) throws {
        let json = line(target, .json)
        #expect(json.split(separator: "\n", omittingEmptySubsequences: false).count == 2 && json.hasSuffix("}\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        let path = try #require(object["path"] as? String)
        #expect(path == target || path.hasSuffix("..."))
        #expect(json.utf8.count < 2600)
        let text = line(target, .text)
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
        #expect(text.ranges(of: " status=").count == (target.contains(" status=") ? 2 : 1))
        for line in [json, text] {
            #expect(
                !line.dropLast().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202e || $0.value == 0x2028 }
            )
        }
    }

    @Test("every request has a line, with who asked, what it took and where the time went")
    func lines() async throws {
        let lines = Lines()
        var settings = ServerSettings.patient
        settings.accessLog = AccessLog(.json, lines.take)
        try await TestServer.with(settings) { server in
            let client = server.client()
            let layer = Content.bytes(50_000)
            let digest = try await client.push(layer, to: "a")
            try await client.pushImage("a", "t")
            for _ in 0..<3 { _ = try await client.get("/v2/a/manifests/t", ["Authorization: Bearer s3cret"]) }
            let read = try await client.get("/v2/a/blobs/\(digest)")
            _ = try await client.get("/v2/a/manifests/none?s3cret=s3cret")
            try await eventually("all lines are there") { try lines.objects().count == 8 }
            let objects = try lines.objects()
            #expect(Set(objects.compactMap { $0["id"] as? String }).count == 8)
            let push = try #require(objects.first { $0["received"] as? Int == layer.count })
            #expect(push["method"] as? String == "POST" && push["route"] as? String == "/v2/{name}/blobs/uploads/")
            #expect((push["store"] as? Double ?? 0) > 0 && push["body"] != nil && push["auth"] != nil)
            let blob = try #require(objects.first { $0["id"] as? String == read["X-Request-Id"] })
            #expect(blob["sent"] as? Int == layer.count && blob["status"] as? Int == 200)
            #expect(objects.filter { $0["route"] as? String == "/v2/{name}/manifests/{reference}" }.count == 5)
            #expect(objects.allSatisfy { $0["address"] as? String == "127.0.0.1" && $0["seconds"] is Double })
            #expect(!lines.text.contains("s3cret"))
        }
    }

    @Test("a line has its caller's key")
    func callers() async throws {
        let lines = Lines()
        var settings = ServerSettings.patient
        settings.accessLog = AccessLog(.json, lines.take)
        try await TestServer.with(policy: .accounts, settings) { server in
            _ = try await server.accounts.users.addFirstAdministrator(
                .parse("root"), password: Household.rootPassword)
            let client = server.client()
            for _ in 0..<2 {
                _ = try await client.get("/api/v1/system/info", [Household.basic("root", Household.rootPassword)])
            }
            _ = try await client.get("/v2/")
            try await eventually("all lines are there") { try lines.objects().count == 3 }
            let principals = try lines.objects().map { $0["principal"] as? String ?? "?" }
            #expect(principals[0].hasPrefix("user:") && principals[0] == principals[1] && principals[2] == "")
            #expect(!lines.text.contains("correct horse"))
        }
    }

    @Test("a connection that ended before its answer had gone out says so")
    func cut() async throws {
        let lines = Lines()
        var settings = ServerSettings.patient
        settings.accessLog = AccessLog(.json, lines.take)
        try await TestServer.with(settings) { server in
            let digest = try await server.client().push(Content.bytes(32 << 20), to: "a")
            do {
                let wire = try server.wire(receiveBuffer: 4096)
                try await wire.send(Array("GET /v2/a/blobs/\(digest) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                try await eventually("it is there") {
                    let text = try Exposition(MetricText.write(try await server.server.metrics(), as: .prometheus))
                    return text["http_server_active_requests"] == 1
                }
            }
            try await eventually("both lines are there") { try lines.objects().count == 2 }
            let objects = try lines.objects()
            #expect(objects.filter { $0["cut"] as? Int == 1 }.map { $0["method"] as? String } == ["GET"])
        }
    }

    @Test("where the writer is behind lines are lost, and counted")
    func lost() async throws {
        var settings = ServerSettings.patient
        settings.accessLog = AccessLog(.text) { _ in false }
        try await TestServer.with(settings) { server in
            let client = server.client()
            for _ in 0..<5 { _ = try await client.get("/v2/") }
            try await eventually("they are counted") {
                let text = try Exposition(MetricText.write(try await server.server.metrics(), as: .prometheus))
                return text["aerugo_access_log_dropped_total"] == 5 && text["aerugo_access_log_lines_total"] == 0
            }
        }
    }

    @Test("a slow request is told with the stage that took longest")
    func slow() async throws {
        let told = Told()
        var settings = ServerSettings.patient
        settings.slow = .nanoseconds(1)
        let server = try await TestServer.start(log: Logger(label: "test") { _ in told }, settings)
        try await server.client().push(Content.bytes(1000), to: "a")
        try await eventually("it is told") { !told.warnings.isEmpty }
        let metadata = try #require(told.warnings.first)
        let stages = ["auth", "body", "queue", "store", "send", "other"]
        #expect(stages.contains("\(metadata["stage"] ?? "")") && stages.allSatisfy { metadata[$0] != nil })
        #expect(metadata["path"] == "/v2/a/blobs/uploads/" && metadata["milliseconds"] != nil)
        try await server.server.shutDown()
    }

    /// Keeps warnings about slow requests.
    private struct Told: LogHandler {
        private final class Kept: Sendable { let warnings = Mutex<[Logger.Metadata]>([]) }
        private let kept = Kept()
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]
        var warnings: [Logger.Metadata] { kept.warnings.withLock { $0 } }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            guard event.message == "slow request", event.level == .warning else { return }
            kept.warnings.withLock { $0.append(event.metadata ?? [:]) }
        }
    }

    @Test("the program writes it to a file, opens that again on SIGHUP, and has the last lines when it stops")
    func program() async throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/access.log"
        let program = try await Program.serve(scratch, ["log.access=\(path)", "log.format=text"])
        let client = try program.client()
        _ = try await client.get("/v2/")
        func text(_ path: String) -> String {
            String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        }
        try await eventually("the line is there") { text(path).contains(" path=/v2/ status=200 ") }
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        program.signal(SIGHUP)
        try await eventually("it is made again") { FileManager.default.fileExists(atPath: path) }
        _ = try await client.get("/v2/_catalog")
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
        #expect(text(path).contains(" path=/v2/_catalog status=200 ") && !text(path + ".1").contains("_catalog"))
    }
}
