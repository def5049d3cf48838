import HTTP
import Service
import Testing
import Vocabulary

@Suite("Routes", .takesTurns)
struct RouteTests {
    /// Every template of the table with the methods that it takes.
    static let allowed: [String: Set<String>] = OperationTable.open.operations.reduce(into: [:]) { allowed, operation in
        allowed[operation.pattern.text, default: []].insert(operation.method.name)
        if operation.method == .get { allowed[operation.pattern.text, default: []].insert("HEAD") }
    }

    static func path(_ template: String, _ repository: String) -> String {
        template.replacing("{name}", with: repository).replacing("{digest}", with: Content.digest([]))
            .replacing("{reference}", with: "t").replacing("{session}", with: "x")
    }

    @Test("a method that a path does not take is 405 with those that it does", arguments: allowed.keys.sorted())
    func wrongMethods(template: String) async throws {
        let client = try await TestServer.shared().client()
        let allowed = try #require(Self.allowed[template])
        let target = Self.path(template, TestServer.repository())
        #expect(!target.contains("{"), "a template of a new kind: \(template)")
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE"] {
            let hasBody = method == "POST" || method == "PUT" || method == "PATCH"
            let answer = try await client.send(method, target, body: hasBody ? Content.bytes(1000) : nil)
            guard !allowed.contains(method) else {
                #expect(answer.status != 405, "\(method) \(target)")
                continue
            }
            #expect(answer.status == 405, "\(method) \(target)")
            let told = answer["Allow"]?.split(separator: ",").map { $0.trimmingPrefix(" ").description } ?? []
            #expect(Set(told) == allowed, "\(method) \(target)")
            if method != "HEAD" { #expect(try APIError.parse(answer).first?.code == ErrorCode.unsupported) }
        }
    }

    @Test("an operation says what it needs: its own statuses, where it is defined, a right below /v2/")
    func told() {
        for operation in OperationTable.all.operations {
            let name = "\(operation.method.name) \(operation.pattern.text)"
            #expect(
                !operation.answers.isEmpty && operation.answers.allSatisfy { (200..<400).contains($0.status) },
                "\(name)")
            #expect(!operation.spec.isEmpty)
            let isGuarded = ["/v2", "/api/"].contains { operation.pattern.text.hasPrefix($0) }
            let isOpen = [
                "system.document", "system.page", "auth.login", "auth.refresh", "auth.logout", "auth.register",
                "auth.confirm", "auth.resetRequest", "auth.reset", "auth.emailConfirm",
            ].contains(operation.spec)
            #expect((operation.access == .anybody) == (!isGuarded || isOpen), "\(name)")
            #expect((operation.errorStyle == .problem) == operation.pattern.text.hasPrefix("/api/v1/"), "\(name)")
            if operation.pattern.parameters.contains(.name) {
                guard case .repository = operation.access else {
                    Issue.record("\(name) asks for no right on its repository")
                    continue
                }
            }
            let removesNothing = operation.spec == "end-14" || operation.errorStyle == .problem
            #expect(operation.method != .delete || operation.removesContent || removesNothing, "\(name)")
            if case .get = operation.method {
                guard case .none = operation.body else {
                    Issue.record("\(name) has a body")
                    continue
                }
            }
        }
    }

    @Test("where deletes are off, only an upload can be deleted, and Allow says so")
    func noDeletes() async throws {
        var limits = Registry.Limits()
        limits.deletes = false
        try await TestServer.with(limits: limits) { server in
            let client = server.client()
            try await client.pushImage("blobs/uploads", "t")
            for path in ["manifests/t", "blobs/\(Content.digest(Content.config))"] {
                let answer = try await client.delete("/v2/blobs/uploads/\(path)")
                #expect(answer.status == 405)
                #expect(answer["Allow"]?.contains("DELETE") == false, "\(path)")
            }
            let session = try await client.begin("blobs/uploads")
            #expect(try await client.send("POST", session)["Allow"]?.contains("DELETE") == true)
            #expect(try await client.delete(session).status == 204)
        }
    }

    @Test(
        "a path that is none is 404",
        arguments: [
            "/", "/v1/", "/v2/x", "/v2/x/", "/v2/a/tags", "/v2/a/tags/list/", "/v2/a/blobs", "/v2/a/manifests", "//v2/",
            "/v2//", "/V2/",
            "/v2/_catalog/", "/healthz/", "/v2/a/blobs/uploads/x/y", "/v2/a/tags/list/x", "/favicon.ico", "/v2/../v2/",
            "/%76%32/",
        ])
    func nowhere(target: String) async throws {
        let client = try await TestServer.shared().client()
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let answer = try await client.send(method, target)
            #expect(answer.status == 404 || answer.status == 405, "\(method) \(target): \(answer.status)")
        }
    }

    @Test("the base of the API answers with and without a slash")
    func base() async throws {
        let client = try await TestServer.shared().client()
        for target in ["/v2/", "/v2", "/v2/?x=y", "/v2/?"] {
            let answer = try await client.get(target)
            #expect(answer.status == 200)
            #expect(answer["Docker-Distribution-API-Version"] == "registry/2.0")
            #expect(answer["Content-Type"] == "application/json")
            #expect(try answer.object().isEmpty)
        }
    }

    @Test("health is told")
    func health() async throws {
        let client = try await TestServer.shared().client()
        for target in ["/healthz", "/readyz"] {
            #expect(try await client.get(target).status == 200)
            #expect(try await client.head(target).status == 200)
        }
    }

    @Test("every request has an id of its own")
    func requestIDs() async throws {
        let client = try await TestServer.shared().client()
        var ids: Set<String> = []
        for _ in 0..<50 { ids.insert(try #require(try await client.get("/v2/")["X-Request-Id"])) }
        #expect(ids.count == 50)
    }

    @Test("Locations are relative, or absolute where the operator wants it")
    func locations() async throws {
        #expect(try await TestServer.shared().client().begin(TestServer.repository()).hasPrefix("/v2/"))
        var http = HTTPSettings()
        http.absoluteLocations = true
        try await TestServer.with(http: http) { server in
            let client = server.client()
            let forwarded = [
                "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example",
                "Forwarded: proto=https;host=evil.example",
            ]
            let answer = try await client.send("POST", "/v2/a/blobs/uploads/", forwarded)
            #expect(
                answer["Location"]?.hasPrefix("http://localhost:\(server.port)/v2/a/blobs/uploads/") == true,
                "nobody trusts the client's word")
        }
        http.trustedProxies = try [#require(AddressBlock("127.0.0.0/8"))]
        try await TestServer.with(http: http) { server in
            for (headers, origin) in [
                (["X-Forwarded-Proto: https", "X-Forwarded-Host: r.example:8443"], "https://r.example:8443"),
                (["Forwarded: for=1.2.3.4;proto=https;host=\"r.example\", proto=http"], "https://r.example"),
                (["X-Forwarded-Proto: https, http", "X-Forwarded-Host: a.example, b.example"], "https://a.example"),
                (["X-Forwarded-Proto: javascript"], ""), (["X-Forwarded-Host: a\"b<c>"], ""),
            ] {
                let location = try await server.client().send("POST", "/v2/a/blobs/uploads/", headers)["Location"]
                #expect(location?.hasPrefix("\(origin)/v2/a/blobs/uploads/") == true, "\(headers): \(location ?? "")")
            }
        }
    }
}
