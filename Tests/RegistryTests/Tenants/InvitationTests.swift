import Foundation
import HTTP
import Model
import Testing

@Suite("Invitations to organizations")
struct InvitationTests {
    private static let acme = "/api/v1/organizations/acme"
    private static let sent = "\(acme)/invitations"
    private static let own = "/api/v1/invitations"

    private static func with(
        clocks: TestClocks = TestClocks(), _ body: (Household) async throws -> Void
    ) async throws {
        try await Household.with(clocks: clocks.clocks) { house in
            try await house.addUsers("ann", "bob", "cat", "eve")
            try await house.addOrganization("acme", owner: "ann", ["bob": "admin"])
            try await body(house)
        }
    }

    private static func invite(
        _ house: Household, _ user: String, as role: String, by who: String
    ) async throws -> Answer {
        try await house.send(who, "POST", sent, #"{"user":"\#(user)","role":"\#(role)"}"#)
    }

    private static func id(_ answer: Answer) throws -> String {
        try #require(try answer.object()["id"] as? String, "\(answer.text)")
    }

    private static func items(_ house: Household, _ who: String, _ target: String) async throws -> [[String: Any]] {
        try await house.done(who, "GET", target).object()["items"] as? [[String: Any]] ?? []
    }

    private static func role(_ house: Household, of user: String) async throws -> String? {
        let members = try await items(house, "ann", "\(acme)/members")
        return members.first { $0["name"] as? String == user }?["role"] as? String
    }

    @Test("who is invited becomes a member by accepting, once, and may do then what the role gives")
    func accept() async throws {
        try await Self.with { house in
            let id = try Self.id(await Self.invite(house, "cat", as: "developer", by: "bob"))
            let waiting = try await Self.items(house, "cat", Self.own)
            #expect(waiting.first?["organization"] as? String == "acme" && waiting.count == 1)
            #expect(
                waiting.first?["invited_by"] as? String == "bob" && waiting.first?["role"] as? String == "developer")
            #expect(try await Self.role(house, of: "cat") == nil)
            #expect(try await house.push("ann", "acme/app") == 201)
            #expect(try await house.push("cat", "acme/app") == 403)
            for who in ["eve", "bob", "root"] {
                #expect(try await house.send(who, "POST", "\(Self.own)/\(id)/accept").status == 404, "\(who)")
            }
            try await house.done("cat", "POST", "\(Self.own)/\(id)/accept")
            #expect(try await Self.role(house, of: "cat") == "developer")
            #expect(try await house.push("cat", "acme/app", "new") == 201)
            #expect(try await house.send("cat", "POST", "\(Self.own)/\(id)/accept").status == 404)
            #expect(try await Self.items(house, "ann", Self.sent).isEmpty)
            #expect(try await Self.invite(house, "cat", as: "reader", by: "ann").status == 409)
        }
    }

    @Test("an invitation can be declined, withdrawn and replaced, and ends with its time")
    func ends() async throws {
        let time = TestClocks()
        try await Self.with(clocks: time) { house in
            let first = try Self.id(await Self.invite(house, "cat", as: "reader", by: "ann"))
            let second = try Self.id(await Self.invite(house, "cat", as: "maintainer", by: "ann"))
            #expect(first != second)
            #expect(try await house.send("cat", "POST", "\(Self.own)/\(first)/accept").status == 404)
            #expect(try await Self.items(house, "bob", Self.sent).map { $0["role"] as? String } == ["maintainer"])
            try await house.done("cat", "POST", "\(Self.own)/\(second)/decline")
            #expect(try await house.send("cat", "POST", "\(Self.own)/\(second)/accept").status == 404)
            let third = try Self.id(await Self.invite(house, "cat", as: "reader", by: "bob"))
            #expect(try await house.send("eve", "DELETE", "\(Self.sent)/\(third)").status == 403)
            try await house.done("bob", "DELETE", "\(Self.sent)/\(third)")
            #expect(try await Self.items(house, "cat", Self.own).isEmpty)
            let fourth = try Self.id(await Self.invite(house, "cat", as: "reader", by: "bob"))
            time.pass(.seconds(7 * 86_400 + 1))
            #expect(try await Self.items(house, "cat", Self.own).isEmpty)
            #expect(try await house.send("cat", "POST", "\(Self.own)/\(fourth)/accept").status == 404)
            await house.server.accounts.invitations.expire()
            #expect(try await Self.invite(house, "cat", as: "reader", by: "bob").status == 201)
        }
    }

    @Test("owners are invited by owners, and nobody invites who may not manage; others see nothing")
    func rights() async throws {
        try await Self.with { house in
            #expect(try await Self.invite(house, "cat", as: "owner", by: "bob").status == 403)
            let id = try Self.id(await Self.invite(house, "cat", as: "owner", by: "ann"))
            // Neither replaced by something less nor withdrawn by who could not have made it.
            #expect(try await Self.invite(house, "cat", as: "reader", by: "bob").status == 403)
            #expect(try await house.send("bob", "DELETE", "\(Self.sent)/\(id)").status == 403)
            #expect(try await Self.invite(house, "eve", as: "reader", by: "eve").status == 403)
            #expect(try await house.send("eve", "GET", Self.sent).status == 403)
            #expect(try await house.send(nil, "GET", Self.own).status == 401)
            #expect(try await Self.invite(house, "nobody", as: "reader", by: "ann").status == 404)
            #expect(try await Self.invite(house, "cat", as: "king", by: "ann").status == 400)
            #expect(try await Self.items(house, "eve", Self.own).isEmpty)
        }
    }

    @Test(
        "an invitation ends with the right of who made it: as a member, as an account, and by what else makes a member",
        arguments: ["demoted", "removed", "disabled", "deleted", "member"])
    func inviter(_ how: String) async throws {
        try await Self.with { house in
            let id = try Self.id(await Self.invite(house, "cat", as: "reader", by: "bob"))
            switch how {
            case "demoted": try await house.done("ann", "PUT", "\(Self.acme)/members/bob", #"{"role":"maintainer"}"#)
            case "removed": try await house.done("ann", "DELETE", "\(Self.acme)/members/bob")
            case "disabled": try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"disabled":true}"#)
            case "deleted": try await house.done("root", "DELETE", "/api/v1/users/bob")
            default: try await house.done("ann", "PUT", "\(Self.acme)/members/cat", #"{"role":"reader"}"#)
            }
            #expect(try await Self.items(house, "cat", Self.own).isEmpty)
            #expect(try await Self.items(house, "ann", Self.sent).isEmpty)
            #expect(try await house.send("cat", "POST", "\(Self.own)/\(id)/accept").status == 404)
            #expect(try await Self.role(house, of: "cat") == (how == "member" ? "reader" : nil))
        }
    }

    @Test("an invitation that is accepted and withdrawn at once is one of both")
    func race() async throws {
        try await Self.with { house in
            for _ in 0..<8 {
                let id = try Self.id(await Self.invite(house, "cat", as: "reader", by: "ann"))
                async let accepted = house.send("cat", "POST", "\(Self.own)/\(id)/accept").status
                async let withdrawn = house.send("ann", "DELETE", "\(Self.sent)/\(id)").status
                let statuses = try await [accepted, withdrawn]
                #expect(statuses.sorted() == [204, 404])
                let isMember = try await Self.role(house, of: "cat") != nil
                #expect(isMember == (statuses[0] == 204))
                if isMember { try await house.done("ann", "DELETE", "\(Self.acme)/members/cat") }
            }
        }
    }

    @Test("lists come in pages")
    func pages() async throws {
        try await Self.with { house in
            for user in ["cat", "eve", "root"] {
                #expect(try await Self.invite(house, user, as: "reader", by: "ann").status == 201)
            }
            var target: String? = "\(Self.sent)?n=2"
            var seen: [String] = []
            while let next = target {
                let answer = try await house.done("ann", "GET", next)
                seen += (try answer.object()["items"] as? [[String: Any]] ?? []).compactMap { $0["user"] as? String }
                target = answer["Link"].map { String($0.drop { $0 != "/" }.prefix { $0 != ">" }) }
            }
            #expect(seen == ["cat", "eve", "root"])
            for after in ["x", "0", "+1", "01", "1e3", "-1", "99999999999999999999"] {
                #expect(try await house.send("ann", "GET", "\(Self.sent)?after=\(after)").status == 400, "\(after)")
                #expect(try await house.send("root", "GET", "/api/v1/audit?after=\(after)").status == 400, "\(after)")
            }
            #expect(try await Self.items(house, "ann", "\(Self.sent)?after=9999999999999999999").isEmpty)
        }
    }
}
