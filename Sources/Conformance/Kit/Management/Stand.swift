import Vocabulary

/// One use of an operation: what stands in its path, and what is sent.
struct Stand {
    /// Values of the names in the path and in the body.
    var values: [String: String]
    let row: APIRow
    let operation: APIDocument.Operation

    /// The path behind `/api/v1`, names escaped.
    var path: String {
        let parts = operation.path.split(separator: "/").map { part -> String in
            guard part.hasPrefix("{") else { return String(part) }
            return queryEscaped(values[String(part.dropFirst().dropLast())] ?? "absent")
        }
        return "/" + parts.dropFirst(2).joined(separator: "/")
    }

    /// The body, with a new name each time.
    func body(_ management: ManagementRun) -> String? {
        guard var text = row.body else { return nil }
        for (name, value) in values { text = text.replacing("{\(name)}", with: value) }
        return text.replacing("NAME", with: management.name("n"))
            .replacing("PASSWORD", with: management.password)
    }

    /// The same with what is nearest to the operation not being there; nil where nothing is named in its path, or where
    /// everything may be named.
    var absent: Stand? {
        let wanted: [String: String] = [
            "organization": "no-such-organization", "repository": "no-such-organization/app", "user": "no-such-user",
            "team": "no-such-team", "robot": "no-such-robot", "key": "9000000000000000001",
            "invitation": "9000000000000000001", "tag": "no-such-tag",
            "reference": "no-such-tag", "digest": "sha256:" + String(repeating: "0", count: 64),
            "grantee": "user:no-such-user",
        ]
        let last = operation.path.split(separator: "/").last { $0.hasPrefix("{") }
        guard let name = last.map({ String($0.dropFirst().dropLast()) }), let value = wanted[name] else { return nil }
        var stand = self
        // It makes the tag that it names.
        if row.id == "tags.restore" {
            stand.values["digest"] = wanted["digest"]
        } else if row.id == "manifests.referrers" {
            // Of a manifest that is not there there may be some.
            stand.values["repository"] = (values["organization"] ?? "") + "/no-such-repository"
        } else if name == "repository", row.demand != .restore {
            stand.values[name] = (values["organization"] ?? "") + "/no-such-repository"
        } else {
            stand.values[name] = value
        }
        return stand
    }

    /// The same with something in the path that is no name at all; nil where nothing is named there.
    var malformed: Stand? {
        let wanted: [String: String] = [
            "organization": "No_Name-", "repository": "No_Name-/x", "user": "No_Name-", "team": "No_Name-",
            "robot": "No_Name-", "key": "0", "invitation": "0", "digest": "sha256:zz", "grantee": "nobody",
        ]
        for part in operation.path.split(separator: "/").reversed() where part.hasPrefix("{") {
            let name = String(part.dropFirst().dropLast())
            guard let value = wanted[name] else { continue }
            var stand = self
            stand.values[name] = value
            return stand
        }
        return nil
    }
}

extension Probe {
    /// A use of an operation at a site by somebody. What it uses up is made, unless `bare`.
    func stand(_ row: APIRow, _ site: Site, by actor: Actor, _ cast: Household, bare: Bool = false) throws -> Stand {
        let management = try management()
        guard let operation = management.document.operations.first(where: { $0.id == row.id }) else {
            if row.isLater { throw Skip("this version of the API has no \(row.id)") }
            throw CheckFailure(
                expected: "an operation \(row.id) in the document", got: "none", owners: ["api.document.operations"])
        }
        var stand = Stand(values: values(row, site, cast), row: row, operation: operation)
        if !bare, site != .absent || row.uses == .ownKey {
            try prepare("what \(row.id) needs") { try make(row.uses, in: &stand, by: actor, cast, site) }
        }
        return stand
    }

    private func values(_ row: APIRow, _ site: Site, _ cast: Household) -> [String: String] {
        let isOfRepository = Rules.isOfRepository(row.demand)
        let organization =
            switch site {
            case .own: cast.own
            case .foreign: cast.foreign
            case .absent: isOfRepository ? cast.own : "\(run.seed)-nobodys"
            }
        let isOfTeam = row.id.hasPrefix("teams.")
        let isAbsent = site == .absent && !isOfRepository
        let member = site == .foreign ? cast.name(.stranger) : cast.name(.reader)
        return [
            "organization": organization,
            "repository": organization + (site == .absent ? "/nobodys" : "/app"),
            "user": isOfTeam
                ? member
                : row.id.hasPrefix("invitations.")
                    ? cast.name(.outsider) : isAbsent ? "\(run.seed)-nobodys" : cast.spare,
            "team": cast.team, "robot": cast.robot, "key": "9000000000000000001", "invitation": "9000000000000000001",
            "tag": "v1", "reference": "v1",
            "digest": cast.image, "grantee": "user:\(cast.spare)", "refresh": "none",
        ]
    }

    private func make(_ thing: Thing, in stand: inout Stand, by actor: Actor, _ cast: Household, _ site: Site) throws {
        let organization = stand.values["organization"] ?? ""
        let management = try management()
        let place = "/organizations/\(organization)"
        switch thing {
        case .nothing: break
        case .session: stand.values["refresh"] = try newSession(newUser()).refresh
        case .user: stand.values["user"] = try newUser()
        case .userKey: stand.values["key"] = try newKey(.administrator, "/users/\(cast.spare)/keys").id
        case .ownKey:
            guard site != .absent, ![.nobody, cast.actor(.robot)].contains(actor) else { return }
            stand.values["key"] =
                try site == .own ? newKey(actor).id : newKey(.administrator, "/users/\(cast.spare)/keys").id
        case .invitation:
            stand.values["invitation"] = try newInvitation(of: newUser(), to: organization, by: .administrator)
        case .ownInvitation:
            guard site != .absent, ![.nobody, cast.actor(.robot)].contains(actor) else { return }
            // An organization of somebody else's, whom nobody invites.
            let owner = actor == cast.actor(.outsider) ? cast.actor(.stranger) : cast.actor(.outsider)
            var invited = cast.spare
            if site == .own, case .password(let user, _) = management.administrator.proof {
                invited = actor == .administrator ? user : cast.name(of: actor)
            }
            stand.values["invitation"] = try newInvitation(of: invited, to: newOrganization(by: owner), by: owner)
        case .organization:
            var members: [(String, String)] = []
            if case .password(let name) = actor.login { members = [(name, "owner")] }
            stand.values["organization"] = try newOrganization(members)
        // Of their own, so that checks that run at once take nothing from each other.
        case .member: stand.values["user"] = try newMember(of: organization)
        case .team: stand.values["team"] = try named("POST", "\(place)/teams")
        case .teamMember:
            let user = try newMember(of: organization)
            stand.values["user"] = user
            try api(.administrator, "PUT", "\(place)/teams/\(cast.team)/members/\(user)").expect(204)
        case .robot: stand.values["robot"] = try named("POST", "\(place)/robots")
        case .robotKey: stand.values["key"] = try newKey(.administrator, "\(place)/robots/\(cast.robot)/keys").id
        case .repository, .deletedRepository:
            let name = "\(organization)/\(management.name("r"))"
            try api(.administrator, "POST", "/repositories", #"{"name":"\#(name)"}"#).expect(201)
            stand.values["repository"] = name
            guard thing == .deletedRepository else { return }
            try api(.administrator, "DELETE", "/repositories/\(queryEscaped(name))").expect(204)
        case .tag: stand.values["tag"] = try newTag(in: "\(organization)/app", of: cast.image)
        case .permission:
            let grantee = "user:\(try newUser())"
            stand.values["grantee"] = grantee
            let app = queryEscaped("\(organization)/app")
            try api(
                .administrator, "PUT", "/repositories/\(app)/permissions/\(queryEscaped(grantee))",
                #"{"actions":["pull"]}"#
            ).expect(204)
        }
    }

    private func newMember(of organization: String) throws -> String {
        let user = try newUser()
        try setRole("reader", of: user, in: organization)
        return user
    }

    private func newInvitation(of user: String, to organization: String, by actor: Actor) throws -> String {
        try api(actor, "POST", "/organizations/\(organization)/invitations", #"{"user":"\#(user)","role":"reader"}"#)
            .expect(201).text("id")
    }

    private func named(_ method: String, _ path: String) throws -> String {
        let name = try management().name("n")
        try api(.administrator, method, path, #"{"name":"\#(name)"}"#).expect(201)
        return name
    }

    /// A tag that points to what `v1` does, by the administrator.
    func newTag(in repository: String, of digest: String) throws -> String {
        let tag = try management().name("t")
        let manifest = try v2(.administrator, "GET", "/v2/\(repository)/manifests/\(digest)").expect(200)
        try v2(
            .administrator, "PUT", "/v2/\(repository)/manifests/\(tag)", Content(manifest.body),
            manifest.headers["Content-Type"] ?? MediaType.ociManifest
        ).expect(201)
        return tag
    }

    /// Asks for a use of an operation.
    func ask(_ stand: Stand, by actor: Actor, query: String = "", headers: [(String, String)] = []) throws -> Answer {
        let management = try management()
        let path = query.isEmpty ? stand.path : "\(stand.path)?\(query)"
        return try api(
            actor, stand.operation.method, path, stand.body(management), headers: headers)
    }
}
