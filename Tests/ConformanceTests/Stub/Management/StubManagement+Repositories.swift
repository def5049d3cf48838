import Foundation

extension StubManagement {
    func json(_ info: StubRepositoryInfo) -> [String: Any] {
        let held = content.state.withLock { $0.repositories[info.name] } ?? StubRegistry.Repository()
        let bytes =
            held.manifests.values.reduce(0) { $0 + $1.bytes.count } + held.blobs.values.reduce(0) { $0 + $1.count }
        return [
            "name": info.name, "description": info.description, "visibility": info.isPublic ? "public" : "private",
            "created_at": StubJSON.time(info.created), "pushed_at": NSNull(), "pulled_at": NSNull(), "pulls": 0,
            "tags": held.tags.count + (has(.countsWrong) ? 1 : 0), "manifests": held.manifests.count,
            "blobs": held.blobs.count, "bytes": has(.bytesWrong) ? bytes * 2 : bytes,
        ]
    }

    func deletedJSON(_ info: StubRepositoryInfo) -> [String: Any] {
        json(info).merging(["deleted_at": StubJSON.time(info.deleted)]) { $1 }
    }

    func repositories(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call["repository"]
        switch call.operation {
        case "repositories.list": return listRepositories(call, state)
        case "repositories.create": return createRepository(call, &state)
        case "repositories.restore":
            if call.caller.scope != nil { return problem(401, "insufficient_scope") }
            let namespace = String(name.prefix { $0 != "/" })
            guard rights(call.caller, in: namespace, state).contains("manage") else { return problem(403, "denied") }
            guard state.repositories[name]?.deleted != nil else { return absent("repository \(name)") }
            state.repositories[name]?.deleted = nil
            if has(.restoreLosesTags) { content.state.withLock { $0.repositories[name]?.tags = [:] } }
            return json(200, state.repositories[name].map(json) ?? [:])
        default: break
        }
        guard var info = state.repositories[name] else { return absent("repository \(name)") }
        switch call.operation {
        case "repositories.update":
            if isStale(call, info.version) { return problem(412, "precondition_failed") }
            if let text = call.text("description") { info.description = text }
            if let visibility = call.text("visibility") {
                if info.isPublic { state.ghosts["public \(name)"] = 1 }
                info.isPublic = visibility == "public"
            }
            info.version += 1
            state.repositories[name] = info
        case "repositories.delete":
            state.repositories[name]?.deleted = Date()
            return StubResponse(204)
        default: break
        }
        return json(200, json(info), [tag(info.version)])
    }

    private func listRepositories(_ call: StubCall, _ state: StubAccountState) -> StubResponse {
        let (part, namespace, visibility) = (call.query("q"), call.query("namespace"), call.query("visibility"))
        let found = state.repositories.values.filter { info in
            guard info.deleted == nil else { return false }
            guard has(.foreignRepositoriesListed) || rights(call.caller, on: info.name, state).contains("pull") else {
                return false
            }
            let fits = namespace.map { info.name.hasPrefix($0 + "/") } ?? true
            if has(.filterIgnored) { return fits }
            return fits && (part.map { info.name.contains($0) } ?? true)
                && (visibility.map { ($0 == "public") == info.isPublic } ?? true)
        }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return page(call, found.map { ($0.name, json($0)) })
    }

    private func createRepository(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        if call.caller.scope != nil, !has(.scopedKeyManages), mayCreate(call, state) {
            return problem(401, "insufficient_scope")
        }
        let name = call.text("name") ?? ""
        guard mayCreate(call, state) else { return problem(403, "denied") }
        if let old = state.repositories[name], old.deleted == nil || !has(.deletedNameFree), !has(.repositoryTwice) {
            return problem(409, "name_taken", field: "name")
        }
        var info = StubRepositoryInfo(name: name)
        info.description = call.text("description") ?? ""
        info.isPublic = call.text("visibility") == "public"
        for (ghost, id) in state.ghosts where ghost.hasPrefix("permitted \(name) ") {
            info.permissions.append(
                StubPermission(grantee: "user:\(state.user(id)?.name ?? "")", id: id, actions: ["pull"]))
        }
        state.repositories[name] = info
        return json(201, json(info))
    }

    private func mayCreate(_ call: StubCall, _ state: StubAccountState) -> Bool {
        let namespace = String((call.text("name") ?? "").prefix { $0 != "/" })
        return rights(call.caller, in: namespace, state).contains("create")
    }

    // MARK: permissions

    /// Whom a grantee of a path names: its id, or what it is not.
    private func grantee(_ text: String, _ state: StubAccountState) -> (id: Int?, isWellFormed: Bool) {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return (nil, false) }
        switch parts[0] {
        case "user": return (state.users[parts[1]]?.id, true)
        case "team":
            let names = parts[1].split(separator: "/").map(String.init)
            return (names.count == 2 ? state.organizations[names[0]]?.teams[names[1]]?.id : nil, names.count == 2)
        case "robot":
            let names = parts[1].split(separator: "+").map(String.init)
            return (names.count == 2 ? state.organizations[names[0]]?.robots[names[1]]?.id : nil, names.count == 2)
        default: return (nil, false)
        }
    }

    private static func ordered(_ actions: Set<String>) -> [String] {
        ["pull", "push", "delete", "admin"].filter(actions.contains)
    }

    func permissions(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call["repository"]
        guard let info = state.repositories[name] else { return absent("repository \(name)") }
        if call.operation == "permissions.list" {
            return page(
                call,
                info.permissions.map { ($0.grantee, ["grantee": $0.grantee, "actions": Self.ordered($0.actions)]) },
                isPaged: false)
        }
        let text = call["grantee"]
        let (found, isWellFormed) = grantee(text, state)
        if !isWellFormed { return has(.granteeUnchecked) ? StubResponse(204) : problem(400, "bad_request") }
        guard let id = found ?? (has(.granteeUnchecked) ? 0 : nil) else { return absent(text) }
        switch call.operation {
        case "permissions.get": return effective(text, id, name, state)
        case "permissions.set":
            let actions = Set(call.fields["actions"] as? [String] ?? [])
            if actions.isEmpty { return problem(400, "field_invalid", field: "actions") }
            if let index = info.permissions.firstIndex(where: { $0.id == id }) {
                if has(.permissionAdds) {
                    state.repositories[name]?.permissions[index].actions.formUnion(actions)
                } else {
                    state.repositories[name]?.permissions[index].actions = actions
                }
            } else {
                state.repositories[name]?.permissions.append(StubPermission(grantee: text, id: id, actions: actions))
            }
        default:
            guard info.permissions.contains(where: { $0.id == id }) else { return absent(text) }
            if !has(.permissionNeverEnds) { state.repositories[name]?.permissions.removeAll { $0.id == id } }
        }
        return StubResponse(204)
    }

    private func effective(_ text: String, _ id: Int, _ name: String, _ state: StubAccountState) -> StubResponse {
        let namespace = String(name.prefix { $0 != "/" })
        var caller = StubCaller(kind: .user, id: id, name: state.user(id)?.name ?? text)
        caller.isAdmin = state.user(id)?.admin ?? false
        let all = rights(caller, on: name, state)
        func told(_ rights: Set<String>) -> [String] {
            Self.ordered(rights.contains("administer") ? rights.union(["admin"]) : rights)
        }
        var why: [[String: Any]] = []
        if caller.isAdmin { why.append(["rule": "administrator", "detail": "", "actions": told(all)]) }
        if let role = role(caller, namespace, state) {
            why.append(["rule": "role", "detail": role, "actions": told(rights(caller, in: namespace, state))])
        }
        for permission in state.repositories[name]?.permissions ?? [] where permission.id == id {
            let given = permission.actions.union(
                permission.actions.isDisjoint(with: ["push", "delete"]) ? [] : ["pull"])
            why.append(["rule": "permission", "detail": text, "actions": Self.ordered(given)])
        }
        return json(200, ["grantee": text, "actions": told(all), "why": has(.whyEmpty) ? [] : why] as [String: Any])
    }
}
