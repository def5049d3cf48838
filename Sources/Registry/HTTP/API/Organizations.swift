import Access
import Model
import Service

/// `/api/v1/organizations`: these, their members and teams.
enum OrganizationOperations {
    static let operations: [Operation] = organizations + members + teams

    private static let organizations: [Operation] = [
        .api(
            "organizations.create", .post, list, .registry(.account),
            "Makes an organization, and the namespace of its name; who makes it is its owner.", takes: .newOrganization,
            gives: .init(201, .organization), failures: [.accountNameInvalid, .nameTaken], create),
        .api(
            "organizations.list", .get, list, .registry(.account),
            "Lists the organizations that one is in, or all for an administrator.", query: Shape.Member.page,
            gives: .init(200, .page(of: .organization)), all),
        .api(
            "organizations.get", .get, one, .namespace(.view), "Shows an organization.",
            gives: .init(200, .organization)
        ) {
            call throws(RegistryError) in
            let organization = try await call.accounts.organizations.get(call.namespaceGrant())
            return .json(200, organization.json, organization.tag)
        },
        .api(
            "organizations.update", .patch, one, .namespace(.manage), "Changes what an organization says of itself.",
            takes: .organizationChange, gives: .init(200, .organization)
        ) { call throws(RegistryError) in
            let organization = try await call.accounts.organizations.change(
                call.fields().organizationChange(), if: call.expectation, call.namespaceGrant())
            return .json(200, organization.json, organization.tag)
        },
        .api(
            "organizations.delete", .delete, one, .namespace(.own), "Deletes an organization that has no repositories.",
            query: [
                .optional(
                    "confirm", .accountName, "The organization's name: then all of its repositories go too, for good.")
            ], gives: 204, failures: [.inUse]
        ) { call throws(RegistryError) in
            let grant = try call.namespaceGrant()
            let confirmed = call.request.query["confirm"]
            if let confirmed { _ = try parsing { () throws(ParseError) in try AccountName.parse(confirmed) } }
            guard confirmed == nil || confirmed == grant.target.name else {
                throw RegistryError(
                    .inUse, "'confirm' is not the organization's name: nothing was deleted",
                    detail: ["field": "confirm"])
            }
            try await call.accounts.organizations.remove(withRepositories: confirmed != nil, grant)
            return Response(204)
        },
    ]

    private static let members: [Operation] = [
        .api(
            "members.list", .get, "\(one)/members", .namespace(.view), "Lists who is in an organization.",
            gives: .init(200, .page(of: .member)), allMembers),
        .api(
            "members.set", .put, "\(one)/members/{user}", .namespace(.manage),
            "Makes a user a member, or gives a member another role. Owners are made by owners alone.",
            takes: .memberRole,
            gives: 204, failures: [.lastOwner], setMember),
        .api(
            "members.remove", .delete, "\(one)/members/{user}", .namespace(.manage),
            "Takes a member out of an organization and of its teams. The last owner stays.", gives: 204,
            failures: [.lastOwner]
        ) { call throws(RegistryError) in
            try await call.accounts.organizations.removeMember(
                call.account(.user), mayOwn: call.mayOwn(), call.namespaceGrant())
            return Response(204)
        },
    ]

    private static let teams: [Operation] = [
        .api(
            "teams.list", .get, "\(one)/teams", .namespace(.view), "Lists an organization's teams.",
            gives: .init(200, .page(of: .named))
        ) { call throws(RegistryError) in
            call.whole(try await call.accounts.organizations.teams(call.namespaceGrant()).map(JSONObject.named))
        },
        .api(
            "teams.create", .post, "\(one)/teams", .namespace(.manage), "Makes a team.", takes: .named,
            gives: .init(201, .named), failures: [.nameTaken]
        ) { call throws(RegistryError) in
            let name = try await call.fields().account("name")
            return try await call.making { _ in
                .json(201, .named(name.description))
            } _: { (keeping) throws(RegistryError) in
                try await call.accounts.organizations.addTeam(name, call.namespaceGrant(), keeping: keeping)
            }
        },
        .api(
            "teams.delete", .delete, "\(one)/teams/{team}", .namespace(.manage),
            "Deletes a team, and what was permitted to it.", gives: 204
        ) { call throws(RegistryError) in
            try await call.accounts.organizations.removeTeam(call.account(.team), call.namespaceGrant())
            return Response(204)
        },
        .api(
            "teams.members", .get, "\(one)/teams/{team}/members", .namespace(.view), "Lists who is in a team.",
            gives: .init(200, .page(of: .named))
        ) { call throws(RegistryError) in
            call.whole(
                try await call.accounts.organizations.members(ofTeam: call.account(.team), call.namespaceGrant())
                    .map(JSONObject.named))
        },
        .api(
            "teams.add", .put, "\(one)/teams/{team}/members/{user}", .namespace(.manage),
            "Puts a member of the organization into a team.", gives: 204
        ) { call throws(RegistryError) in
            try await call.accounts.organizations.addMember(
                call.account(.user), toTeam: call.account(.team), call.namespaceGrant())
            return Response(204)
        },
        .api(
            "teams.remove", .delete, "\(one)/teams/{team}/members/{user}", .namespace(.manage),
            "Takes somebody out of a team.", gives: 204
        ) { call throws(RegistryError) in
            try await call.accounts.organizations.removeMember(
                call.account(.user), fromTeam: call.account(.team), call.namespaceGrant())
            return Response(204)
        },
    ]

    private static let list = "/api/v1/organizations"
    private static let one = "/api/v1/organizations/{organization}"

    @Sendable private static func create(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        return try await call.making { made in
            .json(201, made.json, made.tag)
        } _: { (keeping) throws(RegistryError) in
            try await call.accounts.organizations.add(
                fields.account("name"), fields.organizationChange(), call.registryGrant(), keeping: keeping)
        }
    }

    @Sendable private static func all(_ call: Call) async throws(RegistryError) -> Response {
        let found = try await call.accounts.organizations.list(call.listRequest(), call.registryGrant())
        return call.page(found.organizations.map(\.json), next: found.next)
    }

    @Sendable private static func allMembers(_ call: Call) async throws(RegistryError) -> Response {
        let members = try await call.accounts.organizations.members(call.namespaceGrant())
        return call.whole(
            members.map { member in
                var json = JSONObject()
                json.put("name", member.name)
                json.put("role", member.role.name)
                json.put("kind", member.isRobot ? "robot" : "user")
                return json
            })
    }

    @Sendable private static func setMember(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
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
    func mayOwn() async throws(RegistryError) -> Bool {
        let namespace = try namespaceGrant().target
        if case .allowed = try await authorizer.authorize(.own, in: namespace, caller) { return true }
        return false
    }
}

extension Fields {
    fileprivate func organizationChange() throws(RegistryError) -> OrganizationChange {
        var change = OrganizationChange()
        change.description = try text("description")
        change.displayName = try text("display_name")
        change.website = try text("website")
        change.avatar = try text("avatar")
        return change
    }

    /// A name that has to be there. Throws `.fieldInvalid`, `.accountNameInvalid`.
    func account(_ name: String) throws(RegistryError) -> AccountName {
        let text = try required(name)
        return try parsing { () throws(ParseError) in try AccountName.parse(text) }
    }
}

extension JSONObject {
    /// An object that has a name alone.
    fileprivate static func named(_ name: String) -> JSONObject {
        var json = JSONObject()
        json.put("name", name)
        return json
    }
}

extension Organization {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("name", name)
        json.put("description", description)
        json.put("display_name", displayName)
        json.put("website", website)
        json.put("avatar", avatar)
        json.put("repositories", repositories)
        json.put("bytes", bytes)
        json.put("logical_bytes", logicalBytes)
        json.put("created_at", createdAt)
        return json
    }
}
