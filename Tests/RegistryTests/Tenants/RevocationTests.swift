import Foundation
import Model
import Testing

@Suite("Tenants: what is taken away is gone with the next request", .takesTurns)
struct RevocationTests {
    /// Every way in which somebody may come.
    private func lines(_ house: Household, _ who: String, _ scope: String) async throws -> [String] {
        [house.line(who), try await house.bearer(house.line(who), scope)]
    }

    @Test("a permission, a place in a team, a role: each gives and takes at once")
    func rights() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            try await house.addOrganization("acme", owner: "ann", ["bob": "reader"])
            #expect(try await house.push("ann", "acme/a") == 201)
            let path = "/api/v1/organizations/acme"
            try await house.done("ann", "DELETE", "\(path)/members/bob")
            let lines = try await lines(house, "bob", "repository:acme/a:pull,push")
            func expect(_ status: Int, _ why: String) async throws {
                for line in lines { #expect(try await house.pull(by: line, "acme/a") == status, "\(why)") }
            }
            // A token that was made while he might not says so; the password is judged anew.
            #expect(try await house.pull(by: lines[0], "acme/a") == 404)
            try await house.done("ann", "PUT", "\(path)/members/bob", #"{"role":"developer"}"#)
            let token = try await house.bearer(house.line("bob"), "repository:acme/a:pull,push")
            for (change, back, gone) in [
                ("PUT \(path)/members/bob {\"role\":\"developer\"}", "DELETE \(path)/members/bob", 404),
                (
                    "PUT /api/v1/repositories/acme%2Fa/permissions/user:bob {\"actions\":[\"push\"]}",
                    "DELETE /api/v1/repositories/acme%2Fa/permissions/user:bob", 404
                ),
            ] {
                let parts = change.split(separator: " ", maxSplits: 2).map(String.init)
                try await house.done("ann", parts[0], parts[1], parts[2])
                for line in [lines[0], token] {
                    #expect(try await house.pull(by: line, "acme/a") == 200, "\(change)")
                    #expect(try await house.push(by: line, "acme/a", "b") == 201, "\(change)")
                }
                let undo = back.split(separator: " ").map(String.init)
                try await house.done("ann", undo[0], undo[1])
                for line in [lines[0], token] {
                    #expect(try await house.pull(by: line, "acme/a") == gone, "\(back)")
                    #expect(try await house.push(by: line, "acme/a", "c") == 403, "\(back)")
                }
            }
            try await house.done("ann", "PUT", "\(path)/members/bob", #"{"role":"reader"}"#)
            #expect(try await house.push(by: token, "acme/a", "d") == 403, "a reader")
            try await house.done("ann", "POST", "\(path)/teams", #"{"name":"builders"}"#)
            try await house.done("ann", "PUT", "\(path)/teams/builders/members/bob")
            try await house.done(
                "ann", "PUT", "/api/v1/repositories/acme%2Fa/permissions/team:acme%2Fbuilders", #"{"actions":["push"]}"#
            )
            #expect(try await house.push(by: token, "acme/a", "d") == 201, "in the team")
            try await house.done("ann", "DELETE", "\(path)/teams/builders/members/bob")
            #expect(try await house.push(by: token, "acme/a", "d") == 403, "out of the team")
        }
    }

    @Test("an account that is disabled, removed or has a new password: its credentials open nothing, on any path")
    func accounts() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            #expect(try await house.push("bob", "bob/a") == 201)
            let key = try await house.done("bob", "POST", "/api/v1/keys", #"{"name":"k"}"#).object()
            let secret = key["secret"] as? String ?? ""
            let all = try await lines(house, "bob", "repository:bob/a:pull") + [Household.basic("bob", secret)]
            let refresh =
                try await house.token(house.line("bob"), [], "&offline_token=true")["refresh_token"] as? String
            func statuses() async throws -> [Int] {
                var found: [Int] = []
                for line in all { found.append(try await house.pull(by: line, "bob/a")) }
                let form = "grant_type=refresh_token&refresh_token=\(refresh ?? "")"
                found.append(
                    try await house.server.client().send("POST", "/auth/token", body: Array(form.utf8)).status)
                return found
            }
            #expect(try await statuses() == [200, 200, 200, 200])
            try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"disabled":true}"#)
            #expect(try await statuses() == [401, 401, 401, 401])
            try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"disabled":false}"#)
            #expect(try await statuses() == [200, 200, 200, 200])
            try await house.done("root", "PUT", "/api/v1/users/bob/password", #"{"password":"another one"}"#)
            // The key is no child of the password.
            #expect(try await statuses() == [401, 401, 200, 401])
        }
    }

    @Test("a name that is made again inherits nothing")
    func again() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            try await house.addOrganization("acme", owner: "ann", ["bob": "developer"])
            let token = try await house.bearer(house.line("bob"), "repository:acme/a:pull,push")
            try await house.done("ann", "DELETE", "/api/v1/organizations/acme")
            try await house.addOrganization("acme", owner: "ann")
            #expect(try await house.push("ann", "acme/a") == 201)
            #expect(try await house.pull(by: token, "acme/a") == 404)
            #expect(try await house.push(by: token, "acme/a") == 403)
            try await house.done("root", "DELETE", "/api/v1/users/bob")
            try await house.addUsers("bob")
            #expect(try await house.pull(by: token, "acme/a") == 401, "the token of another bob")
        }
    }

    @Test("nothing of a push lands after the right to it was taken, however far it was")
    func race() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            try await house.addOrganization("acme", owner: "ann", ["bob": "developer"])
            #expect(try await house.push("ann", "acme/a") == 201)
            let manifest = Content.image("late")
            let wire = try house.server.wire()
            let head = """
                PUT /v2/acme/a/manifests/late HTTP/1.1\r\nHost: x\r\n\(house.line("bob"))\r\n\
                Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: \(manifest.count)\r\n\r\n
                """
            try await wire.send(Array(head.utf8) + manifest.dropLast())
            // It was let in: the memory for the body is held.
            try await eventually("the push has begun") { house.server.application.manifestMemory.usage.held > 0 }
            try await house.done("ann", "DELETE", "/api/v1/organizations/acme/members/bob")
            try await wire.send(Array(manifest.suffix(1)))
            #expect(try await wire.answer(to: "PUT").status == 403)
            #expect(try await house.pull(by: house.line("ann"), "acme/a", "late") == 404)
        }
    }
}
