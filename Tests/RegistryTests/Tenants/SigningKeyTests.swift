import Foundation
import Model
import SQLiteDriver
import Testing

import Service

/// Keys that tokens are signed with, on nodes that each look at them once an hour.
@Suite struct SigningKeyTests {
    @Test("what one node signs with the other one knows, for as long as a token of it lives", arguments: [1, 30, 59])
    func twoNodes(apart minutes: Int) async throws {
        let (time, database) = (TestClocks(), try SQLiteDatabase(path: nil))
        let nodes = [
            try await TestServer.start(policy: .accounts, clocks: time.clocks, database: database),
            try await TestServer.start(policy: .accounts, clocks: time.clocks, database: database),
        ]
        let life = nodes[0].accounts.tokens.life
        var (given, seen) = ([(kid: String, until: Timestamp)](), Set<String>())
        for hour in 0..<24 * 100 {
            // For most of the time nothing changes.
            if hour.isMultiple(of: 24 * 90) || hour > 24 * 90 - 3 {
                for node in nodes {
                    let kid = try await kid(of: node)
                    seen.insert(kid)
                    given.append((kid, time.clocks.wall() + life))
                }
                given.removeAll { $0.until < time.clocks.wall() }
                for node in nodes {
                    for token in given { #expect(node.accounts.tokens.keySet.contains(token.kid), "hour \(hour)") }
                }
            }
            time.pass(.seconds(60 * minutes))
            try await nodes[0].accounts.tokens.renew()
            time.pass(.seconds(60 * (60 - minutes)))
            try await nodes[1].accounts.tokens.renew()
        }
        #expect(seen.count == 2)
        for node in nodes { try await node.server.shutDown() }
    }

    /// Of the key that a node signs with.
    private func kid(of node: TestServer) async throws -> String {
        let answer = try await node.client().get("/auth/token").object()
        let header = try #require((answer["token"] as? String)?.split(separator: ".").first)
        let text = String(header).replacing("-", with: "+").replacing("_", with: "/")
        let padded: String = text + String(repeating: "=", count: (4 - text.count % 4) % 4)
        let json = try JSONSerialization.jsonObject(with: try #require(Data(base64Encoded: padded)))
        let object = try #require(json as? [String: Any])
        return try #require(object["kid"] as? String)
    }
}
