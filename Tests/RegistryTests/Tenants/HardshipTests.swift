import Foundation
import Glibc
import Testing

/// The management API where two want the same at once, where the power of a process ends, and where what comes is no good.
@Suite("The management API in hard times")
struct HardshipTests {
    /// What each of these gives, asked at once.
    private static func atOnce(
        _ house: Household, _ requests: [(who: String, method: String, target: String, json: String?)]
    ) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for (who, method, target, json) in requests {
                group.addTask { try await house.send(who, method, target, json).status }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
    }

    @Test("of two owners who remove each other, or leave, at once one stays", arguments: [true, false])
    func owners(areLeaving: Bool) async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            for round in 0..<8 {
                let members = "/api/v1/organizations/org\(round)/members"
                try await house.addOrganization("org\(round)", owner: "ann", ["bob": "owner"])
                let (ann, bob) = areLeaving ? ("ann", "bob") : ("bob", "ann")
                let ended = try await Self.atOnce(
                    house, [("ann", "DELETE", "\(members)/\(ann)", nil), ("bob", "DELETE", "\(members)/\(bob)", nil)])
                #expect(ended[0] == 204 && [403, 404, 409].contains(ended[1]), "\(ended)")
                let left = try await house.done("root", "GET", members).object()["items"] as? [[String: Any]]
                #expect(left?.count == 1 && left?.first?["role"] as? String == "owner")
            }
        }
    }

    @Test(
        "of many who make the same name at once one has made it, and the others are told that it is there",
        arguments: [
            ("/api/v1/users", #"{"name":"eve","password":"a long enough one"}"#),
            ("/api/v1/organizations", #"{"name":"eve"}"#), ("/api/v1/organizations/acme/teams", #"{"name":"eve"}"#),
            ("/api/v1/organizations/acme/robots", #"{"name":"eve"}"#),
            ("/api/v1/organizations/acme/invitations", #"{"user":"bob","role":"reader"}"#),
            ("/api/v1/repositories", #"{"name":"acme/eve"}"#),
        ])
    func names(target: String, json: String) async throws {
        try await Household.with { house in
            try await house.addUsers("bob")
            try await house.addOrganization("acme", owner: "root")
            let ended = try await Self.atOnce(
                house, Array(repeating: (who: "root", method: "POST", target: target, json: json), count: 8))
            // An invitation that comes again takes the place of the one before.
            let isReplaced = target.hasSuffix("invitations")
            #expect(ended == (isReplaced ? ended : [201] + Array(repeating: 409, count: 7)))
            #expect(ended.allSatisfy { $0 == 201 || $0 == 409 } && ended.first == 201)
            let kept = try await house.done("root", "GET", target).object()["items"] as? [[String: Any]] ?? []
            let word = isReplaced ? "bob" : "eve"
            #expect(kept.filter { "\($0["name"] ?? $0["user"] ?? "")".hasSuffix(word) }.count == 1, "\(kept)")
        }
    }

    @Test("what was made is there after kill -9, whatever it is, as soon as its answer has come")
    func kill9() async throws {
        let scratch = try Scratch()
        try "correct horse battery\n".write(toFile: "\(scratch.path)/password", atomically: true, encoding: .utf8)
        let line = Household.basic("admin", "correct horse battery")
        let org = "/api/v1/organizations/acme"
        let made: [(method: String, target: String, json: String?, place: String, word: String)] = [
            ("POST", "/api/v1/users", #"{"name":"ann","password":"a long enough one"}"#, "/api/v1/users", "ann"),
            ("POST", "/api/v1/organizations", #"{"name":"acme"}"#, org, "acme"),
            ("PUT", "\(org)/members/ann", #"{"role":"developer"}"#, "\(org)/members", "ann"),
            ("POST", "\(org)/teams", #"{"name":"core"}"#, "\(org)/teams", "core"),
            ("PUT", "\(org)/teams/core/members/ann", nil, "\(org)/teams/core/members", "ann"),
            ("POST", "\(org)/robots", #"{"name":"builder"}"#, "\(org)/robots", "builder"),
            ("POST", "\(org)/robots/builder/keys", #"{"name":"first"}"#, "\(org)/robots/builder/keys", "first"),
            ("POST", "/api/v1/users/ann/keys", #"{"name":"laptop"}"#, "/api/v1/users/ann/keys", "laptop"),
            ("POST", "/api/v1/repositories", #"{"name":"acme/app"}"#, "/api/v1/repositories/acme%2Fapp", "acme/app"),
            (
                "PUT", "/api/v1/repositories/acme%2Fapp/permissions/user:ann", #"{"actions":["push"]}"#,
                "/api/v1/repositories/acme%2Fapp/permissions", "ann"
            ),
        ]
        func serve() async throws -> Program {
            let program = try Program(
                ["serve", "--listen", "127.0.0.1:0", "--data", "\(scratch.path)/data"],
                ["AERUGO_ADMIN_PASSWORD_FILE": "\(scratch.path)/password"], in: scratch)
            try await eventually("it serves: \(program.log)") { program.port != nil || program.end() != nil }
            return program
        }
        var program = try await serve()
        for (method, target, json, place, word) in made {
            let answer = try await program.client().send(method, target, [line], body: json.map { Array($0.utf8) })
            program.signal(SIGKILL)
            #expect([200, 201, 204].contains(answer.status), "\(target): \(answer.text)")
            #expect(try await program.waitForEnd() == -SIGKILL)
            program = try await serve()
            let found = try await program.client().get(place, [line])
            #expect(found.status == 200, "\(place): \(found.text)")
            #expect(found.text.contains("\"\(word)\"") || found.text.contains(":\(word)\""), "\(place)")
        }
    }

    /// Names that are none, and bodies that are no good, each behind a word of what is wrong with it.
    static let bad: [(why: String, json: String)] = {
        let names = [
            "too short": "", "too long": String(repeating: "a", count: 65), "capital": "Ann", "composed": "ann\u{e9}",
            "decomposed": "anne\u{301}", "Cyrillic": "\u{430}nn", "full width": "\u{ff41}nn", "joiner": "a\u{200d}nn",
            "bidi": "a\u{202e}nn", "NUL": "a\\u0000nn", "control": "a\\u001bnn", "line": "a\\nnn", "blank": "a nn",
            "slash": "a/nn", "dots": "..", "percent": "a%2fnn", "half a pair": "a\\ud800",
        ]
        let fields = names.map { (why: $0.key, json: #"{"name":"\#($0.value)"}"#) }
        let deep = String(repeating: "[", count: 100_000)
        return fields + [
            ("number", #"{"name":5}"#), ("past 2^63", #"{"name":9223372036854775808}"#), ("huge", #"{"name":1e400}"#),
            ("null", #"{"name":null}"#), ("list", #"{"name":["ann"]}"#), ("object", #"{"name":{"a":1}}"#),
            ("twice", #"{"name":"ann","name":"eve"}"#), ("unknown", #"{"name":"ann","role":"x"}"#),
            ("deep", deep), ("deep inside", #"{"name":\#(deep)"#),
            ("deep objects", String(repeating: #"{"a":"#, count: 100_000)),
            ("a megabyte", #"{"name":"\#(String(repeating: "a", count: 1 << 20))"}"#),
            ("no end", #"{"name":"ann""#), ("more behind", #"{"name":"ann"}x"#), ("comma", #"{"name":"ann",}"#),
            ("no JSON", "name=ann"), ("byte order mark", "\u{feff}{\"name\":\"ann\"}"),
        ]
    }()

    @Test("what is no name, no body or no number is refused with a problem that has a code, and nothing is made")
    func badInput() async throws {
        try await Household.with { house in
            for (why, json) in Self.bad {
                for target in ["/api/v1/users", "/api/v1/organizations"] {
                    let answer = try await house.send("root", "POST", target, json)
                    #expect([400, 413].contains(answer.status), "\(why) at \(target): \(answer.status)")
                    #expect(try answer.problem()["code"] as? String != nil, "\(why)")
                }
            }
            let overlaps = ["-1", "9223372036854775808", "1e400", "0.5", "\"1\"", "7776001"]
            let key = try await house.done("root", "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
            let id = try #require(key["id"] as? String)
            for overlap in overlaps {
                let answer = try await house.send(
                    "root", "POST", "/api/v1/keys/\(id)/rotate", #"{"overlap":\#(overlap)}"#)
                #expect(answer.status == 400, "\(overlap)")
                #expect(try answer.problem()["code"] as? String == "field_invalid", "\(overlap)")
            }
            for list in ["users", "organizations"] {
                let items = try await house.done("root", "GET", "/api/v1/\(list)").object()["items"] as? [Any]
                #expect(items?.count == (list == "users" ? 1 : 0))
            }
        }
    }
}
