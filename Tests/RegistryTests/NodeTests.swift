import Access
import Foundation
import MemoryDriver
import Runtime
import Service
import Store
import Synchronization
import Testing

/// Several registries on one database, each with caches of its own.
@Suite(
    "Nodes on one PostgreSQL",
    .enabled(if: Engine.variable("AERUGO_TEST_POSTGRES") != nil, "AERUGO_TEST_POSTGRES names no server"))
struct NodeTests {
    private static func withNodes(
        _ count: Int = 2, policy: Policy = .open, _ body: ([TestServer]) async throws -> Void
    ) async throws {
        let schema = try await Engine.schema()
        let blobs = MemoryBlobStore()
        var nodes: [TestServer] = []
        for _ in 0..<count {
            let (database, versions) = try await Engine.node(of: schema)
            nodes.append(
                try await TestServer.start(blobs: blobs, policy: policy, database: database, versions: versions))
        }
        defer { blobs.close() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(nodes))
        } catch {
            result = .failure(error)
        }
        for node in nodes { try await node.server.shutDown() }
        try result.get()
    }

    private static func manifest(_ mark: String) -> String {
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"m":"\#(mark)"}}"#
    }

    private static func push(_ mark: String, _ node: TestServer, _ lines: [String] = []) async throws -> Int {
        try await node.client().send(
            "PUT", "/v2/n/r/manifests/t", ["Content-Type: application/vnd.oci.image.index.v1+json"] + lines,
            body: Array(manifest(mark).utf8)
        ).status
    }

    private static func pull(_ node: TestServer, _ lines: [String] = []) async throws -> (status: Int, text: String) {
        let answer = try await node.client().send("GET", "/v2/n/r/manifests/t", lines)
        return (answer.status, answer.text)
    }

    @Test("a tag that was moved on one node is moved on every other one, however warm their caches are")
    func tags() async throws {
        try await Self.withNodes(3) { nodes in
            for round in 0..<30 {
                #expect(try await Self.push("\(round)", nodes[round % 3]) == 201)
                for node in nodes {
                    // The second is answered from what the first has left.
                    for _ in 0..<2 { #expect(try await Self.pull(node).text == Self.manifest("\(round)")) }
                }
            }
            let deleted = try await nodes[0].client().send("DELETE", "/v2/n/r/manifests/t")
            #expect(deleted.status == 202)
            for node in nodes { #expect(try await Self.pull(node).status == 404) }
        }
    }

    @Test("pulls that are going on while a tag moves see what was there or what is, never what was before they began")
    func monotone() async throws {
        try await Self.withNodes(2) { nodes in
            let acknowledged = Progress()
            #expect(try await Self.push("0", nodes[0]) == 201)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 1...60 {
                        let status = try await Self.push("\(round)", nodes[round % 2])
                        #expect(status == 201)
                        acknowledged.reach(round)
                    }
                    acknowledged.end()
                }
                for reader in 0..<6 {
                    group.addTask {
                        while !acknowledged.isOver {
                            let before = acknowledged.value
                            let text = try await Self.pull(nodes[reader % 2]).text
                            // One more may be there that its writer has not heard of yet.
                            let last = acknowledged.value + 1
                            let seen = (before...last).first { text == Self.manifest("\($0)") }
                            #expect(seen != nil, "\(before) to \(last) were there: \(text)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a right that was taken on one node is gone on the other with the next request, and so is an account")
    func rights() async throws {
        try await Self.withNodes(2, policy: .accounts) { nodes in
            _ = try await nodes[0].accounts.users.addFirstAdministrator(
                .parse("root"), password: Household.rootPassword)
            let (a, b) = (Household(server: nodes[0]), Household(server: nodes[1]))
            try await a.addUsers("n", "guest")
            let (owner, guest) = ([a.line("n")], [a.line("guest")])
            #expect(try await Self.push("1", nodes[0], owner) == 201)
            for _ in 0..<5 {
                #expect(try await Self.pull(nodes[1], guest).status == 404)
                try await a.done(
                    "n", "PUT", "/api/v1/repositories/n%2Fr/permissions/user:guest", #"{"actions":["pull"]}"#)
                for _ in 0..<3 { #expect(try await Self.pull(nodes[1], guest).status == 200) }
                try await a.done("n", "DELETE", "/api/v1/repositories/n%2Fr/permissions/user:guest")
            }
            for _ in 0..<2 { #expect(try await Self.pull(nodes[0], owner).status == 200) }
            try await b.done("root", "PATCH", "/api/v1/users/n", #"{"disabled":true}"#)
            #expect(try await Self.pull(nodes[0], owner).status == 401)
        }
    }
}

/// How far somebody is.
private final class Progress: Sendable {
    private let state = Mutex((value: 0, isOver: false))

    var value: Int { state.withLock { $0.value } }
    var isOver: Bool { state.withLock { $0.isOver } }
    func reach(_ value: Int) { state.withLock { $0.value = value } }
    func end() { state.withLock { $0.isOver = true } }
}
