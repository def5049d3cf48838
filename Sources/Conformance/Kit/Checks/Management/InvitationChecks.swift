/// Invitations: who sees one, who may answer it, and what ends it (docs/roles.md).
enum InvitationChecks {
    static let checks: [ManagementCheck] = answered + ended + given

    /// A check of an API that has invitations.
    static func check(
        _ id: String, _ section: String, _ gist: String, provokes: [(String, Int)] = [],
        _ body: @escaping @Sendable (Probe) throws -> Void
    ) -> ManagementCheck {
        ManagementCheck("api.invitations.\(id)", section, gist, provokes: provokes) { probe in
            try probe.needs("invitations.create")
            try body(probe)
        }
    }

    private static let answered: [ManagementCheck] = [
        check(
            "mine.shown", "openapi: invitations.mine, invitations.list",
            "an invitation is shown to whom it is for and to who manages the organization, and makes nobody a member yet"
        ) { probe in
            let (owner, user, other) = (try probe.newUser(), try probe.newUser(), try probe.newUser())
            let organization = try probe.newOrganization(by: .user(owner))
            let id = try probe.invite(user, to: organization, as: "developer", by: .user(owner))
            let mine = try probe.items(.user(user), "/invitations")
            try require(
                mine.count == 1 && mine[0]["id"]?.string == id && mine[0]["organization"]?.string == organization
                    && mine[0]["role"]?.string == "developer" && mine[0]["invited_by"]?.string == owner,
                "one invitation, to be developer of \(organization), by \(owner)",
                mine.map(\.text).joined(separator: ", "))
            let others = try probe.items(.user(other), "/invitations")
            try require(others.isEmpty, "none in another's list", "\(others.count)")
            let sent = try probe.items(.user(owner), "/organizations/\(organization)/invitations")
            try require(
                sent.contains { $0["id"]?.string == id && $0["user"]?.string == user },
                "it, in the organization's list",
                sent.map(\.text).joined(separator: ", "))
            try probe.api(.user(user), "GET", "/organizations/\(organization)").problem(404)
        },
        check(
            "accept.once", "openapi: invitations.accept",
            "who accepts is a member with the role that was said, and the invitation is used up"
        ) { probe in
            let user = try probe.newUser()
            let organization = try probe.newOrganization()
            let id = try probe.invite(user, to: organization, as: "maintainer")
            try probe.answer(id, "accept", by: .user(user)).expect(204)
            let members = try probe.items(.user(user), "/organizations/\(organization)/members")
            try require(
                members.contains { $0["name"]?.string == user && $0["role"]?.string == "maintainer" },
                "\(user), a maintainer", members.map(\.text).joined(separator: ", "))
            try probe.answer(id, "accept", by: .user(user)).problem(404)
            let left = try probe.items(.user(user), "/invitations")
            try require(left.isEmpty, "no invitation left", "\(left.count)")
        },
        check(
            "accept.another", "openapi: invitations.accept, invitations.decline",
            "nobody answers another's invitation: for them it is not there, and stands"
        ) { probe in
            let (user, other) = (try probe.newUser(), try probe.newUser())
            let organization = try probe.newOrganization()
            let id = try probe.invite(user, to: organization)
            for what in ["accept", "decline"] { try probe.answer(id, what, by: .user(other)).problem(404) }
            try probe.api(.user(other), "GET", "/organizations/\(organization)").problem(404)
            try probe.answer(id, "accept", by: .user(user)).expect(204)
        },
        check(
            "decline.ends", "openapi: invitations.decline",
            "what was declined cannot be accepted any more, and makes nobody a member"
        ) { probe in
            let user = try probe.newUser()
            let organization = try probe.newOrganization()
            let id = try probe.invite(user, to: organization)
            try probe.answer(id, "decline", by: .user(user)).expect(204)
            try probe.answer(id, "accept", by: .user(user)).problem(404)
            try probe.api(.user(user), "GET", "/organizations/\(organization)").problem(404)
        },
    ]

    private static let ended: [ManagementCheck] = [
        check(
            "withdraw.gone", "openapi: invitations.withdraw", "what was withdrawn is gone, for everybody"
        ) { probe in
            let user = try probe.newUser()
            let organization = try probe.newOrganization()
            let id = try probe.invite(user, to: organization)
            let place = "/organizations/\(organization)/invitations"
            try probe.api(.administrator, "DELETE", "\(place)/\(id)").expect(204)
            try probe.answer(id, "accept", by: .user(user)).problem(404)
            for (actor, list) in [(Actor.user(user), "/invitations"), (.administrator, place)] {
                let left = try probe.items(actor, list)
                try require(left.isEmpty, "nothing in \(list)", "\(left.count)")
            }
            try probe.api(.user(user), "GET", "/organizations/\(organization)").problem(404)
        },
        check(
            "withdraw.foreign", "roles.md",
            "an invitation of another organization is none below the own one, and stands"
        ) { probe in
            let (owner, user) = (try probe.newUser(), try probe.newUser())
            let own = try probe.newOrganization(by: .user(owner))
            let id = try probe.invite(user, to: try probe.newOrganization())
            try probe.api(.user(owner), "DELETE", "/organizations/\(own)/invitations/\(id)").problem(404)
            try probe.answer(id, "accept", by: .user(user)).expect(204)
        },
        check(
            "inviter.right", "roles.md",
            "an invitation ends when who made it has less of a role, leaves or is disabled: nobody sees it, nobody accepts it"
        ) { probe in
            for way in ["has less of a role", "leaves", "is disabled"] {
                let (admin, user) = (try probe.newUser(), try probe.newUser())
                let organization = try probe.newOrganization([(admin, "admin")])
                let id = try probe.invite(user, to: organization, by: .user(admin))
                let place = "/organizations/\(organization)/members/\(admin)"
                switch way {
                case "leaves": try probe.api(.administrator, "DELETE", place).expect(204)
                case "is disabled":
                    try probe.api(.administrator, "PATCH", "/users/\(admin)", #"{"disabled":true}"#).expect(200)
                default: try probe.setRole("reader", of: admin, in: organization)
                }
                let left = try probe.items(.user(user), "/invitations")
                try require(left.isEmpty, "no invitation of one who \(way)", "\(left.count)")
                try probe.answer(id, "accept", by: .user(user)).problem(404)
                try probe.api(.user(user), "GET", "/organizations/\(organization)").problem(404)
            }
        },
        check(
            "replaced", "openapi: invitations.create", "one invitation waits at a time, the last that was made"
        ) { probe in
            let user = try probe.newUser()
            let organization = try probe.newOrganization()
            let first = try probe.invite(user, to: organization)
            let second = try probe.invite(user, to: organization, as: "developer")
            let mine = try probe.items(.user(user), "/invitations")
            try require(
                mine.count == 1 && mine[0]["id"]?.string == second, "the last one alone",
                mine.map(\.text).joined(separator: ", "))
            try probe.answer(first, "accept", by: .user(user)).problem(404)
            try probe.answer(second, "accept", by: .user(user)).expect(204)
        },
    ]

    private static let given: [ManagementCheck] = [
        check(
            "owners-alone", "roles.md",
            "owners are invited, and their invitations withdrawn and replaced, by owners alone"
        ) { probe in
            let (admin, owner, user) = (try probe.newUser(), try probe.newUser(), try probe.newUser())
            let organization = try probe.newOrganization([(admin, "admin"), (owner, "owner")])
            let place = "/organizations/\(organization)/invitations"
            func body(_ role: String) -> String { #"{"user":"\#(user)","role":"\#(role)"}"# }
            try probe.api(.user(admin), "POST", place, body("owner")).problem(403, "denied")
            let id = try probe.invite(user, to: organization, as: "owner", by: .user(owner))
            try probe.api(.user(admin), "DELETE", "\(place)/\(id)").problem(403, "denied")
            try probe.api(.user(admin), "POST", place, body("reader")).problem(403, "denied")
            try probe.answer(id, "accept", by: .user(user)).expect(204)
        },
        check(
            "member", "openapi: invitations.create",
            "who is a member already is not invited, 409, and who becomes one has no invitation any more",
            provokes: [("invitations.create", 409)]
        ) { probe in
            let user = try probe.newUser()
            let organization = try probe.newOrganization()
            let id = try probe.invite(user, to: organization, as: "admin")
            try probe.setRole("reader", of: user, in: organization)
            try probe.answer(id, "accept", by: .user(user)).expect(anyOf: [404, 409])
            try probe.api(
                .administrator, "POST", "/organizations/\(organization)/invitations",
                #"{"user":"\#(user)","role":"admin"}"#
            ).problem(409, "name_taken")
            let members = try probe.items(.user(user), "/organizations/\(organization)/members")
            try require(
                members.contains { $0["name"]?.string == user && $0["role"]?.string == "reader" }, "\(user), a reader",
                members.map(\.text).joined(separator: ", "))
        },
    ]
}

extension Probe {
    /// Skips the check where this version of the API has no such operation.
    func needs(_ operation: String) throws {
        guard try management().document.operations.contains(where: { $0.id == operation }) else {
            throw Skip("this version of the API has no \(operation)")
        }
    }

    /// Invites a user; gives the invitation's id.
    func invite(
        _ user: String, to organization: String, as role: String = "reader", by actor: Actor = .administrator
    ) throws -> String {
        try api(
            actor, "POST", "/organizations/\(organization)/invitations", #"{"user":"\#(user)","role":"\#(role)"}"#
        ).expect(201).text("id")
    }

    /// Answers an invitation: `accept`, `decline`.
    func answer(_ id: String, _ what: String, by actor: Actor) throws -> Answer {
        try api(actor, "POST", "/invitations/\(id)/\(what)")
    }
}
