import ConformanceKit
import Foundation
import Testing

@Suite("secrets stay where they are")
struct SecretTests {
    /// What the stub and the settings plant.
    static let planted = [
        StubAccounts.alice.password, StubAccounts.bob.password, "cookie-secret-314159", "secretstate",
        "refresh-alice-77", "planted-token", "planted-utoken", "planted-sess", "PLANTED1ak", "PLANTED1bearer",
        "Pq7planted",
        "eyJzdWIiOiJQTEFOVEVEIn0", "UExBTlRFRDpQTEFOVEVE",
        Data("alice:\(StubAccounts.alice.password)".utf8).base64EncodedString(),
        Data("bob:\(StubAccounts.bob.password)".utf8).base64EncodedString(),
    ]

    @Test("no output of any kind holds a password, token, cookie, upload state or refresh token")
    func outputs() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UUID().uuidString)")
        defer { do { try FileManager.default.removeItem(at: folder) } catch { print(error) } }
        var settings = TestRun.Settings()
        settings.accounts = true
        settings.faults = [
            .tokensDiffer, .secretsEverywhere, .outOfOrderTaken, .blobDigestMissing, .patchNoRange, .shortLived,
            .scopeActionUnchecked,
        ]
        let result = try TestRun.withStub(settings) { _, server in
            var target = Target(base: try TestRun.address(server))
            (target.identity, target.others) = (TestRun.alice, [TestRun.bob])
            var plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: "secret1")
            plan.patterns = ["auth.*", "tenants.*", "push.*", "pull.blob.*"]
            plan.trace = folder.path
            return try Runner(plan, observer: TestRun.Silent()).run()
        }
        #expect(result.count(.fail) >= 5)
        var texts = [
            "junit": JUnitReport.text(result), "json": try JSONReport.text(result, target: "t", seed: "s"),
            "html": HTMLReport.text(result, target: "t", seed: "s"),
            "markdown": MarkdownReport.text(result, target: "t"),
        ]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            texts["trace " + name] = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        }
        #expect(texts.count > 50)
        let token = /eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}/
        for (name, text) in texts {
            for secret in Self.planted { #expect(!text.contains(secret), "\(secret) in \(name)") }
            #expect(text.firstMatch(of: token) == nil, "a token in \(name)")
        }
    }

    @Test(
        "parameters, fields and headers that carry secrets are masked by their names",
        arguments: [
            ("http://h/p?_state=abcdef&digest=x", "http://h/p?_state=•••&digest=x"),
            ("X-Amz-Signature=00ff&a=b", "X-Amz-Signature=•••&a=b"),
            ("{\"token\":\"abc\",\"expires_in\":300}", "{\"token\":\"•••\",\"expires_in\":300}"),
            ("{\"access_token\" : \"abc\"}", "{\"access_token\" : \"•••\"}"),
            ("grant_type=password&password=hunter2&x=1", "grant_type=password&password=•••&x=1"),
            ("digest=sha256:0123", "digest=sha256:0123"),
            ("/x?_token=abcdef&sessionToken=abc&sv=2020&sig=x", "/x?_token=•••&sessionToken=•••&sv=2020&sig=•••"),
            ("{\"access_key\":\"AK1\",\"author\":\"me\"}", "{\"access_key\":\"•••\",\"author\":\"me\"}"),
            ("{\"password\":\"a\\\"b\",\"x\":1}", "{\"password\":\"•••\",\"x\":1}"),
            ("token eyJhbGciOiJI.eyJzdWIiOiJQ.sig-1 refused", "token ••• refused"),
            ("Authorization: Bearer PlantedOne; basic YWxpY2U6UA==", "Authorization: Bearer •••; basic •••"),
            ("a Bearer challenge, Basic authentication", "a Bearer challenge, Basic authentication"),
            ("Bearer realm=\"http://h/t\",service=\"s\"", "Bearer realm=\"http://h/t\",service=\"s\""),
            (
                "GET / HTTP/1.1\r\nX-Auth-Token: abc\r\nX-Author: me\r\n",
                "GET / HTTP/1.1\r\nX-Auth-Token: •••\r\nX-Author: me\r\n"
            ),
            ("Location: /v2/x?_state=a;b,c=&y=1", "Location: /v2/x?_state=•••&y=1"),
            ("{\"u\":\"/x?y=1\\u0026_state=abc\\u0026z=2\"}", "{\"u\":\"/x?y=1\\u0026_state=•••\\u0026z=2\"}"),
            ("/to?url=%2Fx%3Fy%3D1%26_state%3Dabc%26z%3D2", "/to?url=%2Fx%3Fy%3D1%26_state%3D•••%26z%3D2"),
            (
                "/x?Key-Pair-Id=K1&Policy=P1&X-Goog-Signature=s&z=2",
                "/x?Key-Pair-Id=•••&Policy=•••&X-Goog-Signature=•••&z=2"
            ),
            ("http://bob:hunter22@127.0.0.1:999999/x", "http://•••@127.0.0.1:999999/x"),
            ("token=abc\r\nnext", "token=•••\r\nnext"), ("sizeäkey=abc", "sizeäkey=•••"),
            ("passwört=abc&x=1", "passwört=•••&x=1"),
        ])
    func names(text: String, masked: String) {
        #expect(Masker().text(text) == masked)
    }

    @Test("the lines of a head are masked also where a body of any bytes follows")
    func bytes() {
        let (head, body) = (Array("PUT /x?_state=abc HTTP/1.1\r\n\r\n".utf8), [UInt8]([0xFF, 0xFE, 0x0A, 0x80]))
        let masked = Array("PUT /x?_state=••• HTTP/1.1\r\n\r\n".utf8)
        #expect(Masker().bytes(head + body) == masked + body)
    }

    @Test("a short cookie's value is masked wherever it comes back")
    func cookies() {
        let masker = Masker()
        _ = masker.headers(Headers([("Set-Cookie", "sid2=Pq7x; Path=/; Secure")]))
        #expect(masker.text("you sent Pq7x for Path=/") == "you sent ••• for Path=/")
    }

    @Test(
        "a password that is a word of the reports changes no verdict, key, id or markup",
        arguments: ["pass", "fail", "failures", "checks", "verdict", "details", "testcase", "conformance", "send"])
    func wordsOfReports(password: String) throws {
        let alice = Identity(name: "alice", proof: .password(user: "alice", password: password))
        var settings = TestRun.Settings()
        settings.faults = [.outOfOrderTaken]
        let result = try TestRun.withStub(settings) { _, server in
            var target = Target(base: try TestRun.address(server))
            target.identity = alice
            var plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: "words1")
            plan.patterns = ["push.chunked.*"]
            return try Runner(plan, observer: TestRun.Silent()).run()
        }
        let report = try JSONReport.text(result, target: "t", seed: "s")
        let read = try #require(JSON(parsing: Array(report.utf8)))
        let verdicts = (read["checks"]?.array ?? []).compactMap { $0["verdict"]?.string }
        #expect(verdicts == result.outcomes.map(\.verdict.rawValue))
        let texts = [JUnitReport.text(result), HTMLReport.text(result, target: "t", seed: "s")]
        let checks = result.outcomes.map(\.check.id)
        for text in texts { #expect(checks.allSatisfy { text.contains($0) }) }
        #expect(texts[0].contains("<testcase") && texts[0].contains(" failures=\"") && texts[1].contains("<details"))
        let script = try #require(result.outcomes.first { $0.verdict == .fail }?.script)
        #expect(script.contains("send() {") && script.contains("if [ \"$m\" = HEAD ]"))
    }

    @Test("header values that carry secrets are masked, the scheme of Authorization is not")
    func headers() {
        let masked = Masker().headers(
            Headers([
                ("Authorization", "Bearer abc"), ("Set-Cookie", "a=b"), ("Location", "/x?_state=1"), ("Range", "0-5"),
                ("X-Auth-Token", "abc"), ("X-Private-Key", "abc"), ("WWW-Authenticate", "Bearer realm=\"x\""),
                ("X-Author", "me"),
            ]))
        #expect(masked["X-Auth-Token"] == "•••")
        #expect(masked["X-Private-Key"] == "•••")
        #expect(masked["WWW-Authenticate"] == "Bearer realm=\"x\"")
        #expect(masked["X-Author"] == "me")
        #expect(masked["Authorization"] == "Bearer •••")
        #expect(masked["Set-Cookie"] == "•••")
        #expect(masked["Location"] == "/x?_state=•••")
        #expect(masked["Range"] == "0-5")
    }
}
