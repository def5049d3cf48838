import Foundation

/// API keys: of users, of robots, and of users by administrators.
enum KeyChecks {
    static let checks: [ManagementCheck] = showing + ending + bounds + limits

    private static let showing: [ManagementCheck] = [
        ManagementCheck(
            "api.keys.secret-once", "openapi: MadeKey",
            "a key's secret is shown once; the list tells what it begins with"
        ) {
            probe in
            let name = try probe.newUser()
            let key = try probe.newKey(.user(name))
            try probe.api(.key(of: name, key.secret), "GET", "/auth/me").expect(200)
            let list = try probe.api(.user(name), "GET", "/keys").expect(200)
            guard !String(decoding: list.body, as: UTF8.self).contains(key.secret) else {
                throw list.failure("\(list.request): no secret", "a key's", .bodyLacks(key.secret))
            }
            let hint = try list.json()["items"]?.array?.first?["hint"]?.string ?? ""
            try require(
                !hint.isEmpty && key.secret.hasPrefix(hint) && hint.utf8.count * 2 < key.secret.utf8.count,
                "a short beginning of the secret as its hint", hint, list)
        },
        ManagementCheck("api.keys.list.own", "openapi: keys.list", "everybody's list has their own keys alone") {
            probe in
            let (one, other) = (try probe.newUser(), try probe.newUser())
            let key = try probe.newKey(.user(one))
            let others = try probe.newKey(.user(other))
            let found = try probe.items(.user(one), "/keys").compactMap { $0["id"]?.string }
            try require(
                found == [key.id], "one's own key alone", found.contains(others.id) ? "another's too" : "\(found)")
            let managed = try probe.items(.administrator, "/users/\(one)/keys").compactMap { $0["id"]?.string }
            try require(managed == [key.id], "the same list for administrators", "\(managed)")
        },
    ]

    private static let ending: [ManagementCheck] = [
        ManagementCheck(
            "api.keys.delete.ends", "openapi: keys.delete", "a deleted key is good for nothing, and in no list"
        ) { probe in
            let name = try probe.newUser()
            let key = try probe.newKey(.user(name))
            try probe.api(.key(of: name, key.secret), "GET", "/auth/me").expect(200)
            try probe.pulls(.key(of: name, key.secret), "\(name)/none").expect(404)
            try probe.api(.user(name), "DELETE", "/keys/\(key.id)").expect(204)
            try probe.pulls(.key(of: name, key.secret), "\(name)/none").expect(401)
            try require(try probe.items(.user(name), "/keys").isEmpty, "an empty list", "a key")
        },
        ManagementCheck(
            "api.keys.delete.others", "openapi: keys.delete", "another's key is not there: neither deleted nor rotated"
        ) {
            probe in
            let (one, other) = (try probe.newUser(), try probe.newUser())
            let key = try probe.newKey(.user(one))
            try probe.api(.user(other), "DELETE", "/keys/\(key.id)").problem(404, "not_found")
            try probe.api(.user(other), "POST", "/keys/\(key.id)/rotate", "{}").problem(404, "not_found")
            try probe.api(.administrator, "DELETE", "/users/\(other)/keys/\(key.id)").problem(404, "not_found")
            try probe.api(.key(of: one, key.secret), "GET", "/auth/me").expect(200)
        },
        ManagementCheck(
            "api.keys.rotate.ends", "openapi: KeyRotation",
            "with an overlap of nothing the older secret is over at once"
        ) {
            probe in
            let name = try probe.newUser()
            let key = try probe.newKey(.user(name))
            let next = try probe.api(.user(name), "POST", "/keys/\(key.id)/rotate", #"{"overlap":0}"#).expect(200).text(
                "secret")
            try require(next != key.secret, "another secret", "the same")
            try probe.api(.key(of: name, next), "GET", "/auth/me").expect(200)
            try probe.api(.key(of: name, key.secret), "GET", "/auth/me").problem(401)
        },
        ManagementCheck(
            "api.keys.rotate.overlap", "openapi: KeyRotation",
            "with an overlap both secrets are good, and the older ends with it", level: .should
        ) {
            probe in
            let name = try probe.newUser()
            let key = try probe.newKey(.user(name))
            let next = try probe.api(.user(name), "POST", "/keys/\(key.id)/rotate", #"{"overlap":3}"#).expect(200).text(
                "secret")
            let start = ContinuousClock.now
            for secret in [key.secret, next] { try probe.api(.key(of: name, secret), "GET", "/auth/me").expect(200) }
            try ends(probe, .key(of: name, key.secret), "the older secret", start, after: .seconds(3))
            try probe.api(.key(of: name, next), "GET", "/auth/me").expect(200)
        },
        ManagementCheck(
            "api.keys.expired", "openapi: NewKey", "a key is good until it expires, and no longer", level: .should
        ) { probe in
            let name = try probe.newUser()
            let path = "/keys"
            try probe.api(.user(name), "POST", path, #"{"name":"old","expires_at":"2001-01-01T00:00:00Z"}"#).problem(
                400, "field_invalid")
            let start = ContinuousClock.now
            let key = try probe.newKey(.user(name), path, #","expires_at":"\#(time(in: 4))""#)
            try probe.api(.key(of: name, key.secret), "GET", "/auth/me").expect(200)
            try ends(probe, .key(of: name, key.secret), "the key", start, after: .seconds(4))
        },
    ]

    private static let bounds: [ManagementCheck] = [
        ManagementCheck(
            "api.keys.scope.bounds", "roles.md",
            "a key with a scope reaches what its scope names, and nothing of the API"
        ) {
            probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization([(name, "maintainer")])
            let (one, other) = (
                try probe.newRepository(in: organization).name, try probe.newRepository(in: organization).name
            )
            let key = try probe.newKey(
                .user(name), "/keys", #","scope":[{"repositories":"\#(one)","actions":["pull"]}]"#)
            let actor = Actor.key(of: name, key.secret)
            try probe.pulls(actor, one).expect(200)
            try probe.pulls(actor, other).expect(401)
            try probe.v2(actor, "POST", "/v2/\(one)/blobs/uploads/").expect(401)
            try probe.v2(actor, "DELETE", "/v2/\(one)/manifests/v1").expect(401)
            try probe.api(actor, "GET", "/auth/me").problem(401, "insufficient_scope")
            try probe.api(actor, "GET", "/keys").problem(401, "insufficient_scope")
        },
        ManagementCheck("api.keys.scope.adds", "roles.md", "a key's scope never adds to what its owner may") { probe in
            let name = try probe.newUser()
            let repository = try probe.newRepository(in: try probe.newOrganization()).name
            let key = try probe.newKey(
                .user(name), "/keys", #","scope":[{"repositories":"*","actions":["pull","push","delete"]}]"#)
            try probe.pulls(.key(of: name, key.secret), repository).expect(404)
            try probe.v2(.key(of: name, key.secret), "POST", "/v2/\(repository)/blobs/uploads/").expect(403)
        },
    ]

    private static let limits: [ManagementCheck] = [
        ManagementCheck(
            "api.keys.many", "openapi: keys.create", "an account has so many keys and no more: 409",
            provokes: [("keys.create", 409), ("users.keys.create", 409), ("robots.keys.create", 409)]
        ) { probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization()
            try probe.api(.administrator, "POST", "/organizations/\(organization)/robots", #"{"name":"ci"}"#).expect(
                201)
            func fill(_ actor: Actor, _ path: String) throws {
                for _ in 0..<1_000 {
                    let answer = try probe.api(actor, "POST", path, #"{"name":"one of many"}"#)
                    if answer.status != 201 {
                        try answer.problem(409, "in_use")
                        return
                    }
                }
                throw CheckFailure(expected: "an end of keys at \(path)", got: "a thousand")
            }
            try fill(.user(name), "/keys")
            try probe.api(.administrator, "POST", "/users/\(name)/keys", #"{"name":"one more"}"#).problem(409, "in_use")
            try fill(.administrator, "/organizations/\(organization)/robots/ci/keys")
        }
    ]

    /// The actor's credentials have to be refused from `after` on; they are asked for until then, and three seconds more.
    private static func ends(
        _ probe: Probe, _ actor: Actor, _ what: String, _ start: ContinuousClock.Instant, after: Duration
    ) throws {
        var answer = try probe.api(actor, "GET", "/auth/me")
        while answer.status == 200, ContinuousClock.now - start < after + .seconds(3) {
            Thread.sleep(forTimeInterval: 0.25)
            answer = try probe.api(actor, "GET", "/auth/me")
        }
        guard answer.status == 401 else {
            throw answer.failure(
                "\(answer.request): \(what) refused after \(after)", "status \(answer.status)", .status([401]))
        }
    }

    private static func time(in seconds: Double) -> String {
        ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: seconds))
    }
}
