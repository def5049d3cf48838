import Access
import Model
import Service

/// `/api/v1/organizations`: these, their members and teams.
enum OrganizationOperations {
    static let operations =
        [
            operation(.post, list, .registry(.account), body: .json, [201], [.fieldInvalid, .nameTaken], create),
            operation(.get, list, .registry(.account), [200], [.paginationInvalid], all),
            operation(.get, one, .namespace(.view), [200]) { call throws(RegistryError) in
                .json(200, try await call.accounts.organizations.get(call.namespaceGrant()).json)
            },
            operation(.delete, one, .namespace(.own), [204], [.inUse]) { call throws(RegistryError) in
                try await call.accounts.organizations.remove(call.namespaceGrant())
                return Response(204)
            },
            operation(.get, "\(one)/members", .namespace(.view), [200], [], members),
            operation(
                .put, "\(one)/members/{user}", .namespace(.manage), body: .json, [204], [.fieldInvalid, .lastOwner],
                setMember),
            operation(.delete, "\(one)/members/{user}", .namespace(.manage), [204], [.lastOwner]) {
                call throws(RegistryError) in
                try await call.accounts.organizations.removeMember(
                    call.account(.user), mayOwn: call.mayOwn(), call.namespaceGrant())
                return Response(204)
            },
        ] + teams

    private static let teams = [
        operation(.get, "\(one)/teams", .namespace(.view), [200]) { call throws(RegistryError) in
            .names(try await call.accounts.organizations.teams(call.namespaceGrant()))
        },
        operation(.post, "\(one)/teams", .namespace(.manage), body: .json, [201], [.fieldInvalid, .nameTaken]) {
            call throws(RegistryError) in
            let fields = try await call.fields(["name"])
            let name = try fields.account("name")
            try await call.accounts.organizations.addTeam(name, call.namespaceGrant())
            var json = JSONObject()
            json.put("name", name.description)
            return .json(201, json)
        },
        operation(.delete, "\(one)/teams/{team}", .namespace(.manage), [204]) { call throws(RegistryError) in
            try await call.accounts.organizations.removeTeam(call.account(.team), call.namespaceGrant())
            return Response(204)
        },
        operation(.get, "\(one)/teams/{team}/members", .namespace(.view), [200]) { call throws(RegistryError) in
            .names(
                try await call.accounts.organizations.members(ofTeam: call.account(.team), call.namespaceGrant()))
        },
        operation(.put, "\(one)/teams/{team}/members/{user}", .namespace(.manage), [204]) {
            call throws(RegistryError) in
            try await call.accounts.organizations.addMember(
                call.account(.user), toTeam: call.account(.team), call.namespaceGrant())
            return Response(204)
        },
        operation(.delete, "\(one)/teams/{team}/members/{user}", .namespace(.manage), [204]) {
            call throws(RegistryError) in
            try await call.accounts.organizations.removeMember(
                call.account(.user), fromTeam: call.account(.team), call.namespaceGrant())
            return Response(204)
        },
    ]

    private static let list = "/api/v1/organizations"
    private static let one = "/api/v1/organizations/{organization}"

    static func operation(
        _ method: Method, _ path: String, _ access: Operation.Access, body: Operation.Body = .none, _ answers: [Int],
        _ failures: [RegistryError.Code] = [], _ handler: @escaping Operation.Handler
    ) -> Operation {
        Operation(
            method, path, access, body: body, answers: answers,
            failures: failures + [.accountUnknown, .accountNameInvalid], rate: method == .get ? .list : .write,
            spec: "api: organizations", style: .problem, handler)
    }

    @Sendable private static func create(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields(["name", "description"])
        let made = try await call.accounts.organizations.add(
            fields.account("name"), description: fields.text("description") ?? "", call.registryGrant())
        return .json(201, made.json)
    }

    @Sendable private static func all(_ call: Call) async throws(RegistryError) -> Response {
        let found = try await call.accounts.organizations.list(call.listRequest(), call.registryGrant())
        return .page(found.organizations.map(\.json), next: found.next)
    }

    @Sendable private static func members(_ call: Call) async throws(RegistryError) -> Response {
        let members = try await call.accounts.organizations.members(call.namespaceGrant())
        return .page(
            members.map { member in
                var json = JSONObject()
                json.put("name", member.name)
                json.put("role", member.role.name)
                json.put("kind", member.isRobot ? "robot" : "user")
                return json
            }, next: nil)
    }

    @Sendable private static func setMember(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields(["role"])
        guard let role = Role(name: try fields.required("role")) else { throw .unknownRole }
        try await call.accounts.organizations.setRole(
            role, of: call.account(.user), mayOwn: call.mayOwn(), call.namespaceGrant())
        return Response(204)
    }
}

extension RegistryError {
    static let unknownRole = RegistryError(
        .fieldInvalid, "'role' must be one of \(Role.allCases.map(\.name).joined(separator: ", "))",
        detail: ["field": "role"])
}

extension Call {
    /// Whether the caller may make and unmake owners of the path's organization.
    fileprivate func mayOwn() async throws(RegistryError) -> Bool {
        let namespace = try namespaceGrant().target
        if case .allowed = try await authorizer.authorize(.own, in: namespace, caller) { return true }
        return false
    }
}

extension Fields {
    /// A name that has to be there. Throws `.fieldInvalid`, `.accountNameInvalid`.
    func account(_ name: String) throws(RegistryError) -> AccountName {
        let text = try required(name)
        return try parsing { () throws(ParseError) in try AccountName.parse(text) }
    }
}

extension Response {
    /// A page of names.
    fileprivate static func names(_ names: [String]) -> Response {
        .page(
            names.map { name in
                var json = JSONObject()
                json.put("name", name)
                return json
            }, next: nil)
    }
}

extension Organization {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("name", name)
        json.put("description", description)
        json.put("repositories", repositories)
        json.put("bytes", bytes)
        json.put("created_at", createdAt)
        return json
    }
}
