import Foundation

extension StubManagement {
    /// A user as answers show it; an empty object for none.
    func shown(_ user: StubUser?) -> [String: Any] { user.map { json($0) } ?? [:] }

    private func json(_ user: StubUser) -> [String: Any] {
        var members: [String: Any] = [
            "id": "\(user.id)", "name": user.name, "email": user.email ?? NSNull(), "admin": user.admin,
            "disabled": user.disabled, "created_at": StubJSON.time(user.created), "last_login_at": NSNull(),
        ]
        if has(.bodyOfOtherForm) { members["disabled"] = user.disabled ? "yes" : "no" }
        if has(.memberMore) { members["more"] = 1 }
        return members
    }

    func tag(_ version: Int) -> (String, String) { ("ETag", "\"v\(has(.conditionTagStays) ? 1 : version)\"") }

    /// Whether `If-Match` says something else than what is so.
    func isStale(_ call: StubCall, _ version: Int) -> Bool {
        guard let value = call.request.header("If-Match"), value != "*", !has(.conditionalIgnored) else { return false }
        return value != tag(version).1
    }

    // MARK: users

    func users(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        switch call.operation {
        case "users.list": return listUsers(call, state)
        case "users.create": return createUser(call, &state)
        default: break
        }
        let name = call["user"]
        guard var user = state.users[name] else { return absent("user \(name)") }
        switch call.operation {
        case "users.get": return json(200, json(user), [tag(user.version)])
        case "users.update":
            if isStale(call, user.version) { return problem(412, "precondition_failed") }
            if let email = call.text("email") {
                let isTaken = state.users.values.contains {
                    $0.id != user.id && $0.email?.lowercased() == email.lowercased()
                }
                if isTaken, !has(.emailTwice) { return problem(409, "name_taken", field: "email") }
                user.email = email
            } else if call.fields["email"] is NSNull {
                user.email = nil
            }
            if let admin = call.fields["admin"] as? Bool, !has(.adminNeverGiven) { user.admin = admin }
            if let disabled = call.fields["disabled"] as? Bool { user.disabled = disabled }
            user.version += 1
            state.users[name] = user
            state.note("user.update", name, by: call.caller.name)
            return json(200, json(user), [tag(user.version)])
        case "users.delete": return deleteUser(user, call, &state)
        default:
            let made = call.text("password")
            setPassword(made ?? state.secret("pw"), of: user, &state, keeping: has(.resetKeepsSession))
            state.note("user.password", name, by: call.caller.name)
            return json(
                has(.statusUndocumented) ? 202 : 200,
                made == nil ? ["password": state.users[name]?.password ?? ""] : [:])
        }
    }

    private func listUsers(_ call: StubCall, _ state: StubAccountState) -> StubResponse {
        let part = call.query("q") ?? ""
        var found = state.users.values.filter { part.isEmpty || has(.searchIgnored) || $0.name.contains(part) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        if has(.userUnlisted) { found.removeAll { $0.version == 1 && !$0.admin } }
        if has(.listUnsorted) { found.reverse() }
        return page(
            call,
            found.map { user in
                var members = json(user)
                if has(.passwordInList) { members["email"] = user.password }
                return (user.name, members)
            })
    }

    private func createUser(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call.text("name") ?? "none"
        if state.users[name] != nil, !has(.userCreatedTwice) { return problem(409, "name_taken", field: "name") }
        if state.organizations[name] != nil, !has(.userTakesOrganizationsName) {
            return problem(409, "name_taken", field: "name")
        }
        var user = StubUser(
            id: state.newID(), name: name, password: call.text("password") ?? state.secret("pw"), created: Date())
        (user.email, user.admin) = (call.text("email"), call.fields["admin"] as? Bool ?? false)
        state.users[name] = user
        if has(.nameInheritsKeys), let old = state.ghosts["deleted \(name)"] {
            state.keys = state.keys.map { key in
                guard key.owner == old else { return key }
                return StubKey(
                    id: key.id, owner: user.id, login: key.login, name: key.name, secret: key.secret, scope: key.scope,
                    expires: key.expires)
            }
        }
        let request = UUID().uuidString
        state.note(
            "user.create", has(.secretInAudit) ? "\(name) \(user.password)" : name, by: call.caller.name,
            request: request)
        var members = json(user)
        if call.text("password") == nil { members["password"] = user.password }
        return json(201, members, [("X-Request-Id", request)])
    }

    private func deleteUser(_ user: StubUser, _ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let owned = state.organizations.values.first { organization in
            organization.members[user.id] == "owner" && organization.members.values.count { $0 == "owner" } == 1
        }
        if owned != nil, !has(.lastOwnerDeleted) { return problem(409, "last_owner") }
        if state.repositories.keys.contains(where: { $0.hasPrefix(user.name + "/") }) { return problem(409, "in_use") }
        state.ghosts["deleted \(user.name)"] = user.id
        for name in state.organizations.keys {
            if state.organizations[name]?.members.removeValue(forKey: user.id) != nil {
                state.ghosts["named \(name) \(user.name)"] = 1
            }
        }
        if !has(.deletedUsersKeyWorks), !has(.nameInheritsKeys) { state.keys.removeAll { $0.owner == user.id } }
        state.sessions.removeAll { $0.user == user.id }
        state.invitations.removeAll { $0.user == user.id || $0.inviter == user.id }
        if has(.deletedUserStays) { return StubResponse(204) }
        state.users[user.name] = nil
        state.note("user.delete", user.name, by: call.caller.name)
        return StubResponse(204)
    }

    private func setPassword(_ password: String, of user: StubUser, _ state: inout StubAccountState, keeping: Bool) {
        state.ghosts["password \(user.name) \(user.password)"] = 1
        state.users[user.name]?.password = password
        guard !keeping else { return }
        for index in state.sessions.indices where state.sessions[index].user == user.id {
            (state.sessions[index].isOver, state.sessions[index].isAccessOver) = (true, true)
        }
    }

    // MARK: sessions

    func sessions(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        switch call.operation {
        case "auth.login": return login(call, &state)
        case "auth.refresh": return refresh(call, &state)
        case "auth.logout":
            if call.caller.kind == .wrong { return problem(401, "credentials_invalid") }
            let token = call.text("refresh_token") ?? ""
            guard let index = state.sessions.firstIndex(where: { $0.refresh == token }) else {
                return StubResponse(204)
            }
            if !has(.logoutKeepsSession) {
                (state.sessions[index].isOver, state.sessions[index].isAccessOver) = (true, true)
            }
            return StubResponse(204)
        case "auth.me":
            if has(.meIsAnother), let root = state.users["root"] { return json(200, json(root)) }
            guard let user = state.user(call.caller.id) else {
                return json(200, ["name": call.caller.name, "admin": false])
            }
            return json(200, json(user))
        default:
            guard let user = state.user(call.caller.id) else { return problem(403, "denied") }
            if call.text("current") != user.password, !has(.currentUnchecked) {
                return problem(401, "credentials_invalid")
            }
            setPassword(call.text("password") ?? "", of: user, &state, keeping: has(.passwordKeepsSession))
            state.note("user.password", user.name, by: user.name)
            return StubResponse(204)
        }
    }

    private func session(_ user: StubUser, _ state: inout StubAccountState) -> StubResponse {
        let session = StubSession(user: user.id, access: state.secret("at_"), refresh: state.secret("rt_"))
        state.sessions.append(session)
        return json(
            200,
            [
                "access_token": session.access, "refresh_token": session.refresh, "expires_in": 3_600,
                "token_type": "Bearer", "user": json(user),
            ], has(.sessionCacheable) ? [] : [("Cache-Control", "no-store")])
    }

    private func login(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call.text("name") ?? ""
        let password = call.text("password") ?? ""
        let found = state.users[name] ?? (has(.emailNoLogin) ? nil : state.users.values.first { $0.email == name })
        guard let user = found else {
            return has(.unknownUserTold)
                ? problem(401, "credentials_invalid", title: "there is no such user")
                : problem(401, "credentials_invalid")
        }
        let isOld = has(.oldPasswordWorks) && state.ghosts["password \(name) \(password)"] != nil
        guard user.password == password || isOld || has(.wrongPasswordTaken), !user.disabled || has(.disabledUserAsks)
        else {
            return problem(401, "credentials_invalid")
        }
        return session(user, &state)
    }

    private func refresh(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let token = call.text("refresh_token") ?? ""
        let index = state.sessions.firstIndex { session in
            (session.refresh == token || has(.accessRefreshes) && session.access == token)
                && (!session.isOver || has(.refreshAgain))
        }
        guard let index, let user = state.user(state.sessions[index].user), !user.disabled || has(.disabledUserAsks)
        else {
            return problem(401, "credentials_invalid")
        }
        state.sessions[index].isOver = true
        if !has(.refreshKeepsSession) { state.sessions[index].isAccessOver = true }
        return session(user, &state)
    }
}
