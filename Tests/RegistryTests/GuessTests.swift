import Access
import HTTP
import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Synchronization
import Testing

/// Versions that are known only by asking, each question of which is counted.
private final class AskedVersions: Versions {
    private let base = EmbeddedVersions()
    private let asked = Mutex(0)

    var questions: Int { asked.withLock { $0 } }

    func atOnce(_ scope: VersionScope) -> Version? { nil }

    func current(_ scopes: [VersionScope]) async throws(StoreError) -> [Version] {
        asked.withLock { $0 += 1 }
        return try await base.current(scopes)
    }

    func move(_ scopes: Set<VersionScope>) { base.move(scopes) }
}

@Suite("Answers by versions that were heard last")
struct GuessTests {
    private static let type = "application/vnd.oci.image.index.v1+json"

    private static func manifest(_ mark: String) -> String {
        #"{"schemaVersion":2,"mediaType":"\#(type)","manifests":[],"annotations":{"m":"\#(mark)"}}"#
    }

    private static func withServer(
        policy: Policy, limits: Registry.Limits = Registry.Limits(),
        _ body: (TestServer, AskedVersions) async throws -> Void
    ) async throws {
        let versions = AskedVersions()
        try await TestServer.with(
            limits: limits, policy: policy, clocks: TestClocks().clocks, database: try SQLiteDatabase(path: nil),
            versions: GuessedVersions(versions)
        ) { try await body($0, versions) }
    }

    private static func push(_ mark: String, _ client: Client, _ lines: [String] = []) async throws -> Int {
        try await client.send(
            "PUT", "/v2/n/r/manifests/t", ["Content-Type: \(type)"] + lines, body: Array(manifest(mark).utf8)
        ).status
    }

    @Test(
        "a pull costs one question, with an account or without, whether its bytes are in memory or elsewhere",
        arguments: [Policy.open, .accounts], [Registry.Limits().manifestCache, 0])
    func questions(policy: Policy, memory: Int) async throws {
        var limits = Registry.Limits()
        limits.manifestCache = memory
        try await Self.withServer(policy: policy, limits: limits) { server, versions in
            var lines: [String] = []
            if policy.needsStanding {
                _ = try await server.accounts.users.addFirstAdministrator(
                    .parse("n"), password: Household.rootPassword)
                lines = [Household.basic("n", Household.rootPassword)]
            }
            let client = server.client()
            #expect(try await Self.push("1", client, lines) == 201)
            for round in 0..<8 {
                let before = versions.questions
                let answer = try await client.send("GET", "/v2/n/r/manifests/t", lines)
                #expect(answer.status == 200 && answer.text == Self.manifest("1"))
                if round > 2 { #expect(versions.questions == before + 1) }
            }
        }
    }

    @Test("what was heard last and holds no more is not answered, whatever is in memory")
    func wrong() async throws {
        try await Self.withServer(policy: .open) { server, versions in
            let client = server.client()
            for round in 0..<20 {
                #expect(try await Self.push("\(round)", client) == 201)
                for _ in 0..<3 {
                    let answer = try await client.send("GET", "/v2/n/r/manifests/t")
                    #expect(answer.text == Self.manifest("\(round)"))
                }
            }
            #expect(try await client.send("DELETE", "/v2/n/r/manifests/t").status == 202)
            #expect(try await client.send("GET", "/v2/n/r/manifests/t").status == 404)
        }
    }

    @Test("a request that is drafted more than once is counted once")
    func rates() async throws {
        let versions = AskedVersions()
        var http = HTTPSettings()
        http.rates = [.write: 1000]
        http.rates[.read] = 1000
        try await TestServer.with(
            http: http, database: try SQLiteDatabase(path: nil), versions: GuessedVersions(versions)
        ) { server in
            let client = server.client()
            var left: [Int] = []
            for round in 0..<10 {
                #expect(try await Self.push("\(round)", client) == 201)
                let answer = try await client.send("GET", "/v2/n/r/manifests/t")
                left.append(try #require(answer["RateLimit-Remaining"].flatMap { Int($0) }))
            }
            // What comes back in the meantime is little: one that was counted twice would be one less.
            #expect((left.first ?? 0) - (left.last ?? 0) <= 9)
        }
    }
}
