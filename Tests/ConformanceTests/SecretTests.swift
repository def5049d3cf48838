import ConformanceKit
import Foundation
import Testing

@Suite("secrets stay where they are")
struct SecretTests {
    /// What the stub and the settings plant.
    static let planted = [
        StubAccounts.alice.password, StubAccounts.bob.password, "cookie-secret-314159", "secretstate",
        "refresh-alice-77", Data("alice:\(StubAccounts.alice.password)".utf8).base64EncodedString(),
        Data("bob:\(StubAccounts.bob.password)".utf8).base64EncodedString(),
    ]

    @Test("no output of any kind holds a password, token, cookie, upload state or refresh token")
    func outputs() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UUID().uuidString)")
        defer { do { try FileManager.default.removeItem(at: folder) } catch { print(error) } }
        var settings = TestRun.Settings()
        settings.accounts = true
        settings.faults = [
            .tokensDiffer, .outOfOrderTaken, .blobDigestMissing, .patchNoRange, .shortLived, .scopeActionUnchecked,
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
        ])
    func names(text: String, masked: String) {
        #expect(Masker().text(text) == masked)
    }

    @Test("header values that carry secrets are masked, the scheme of Authorization is not")
    func headers() {
        let masked = Masker().headers(
            Headers([
                ("Authorization", "Bearer abc"), ("Set-Cookie", "a=b"), ("Location", "/x?_state=1"), ("Range", "0-5"),
            ]))
        #expect(masked["Authorization"] == "Bearer •••")
        #expect(masked["Set-Cookie"] == "•••")
        #expect(masked["Location"] == "/x?_state=•••")
        #expect(masked["Range"] == "0-5")
    }
}
