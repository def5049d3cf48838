import Foundation
import Model
import Testing

@Suite("Tenants: what refusals look like", .takesTurns)
struct RefusalTests {
    private static let digest = Content.digest(Content.config)
    private static let reads = [
        ("GET", "manifests/t"), ("HEAD", "manifests/t"), ("GET", "blobs/\(digest)"), ("HEAD", "blobs/\(digest)"),
        ("GET", "tags/list"), ("GET", "referrers/\(digest)"),
    ]
    private static let writes = [
        ("PUT", "manifests/t"), ("POST", "blobs/uploads/"), ("POST", "blobs/uploads/?digest=\(digest)"),
        ("PATCH", "blobs/uploads/x"), ("PUT", "blobs/uploads/x?digest=\(digest)"), ("GET", "blobs/uploads/x"),
        ("DELETE", "blobs/uploads/x"), ("DELETE", "manifests/t"), ("DELETE", "blobs/\(digest)"),
    ]

    /// An answer without what differs from one to the next.
    private func essence(_ answer: Answer, _ name: String) -> String {
        let headers = answer.headers.filter { !["date", "x-request-id"].contains($0.name.lowercased()) }
        return "\(answer.status) \(headers.map { "\($0.name): \($0.value)" }) \(answer.text)"
            .replacing(name, with: "NAME")
    }

    @Test("what is private and what is not there are answered alike, to anybody and to who may not read")
    func alike() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            #expect(try await house.push("ann", "ann/secret") == 201)
            // Absent in a namespace that is there, and in one that is not; names of one length.
            let (there, others) = ("ann/secret", ["ann/absent", "zoe/absent"])
            for (method, path) in Self.reads + Self.writes {
                for who in [nil, "eve"] {
                    let body = ["PUT", "POST", "PATCH"].contains(method) ? "{}" : nil
                    let found = essence(try await house.send(who, method, "/v2/\(there)/\(path)", body), there)
                    for other in others {
                        let missed = essence(try await house.send(who, method, "/v2/\(other)/\(path)", body), other)
                        #expect(found == missed, "\(who ?? "anybody") \(method) \(path)")
                    }
                    let isRead = Self.reads.contains { $0 == (method, path) }
                    let isReferrers = path.hasPrefix("referrers")
                    let wanted = who == nil ? "401" : isReferrers ? "200" : isRead ? "404" : "403"
                    #expect(found.hasPrefix(wanted), "\(who ?? "anybody") \(method) \(path): \(found)")
                }
            }
        }
    }

    @Test("a 401 says where to get a token and for what, and an error only of a token that was bad")
    func challenge() async throws {
        try await Household.with { house in
            let client = house.server.client()
            let realm = #"Bearer realm="http://localhost:\#(house.server.port)/auth/token",service="aerugo""#
            func challenge(_ method: String, _ path: String, _ headers: [String] = []) async throws -> String? {
                let answer = try await client.send(method, path, headers, body: method == "GET" ? nil : [])
                #expect(answer.status == 401, "\(method) \(path)")
                #expect(answer.all("WWW-Authenticate").count == 1)
                return answer["WWW-Authenticate"]
            }
            #expect(try await challenge("GET", "/v2/") == realm)
            #expect(try await challenge("GET", "/v2/a/b/manifests/t") == realm + #",scope="repository:a/b:pull""#)
            #expect(
                try await challenge("POST", "/v2/a/b/blobs/uploads/") == realm + #",scope="repository:a/b:pull,push""#)
            #expect(
                try await challenge("DELETE", "/v2/a/b/manifests/t") == realm + #",scope="repository:a/b:delete""#)
            #expect(try await challenge("GET", "/v2/_catalog") == realm + #",scope="registry:catalog:*""#)
            #expect(
                try await challenge("GET", "/v2/", ["Authorization: Bearer x.y.z"])
                    == realm + #",error="invalid_token""#)
            try await house.addUsers("ann")
            let narrow = try await house.bearer(house.line("ann"), "repository:ann/a:pull")
            #expect(
                try await challenge("POST", "/v2/ann/a/blobs/uploads/", [narrow])
                    == realm + #",scope="repository:ann/a:pull,push",error="insufficient_scope""#)
            #expect(try await challenge("GET", "/api/v1/users") == #"Basic realm="aerugo", charset="UTF-8""#)
        }
    }

    @Test("a mount whose source may not be read is an upload, and gives nothing away")
    func mount() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "eve")
            #expect(try await house.push("ann", "ann/secret") == 201)
            for source in ["ann/secret", "ann/absent"] {
                let answer = try await house.send(
                    "eve", "POST", "/v2/eve/mine/blobs/uploads/?mount=\(Self.digest)&from=\(source)", "")
                #expect(answer.status == 202, "\(source)")
                #expect(answer["Docker-Content-Digest"] == nil)
            }
            #expect(try await house.send("eve", "HEAD", "/v2/eve/mine/blobs/\(Self.digest)").status == 404)
            let own = try await house.send(
                "ann", "POST", "/v2/ann/other/blobs/uploads/?mount=\(Self.digest)&from=ann/secret", "")
            #expect(own.status == 201)
        }
    }
}
