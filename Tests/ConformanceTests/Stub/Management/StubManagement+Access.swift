import Foundation

/// Who asks.
struct StubCaller {
    enum Kind { case nobody, wrong, user, robot }
    var kind = Kind.nobody
    var id = 0
    var name = "anonymous"
    /// The organization of a robot.
    var organization = ""
    var scope: [(pattern: String, actions: [String])]?
    var isAdmin = false
    var isKey = false
}

extension StubManagement {
    /// Who the credentials of a request are.
    func caller(_ request: StubRequest, _ state: inout StubAccountState) -> StubCaller {
        if let key = request.header("X-API-Key"), !has(.keyHeaderIgnored) {
            return byKey(key, nil, &state) ?? StubCaller(kind: .wrong)
        }
        guard let value = request.header("Authorization") else {
            if has(.anonymousReads), request.method == "GET" { return byUser(state.users["root"], &state) }
            return StubCaller()
        }
        let parts = value.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return StubCaller(kind: .wrong) }
        if parts[0] == "Bearer" { return byToken(parts[1], &state) }
        guard let pair = Data(base64Encoded: parts[1]).map({ String(decoding: $0, as: UTF8.self) }) else {
            return StubCaller(kind: .wrong)
        }
        let names = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (name, secret) = (names[0], names.count > 1 ? names[1] : "")
        if let user = state.users[name] ?? (has(.deletedUserStays) ? ghost(name, state) : nil) {
            let isOld = has(.oldPasswordWorks) && state.ghosts["password \(name) \(secret)"] != nil
            if user.password == secret || isOld || has(.wrongPasswordTaken) { return byUser(user, &state) }
        }
        return byKey(secret, name, &state) ?? StubCaller(kind: .wrong)
    }

    private func ghost(_ name: String, _ state: StubAccountState) -> StubUser? {
        state.ghosts["deleted \(name)"].map { StubUser(id: $0, name: name, password: "", created: Date()) }
    }

    private func byUser(_ user: StubUser?, _ state: inout StubAccountState) -> StubCaller {
        guard let user else { return StubCaller(kind: .wrong) }
        if user.disabled, !has(.disabledUserAsks) { return StubCaller(kind: .wrong, name: user.name) }
        return StubCaller(kind: .user, id: user.id, name: user.name, isAdmin: user.admin)
    }

    private func byToken(_ token: String, _ state: inout StubAccountState) -> StubCaller {
        if let session = state.sessions.first(where: { $0.access == token && !$0.isAccessOver }) {
            return byUser(state.user(session.user), &state)
        }
        return byKey(token, nil, &state) ?? StubCaller(kind: .wrong)
    }

    private func byKey(_ secret: String, _ login: String?, _ state: inout StubAccountState) -> StubCaller? {
        let now = Date()
        let found = state.keys.first { key in
            let isOld =
                key.older.map { $0.secret == secret && ($0.until > now || has(.rotateKeepsOldForEver)) } ?? false
            return (key.secret == secret || isOld) && (login == nil || key.login == login)
        }
        guard let key = found, key.expires.map({ $0 > now }) ?? true || has(.expiredKeyWorks) else { return nil }
        var caller = StubCaller()
        if let user = state.user(key.owner) {
            if user.disabled, !has(.disabledUsersKeyWorks) { return nil }
            caller = StubCaller(kind: .user, id: user.id, name: user.name, isAdmin: user.admin)
        } else if let (organization, robot) = self.robot(key.owner, state) {
            if robot.disabled, !has(.disabledRobotWorks) { return nil }
            caller = StubCaller(
                kind: .robot, id: robot.id, name: "\(organization.name)+\(robot.name)", organization: organization.name)
        } else if has(.deletedUsersKeyWorks) || has(.deletedRobotWorks) {
            caller = StubCaller(kind: .robot, id: key.owner, name: key.login, organization: key.login)
            if let member = state.ghosts["robot \(key.owner)"] { caller.id = member }
        } else {
            return nil
        }
        if !has(.scopeIgnored) { caller.scope = key.scope }
        caller.isKey = true
        return caller
    }

    func robot(_ id: Int, _ state: StubAccountState) -> (StubOrganization, StubRobot)? {
        for organization in state.organizations.values {
            if let robot = organization.robots.values.first(where: { $0.id == id }) { return (organization, robot) }
        }
        return nil
    }

    // MARK: rights

    /// What a role gives.
    private static let roles: [String: Set<String>] = [
        "reader": ["view", "pull"], "developer": ["view", "pull", "push"],
        "maintainer": ["view", "pull", "push", "delete", "create"],
        "admin": ["view", "pull", "push", "delete", "create", "administer", "manage"],
        "owner": ["view", "pull", "push", "delete", "create", "administer", "manage", "own"],
    ]

    /// The role of somebody in an organization.
    func role(_ caller: StubCaller, _ name: String, _ state: StubAccountState) -> String? {
        guard let organization = state.organizations[name] else { return nil }
        if caller.kind == .robot {
            if has(.deletedRobotWorks), caller.organization.contains("+") { return "reader" }
            return caller.organization == name ? organization.robots.values.first { $0.id == caller.id }?.role : nil
        }
        if let role = organization.members[caller.id] {
            if has(.roleLate), state.ghosts["role \(name) \(caller.id)"] != nil { return "reader" }
            return role
        }
        if has(.removedMemberPulls), state.ghosts["member \(name) \(caller.id)"] != nil { return "reader" }
        if has(.nameInheritsMembership), state.ghosts["named \(name) \(caller.name)"] != nil { return "reader" }
        if has(.organizationInherits), state.ghosts["inherits \(name) \(caller.id)"] != nil { return "reader" }
        return nil
    }

    /// What somebody may do in a namespace, by role.
    func rights(_ caller: StubCaller, in name: String, _ state: StubAccountState) -> Set<String> {
        if caller.isAdmin || (caller.kind == .user && caller.name == name) { return Self.roles["owner"] ?? [] }
        let role = role(caller, name, state)
        var rights = role.flatMap { Self.roles[$0] } ?? []
        if has(.readerPushes), role == "reader" { rights.insert("push") }
        if has(.readerChanges), role == "reader" { rights.insert("administer") }
        if has(.developerDeletes), role == "developer" { rights.insert("delete") }
        if has(.maintainerManages), role == "maintainer" { rights.insert("manage") }
        if has(.adminOwns), role == "admin" { rights.insert("own") }
        if has(.ownerIsRefused), role == "owner" { rights.remove("manage") }
        if has(.outsiderSees), role == nil, caller.kind == .user, state.organizations[name] != nil {
            rights.insert("view")
        }
        let isElsewhere = state.organizations.values.contains { $0.name != name && $0.members[caller.id] == "admin" }
        if has(.strangerManages), isElsewhere, state.organizations[name] != nil { rights.insert("manage") }
        return rights
    }

    /// The same of a repository, with permissions and for everybody.
    func rights(_ caller: StubCaller, on name: String, _ state: StubAccountState) -> Set<String> {
        let namespace = String(name.prefix { $0 != "/" })
        var rights = rights(caller, in: namespace, state)
        guard let repository = state.repositories[name], repository.deleted == nil || has(.deletedRepositoryPulled)
        else {
            return rights
        }
        if repository.isPublic { rights.insert("pull") }
        if has(.visibilityLate), state.ghosts["public \(name)"] != nil { rights.insert("pull") }
        for permission in repository.permissions where holds(permission, caller, state) {
            var given = permission.actions
            if given.contains("admin") { given.formUnion(["pull", "push", "delete", "administer"]) }
            if !given.isDisjoint(with: ["push", "delete"]), !has(.pushWithoutPull) { given.insert("pull") }
            rights.formUnion(given)
        }
        return rights
    }

    private func holds(_ permission: StubPermission, _ caller: StubCaller, _ state: StubAccountState) -> Bool {
        if permission.id == caller.id { return true }
        if has(.nameInheritsPermission), permission.grantee == "user:\(caller.name)" { return true }
        guard permission.grantee.hasPrefix("team:") else { return false }
        let names = permission.grantee.dropFirst(5).split(separator: "/").map(String.init)
        guard names.count == 2, let team = state.organizations[names[0]]?.teams[names[1]] else { return false }
        if has(.teamPermissionStays), state.ghosts["crew \(team.id) \(caller.id)"] != nil { return true }
        return (team.id == permission.id || has(.deletedTeamInherits)) && team.members.contains(caller.id)
    }

    // MARK: the management API

    /// What an operation asks for.
    private static func demand(_ operation: String) -> String {
        let parts = operation.split(separator: ".").map(String.init)
        switch parts[0] {
        case "auth": return ["me", "password", "email"].contains(parts[1]) ? "account" : "nothing"
        case "invitations": return ["mine", "accept", "decline"].contains(parts[1]) ? "account" : "manage"
        case "keys": return "account"
        case "users", "audit": return "registry"
        case "system": return parts[1] == "document" ? "nothing" : parts[1] == "info" ? "account" : "registry"
        case "organizations":
            let demands = ["list": "account", "create": "account", "get": "view", "delete": "own"]
            return demands[parts[1]] ?? "manage"
        case "members", "teams": return ["list", "members"].contains(parts[1]) ? "view" : "manage"
        case "robots": return operation == "robots.list" ? "view" : "manage"
        case "repositories":
            return ["list", "create", "restore"].contains(parts[1])
                ? "account" : parts[1] == "get" ? "pull" : "administer"
        case "permissions": return "administer"
        case "tags": return ["delete": "delete", "restore": "push"][parts[1]] ?? "pull"
        default: return "pull"
        }
    }

    /// How a caller is refused; nil where it is not.
    func refusal(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse? {
        let demand = Self.demand(call.operation)
        if demand == "nothing" { return nil }
        let caller = call.caller
        if caller.kind == .wrong { return problem(401, "credentials_invalid") }
        if caller.kind == .nobody { return problem(401, "unauthorized") }
        var may = demand == "account" || (demand == "registry" && caller.isAdmin)
        var isThere = true
        var what = ""
        if let name = call.parameters["repository"], demand != "account" {
            may = rights(caller, on: name, state).contains(demand)
            isThere = state.repositories[name].map { $0.deleted == nil || has(.deletedRepositoryPulled) } ?? false
            if !isThere, demand == "push" { may = may && rights(caller, on: name, state).contains("create") }
            what = "repository \(name)"
        } else if let name = call.parameters["organization"] {
            isThere = state.organizations[name] != nil
            may = rights(caller, in: name, state).contains(demand) && (isThere || caller.isAdmin)
            if has(.managesAbsent), !isThere, demand == "manage" { return absent("organization \(name)") }
            what = "organization \(name)"
        }
        guard may else {
            guard ["pull", "view"].contains(demand) else { return problem(403, "denied") }
            if has(.foreignIs403), isThere { return problem(403, "denied") }
            return absent(has(.foreignToldFromAbsent) && isThere ? "\(what) for you" : what)
        }
        if let scope = caller.scope, !has(.scopedKeyManages) {
            let name = call["repository"]
            let isInside = demand == "pull" && scope.contains { $0.pattern == name && $0.actions.contains("pull") }
            if !isInside, isThere { return problem(401, "insufficient_scope") }
        }
        return isThere ? nil : absent(what)
    }

    // MARK: the distribution API

    /// A request below `/v2/`: rights first, then the stub that keeps content.
    func distribution(_ request: StubRequest) -> StubResponse {
        state.withLock { state in
            let caller = caller(request, &state)
            let parts = request.path.split(separator: "/").map(String.init)
            guard parts.count > 2,
                let end = parts.firstIndex(where: { ["manifests", "blobs", "tags", "referrers"].contains($0) })
            else {
                return caller.kind == .nobody || caller.kind == .wrong
                    ? challenge(401, "UNAUTHORIZED") : content.answer(request)
            }
            let name = parts[1..<end].joined(separator: "/")
            let reads = ["GET", "HEAD"].contains(request.method)
            let demand = reads ? "pull" : request.method == "DELETE" && !parts.contains("uploads") ? "delete" : "push"
            if let refused = refusal(caller, demand, name, state) { return refused }
            return forward(request, caller, name, &state)
        }
    }

    private func challenge(_ status: Int, _ code: String) -> StubResponse {
        var answer = content.error(status, code)
        if status == 401 { answer.set("WWW-Authenticate", "Basic realm=\"stub\"") }
        return answer
    }

    private func refusal(
        _ caller: StubCaller, _ demand: String, _ name: String, _ state: StubAccountState
    ) -> StubResponse? {
        var caller = caller
        if caller.kind == .wrong, has(.disabledUserPulls), let user = state.users[caller.name], user.disabled {
            caller = StubCaller(kind: .user, id: user.id, name: user.name)
        }
        let repository = state.repositories[name]
        let isGone = repository?.deleted != nil && !has(.deletedRepositoryPulled)
        if caller.kind == .wrong { return challenge(401, "UNAUTHORIZED") }
        if caller.kind == .nobody {
            let isOpen =
                repository?.isPublic == true || has(.anonymousPulls)
                || state.ghosts["public \(name)"] != nil && has(.visibilityLate)
            return isOpen && !isGone && demand == "pull" && !has(.publicAsksLogin)
                ? nil : challenge(401, "UNAUTHORIZED")
        }
        let rights = rights(caller, on: name, state)
        let makes = repository == nil || isGone
        var may = rights.contains(demand) && (!makes || demand != "push" || rights.contains("create"))
        if isGone, demand == "push", !has(.deletedNameFree) { may = false }
        if has(.scopeAdds), let scope = caller.scope, scope.contains(where: { $0.pattern == "*" }) { may = true }
        guard may else {
            if has(.absentToldToOutsider), demand == "push", makes { return challenge(404, "NAME_UNKNOWN") }
            return demand == "pull" ? challenge(404, "NAME_UNKNOWN") : challenge(403, "DENIED")
        }
        // What is not there is so however narrow a key is.
        if let scope = caller.scope, !makes || demand != "pull" {
            let fits = scope.contains { entry in
                (entry.pattern == "*" || entry.pattern == name
                    || entry.pattern.hasSuffix("/*") && name.hasPrefix(entry.pattern.dropLast()))
                    && (entry.actions.contains(demand) || has(.narrowKeyPushes) && demand == "push")
            }
            if !fits { return challenge(401, "UNAUTHORIZED") }
        }
        return makes && demand != "push" ? challenge(404, "NAME_UNKNOWN") : nil
    }

    private func forward(
        _ request: StubRequest, _ caller: StubCaller, _ name: String, _ state: inout StubAccountState
    ) -> StubResponse {
        var request = request
        if let from = request.query("from").first, request.method == "POST" {
            let source = state.repositories[from]
            if !rights(caller, on: from, state).contains("pull") || source?.deleted != nil, !has(.foreignMountTaken) {
                // Whoever may not read the source begins an upload like any other.
                request.setPath(request.path)
                request.target = request.path
            }
        }
        let answer = content.answer(request)
        guard (200..<300).contains(answer.status), request.method != "GET", request.method != "HEAD" else {
            return answer
        }
        if state.repositories[name] == nil, answer.status == 201 {
            state.repositories[name] = StubRepositoryInfo(name: name)
        }
        let parts = request.path.split(separator: "/").map(String.init)
        guard let last = parts.last, parts.contains("manifests"), !last.contains(":") else { return answer }
        if request.method == "PUT" {
            note(&state, name, last, answer["Docker-Content-Digest"] ?? content.digest(request.body), by: caller.name)
        } else {
            note(&state, name, last, nil, by: caller.name)
        }
        return answer
    }

    /// Keeps where a tag was pointed.
    func note(_ state: inout StubAccountState, _ name: String, _ tag: String, _ digest: String?, by who: String) {
        state.repositories[name]?.history[tag, default: []].insert(StubMove(digest: digest, by: who), at: 0)
        state.repositories[name]?.pushedBy[tag] = who
    }
}
