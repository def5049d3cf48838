import Foundation
import HTTP
import HTTPServer
import Metrics
import Service
import Testing
import Vocabulary

@Suite("Metrics", .takesTurns)
struct MetricsTests {
    private static let pulls = #"http_route="/v2/{name}/manifests/{reference}""#

    /// What a server says of itself.
    private func scrape(_ server: TestServer, largest: Int = 20) async throws -> Exposition {
        let families =
            try await server.server.metrics() + server.registry.metrics(largest: largest) + server.accounts.metrics()
        return try Exposition(MetricText.write(families, as: .prometheus))
    }

    @Test("text of any kind is escaped, and families of one name are one")
    func text() throws {
        var family = MetricFamily("a_total", .counter, "With \"quotes\", a \\ and\nan end of line.")
        family.add(1, ("label", "a\"b\\c\nd"))
        var other = MetricFamily("a_total", .counter, "The same.")
        other.add(2.5, ("label", "\u{202e}ä"))
        let empty = MetricFamily("b_bytes", .gauge, "Nothing.")
        let text = String(decoding: MetricText.write([family, empty, other], as: .prometheus), as: UTF8.self)
        #expect(
            text == #"""
                # HELP a_total With "quotes", a \\ and\nan end of line.
                # TYPE a_total counter
                a_total{label="a\"b\\c\nd"} 1
                a_total{label="\#u{202e}ä"} 2.5

                """#)
        _ = try Exposition(Array(text.utf8))
        let open = String(decoding: MetricText.write([family], as: .openMetrics), as: UTF8.self)
        #expect(open.contains("# TYPE a counter\na_total{") && open.hasSuffix("\n# EOF\n"))
    }

    @Test("a histogram has every count once, and their sum")
    func histogram() throws {
        var family = MetricFamily("a_seconds", .histogram, "Some.")
        family.add(bounds: [0.1, 1], counts: [2, 0, 3], sum: 12.5, [("x", "y")])
        let text = try Exposition(MetricText.write([family], as: .prometheus))
        #expect(text[#"a_seconds_bucket{x="y",le="0.1"}"#] == 2 && text[#"a_seconds_bucket{x="y",le="1"}"#] == 2)
        #expect(text[#"a_seconds_bucket{x="y",le="+Inf"}"#] == 5 && text[#"a_seconds_count{x="y"}"#] == 5)
        #expect(text[#"a_seconds_sum{x="y"}"#] == 12.5)
    }

    @Test("a count takes the first bound that it does not pass, and is of its route, method and class")
    func counts() throws {
        var counts = RequestCounts()
        for (time, status) in [(100_000, 200), (100_001, 200), (70_000_000_000, 204), (1, 404)] as [(Int64, Int)] {
            var exchange = RequestCounts.Exchange()
            (exchange.time, exchange.status, exchange.sent) = (time, status, 10)
            counts.begin()
            counts.end(exchange)
        }
        counts.begin()
        var both = counts
        both.add(counts)
        let text = try Exposition(MetricText.write(both.metrics, as: .prometheus))
        let labels = #"{http_route="none",http_request_method="_OTHER",status_class="2xx""#
        #expect(text["http_server_request_duration_seconds_bucket\(labels),le=\"0.0001\"}"] == 2)
        #expect(text["http_server_request_duration_seconds_bucket\(labels),le=\"0.001\"}"] == 4)
        #expect(text["http_server_request_duration_seconds_bucket\(labels),le=\"60\"}"] == 4)
        #expect(text["http_server_request_duration_seconds_count\(labels)}"] == 6)
        #expect(text[#"http_server_responses_total{http_response_status_code="404"}"#] == 2)
        #expect(text["http_server_active_requests"] == 2)
        #expect(text[#"http_server_response_body_bytes_total{kind="api"}"#] == 80)
    }

    @Test("every request is counted once: those that are answered at once too, and those that fail")
    func requests() async throws {
        try await TestServer.with { server in
            let client = server.client()
            let (image, layer) = (Content.image(), Content.bytes(100_000))
            try await client.pushImage("a", "t")
            let digest = try await client.push(layer, to: "a")
            let before = try await scrape(server)
            for _ in 0..<7 { #expect(try await client.get("/v2/a/manifests/t").status == 200) }
            for _ in 0..<2 { #expect(try await client.head("/v2/a/manifests/t").status == 200) }
            for _ in 0..<3 { #expect(try await client.get("/v2/a/manifests/other").status == 404) }
            #expect(try await client.get("/v2/a/blobs/\(digest)").body.count == layer.count)
            #expect(try await client.get("/nothing").status == 404)
            try await client.push(layer, to: "b")
            let after = try await scrape(server)
            func moved(_ name: String, _ labels: String...) -> Double {
                let sums = [before, after].map { text in
                    text.values.filter { key, _ in key.hasPrefix(name) && labels.allSatisfy { key.contains($0) } }
                        .reduce(0) { $0 + $1.value }
                }
                return sums[1] - sums[0]
            }
            let count = "http_server_request_duration_seconds_count"
            #expect(moved(count, Self.pulls, #""GET""#, "2xx") == 7)
            #expect(moved(count, Self.pulls, #""HEAD""#, "2xx") == 2)
            #expect(moved(count, Self.pulls, #""GET""#, "4xx") == 3)
            #expect(moved(count, #"http_route="none""#, "4xx") == 1)
            #expect(moved(count, #"http_route="/v2/{name}/blobs/uploads/""#, #""POST""#, "2xx") == 1)
            #expect(moved(count) == 15)
            #expect(moved("http_server_responses_total{", #""404""#) == 4)
            let errors = try await client.get("/v2/a/manifests/other").body.count
            #expect(
                moved("http_server_response_body_bytes_total", "manifest") == Double(7 * image.count + 3 * errors))
            #expect(moved("http_server_response_body_bytes_total", "blob") == Double(layer.count))
            #expect(moved("http_server_request_body_bytes_total", "blob") == Double(layer.count))
            #expect(after["http_server_active_requests"] == 0 && after["http_server_requests_cut_total"] == 0)
        }
    }

    @Test("what many connections ask at once adds up")
    func together() async throws {
        try await TestServer.with { server in
            try await server.client().pushImage("a", "t")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let client = server.client()
                        for _ in 0..<50 { _ = try await client.get("/v2/a/manifests/t") }
                    }
                }
                for _ in 0..<5 { _ = try await scrape(server) }
                try await group.waitForAll()
            }
            let text = try await scrape(server)
            #expect(text.sum("http_server_request_duration_seconds_count", Self.pulls, #""GET""#) == 400)
            #expect(text["http_server_active_requests"] == 0)
            #expect(text["aerugo_connections_accepted_total"] >= 9)
            #expect(text.sum("aerugo_cache_hits_total", "references") > 0)
        }
    }

    @Test("a connection that ends before its answer is counted as that, and one too many as refused")
    func ends() async throws {
        var settings = ServerSettings.patient
        (settings.connections, settings.connectionsPerAddress) = (2, 2)
        try await TestServer.with(settings) { server in
            try await server.client().push(Content.bytes(32 << 20), to: "a")
            let digest = Content.digest(Content.bytes(32 << 20))
            do {
                let wire = try server.wire(receiveBuffer: 4096)
                try await wire.send(Array("GET /v2/a/blobs/\(digest) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                try await eventually("it is active") { try await scrape(server)["http_server_active_requests"] == 1 }
            }
            try await eventually("it is cut") { try await scrape(server)["http_server_requests_cut_total"] == 1 }
            try await eventually("it is gone") { try await scrape(server)["aerugo_connections"] == 0 }
            let held = try [server.wire(), server.wire()]
            try await eventually("both are there") { try await scrape(server)["aerugo_connections"] == 2 }
            let another = try server.wire()
            try await eventually("it is refused") {
                try await scrape(server)["aerugo_connections_refused_total"] == 1
            }
            #expect(try await scrape(server)["http_server_active_requests"] == 0)
            withExtendedLifetime((held, another)) {}
        }
    }

    @Test("logins are counted by how they end, tokens too, and no secret is told")
    func logins() async throws {
        try await Household.with { house in
            let client = house.server.client()
            let before = try await scrape(house.server, largest: 0)
            for password in ["wrong secret", Household.rootPassword] {
                _ = try await client.send("GET", "/auth/token", [Household.basic("root", password)])
            }
            let after = try await scrape(house.server, largest: 0)
            for outcome in ["ok", "failed"] {
                let key = #"aerugo_logins_total{outcome="\#(outcome)"}"#
                #expect(after[key] - before[key] == 1, "\(outcome)")
            }
            #expect(after["aerugo_tokens_issued_total"] - before["aerugo_tokens_issued_total"] == 1)
            let keys = after.values.keys.joined(separator: "\n")
            #expect(!keys.contains("secret") && !keys.contains(Household.rootPassword) && !keys.contains("root"))
            #expect(after.kinds["aerugo_queue_jobs"] == "gauge" && keys.contains(#"queue="passwords""#))
        }
    }

    @Test("of namespaces the largest are told, and no more than were asked for")
    func namespaces() async throws {
        try await Household.with { house in
            for (index, name) in ["small", "large", "middle"].enumerated() {
                try await house.addUsers(name)
                let location = try await house.done(name, "POST", "/v2/\(name)/x/blobs/uploads/")["Location"] ?? ""
                let content = Content.bytes([100, 10_000, 1000][index])
                let answer = try await house.server.client().send(
                    "PUT", location + (location.contains("?") ? "&" : "?") + "digest=\(Content.digest(content))",
                    [house.line(name)], body: content)
                #expect(answer.status == 201)
            }
            let text = try await scrape(house.server, largest: 2)
            #expect(text.values.keys.filter { $0.hasPrefix("aerugo_namespace_bytes{") }.count == 2)
            #expect(text[#"aerugo_namespace_bytes{namespace="large"}"#] == 10_000)
            #expect(text[#"aerugo_namespace_bytes{namespace="middle"}"#] == 1000)
            #expect(text["aerugo_repositories"] == 3 && text["aerugo_users"] == 4)
        }
        try await Household.with { house in
            let text = try await scrape(house.server, largest: 0)
            #expect(!text.values.keys.contains { $0.contains("namespace=") })
        }
    }
}

@Suite("Metrics of the program", .takesTurns)
struct ProgramMetricsTests {
    private func scratch(token: String) throws -> Scratch {
        let scratch = try Scratch()
        try token.write(toFile: "\(scratch.path)/token", atomically: true, encoding: .utf8)
        return scratch
    }

    private func port(_ program: Program) -> Int? {
        program.log.firstMatch(of: /metrics are told address=[0-9.]+:(\d+)/).flatMap { Int($0.1) }
    }

    /// An answer at the port of metrics, where the table of operations is another.
    private func ask(_ program: Program, _ path: String, _ headers: [String]) async throws -> Answer {
        let wire = try Wire(port: try #require(port(program)))
        let lines = (["GET \(path) HTTP/1.1", "Host: x"] + headers).joined(separator: "\r\n")
        try await wire.send(Array((lines + "\r\n\r\n").utf8))
        return try await wire.answer(to: "GET")
    }

    @Test("they are at a port of their own alone, for who has the token")
    func listener() async throws {
        let scratch = try scratch(token: "s3cret-of-the-metrics\n")
        let program = try await Program.serve(
            scratch, ["metrics.listen=127.0.0.1:0", "metrics.token-file=\(scratch.path)/token"])
        try await eventually("it tells where") { port(program) != nil }
        let (main, watching) = (try program.client(), Client(port: try #require(port(program))))
        #expect(try await main.get("/metrics").status == 404)
        for headers in [[], ["Authorization: Bearer wrong"], ["Authorization: Bearer s3cret-of-the-metricX"]] {
            let answer = try await ask(program, "/metrics", headers)
            #expect(answer.status == 401 && answer["WWW-Authenticate"] == "Bearer")
        }
        let answer = try await watching.get("/metrics", ["Authorization: Bearer s3cret-of-the-metrics"])
        #expect(answer.status == 200 && answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
        let text = try Exposition(answer.body)
        #expect(text["process_resident_memory_bytes"] > 1_048_576 && text["process_open_fds"] > 3)
        #expect(text["process_start_time_seconds"] > 1_700_000_000 && text["process_cpu_seconds_total"] > 0)
        #expect(text.sum("aerugo_build_info", "version=") == 1)
        #expect(text.sum("aerugo_queue_begun_total", "SQLite") > 0 && text["aerugo_serving"] == 1)
        for other in ["/v2/", "/api/v1/users", "/healthz"] {
            let answer = try await ask(program, other, ["Authorization: Bearer s3cret-of-the-metrics"])
            #expect(answer.status == 404, "\(other)")
        }
        #expect(!answer.text.contains("s3cret") && !program.log.contains("s3cret"))
        let open = try await watching.get(
            "/metrics",
            ["Authorization: Bearer s3cret-of-the-metrics", "Accept: application/openmetrics-text; version=1.0.0"])
        #expect(open.text.hasSuffix("\n# EOF\n"))
    }

    @Test("without a token they are on loopback addresses alone")
    func exposed() async throws {
        let scratch = try scratch(token: "x")
        let program = try Program(
            [
                "serve", "--open", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data", "--set",
                "metrics.listen=0.0.0.0:0",
            ], in: scratch)
        #expect(try await program.waitForEnd() == 2)
        #expect(program.log.contains("metrics.token-file"))
        let allowed = try await Program.serve(
            scratch, ["metrics.listen=0.0.0.0:0", "metrics.token-file=\(scratch.path)/token"])
        try await eventually("it tells where") { port(allowed) != nil }
    }
}
