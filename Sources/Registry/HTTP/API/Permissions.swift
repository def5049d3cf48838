import Access
import Model
import Service

/// `/api/v1/repositories/{repository}/permissions`.
enum PermissionOperations {
    static let operations: [Operation] = [
        .api(
            "permissions.list", .get, list, .repository(.administer), "Lists who was given what.",
            gives: .init(200, .page(of: .permission))
        ) { call throws(RegistryError) in
            call.whole(
                try await call.accounts.permissions.list(call.grant()).map { permission in
                    var json = JSONObject()
                    json.put("grantee", permission.grantee)
                    json.put("actions", permission.rights.actions)
                    return json
                })
        },
        .api(
            "permissions.get", .get, one, .repository(.administer),
            "Shows what somebody may do with the repository, and which rule gives it.",
            gives: .init(200, .effectivePermission), effective),
        .api(
            "permissions.set", .put, one, .repository(.administer),
            "Gives somebody actions, in the place of those that were given before.", takes: .newPermission, gives: 204,
            permit),
        .api(
            "permissions.remove", .delete, one, .repository(.administer), "Takes back what was given to somebody.",
            gives: 204
        ) { call throws(RegistryError) in
            try await call.accounts.permissions.remove(call.grantee(), call.grant())
            return Response(204)
        },
    ]

    private static let list = "\(RepositoryOperations.one)/permissions"
    private static let one = "\(RepositoryOperations.one)/permissions/{grantee}"

    @Sendable private static func permit(_ call: Call) async throws(RegistryError) -> Response {
        var rights: Rights = []
        for action in try await call.fields().texts("actions") ?? [] {
            for known in Rights.names where known.name == action { rights.insert(known.rights) }
        }
        try await call.accounts.permissions.set(rights, for: call.grantee(), call.grant())
        return Response(204)
    }

    @Sendable private static func effective(_ call: Call) async throws(RegistryError) -> Response {
        let found = try await call.accounts.permissions.effective(call.grantee(), call.grant())
        var json = JSONObject()
        json.put("grantee", found.grantee)
        json.put("actions", found.rights.actions)
        json.put(
            "why",
            found.reasons.map { reason in
                var json = JSONObject()
                json.put("rule", reason.rule)
                json.put("detail", reason.detail)
                json.put("actions", reason.rights.actions)
                return json
            })
        return .json(200, json)
    }
}

extension Rights {
    fileprivate var actions: [String] { Rights.names.filter { contains($0.rights) }.map(\.name) }
}

extension Call {
    fileprivate func grantee() throws(RegistryError) -> Grantee {
        let text = parameters[.grantee]
        return try parsing { () throws(ParseError) in try Grantee.parse(text) }
    }
}
