import Foundation

extension StubManagement {
    private func json(_ organization: StubOrganization, _ state: StubAccountState) -> [String: Any] {
        var members: [String: Any] = [
            "name": organization.name, "created_at": StubJSON.time(organization.created), "bytes": 0,
            "repositories": state.repositories.keys.count { $0.hasPrefix(organization.name + "/") },
        ]
        for name in ["description", "display_name", "website", "avatar"] {
            members[name] = organization.texts[name] ?? ""
        }
        return members
    }

    private func texts(_ call: StubCall) -> [String: String] {
        call.fields.compactMapValues { $0 as? String }.filter { $0.key != "name" }
    }

    func organizations(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call["organization"]
        switch call.operation {
        case "organizations.list":
            let mine = state.organizations.values.filter {
                call.caller.isAdmin || $0.members[call.caller.id] != nil || has(.othersOrganizationsListed)
            }.sorted { $0.name < $1.name }
            return page(call, mine.map { ($0.name, json($0, state)) })
        case "organizations.create": return createOrganization(call, &state)
        case "organizations.get", "organizations.update":
            guard var organization = state.organizations[name] else { return absent("organization \(name)") }
            if call.operation == "organizations.update" {
                if isStale(call, organization.version) { return problem(412, "precondition_failed") }
                organization.texts.merge(texts(call)) { $1 }
                organization.version += 1
                state.organizations[name] = organization
            }
            return json(200, json(organization, state), [tag(organization.version)])
        case "organizations.delete": return deleteOrganization(name, call, &state)
        case "organizations.audit":
            return audit(call, state) { event in
                has(.auditOfOthers) || event.subject.split(separator: " ").contains { $0 == name }
            }
        case "organizations.deleted":
            let deleted = state.repositories.values.filter { $0.deleted != nil && $0.name.hasPrefix(name + "/") }
            return page(call, has(.deletedUnlisted) ? [] : deleted.map { ($0.name, deletedJSON($0)) })
        default: return call.operation.hasPrefix("members") ? members(name, call, &state) : teams(name, call, &state)
        }
    }

    private func createOrganization(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call.text("name") ?? ""
        if state.organizations[name] != nil || state.users[name] != nil, !has(.organizationTwice) {
            return problem(409, "name_taken", field: "name")
        }
        var organization = StubOrganization(id: state.newID(), name: name, texts: texts(call))
        if !has(.makerIsNobody) { organization.members[call.caller.id] = "owner" }
        state.organizations[name] = organization
        state.note("organization.create", name, by: call.caller.name)
        return json(201, json(organization, state), [tag(1)])
    }

    private func deleteOrganization(_ name: String, _ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let confirm = call.query("confirm")
        if let confirm, confirm != name, !has(.confirmUnchecked) {
            return problem(409, "in_use", field: "confirm")
        }
        let mine = state.repositories.keys.filter { $0.hasPrefix(name + "/") }
        if !mine.isEmpty, confirm == nil, !has(.fullOrganizationDeleted) { return problem(409, "in_use") }
        if has(.organizationStays), confirm != nil { return StubResponse(204) }
        for member in state.organizations[name]?.members.keys ?? [:].keys {
            state.ghosts["inherits \(name) \(member)"] = 1
        }
        state.organizations[name] = nil
        state.invitations.removeAll { $0.organization == name }
        for repository in mine {
            if has(.permissionInherits), let old = state.repositories[repository] {
                state.ghosts["permitted \(repository) \(old.permissions.first?.id ?? 0)"] = old.permissions.first?.id
            }
            state.repositories[repository] = nil
            content.state.withLock { $0.repositories[repository] = nil }
        }
        state.note("organization.delete", name, by: call.caller.name)
        return StubResponse(204)
    }

    // MARK: members

    private func isLastOwner(_ id: Int, _ organization: StubOrganization) -> Bool {
        organization.members[id] == "owner" && organization.members.values.count { $0 == "owner" } == 1
    }

    private func members(_ name: String, _ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        guard var organization = state.organizations[name] else { return absent("organization \(name)") }
        if call.operation == "members.list" {
            let robots = organization.robots.values.filter { $0.role != nil }.map { robot -> [String: Any] in
                ["name": "\(name)+\(robot.name)", "role": robot.role ?? "", "kind": "robot"]
            }
            let users = organization.members.compactMap { id, role in
                state.user(id).map { ["name": $0.name, "role": role, "kind": "user"] as [String: Any] }
            }
            return page(call, (users + robots).map { ("", $0) }, isPaged: false)
        }
        guard let user = state.users[call["user"]] else { return absent("user \(call["user"])") }
        let owns = rights(call.caller, in: name, state).contains("own")
        let old = organization.members[user.id]
        if call.operation == "members.set" {
            let role = call.text("role") ?? ""
            if role == "owner", !owns, !has(.adminMakesOwners) { return problem(403, "denied") }
            if old == "owner", role != "owner", !owns, !has(.adminRemovesOwner) { return problem(403, "denied") }
            if role != "owner", isLastOwner(user.id, organization), !has(.lastOwnerDemoted) {
                return problem(409, "last_owner")
            }
            if old != nil { state.ghosts["role \(name) \(user.id)"] = 1 }
            organization.members[user.id] = role
            state.organizations[name] = organization
            state.invitations.removeAll { $0.organization == name && $0.user == user.id }
            state.note("member.set", "\(name) \(user.name)", by: call.caller.name)
            return StubResponse(204)
        }
        guard old != nil else { return absent("member \(user.name)") }
        if old == "owner", !owns, !has(.adminRemovesOwner) { return problem(403, "denied") }
        if isLastOwner(user.id, organization), !has(.lastOwnerRemoved) { return problem(409, "last_owner") }
        organization.members[user.id] = nil
        if !has(.removedMemberStaysInTeam) {
            for team in organization.teams.keys { organization.teams[team]?.members.remove(user.id) }
        }
        state.organizations[name] = organization
        state.ghosts["member \(name) \(user.id)"] = 1
        state.note("member.remove", "\(name) \(user.name)", by: call.caller.name)
        return StubResponse(204)
    }

    // MARK: teams

    private func teams(_ name: String, _ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        guard let organization = state.organizations[name] else { return absent("organization \(name)") }
        if call.operation == "teams.list" {
            return page(call, organization.teams.keys.sorted().map { ($0, ["name": $0]) }, isPaged: false)
        }
        if call.operation == "teams.create" {
            let team = call.text("name") ?? ""
            if organization.teams[team] != nil {
                return has(.teamTwice) ? json(201, ["name": team]) : problem(409, "name_taken", field: "name")
            }
            let id = state.newID()
            state.organizations[name]?.teams[team] = StubTeam(id: id)
            if !has(.auditMissing) { state.note("team.create", "\(name) \(team)", by: call.caller.name) }
            return json(201, ["name": team])
        }
        let team = call["team"]
        guard let found = organization.teams[team] else { return absent("team \(team)") }
        switch call.operation {
        case "teams.delete":
            state.organizations[name]?.teams[team] = nil
            if !has(.deletedTeamInherits) {
                for repository in state.repositories.keys {
                    state.repositories[repository]?.permissions.removeAll { $0.id == found.id }
                }
            }
        case "teams.members":
            let names = found.members.compactMap { state.user($0)?.name }.sorted()
            return page(call, names.map { ($0, ["name": $0]) }, isPaged: false)
        default:
            guard let user = state.users[call["user"]] else { return absent("user \(call["user"])") }
            if call.operation == "teams.add" {
                if organization.members[user.id] == nil, !has(.outsiderJoinsTeam) {
                    return absent("member \(user.name)")
                }
                state.organizations[name]?.teams[team]?.members.insert(user.id)
            } else {
                guard found.members.contains(user.id) else { return absent("member \(user.name)") }
                state.organizations[name]?.teams[team]?.members.remove(user.id)
                state.ghosts["crew \(found.id) \(user.id)"] = 1
            }
        }
        return StubResponse(204)
    }

    // MARK: robots

    private func json(_ robot: StubRobot, _ organization: String) -> [String: Any] {
        [
            "id": "\(robot.id)", "name": robot.name, "login": "\(organization)+\(robot.name)",
            "role": robot.role ?? NSNull(), "disabled": robot.disabled, "created_at": StubJSON.time(robot.created),
        ]
    }

    func robots(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call["organization"]
        guard let organization = state.organizations[name] else { return absent("organization \(name)") }
        if call.operation == "robots.list" {
            return page(call, organization.robots.values.map { ($0.name, json($0, name)) }, isPaged: false)
        }
        if call.operation == "robots.create" {
            let text = call.text("name") ?? ""
            if organization.robots[text] != nil, !has(.robotTwice) { return problem(409, "name_taken", field: "name") }
            let robot = StubRobot(id: state.newID(), name: text, role: call.text("role"))
            state.organizations[name]?.robots[text] = robot
            if has(.robotInheritsKeys), let old = state.ghosts["robot of \(name)+\(text)"] {
                state.keys = state.keys.map { key in
                    guard key.owner == old else { return key }
                    return StubKey(
                        id: key.id, owner: robot.id, login: key.login, name: key.name, secret: key.secret,
                        scope: key.scope,
                        expires: key.expires)
                }
            }
            return json(201, json(robot, name))
        }
        guard var robot = organization.robots[call["robot"]] else { return absent("robot \(call["robot"])") }
        if call.operation == "robots.delete" {
            state.organizations[name]?.robots[robot.name] = nil
            state.ghosts["robot of \(name)+\(robot.name)"] = robot.id
            if !has(.deletedRobotWorks), !has(.robotInheritsKeys) { state.keys.removeAll { $0.owner == robot.id } }
            return StubResponse(204)
        }
        if isStale(call, robot.version) { return problem(412, "precondition_failed") }
        robot.disabled = call.fields["disabled"] as? Bool ?? robot.disabled
        robot.version += 1
        state.organizations[name]?.robots[robot.name] = robot
        return json(200, json(robot, name), [tag(robot.version)])
    }
}
