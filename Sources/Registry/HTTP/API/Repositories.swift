import Access
import Model
import Service

/// `/api/v1/repositories`: visibility and permissions.
enum RepositoryOperations {
    static let operations: [Operation] = [
        .api(
            "repositories.list", .get, "/api/v1/repositories", .registry(.catalog),
            "Lists the repositories that one may pull from, in the order of their names.", query: Shape.Member.page,
            gives: .init(200, .page(of: .repositoryItem)), list),
        .api(
            "repositories.get", .get, one, .repository(.pull), "Shows a repository.", gives: .init(200, .repository),
            get),
        .api(
            "repositories.update", .patch, one, .repository(.administer), "Changes a repository.",
            takes: .repositoryChange, gives: .init(200, .repository), change),
        .api(
            "permissions.list", .get, "\(one)/permissions", .repository(.administer), "Lists who was given what.",
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
            "permissions.set", .put, permission, .repository(.administer),
            "Gives somebody actions, in the place of those that were given before.", takes: .newPermission, gives: 204,
            permit),
        .api(
            "permissions.remove", .delete, permission, .repository(.administer),
            "Takes back what was given to somebody.",
            gives: 204
        ) { call throws(RegistryError) in
            try await call.accounts.permissions.remove(call.grantee(), call.grant())
            return Response(204)
        },
    ]

    private static let one = "/api/v1/repositories/{repository}"
    private static let permission = "/api/v1/repositories/{repository}/permissions/{grantee}"

    @Sendable private static func list(_ call: Call) async throws(RegistryError) -> Response {
        let page = try await call.registry.repositories.list(call.listRequest(), call.registryGrant())
        return call.page(
            page.items.map { name in
                var json = JSONObject()
                json.put("name", name)
                return json
            }, next: page.next)
    }

    @Sendable private static func get(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.grant()
        return .json(200, shown(grant.target.name, try await call.accounts.permissions.visibility(grant)))
    }

    @Sendable private static func change(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.grant()
        let fields = try await call.fields()
        let visibility: Visibility
        switch try fields.required("visibility") {
        case "public": visibility = .open
        case "private": visibility = .hidden
        default: throw Fields.wrong("visibility", "must be public or private")
        }
        try await call.accounts.permissions.setVisibility(visibility, grant)
        return .json(200, shown(grant.target.name, visibility))
    }

    @Sendable private static func permit(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.grant()
        let fields = try await call.fields()
        var rights: Rights = []
        for action in try fields.texts("actions") ?? [] {
            guard let known = Rights.names.first(where: { $0.name == action }) else {
                throw Fields.wrong("actions", "has '\(action.excerpt)': there are pull, push, delete and admin")
            }
            rights.insert(known.rights)
        }
        guard !rights.isEmpty else { throw Fields.wrong("actions", "has to name one or more actions") }
        try await call.accounts.permissions.set(rights, for: call.grantee(), grant)
        return Response(204)
    }

    private static func shown(_ name: RepositoryName, _ visibility: Visibility) -> JSONObject {
        var json = JSONObject()
        json.put("name", name.description)
        json.put("visibility", visibility == .open ? "public" : "private")
        return json
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
