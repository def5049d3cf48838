import Access
import Model
import Service

/// `/api/v1/repositories`: visibility and permissions.
enum RepositoryOperations {
    static let operations = [
        operation(.get, "/api/v1/repositories", .registry(.catalog), [200], [.paginationInvalid], list),
        operation(.get, one, .repository(.pull), [200], [], get),
        operation(.patch, one, .repository(.administer), body: .json, [200], [.fieldInvalid], change),
        operation(.get, "\(one)/permissions", .repository(.administer), [200]) { call throws(RegistryError) in
            .page(
                try await call.accounts.permissions.list(call.grant()).map { permission in
                    var json = JSONObject()
                    json.put("grantee", permission.grantee)
                    json.put("actions", permission.rights.actions)
                    return json
                }, next: nil)
        },
        operation(.put, permission, .repository(.administer), body: .json, [204], [.fieldInvalid], permit),
        operation(.delete, permission, .repository(.administer), [204]) { call throws(RegistryError) in
            try await call.accounts.permissions.remove(call.grantee(), call.grant())
            return Response(204)
        },
    ]

    private static let one = "/api/v1/repositories/{repository}"
    private static let permission = "/api/v1/repositories/{repository}/permissions/{grantee}"

    private static func operation(
        _ method: Method, _ path: String, _ access: Operation.Access, body: Operation.Body = .none, _ answers: [Int],
        _ failures: [RegistryError.Code] = [], _ handler: @escaping Operation.Handler
    ) -> Operation {
        Operation(
            method, path, access, body: body, answers: answers,
            failures: failures + [.accountUnknown, .accountNameInvalid], rate: method == .get ? .list : .write,
            spec: "api: repositories", style: .problem, handler)
    }

    @Sendable private static func list(_ call: Call) async throws(RegistryError) -> Response {
        let namespace = try parsing { () throws(ParseError) in
            try call.request.query["namespace"].map { (name) throws(ParseError) in try AccountName.parse(name) }
        }
        let page = try await call.registry.repositories.list(call.listRequest(), in: namespace, call.registryGrant())
        return .page(
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
        let fields = try await call.fields(["visibility"])
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
        let fields = try await call.fields(["actions"])
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
