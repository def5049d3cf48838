import Access
import Model
import Service

/// Invitations to organizations: below these for who manages one, and `/api/v1/invitations` for who was invited.
enum InvitationOperations {
    static let operations: [Operation] = [
        .api(
            "invitations.create", .post, sent, .namespace(.manage),
            """
            Invites a user, who becomes a member by accepting. Owners are invited by owners alone. An invitation that waits \
            already is replaced; one ends when who made it may not give that role any more.
            """,
            takes: .newInvitation, gives: .init(201, .invitation), failures: [.nameTaken, .inUse], create),
        .api(
            "invitations.list", .get, sent, .namespace(.manage), "Lists the invitations that wait for an answer.",
            query: Shape.Member.page(after: .identifier), gives: .init(200, .page(of: .invitation)),
            failures: [.paginationInvalid]
        ) { call throws(RegistryError) in
            let found = try await call.accounts.invitations.list(call.listRequest(), call.namespaceGrant())
            return call.page(found.invitations.map(\.json), next: found.next)
        },
        .api(
            "invitations.withdraw", .delete, "\(sent)/{invitation}", .namespace(.manage), "Takes an invitation back.",
            gives: 204
        ) { call throws(RegistryError) in
            try await call.accounts.invitations.withdraw(
                call.invitation(), mayOwn: call.mayOwn(), call.namespaceGrant())
            return Response(204)
        },
        .api(
            "invitations.mine", .get, received, .registry(.account), "Lists one's own invitations.",
            query: Shape.Member.page(after: .identifier), gives: .init(200, .page(of: .invitation)),
            failures: [.paginationInvalid]
        ) { call throws(RegistryError) in
            let found = try await call.accounts.invitations.own(call.listRequest(), call.registryGrant())
            return call.page(found.invitations.map(\.json), next: found.next)
        },
        .api(
            "invitations.accept", .post, "\(received)/{invitation}/accept", .registry(.account),
            "Accepts an invitation: who was invited is a member then.", gives: 204, failures: [.nameTaken]
        ) { call throws(RegistryError) in
            try await call.accounts.invitations.accept(call.invitation(), call.registryGrant())
            return Response(204)
        },
        .api(
            "invitations.decline", .post, "\(received)/{invitation}/decline", .registry(.account),
            "Declines an invitation.", gives: 204
        ) { call throws(RegistryError) in
            try await call.accounts.invitations.decline(call.invitation(), call.registryGrant())
            return Response(204)
        },
    ]

    private static let sent = "/api/v1/organizations/{organization}/invitations"
    private static let received = "/api/v1/invitations"

    @Sendable private static func create(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        guard let role = Role(name: try fields.required("role")) else { throw .unknownRole }
        let (user, mayOwn) = (try fields.account("user"), try await call.mayOwn())
        return try await call.making { made in
            .json(201, made.json)
        } _: { (keeping) throws(RegistryError) in
            try await call.accounts.invitations.add(
                user, as: role, mayOwn: mayOwn, call.namespaceGrant(), keeping: keeping)
        }
    }
}

extension Call {
    /// The id in the path: of what is none there is none. Throws `.accountUnknown`.
    fileprivate func invitation() throws(RegistryError) -> InvitationID {
        guard let id = Int64(parameters[.invitation]) else {
            throw RegistryError(.accountUnknown, "there is no such invitation")
        }
        return InvitationID(id)
    }
}

extension Invitation {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("id", id.description)
        json.put("organization", organization)
        json.put("user", user)
        json.put("role", role.name)
        json.put("invited_by", inviter)
        json.put("created_at", createdAt)
        json.put("expires_at", expiresAt)
        return json
    }
}
