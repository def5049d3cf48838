import Foundation

extension StubManagement {
    private func json(_ key: StubKey) -> [String: Any] {
        var scope: Any = NSNull()
        if let entries = key.scope {
            scope = entries.map { ["repositories": $0.pattern, "actions": $0.actions] as [String: Any] }
        }
        return [
            "id": "\(key.id)", "name": key.name, "hint": String(key.secret.prefix(has(.secretInList) ? 100 : 7)),
            "scope": scope, "created_at": StubJSON.time(key.created), "expires_at": StubJSON.time(key.expires),
            "last_used_at": NSNull(),
        ]
    }

    /// The account whose keys are meant, and its login.
    private func owner(_ call: StubCall, _ state: StubAccountState) -> (id: Int, login: String)? {
        if let name = call.parameters["user"] { return state.users[name].map { ($0.id, name) } }
        if let name = call.parameters["robot"] {
            return state.organizations[call["organization"]]?.robots[name].map {
                ($0.id, "\(call["organization"])+\(name)")
            }
        }
        return (call.caller.id, call.caller.name)
    }

    func keys(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        guard let owner = owner(call, state) else { return absent(call.parameters["user"] ?? call["robot"]) }
        let action = call.operation.split(separator: ".").last ?? ""
        if action == "list" {
            let found = state.keys.filter { $0.owner == owner.id || has(.othersKeysListed) }
            return page(call, found.map { ("\($0.id)", json($0)) }, isPaged: false)
        }
        if action == "create" { return createKey(call, owner, &state) }
        let index = state.keys.firstIndex {
            "\($0.id)" == call["key"] && ($0.owner == owner.id || has(.othersKeyDeleted))
        }
        guard let index else { return absent("key") }
        if action == "delete" {
            let key = state.keys.remove(at: index)
            if has(.deletedKeyWorks) {
                state.keys.append(
                    StubKey(
                        id: 0, owner: key.owner, login: key.login, name: key.name, secret: key.secret, scope: key.scope,
                        expires: key.expires))
            }
            state.note("key.delete", "\(owner.login) \(key.name)", by: call.caller.name)
            return StubResponse(204)
        }
        let overlap = call.fields["overlap"] as? Int ?? 86_400
        let old = state.keys[index].secret
        let kept = has(.rotateKeepsOld) ? 1_000 : overlap
        state.keys[index].older = (old, Date(timeIntervalSinceNow: Double(kept)))
        if !has(.rotateSameSecret) { state.keys[index].secret = state.secret("ak_") }
        return json(200, ["secret": state.keys[index].secret])
    }

    private func createKey(_ call: StubCall, _ owner: (id: Int, login: String), _ state: inout StubAccountState)
        -> StubResponse
    {
        if state.keys.count(where: { $0.owner == owner.id }) >= 40, !has(.keysWithoutEnd) {
            return problem(409, "in_use")
        }
        let expires = call.text("expires_at").flatMap { ISO8601DateFormatter().date(from: $0) }
        if let expires, expires < Date(), !has(.pastExpiryTaken) {
            return problem(400, "field_invalid", field: "expires_at")
        }
        let scope = (call.fields["scope"] as? [[String: Any]])?.map { entry in
            (entry["repositories"] as? String ?? "", entry["actions"] as? [String] ?? [])
        }
        let key = StubKey(
            id: state.newID(), owner: owner.id, login: owner.login, name: call.text("name") ?? "",
            secret: state.secret("ak_"), scope: scope, expires: expires)
        state.keys.append(key)
        let subject = "\(owner.login) \(key.name)" + (has(.secretInAudit) ? " \(key.secret)" : "")
        state.note("key.create", subject, by: call.caller.name)
        var members = json(key)
        members["secret"] = key.secret
        return json(201, members)
    }
}
