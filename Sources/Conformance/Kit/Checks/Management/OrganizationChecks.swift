/// Organizations, who is in them and with what role, their teams and robots.
enum OrganizationChecks {
    static let checks: [ManagementCheck] = organizations + members + teams + robots

    private static let organizations: [ManagementCheck] = [
        ManagementCheck(
            "api.organizations.create.owner", "openapi: organizations.create", "who makes an organization is its owner"
        ) {
            probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization(by: .user(name))
            let members = try probe.items(.user(name), "/organizations/\(organization)/members")
            try require(
                members.count == 1 && members[0]["name"]?.string == name && members[0]["role"]?.string == "owner",
                "one member, \(name), the owner", members.map(\.text).joined(separator: ", "))
            try require(
                try probe.names(.user(name), "/organizations") == [organization], "it alone in its owner's list",
                "another list")
        },
        ManagementCheck(
            "api.organizations.create.taken", "openapi: organizations.create",
            "a name that an organization or a user has is 409",
            provokes: [("organizations.create", 409)]
        ) { probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization(by: .user(name))
            for taken in [organization, name] {
                try probe.api(.user(name), "POST", "/organizations", #"{"name":"\#(taken)"}"#).problem(
                    409, "name_taken")
            }
        },
        ManagementCheck(
            "api.organizations.list.own", "openapi: organizations.list",
            "everybody's list has those that they are in alone"
        ) {
            probe in
            let cast = try probe.cast()
            let mine = try probe.names(cast.actor(.reader), "/organizations")
            try require(mine == [cast.own], "\(cast.own) alone", "\(mine.prefix(5))")
            let none = try probe.names(cast.actor(.outsider), "/organizations")
            try require(
                !none.contains(cast.own) && !none.contains(cast.foreign), "no organization of others",
                "\(none.prefix(5))")
        },
        ManagementCheck(
            "api.organizations.get.alike", "roles.md",
            "another's organization and one that is not there answer alike, but for the name"
        ) { probe in
            let cast = try probe.cast()
            let actor = cast.actor(.outsider)
            for path in ["", "/members", "/teams", "/robots", "/teams/crew/members"] {
                let foreign = try probe.api(actor, "GET", "/organizations/\(cast.own)\(path)").problem(404)
                let absent = try probe.api(actor, "GET", "/organizations/\(cast.own)x\(path)").problem(404)
                func told(_ answer: Answer, _ name: String) -> String {
                    String(decoding: answer.body, as: UTF8.self).replacing(name, with: "NAME")
                }
                try require(
                    told(foreign, cast.own) == told(absent, "\(cast.own)x"), "the same answer to both", "another",
                    foreign)
            }
        },
        ManagementCheck(
            "api.organizations.update.stale", "openapi: organizations.update",
            "If-Match of what is not so any more is 412, and changes nothing", provokes: [("organizations.update", 412)]
        ) { probe in
            let name = try probe.newOrganization()
            try UserChecks.stale(
                probe, "/organizations/\(name)", #"{"description":"one"}"#, #"{"description":"other"}"#)
        },
        ManagementCheck(
            "api.organizations.delete.full", "openapi: organizations.delete",
            "an organization with repositories goes only where its name is said, and all of it then",
            provokes: [("organizations.delete", 409)]
        ) { probe in
            let name = try probe.newOrganization()
            let repository = try probe.newRepository(in: name).name
            try probe.api(.administrator, "DELETE", "/organizations/\(name)").problem(409, "in_use")
            try probe.api(.administrator, "DELETE", "/organizations/\(name)?confirm=\(name)x").problem(409, "in_use")
            try probe.pulls(.administrator, repository).expect(200)
            try probe.api(.administrator, "DELETE", "/organizations/\(name)?confirm=\(name)").expect(204)
            try probe.pulls(.administrator, repository).expect(404)
            try probe.api(.administrator, "GET", "/organizations/\(name)").problem(404)
        },
        ManagementCheck(
            "api.organizations.delete.again", "roles.md",
            "an organization that is made again under an old name has nothing of the old one"
        ) { probe in
            let user = try probe.newUser()
            let name = try probe.newOrganization([(user, "reader")])
            let repository = try probe.newRepository(in: name).name
            try probe.api(.administrator, "DELETE", "/organizations/\(name)?confirm=\(name)").expect(204)
            try probe.api(.administrator, "POST", "/organizations", #"{"name":"\#(name)"}"#).expect(201)
            try probe.api(.user(user), "GET", "/organizations/\(name)").problem(404)
            try probe.pulls(.administrator, repository).expect(404)
        },
    ]

    private static let members: [ManagementCheck] = [
        ManagementCheck(
            "api.members.last-owner", "openapi: members.remove, members.set",
            "the last owner is neither removed nor given less: 409",
            provokes: [("members.remove", 409), ("members.set", 409)]
        ) { probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization(by: .user(name))
            let place = "/organizations/\(organization)/members/\(name)"
            try probe.api(.user(name), "DELETE", place).problem(409, "last_owner")
            try probe.api(.user(name), "PUT", place, #"{"role":"reader"}"#).problem(409, "last_owner")
            try probe.api(.administrator, "DELETE", place).problem(409, "last_owner")
            try probe.api(.user(name), "PATCH", "/organizations/\(organization)", #"{"description":"mine"}"#).expect(
                200)
        },
        ManagementCheck("api.members.owners-alone", "openapi: members.set", "an admin makes no owner, and unmakes none")
        { probe in
            let (admin, owner, user) = (try probe.newUser(), try probe.newUser(), try probe.newUser())
            let organization = try probe.newOrganization([(admin, "admin"), (owner, "owner"), (user, "reader")])
            let place = "/organizations/\(organization)/members"
            try probe.api(.user(admin), "PUT", "\(place)/\(user)", #"{"role":"owner"}"#).problem(403, "denied")
            try probe.api(.user(admin), "PUT", "\(place)/\(admin)", #"{"role":"owner"}"#).problem(403, "denied")
            try probe.api(.user(admin), "PUT", "\(place)/\(owner)", #"{"role":"reader"}"#).problem(403, "denied")
            try probe.api(.user(admin), "DELETE", "\(place)/\(owner)").problem(403, "denied")
            try probe.api(.user(admin), "PUT", "\(place)/\(user)", #"{"role":"admin"}"#).expect(204)
        },
        ManagementCheck(
            "api.members.set.role", "openapi: members.set",
            "a role counts from the next request on, and the list tells it"
        ) {
            probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization([(name, "reader")])
            let repository = try probe.newRepository(in: organization).name
            try probe.v2(.user(name), "POST", "/v2/\(repository)/blobs/uploads/").expect(403)
            try probe.setRole("developer", of: name, in: organization)
            let begun = try probe.v2(.user(name), "POST", "/v2/\(repository)/blobs/uploads/").expect(202)
            try probe.cancel(begun, .user(name))
            let told = try probe.items(.user(name), "/organizations/\(organization)/members").first {
                $0["name"]?.string == name
            }
            try require(told?["role"]?.string == "developer", "a developer in the list", told?.text ?? "none")
            try probe.setRole("reader", of: name, in: organization)
            try probe.v2(.user(name), "POST", "/v2/\(repository)/blobs/uploads/").expect(403)
        },
        ManagementCheck(
            "api.members.remove.ends", "openapi: members.remove",
            "who is removed pulls no more, and is in no team any more"
        ) {
            probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization([(name, "reader")])
            let repository = try probe.newRepository(in: organization).name
            let place = "/organizations/\(organization)"
            try probe.api(.administrator, "POST", "\(place)/teams", #"{"name":"crew"}"#).expect(201)
            try probe.api(.administrator, "PUT", "\(place)/teams/crew/members/\(name)").expect(204)
            try probe.pulls(.user(name), repository).expect(200)
            try probe.api(.administrator, "DELETE", "\(place)/members/\(name)").expect(204)
            try probe.pulls(.user(name), repository).expect(404)
            try probe.api(.user(name), "GET", place).problem(404)
            let team = try probe.names(.administrator, "\(place)/teams/crew/members")
            try require(team.isEmpty, "a team without who was removed", "\(team)")
        },
    ]

    private static let teams: [ManagementCheck] = [
        ManagementCheck(
            "api.teams.create.taken", "openapi: teams.create", "a team of a name that there is is 409",
            provokes: [("teams.create", 409)]
        ) { probe in
            let cast = try probe.cast()
            let place = "/organizations/\(cast.own)/teams"
            try probe.api(.administrator, "POST", place, #"{"name":"\#(cast.team)"}"#).problem(409, "name_taken")
            let names = try probe.names(.administrator, place)
            try require(names.count { $0 == cast.team } == 1, "it once in the list", "\(names.prefix(5))")
        },
        ManagementCheck(
            "api.teams.add.members", "openapi: teams.add", "only who is in the organization is put into a team"
        ) { probe in
            let cast = try probe.cast()
            let place = "/organizations/\(cast.own)/teams/\(cast.team)/members"
            try probe.api(.administrator, "PUT", "\(place)/\(cast.name(.outsider))").problem(404, "not_found")
            try require(
                !(try probe.names(.administrator, place)).contains(cast.name(.outsider)), "a team without outsiders",
                "one in it")
        },
        ManagementCheck(
            "api.teams.permission", "roles.md", "what a team may its members may, as long as they and it are there"
        ) { probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization([(name, "reader")])
            let repository = try probe.newRepository(in: organization).name
            let team = "/organizations/\(organization)/teams"
            let grant = "/repositories/\(queryEscaped(repository))/permissions/team%3A\(organization)%2Fcrew"
            func deletes(_ status: Int) throws {
                try probe.v2(.user(name), "DELETE", "/v2/\(repository)/manifests/no-such-tag").expect(status)
            }
            func make() throws {
                try probe.api(.administrator, "POST", team, #"{"name":"crew"}"#).expect(201)
                try probe.api(.administrator, "PUT", "\(team)/crew/members/\(name)").expect(204)
            }
            try make()
            try deletes(403)
            try probe.api(.administrator, "PUT", grant, #"{"actions":["delete"]}"#).expect(204)
            try deletes(404)
            try probe.api(.administrator, "DELETE", "\(team)/crew/members/\(name)").expect(204)
            try deletes(403)
            try probe.api(.administrator, "PUT", "\(team)/crew/members/\(name)").expect(204)
            try deletes(404)
            try probe.api(.administrator, "DELETE", "\(team)/crew").expect(204)
            try deletes(403)
            try make()
            try deletes(403)
        },
    ]

    private static let robots: [ManagementCheck] = [
        ManagementCheck(
            "api.robots.create.taken", "openapi: robots.create", "a robot of a name that there is is 409",
            provokes: [("robots.create", 409)]
        ) { probe in
            let cast = try probe.cast()
            try probe.api(.administrator, "POST", "/organizations/\(cast.own)/robots", #"{"name":"\#(cast.robot)"}"#)
                .problem(409, "name_taken")
        },
        ManagementCheck(
            "api.robots.update.stale", "openapi: robots.update", "If-Match of what is not so any more is 412",
            provokes: [("robots.update", 412)]
        ) { probe in
            let organization = try probe.newOrganization()
            let robots = "/organizations/\(organization)/robots"
            try probe.api(.administrator, "POST", robots, #"{"name":"ci"}"#).expect(201)
            let seen = try probe.api(.administrator, "PATCH", "\(robots)/ci", #"{"disabled":true}"#).expect(200)
                .expectHeader("ETag")
            try probe.api(
                .administrator, "PATCH", "\(robots)/ci", #"{"disabled":false}"#, headers: [("If-Match", seen)]
            ).expect(200)
            try probe.api(.administrator, "PATCH", "\(robots)/ci", #"{"disabled":true}"#, headers: [("If-Match", seen)])
                .problem(412, "precondition_failed")
            try require(
                try probe.items(.administrator, robots).first?["disabled"]?.boolean == false,
                "a robot that is not disabled", "one that is")
        },
        ManagementCheck(
            "api.robots.key", "openapi: robots.keys.create", "a robot pushes and pulls by its key as its role lets it"
        ) { probe in
            let robot = try newRobot(probe, role: "developer")
            try probe.pulls(robot.actor, robot.repository).expect(200)
            try probe.cancel(
                try probe.v2(robot.actor, "POST", "/v2/\(robot.repository)/blobs/uploads/").expect(202), robot.actor)
            try probe.v2(robot.actor, "DELETE", "/v2/\(robot.repository)/manifests/v1").expect(403)
        },
        ManagementCheck(
            "api.robots.disable.ends", "openapi: RobotChange", "a disabled robot does nothing, with the next request on"
        ) { probe in
            let robot = try newRobot(probe, role: "reader")
            try probe.pulls(robot.actor, robot.repository).expect(200)
            try probe.api(.administrator, "PATCH", robot.place, #"{"disabled":true}"#).expect(200)
            try probe.pulls(robot.actor, robot.repository).expect(401, 404)
            try probe.api(.administrator, "PATCH", robot.place, #"{"disabled":false}"#).expect(200)
            try probe.pulls(robot.actor, robot.repository).expect(200)
        },
        ManagementCheck(
            "api.robots.delete.ends", "openapi: robots.delete",
            "a deleted robot's keys are good for nothing, and another of its name has none of them"
        ) {
            probe in
            let robot = try newRobot(probe, role: "reader")
            try probe.pulls(robot.actor, robot.repository).expect(200)
            try probe.api(.administrator, "DELETE", robot.place).expect(204)
            let robots = String(robot.place.dropLast(3))
            try probe.api(.administrator, "POST", robots, #"{"name":"ci","role":"reader"}"#).expect(201)
            try probe.pulls(robot.actor, robot.repository).expect(401)
            try require(
                try probe.items(.administrator, "\(robot.place)/keys").isEmpty, "no keys of a new robot", "some")
        },
    ]

    /// A robot of a new organization, with a key and a repository.
    private static func newRobot(_ probe: Probe, role: String) throws -> (
        place: String, repository: String, actor: Actor
    ) {
        let organization = try probe.newOrganization()
        let repository = try probe.newRepository(in: organization).name
        let robots = "/organizations/\(organization)/robots"
        try probe.api(.administrator, "POST", robots, #"{"name":"ci","role":"\#(role)"}"#).expect(201)
        let key = try probe.newKey(.administrator, "\(robots)/ci/keys")
        return ("\(robots)/ci", repository, .key(of: "\(organization)+ci", key.secret))
    }
}

extension Probe {
    /// Cancels an upload that was begun only to see whether it may be.
    func cancel(_ begun: Answer, _ actor: Actor) throws {
        guard let url = location(begun)?.url(on: base), let target = Address(url)?.target else { return }
        try v2(actor, "DELETE", target)
    }
}
