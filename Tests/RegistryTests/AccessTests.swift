import Access
import Model
import Testing
import Vocabulary

/// A policy that knows nobody: each verdict for the repositories of a name of its own.
private let wall = Policy { _, target, _ in
    let name: String
    switch target {
    case .registry, .namespace: return .allowed
    case .repository(let facts): name = facts.repository.name.description
    case .absent(let absent): name = absent.description
    }
    if name.hasPrefix("challenged/") { return .challenge }
    if name.hasPrefix("denied/") { return .denied }
    if name.hasPrefix("hidden/") { return .hidden }
    return .allowed
}

@Suite("Access", .takesTurns)
struct AccessTests {
    /// Every kind of request below `/v2/<name>/`.
    private static let requests: [(method: String, path: String)] = [
        ("GET", "/manifests/t"), ("HEAD", "/manifests/t"), ("PUT", "/manifests/t"), ("DELETE", "/manifests/t"),
        ("GET", "/blobs/\(Content.digest([]))"), ("DELETE", "/blobs/\(Content.digest([]))"),
        ("POST", "/blobs/uploads/"), ("POST", "/blobs/uploads/?digest=\(Content.digest([]))"),
        ("GET", "/blobs/uploads/x"), ("PATCH", "/blobs/uploads/x"),
        ("PUT", "/blobs/uploads/x?digest=\(Content.digest([]))"),
        ("DELETE", "/blobs/uploads/x"), ("GET", "/tags/list"), ("GET", "/referrers/\(Content.digest([]))"),
    ]

    @Test("what a policy does not allow is 401 or 403, and a hidden repository is one that is not there")
    func outcomes() async throws {
        try await TestServer.with(policy: wall) { server in
            let client = server.client()
            for (method, path) in Self.requests {
                for (prefix, status) in [("challenged", 401), ("denied", 403)] {
                    let answer = try await client.send(method, "/v2/\(prefix)/r\(path)", body: Content.body(method))
                    #expect(answer.status == status, "\(method) \(prefix)\(path)")
                }
                // A push to a hidden repository is refused like a pull: it may be there.
                let hidden = try await client.send(method, "/v2/hidden/r\(path)", body: Content.body(method))
                #expect(
                    hidden.status == 404 || (path.hasPrefix("/referrers") && hidden.status == 200),
                    "\(method) hidden\(path): \(hidden.status)")
            }
            let list = try await client.get("/v2/_catalog").texts("repositories")
            #expect(list.isEmpty, "nothing was made")
        }
    }

    @Test("a mount from a repository that the caller may not read is an upload like any other")
    func mount() async throws {
        try await TestServer.with(policy: wall) { server in
            let client = server.client()
            for source in ["challenged/r", "denied/r", "hidden/r", "none/r"] {
                let answer = try await client.send(
                    "POST", "/v2/a/b/blobs/uploads/?mount=\(Content.digest([]))&from=\(source)", body: [])
                #expect(answer.status == 202, "\(source)")
            }
        }
    }

    @Test("a token's scope is the most that a caller may do, whatever the policy says")
    func scope() async throws {
        struct Facts: AccessSource {
            let repository: Repository
            func atOnce(_ name: RepositoryName, _ principal: Principal) -> AccessFacts? {
                let named = Repository(id: repository.id, namespace: repository.namespace, name: name)
                return AccessFacts(RepositoryFacts(named, visibility: .open), Standing(), nil)
            }
            func find(_ name: RepositoryName, _ principal: Principal) async -> AccessFacts {
                atOnce(name, principal) ?? AccessFacts(nil, Standing(), nil)
            }
            func find(_ namespace: Namespace, _ principal: Principal) async -> AccessFacts {
                AccessFacts(nil, Standing(), nil)
            }
            func find(_ principal: Principal) async -> AccessFacts { AccessFacts(nil, Standing(), nil) }
        }
        let (mine, other) = (try RepositoryName.parse("a/b"), try RepositoryName.parse("a/c"))
        let facts = Facts(repository: Repository(id: RepositoryID(1), namespace: NamespaceID(1), name: mine))
        let authorizer = Authorizer(policy: .open, source: facts)
        let scope = TokenScope(repositories: [mine: [.pull, .push]], registry: [.base])
        let caller = Caller(Identity(.anonymous, scope: scope), requestID: "1", address: "192.0.2.1")
        for right in Right.allCases {
            let isScoped = right == .pull || right == .push
            let decision = try await authorizer.authorize(right, on: mine, caller)
            #expect(isAllowed(decision) == isScoped, "\(right)")
            let elsewhere = try await authorizer.authorize(right, on: other, caller)
            #expect(!isAllowed(elsewhere), "\(right)")
            #expect(isAllowed(try await authorizer.authorize(right, caller)) == (right == .base), "\(right)")
        }
    }

    private func isAllowed<Target>(_ decision: Decision<Target>) -> Bool {
        if case .allowed = decision { true } else { false }
    }
}

extension Content {
    fileprivate static func body(_ method: String) -> [UInt8]? {
        ["PUT", "POST", "PATCH"].contains(method) ? Array("{}".utf8) : nil
    }
}
