import Foundation
import HTTP
import Model
import Testing

@Suite("Tenants: probes", .takesTurns)
struct ProbeTests {
    @Test("nothing of a request is read before it is known that its sender may send it")
    func order() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            try await house.addOrganization("acme", owner: "ann")
            #expect(try await house.push("ann", "ann/a") == 201)
            let names = [
                "{organization}": "acme", "{user}": "ann", "{repository}": "ann%2Fa", "{name}": "ann/a",
                "{grantee}": "user:eve", "{robot}": "bot", "{team}": "core", "{member}": "ann", "{key}": "1",
                "{tag}": "t",
            ]
            for operation in OperationTable.all.operations where operation.access != .anybody {
                guard case .json = operation.body else { continue }
                let path = names.reduce(operation.pattern.text) { $0.replacing($1.key, with: $1.value) }
                #expect(!path.contains("{"), "\(path)")
                for body in ["", "no JSON", #"{"surprise":1}"#] {
                    let anybodys = try await house.send(nil, operation.method.name, path, body)
                    #expect(anybodys.status == 401, "\(operation.method.name) \(path): \(anybodys.text)")
                    // What is every user's own is hers too.
                    guard operation.access != .registry(.account), operation.access != .registry(.catalog) else {
                        continue
                    }
                    let eves = try await house.send("eve", operation.method.name, path, body)
                    #expect([403, 404].contains(eves.status), "\(operation.method.name) \(path): \(eves.text)")
                }
            }
        }
    }

    @Test("no other way to write a path changes anything that its plain form may not")
    func paths() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            for name in ["ann/secret", "eve/mine"] {
                #expect(try await house.push(String(name.prefix(3)), name) == 201)
            }
            let digest = Content.digest(Content.config)
            let manifest = String(decoding: Content.image("changed"), as: UTF8.self)
            let tails: [(String, String, String?)] = [
                ("PUT", "manifests/t", manifest), ("PUT", "manifests/new", manifest), ("DELETE", "manifests/t", nil),
                ("DELETE", "blobs/\(digest)", nil), ("POST", "blobs/uploads/", ""),
                ("POST", "blobs/uploads/?digest=\(digest)", "{}"),
                ("POST", "blobs/uploads/?mount=\(digest)&from=eve/mine", ""),
            ]
            for (method, tail, body) in tails {
                for path in [
                    "/v2/ann/secret/\(tail)", "/v2//ann/secret/\(tail)", "//v2/ann/secret/\(tail)",
                    "/v2/ann//secret/\(tail)", "/v2/./ann/secret/\(tail)", "/v2/eve/../ann/secret/\(tail)",
                    "/v2/eve/mine/../../ann/secret/\(tail)", "/v2/eve/mine/%2e%2e/%2e%2e/ann/secret/\(tail)",
                    "/v2/ann%2fsecret/\(tail)", "/v2/ann%252fsecret/\(tail)", "/v2/ANN/secret/\(tail)",
                    "/%762/ann/secret/\(tail)", "/V2/ann/secret/\(tail)", "/v2/ann/se%63ret/\(tail)",
                    "/v2/ann/secret%00/\(tail)", "/v2/ann/secret/./\(tail)",
                    "/v2/eve%2fmine/..%2f..%2fann/secret/\(tail)",
                    "http://localhost/v2/ann/secret/\(tail)", "/v2/ann/secret/blobs/../\(tail)",
                ] {
                    for who in [nil, "eve"] {
                        let answer = try await house.server.client().send(
                            method, path,
                            who.map { [house.line($0)] } ?? [] + [
                                "Content-Type: application/vnd.oci.image.manifest.v1+json"
                            ],
                            body: body.map { Array($0.utf8) })
                        #expect(
                            [400, 401, 403, 404, 405].contains(answer.status), "\(method) \(path): \(answer.status)")
                    }
                }
            }
            let tags = try await house.done("ann", "GET", "/v2/ann/secret/tags/list").texts("tags")
            #expect(tags == ["t"])
            #expect(try await house.done("ann", "GET", "/v2/ann/secret/manifests/t").body == Content.image())
            #expect(try await house.send("ann", "HEAD", "/v2/ann/secret/blobs/\(digest)").status == 200)
            #expect(
                try await house.done("root", "GET", "/v2/_catalog").texts("repositories") == ["ann/secret", "eve/mine"])
        }
    }

    @Test("a page of another site does nothing with the credentials that a browser keeps")
    func pages() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            let own = "http://localhost:\(house.server.port)"
            for (site, status) in [
                ("https://evil.example", 403), ("null", 403), ("\(own).evil.example", 403), ("http://localhost", 403),
                ("", 403), (own, 201), (own.replacing("http:", with: "https:"), 201),
            ] {
                for name in ["own", "api"] {
                    let body = name == "own" ? #"{"name":"org-\#(site.hashValue.magnitude)"}"# : #"{"name":"k"}"#
                    let answer = try await house.server.client().send(
                        "POST", name == "own" ? "/api/v1/organizations" : "/api/v1/keys",
                        [house.line("ann"), "Origin: \(site)", "Content-Type: application/json"], body: Array(body.utf8)
                    )
                    #expect(answer.status == status, "\(site): \(answer.text)")
                }
                let read = try await house.server.client().get("/v2/", [house.line("ann"), "Origin: \(site)"])
                #expect(read.status == 200)
            }
        }
    }

    @Test("a name that is not there costs as many hashes as one that is, in whatever form it comes")
    func names() async throws {
        // Each guess comes from elsewhere, so that none has to wait for the others.
        var settings = HTTPSettings()
        settings.trustedProxies = ["127.0.0.1"].compactMap { AddressBlock($0) }
        try await Household.with(http: settings) { house in
            try await house.addUsers("ann", "bob")
            try await house.addOrganization("acme", owner: "ann")
            try await house.done("ann", "POST", "/api/v1/organizations/acme/robots", #"{"name":"ci"}"#)
            try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"disabled":true}"#)
            let hasher = house.server.accounts.passwords
            var (answers, clients): (Set<String>, Int) = ([], 0)
            for name in [
                "ann", "bob", "nobody", "ANN", "acme+ci", "acme+no", "acme", "a b", "", "\u{e9}", "e\u{301}", "%",
                String(repeating: "n", count: 300),
            ] {
                for path in ["/v2/", "/auth/token"] {
                    let before = hasher.computed
                    clients += 1
                    let answer = try await house.server.client().get(
                        path, [Household.basic(name, "a wrong password"), "X-Forwarded-For: 192.0.2.\(clients)"])
                    #expect(answer.status == 401, "\(name)")
                    #expect(hasher.computed - before == 1, "\(name) at \(path)")
                    answers.insert(answer.text)
                }
            }
            #expect(answers.count == 1)
        }
    }

    @Test(
        "tokens are made and believed while the signing key changes again and again, and a new one signs once all nodes know it"
    )
    func rotation() async throws {
        let time = TestClocks()
        try await Household.with(clocks: time.clocks) { house in
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/a") == 201)
            let made = try await house.done("ann", "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
            let key = Household.basic("ann", try #require(made["secret"] as? String))
            let first = try await house.bearer(key, "repository:ann/a:pull")
            let kinds = try await withThrowingTaskGroup(of: Set<String>.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var headers: Set<String> = []
                        for _ in 0..<40 {
                            let token = try await house.bearer(key, "repository:ann/a:pull")
                            headers.insert(String(token.prefix { $0 != "." }))
                            for line in [token, first] { #expect(try await house.pull(by: line, "ann/a") == 200) }
                        }
                        return headers
                    }
                }
                for _ in 0..<20 {
                    time.pass(.seconds(1))
                    try await house.server.accounts.tokens.rotate()
                    _ = try await house.bearer(key, "repository:ann/a:pull")
                }
                return try await group.reduce(into: Set<String>()) { $0.formUnion($1) }
            }
            #expect(kinds == [String(first.prefix { $0 != "." })])
            let keys = try await house.server.client().get("/auth/keys").object()["keys"] as? [[String: String]]
            #expect(keys?.count == 21)
            #expect(try await house.pull(by: first, "ann/a") == 200, "it is signed by the first of 21 keys")
            time.pass(.seconds(7 * 3600))
            try await house.server.accounts.tokens.renew()
            let last = try await house.bearer(key, "repository:ann/a:pull")
            #expect(last.prefix { $0 != "." } != first.prefix { $0 != "." })
            #expect(try await house.pull(by: last, "ann/a") == 200)
        }
    }
}
