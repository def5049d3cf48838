import Access
import Model
import Service

/// Robots of organizations, and API keys: one's own, a robot's, and by administrators anybody's.
enum RobotOperations {
    static let operations: [Operation] =
        robotOperations
        + keys("keys", "/api/v1/keys", .registry(.account)) { call throws(RegistryError) in
            .caller(try call.registryGrant())
        }
        + keys("users.keys", "/api/v1/users/{user}/keys", .registry(.administer)) { call throws(RegistryError) in
            .user(try call.account(.user), try call.registryGrant())
        }
        + keys("robots.keys", "\(robot)/keys", .namespace(.manage)) { call throws(RegistryError) in
            .robot(try call.account(.robot), try call.namespaceGrant())
        }

    private static let robots = "/api/v1/organizations/{organization}/robots"
    private static let robot = "/api/v1/organizations/{organization}/robots/{robot}"

    private static let robotOperations: [Operation] = [
        .api(
            "robots.list", .get, robots, .namespace(.view), "Lists an organization's robots.",
            gives: .init(200, .page(of: .robot))
        ) { call throws(RegistryError) in
            call.whole(try await call.accounts.organizations.robots(call.namespaceGrant()).map(\.json))
        },
        .api(
            "robots.create", .post, robots, .namespace(.manage), "Makes a robot, which logs in with its keys.",
            takes: .newRobot, gives: .init(201, .robot), failures: [.nameTaken], create),
        .api(
            "robots.update", .patch, robot, .namespace(.manage), "Disables a robot, or enables it again.",
            takes: .robotChange, gives: .init(200, .robot)
        ) { call throws(RegistryError) in
            guard let isDisabled = try await call.fields().flag("disabled") else {
                throw Fields.wrong("disabled", "has to be there")
            }
            let robot = try await call.accounts.organizations.setDisabled(
                isDisabled, robot: call.account(.robot), if: call.expectation, call.namespaceGrant())
            return .json(200, robot.json, robot.tag)
        },
        .api("robots.delete", .delete, robot, .namespace(.manage), "Deletes a robot and its keys.", gives: 204) {
            call throws(RegistryError) in
            try await call.accounts.organizations.removeRobot(call.account(.robot), call.namespaceGrant())
            return Response(204)
        },
    ]

    @Sendable private static func create(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        let role = try fields.text("role").map { (name) throws(RegistryError) in
            guard let role = Role(name: name) else { throw .unknownRole }
            return role
        }
        return try await call.making { made in
            .json(201, made.json)
        } _: { (keeping) throws(RegistryError) in
            try await call.accounts.organizations.addRobot(
                fields.account("name"), role: role, call.namespaceGrant(), keeping: keeping)
        }
    }

    /// The operations on keys below a path that says whose they are.
    private static func keys(
        _ id: String, _ path: String, _ access: Operation.Access,
        _ owner: @Sendable @escaping (Call) throws(RegistryError) -> Keys.Owner
    ) -> [Operation] {
        [
            .api("\(id).list", .get, path, access, "Lists API keys.", gives: .init(200, .page(of: .key))) {
                call throws(RegistryError) in
                call.whole(try await call.accounts.keys.list(owner(call)).map(\.json))
            },
            .api(
                "\(id).create", .post, path, access, "Makes an API key.", takes: .newKey, gives: .init(201, .madeKey),
                failures: [.inUse, .denied]
            ) { call throws(RegistryError) in
                let new = try await call.newKey()
                return try await call.making { made in
                    var json = made.key.json
                    json.put("secret", made.secret)
                    return .json(201, json)
                } _: { (keeping) throws(RegistryError) in
                    try await call.accounts.keys.add(new, owner(call), keeping: keeping)
                }
            },
            .api("\(id).delete", .delete, "\(path)/{key}", access, "Deletes an API key.", gives: 204) {
                call throws(RegistryError) in
                try await call.accounts.keys.remove(call.key(), owner(call))
                return Response(204)
            },
            .api(
                "\(id).rotate", .post, "\(path)/{key}/rotate", access,
                "Gives an API key a new secret; the older one is good for a while.", takes: .keyRotation,
                gives: .init(200, .rotatedKey)
            ) { call throws(RegistryError) in
                let overlap = Duration.seconds(try await call.fields().number("overlap") ?? 86_400)
                var json = JSONObject()
                json.put(
                    "secret", try await call.accounts.keys.rotate(call.key(), keepingOlderFor: overlap, owner(call)))
                return .json(200, json)
            },
        ]
    }
}

extension Call {
    fileprivate func key() throws(RegistryError) -> KeyID {
        guard let id = Int64(parameters[.key]) else {
            throw RegistryError(.accountUnknown, "there is no such key")
        }
        return KeyID(id)
    }

    fileprivate func newKey() async throws(RegistryError) -> NewKey {
        let fields = try await fields()
        var entries: [(pattern: String, actions: [String])]?
        if let scope = try fields.objects("scope") {
            entries = []
            for entry in scope {
                entries?.append((try entry.required("repositories"), try entry.texts("actions") ?? []))
            }
        }
        let scope = try parsing { [entries] () throws(ParseError) in
            try entries.map { (entries) throws(ParseError) in try KeyScope.parse(entries) }
        }
        return try NewKey(name: fields.required("name"), scope: scope, expiresAt: fields.time("expires_at"))
    }
}

extension Robot {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("id", id.description)
        json.put("name", name)
        json.put("login", login)
        json.put("role", role?.name)
        json.put("disabled", isDisabled)
        json.put("created_at", createdAt)
        return json
    }
}

extension Key {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("id", id.description)
        json.put("name", name)
        json.put("hint", hint)
        if let scope {
            json.put(
                "scope",
                scope.entries.map { entry in
                    var json = JSONObject()
                    json.put("repositories", entry.pattern)
                    json.put("actions", entry.actions)
                    return json
                })
        } else {
            json.put("scope", String?.none)
        }
        json.put("created_at", createdAt)
        json.put("expires_at", expiresAt)
        json.put("last_used_at", lastUsedAt)
        return json
    }
}
