import Foundation
import HTTP
import Model
import Service
import Testing

@Suite("The management API: repositories and what they have")
struct ManagementTests {
    /// A path below a repository.
    private static func path(_ repository: String, _ rest: String = "") -> String {
        "/api/v1/repositories/\(repository.replacing("/", with: "%2F"))\(rest)"
    }

    @Test("a repository is made, found by its parts, changed, and counted as it is pushed to")
    func repository() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            let made = try await house.done(
                "ann", "POST", "/api/v1/repositories",
                #"{"name":"ann/app","description":"An app","visibility":"private"}"#)
            #expect(made.status == 201)
            #expect(try made.object()["tags"] as? Int == 0)
            #expect(try await house.send("ann", "POST", "/api/v1/repositories", #"{"name":"ann/app"}"#).status == 409)
            #expect(try await house.send("bob", "POST", "/api/v1/repositories", #"{"name":"ann/x"}"#).status == 403)
            #expect(try await house.push("ann", "ann/app", "one") == 201)
            #expect(try await house.push("ann", "ann/app", "two") == 201)
            #expect(try await house.push("ann", "ann/web") == 201)
            let shown = try await house.done("ann", "GET", Self.path("ann/app")).object()
            #expect(shown["tags"] as? Int == 2 && shown["manifests"] as? Int == 1)
            #expect(shown["blobs"] as? Int == 1 && shown["pushed_at"] as? String != nil)
            #expect(shown["bytes"] as? Int == Content.config.count + Content.image().count)

            #expect(try await house.names("ann", "/api/v1/repositories?q=AP") == ["ann/app"])
            #expect(try await house.names("ann", "/api/v1/repositories?namespace=ann") == ["ann/app", "ann/web"])
            #expect(try await house.names("ann", "/api/v1/repositories?namespace=bob") == [])
            #expect(try await house.names("ann", "/api/v1/repositories?visibility=private&q=a%25") == [])
            #expect(try await house.names("bob", "/api/v1/repositories?namespace=ann&visibility=private") == [])
            try await house.done("ann", "PATCH", Self.path("ann/app"), #"{"visibility":"public","description":"Ours"}"#)
            #expect(
                try await house.names("bob", "/api/v1/repositories?visibility=public&namespace=ann").contains("ann/app")
            )
            #expect(try await house.send("ann", "PATCH", Self.path("ann/app"), #"{"name":"ann/b"}"#).status == 400)
        }
    }

    @Test("what is deleted is out of sight, keeps its name, and comes back whole")
    func restore() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            try await house.addOrganization("acme", owner: "ann", ["bob": "reader"])
            #expect(try await house.push("ann", "acme/app") == 201)
            let line = try await house.bearer(house.line("ann"), "repository:acme/app:pull,push")
            #expect(try await house.send("bob", "DELETE", Self.path("acme/app")).status == 403)
            try await house.done("ann", "DELETE", Self.path("acme/app"))
            for who in ["ann", "bob", "root"] {
                #expect(try await house.send(who, "GET", Self.path("acme/app")).status == 404)
                #expect(try await house.pull(by: house.line(who), "acme/app") == 404)
            }
            #expect(try await house.pull(by: line, "acme/app") == 404)
            #expect(try await house.push(by: line, "acme/app") == 403)
            #expect(try await house.push("ann", "acme/app") == 403)
            #expect(try await house.send("ann", "DELETE", "/api/v1/organizations/acme").status == 409)
            #expect(try await house.names("ann", "/api/v1/organizations/acme/deleted-repositories") == ["acme/app"])
            #expect(try await house.send("bob", "POST", Self.path("acme/app", "/restore")).status == 403)
            try await house.done("ann", "POST", Self.path("acme/app", "/restore"))
            #expect(try await house.pull(by: line, "acme/app") == 200)
            #expect(try await house.send("ann", "POST", Self.path("acme/app", "/restore")).status == 404)
        }
    }

    @Test("once its time is over a deleted repository goes with all that it had, and its name is free")
    func purge() async throws {
        var limits = Registry.Limits()
        limits.restoreTime = .zero
        try await Household.with(limits: limits) { house in
            try await house.addUsers("ann")
            for tag in 0..<70 { #expect(try await house.push("ann", "ann/app", "t\(tag)") == 201) }
            #expect(try await house.push("ann", "ann/other") == 201)
            _ = try await house.server.client().send("POST", "/v2/ann/app/blobs/uploads/", [house.line("ann")])
            try await house.done("ann", "DELETE", Self.path("ann/app"))
            // A moment, so that it lies before the purge's.
            repeat {
                await house.server.registry.sweepOnce()
            } while try await house.push("ann", "ann/app", "new") == 403
            #expect(try await house.names("ann", Self.path("ann/app", "/tags")) == ["new"])
            let shown = try await house.done("ann", "GET", Self.path("ann/app")).object()
            #expect(shown["tags"] as? Int == 1 && shown["pulls"] as? Int == 0)
            #expect(try await house.pull(by: house.line("ann"), "ann/other") == 200)
        }
    }

    @Test("tags say what they point to and who pointed them; what they pointed to comes back")
    func tags() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            #expect(try await house.push("ann", "ann/app", "v1") == 201)
            let first = Content.digest(Content.image())
            try await house.done("ann", "PUT", Self.path("ann/app", "/permissions/user:bob"), #"{"actions":["push"]}"#)
            let other = Content.image("another")
            let put = try await house.server.client().send(
                "PUT", "/v2/ann/app/manifests/v1",
                [house.line("bob"), "Content-Type: application/vnd.oci.image.manifest.v1+json"], body: other)
            #expect(put.status == 201)
            let tag = try await house.done("ann", "GET", Self.path("ann/app", "/tags/v1")).object()
            #expect(tag["digest"] as? String == Content.digest(other) && tag["pushed_by"] as? String == "bob")
            #expect(tag["size"] as? Int == other.count + Content.config.count)
            let history = try await house.items("ann", Self.path("ann/app", "/tags/v1/history"))
            #expect(history.map { $0["digest"] as? String } == [Content.digest(other), first])
            #expect(history.map { $0["by"] as? String } == ["bob", "ann"])
            try await house.done("bob", "POST", Self.path("ann/app", "/tags/v1/restore"), #"{"digest":"\#(first)"}"#)
            #expect(
                try await house.server.client().get("/v2/ann/app/manifests/v1", [house.line("ann")])[
                    "Docker-Content-Digest"]
                    == first)
            let absent = Content.digest(Array("absent".utf8))
            #expect(
                try await house.send(
                    "bob", "POST", Self.path("ann/app", "/tags/v1/restore"), #"{"digest":"\#(absent)"}"#
                ).status == 404)
            #expect(try await house.send("bob", "DELETE", Self.path("ann/app", "/tags/v1")).status == 403)
            try await house.done("ann", "DELETE", Self.path("ann/app", "/tags/v1"))
            #expect(try await house.send("ann", "GET", Self.path("ann/app", "/tags/v1")).status == 404)
            let after = try await house.items("ann", Self.path("ann/app", "/tags/v1/history"))
            #expect(after.count == 4 && after.first?["digest"] is NSNull)
        }
    }

    @Test("a manifest is shown with its parts, its tags and what refers to it")
    func manifests() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/app", "v1") == 201)
            let shown = try await house.done("ann", "GET", Self.path("ann/app", "/manifests/v1")).object()
            #expect(shown["tags"] as? [String] == ["v1"])
            #expect((shown["config"] as? [String: Any])?["digest"] as? String == Content.digest(Content.config))
            let digest = Content.digest(Content.image())
            let signature = Content.image(subject: digest)
            for body in [signature, Content.image(subject: Content.digest(signature))] {
                let put = try await house.server.client().send(
                    "PUT", "/v2/ann/app/manifests/\(Content.digest(body))",
                    [house.line("ann"), "Content-Type: application/vnd.oci.image.manifest.v1+json"], body: body)
                #expect(put.status == 201)
            }
            let answer = try await house.done("ann", "GET", Self.path("ann/app", "/manifests/\(digest)/referrers"))
            let tree = try answer.object()["referrers"] as? [[String: Any]] ?? []
            #expect(tree.map { $0["digest"] as? String } == [Content.digest(signature)])
            #expect((tree.first?["referrers"] as? [[String: Any]])?.count == 1)
            #expect(try await house.items("ann", Self.path("ann/app", "/blobs")).count == 1)
            #expect(try await house.send("ann", "GET", Self.path("ann/app", "/blobs?after=x")).status == 400)
        }
    }

    @Test("what somebody may do is told with every rule that gives it")
    func why() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob", "cat")
            try await house.addOrganization("acme", owner: "ann", ["bob": "reader", "cat": "developer"])
            #expect(try await house.push("ann", "acme/app") == 201)
            try await house.done("ann", "POST", "/api/v1/organizations/acme/teams", #"{"name":"ops"}"#)
            try await house.done("ann", "PUT", "/api/v1/organizations/acme/teams/ops/members/bob")
            try await house.done(
                "ann", "PUT", Self.path("acme/app", "/permissions/team:acme%2Fops"), #"{"actions":["delete"]}"#)
            let bob = try await house.done("ann", "GET", Self.path("acme/app", "/permissions/user:bob")).object()
            #expect(bob["actions"] as? [String] == ["pull", "delete"])
            let why = (bob["why"] as? [[String: Any]] ?? []).map { "\($0["rule"] ?? "") \($0["detail"] ?? "")" }
            #expect(why == ["role reader", "permission team:acme/ops"])
            let root = try await house.done("ann", "GET", Self.path("acme/app", "/permissions/user:root")).object()
            #expect((root["actions"] as? [String])?.count == 4)
            #expect(try await house.send("cat", "GET", Self.path("acme/app", "/permissions/user:bob")).status == 403)
        }
    }
}

extension Household {
    /// The items of a page.
    fileprivate func items(_ who: String, _ target: String) async throws -> [[String: Any]] {
        try await done(who, "GET", target).object()["items"] as? [[String: Any]] ?? []
    }

    fileprivate func names(_ who: String, _ target: String) async throws -> [String] {
        try await items(who, target).compactMap { $0["name"] as? String }
    }
}

extension ManagementTests {
    @Test("pulls are counted, by tag and by digest, from memory too; looking is no pull")
    func pulls() async throws {
        try await Household.with { house in
            try await house.addUsers("ann")
            #expect(try await house.push("ann", "ann/app", "v1") == 201)
            let (client, line) = (house.server.client(), house.line("ann"))
            let digest = Content.digest(Content.image())
            for _ in 0..<3 { #expect(try await house.pull(by: line, "ann/app", "v1") == 200) }
            for _ in 0..<2 { #expect(try await house.pull(by: line, "ann/app", digest) == 200) }
            _ = try await client.send("HEAD", "/v2/ann/app/manifests/v1", [line])
            _ = try await client.get("/v2/ann/app/manifests/v1", [line, "If-None-Match: \"\(digest)\""])
            await house.server.registry.pulls.flush()
            for _ in 0..<2 { #expect(try await house.pull(by: line, "ann/app", "v1") == 200) }
            await house.server.registry.pulls.flush()
            let shown = try await house.done("ann", "GET", "/api/v1/repositories/ann%2Fapp").object()
            #expect(shown["pulls"] as? Int == 7 && shown["pulled_at"] is String)
            let tag = try await house.done("ann", "GET", "/api/v1/repositories/ann%2Fapp/tags/v1").object()
            #expect(tag["pulled_at"] is String)
        }
    }
}
