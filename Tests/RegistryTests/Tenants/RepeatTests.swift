import Foundation
import HTTP
import Model
import Runtime
import SQLiteDriver
import Store
import Testing

@Suite("Requests that are sent again under an Idempotency-Key")
struct RepeatTests {
    private static let key = "Idempotency-Key: 0b5a2f2e-6a86-4f2b-9b1c-5f1f5b1d7f10"

    /// One request for each operation that makes something.
    private static let requests: [String: (target: String, body: String)] = [
        "users.create": ("/api/v1/users", #"{"name":"eve"}"#),
        "organizations.create": ("/api/v1/organizations", #"{"name":"other"}"#),
        "teams.create": ("/api/v1/organizations/acme/teams", #"{"name":"ops"}"#),
        "robots.create": ("/api/v1/organizations/acme/robots", #"{"name":"second"}"#),
        "keys.create": ("/api/v1/keys", #"{"name":"one"}"#),
        "users.keys.create": ("/api/v1/users/ann/keys", #"{"name":"one"}"#),
        "robots.keys.create": ("/api/v1/organizations/acme/robots/builder/keys", #"{"name":"one"}"#),
        "invitations.create": ("/api/v1/organizations/acme/invitations", #"{"user":"ann","role":"reader"}"#),
        "repositories.create": ("/api/v1/repositories", #"{"name":"acme/new"}"#),
    ]

    private static func with(
        clocks: Clocks = .system, _ body: (Household) async throws -> Void
    ) async throws {
        try await Household.with(clocks: clocks) { house in
            try await house.addUsers("ann")
            try await house.addOrganization("acme", owner: "root")
            try await house.done("root", "POST", "/api/v1/organizations/acme/robots", #"{"name":"builder"}"#)
            try await body(house)
        }
    }

    private static func post(
        _ house: Household, _ target: String, _ body: String, by who: String = "root", _ line: String = key
    ) async throws -> Answer {
        let answer = try await house.server.client().send(
            "POST", target, [house.line(who), line], body: Array(body.utf8))
        try Contract.check(answer, to: "POST", target)
        return answer
    }

    @Test("every operation that makes something is among those that are tried")
    func table() {
        let repeatable = OperationTable.all.operations.filter(\.isRepeatable).map(\.spec)
        #expect(Set(repeatable) == Set(Self.requests.keys))
    }

    @Test("the second time there is the first answer, secrets and all, and nothing is made twice")
    func again() async throws {
        for (operation, request) in Self.requests {
            try await Self.with { house in
                let first = try await Self.post(house, request.target, request.body)
                #expect(first.status == 201 && first["Idempotent-Replayed"] == nil, "\(operation): \(first.text)")
                let second = try await Self.post(house, request.target, request.body)
                #expect(second.status == 201 && second["Idempotent-Replayed"] == "true", "\(operation)")
                #expect(second.body == first.body && second["ETag"] == first["ETag"], "\(operation)")
                #expect(second["Content-Type"] == first["Content-Type"], "\(operation)")
                let entries = try await house.done("root", "GET", "/api/v1/audit?n=1000").object()["items"]
                let ids = (entries as? [[String: Any]] ?? []).map { $0["request_id"] as? String }
                #expect(ids.filter { $0 == first["X-Request-Id"] }.count == 1, "\(operation)")
                #expect(!ids.contains(second["X-Request-Id"]), "\(operation)")
            }
        }
    }

    @Test("a key is of one request: another body, operation or path is refused, and makes nothing")
    func reused() async throws {
        try await Self.with { house in
            #expect(try await Self.post(house, "/api/v1/users", #"{"name":"eve"}"#).status == 201)
            for (target, body) in [
                ("/api/v1/users", #"{"name":"fay"}"#), ("/api/v1/organizations", #"{"name":"eve"}"#),
                ("/api/v1/organizations/acme/teams", #"{"name":"eve"}"#),
            ] {
                let answer = try await Self.post(house, target, body)
                #expect(answer.status == 422)
                #expect(try answer.problem()["code"] as? String == "idempotency_key_reused")
            }
            #expect(try await house.send("root", "GET", "/api/v1/users/fay").status == 404)
        }
    }

    @Test("a key is its principal's own, quoted or not, and one that could be guessed is refused")
    func keys() async throws {
        try await Self.with { house in
            #expect(try await Self.post(house, "/api/v1/organizations", #"{"name":"one"}"#).status == 201)
            #expect(try await Self.post(house, "/api/v1/organizations", #"{"name":"two"}"#, by: "ann").status == 201)
            let quoted = "Idempotency-Key: \"0b5a2f2e-6a86-4f2b-9b1c-5f1f5b1d7f10\""
            let again = try await Self.post(house, "/api/v1/organizations", #"{"name":"one"}"#, quoted)
            #expect(again["Idempotent-Replayed"] == "true")
            for bad in ["123456789012345", String(repeating: "k", count: 256), "a key with blanks in it", ""] {
                let answer = try await Self.post(
                    house, "/api/v1/users", #"{"name":"eve"}"#, "Idempotency-Key: \(bad)")
                #expect(answer.status == 400)
                #expect(try answer.problem()["field"] as? String == "Idempotency-Key")
            }
        }
    }

    @Test("a refusal is not kept: what was in the way may go, and the same request be sent again")
    func refusal() async throws {
        try await Self.with { house in
            try await house.addUsers("eve")
            #expect(try await Self.post(house, "/api/v1/users", #"{"name":"eve"}"#).status == 409)
            try await house.done("root", "DELETE", "/api/v1/users/eve")
            let made = try await Self.post(house, "/api/v1/users", #"{"name":"eve"}"#)
            #expect(made.status == 201 && made["Idempotent-Replayed"] == nil)
        }
    }

    @Test("an answer is kept for a day, and goes then")
    func day() async throws {
        let time = TestClocks()
        try await Self.with(clocks: time.clocks) { house in
            let first = try await Self.post(house, "/api/v1/users", #"{"name":"eve"}"#)
            time.pass(.seconds(86_399))
            #expect(try await Self.post(house, "/api/v1/users", #"{"name":"eve"}"#).body == first.body)
            time.pass(.seconds(2))
            await house.server.accounts.kept.expire()
            #expect(try await Self.post(house, "/api/v1/users", #"{"name":"eve"}"#).status == 409)
            // Of its own: the older answer, had it stayed, would be in the way of the newer one.
            #expect(try await Self.post(house, "/api/v1/users", #"{"name":"fay"}"#).status == 201)
        }
    }

    @Test("of many at once one is carried out; each gets its answer, or is told to wait")
    func crowd() async throws {
        try await Self.with { house in
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<12 {
                    group.addTask { try await Self.post(house, "/api/v1/users", #"{"name":"eve"}"#) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { [201, 409].contains($0.status) })
            #expect(Set(answers.filter { $0.status == 201 }.map(\.text)).count == 1)
            for answer in answers where answer.status == 409 {
                #expect(try answer.problem()["code"] as? String == "request_running")
            }
            #expect(try await Self.post(house, "/api/v1/users", #"{"name":"eve"}"#).status == 201)
        }
    }

    @Test("the row of an answer has nothing of the secret, of the body or of the key in it")
    func sealed() async throws {
        let database = try SQLiteDatabase(path: nil)
        try await TestServer.with(policy: .accounts, database: database) { server in
            _ = try await server.accounts.users.addFirstAdministrator(
                .parse("root"), password: Household.rootPassword)
            let house = Household(server: server)
            let answer = try await Self.post(
                house, "/api/v1/users", #"{"name":"eve","password":"the password of eve"}"#)
            #expect(answer.status == 201)
            let made = try await Self.post(house, "/api/v1/keys", #"{"name":"one"}"#, Self.key + "-2")
            let secret = try #require(try made.object()["secret"] as? String)
            let rows = try await database.read { (db) throws(StoreError) in
                try db.rows("SELECT id, fingerprint, sealed FROM kept_answers", []).map { (row) throws(StoreError) in
                    try [row.bytes(0), row.bytes(1), row.bytes(2)]
                }
            }
            #expect(rows.count == 2)
            for bytes in rows.joined() {
                for text in [secret, "0b5a2f2e", "the password"] {
                    #expect(!bytes.contains(Array(text.utf8)))
                }
            }
        }
    }
}
