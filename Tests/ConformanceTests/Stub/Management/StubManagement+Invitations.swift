import Foundation

struct StubInvitation {
    let id: Int
    let organization: String
    /// Who is invited, and by whom.
    let user: Int
    let inviter: Int
    let role: String
    let created = Date()
}

extension StubManagement {
    private func json(_ invitation: StubInvitation, _ state: StubAccountState) -> [String: Any] {
        [
            "id": "\(invitation.id)", "organization": invitation.organization,
            "user": state.user(invitation.user)?.name ?? "", "role": invitation.role,
            "invited_by": state.user(invitation.inviter)?.name ?? "system",
            "created_at": StubJSON.time(invitation.created),
            "expires_at": StubJSON.time(invitation.created.addingTimeInterval(604_800)),
        ]
    }

    /// Whether who made it may give that role still.
    private func stands(_ invitation: StubInvitation, _ state: StubAccountState) -> Bool {
        guard !has(.invitationOutlivesInviter) else { return true }
        guard let inviter = state.user(invitation.inviter), !inviter.disabled else { return false }
        let caller = StubCaller(kind: .user, id: inviter.id, name: inviter.name, isAdmin: inviter.admin)
        return rights(caller, in: invitation.organization, state).contains(
            invitation.role == "owner" ? "own" : "manage")
    }

    private func page(
        _ call: StubCall, _ state: StubAccountState, _ isWanted: (StubInvitation) -> Bool
    ) -> StubResponse {
        let found = state.invitations.filter { isWanted($0) && stands($0, state) }
        return page(call, found.map { ("\($0.id)", json($0, state)) })
    }

    func invitations(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call["organization"]
        switch call.operation {
        case "invitations.create": return invite(call, &state)
        case "invitations.list": return page(call, state) { $0.organization == name }
        case "invitations.mine":
            let id = call.caller.id
            return page(call, state) {
                !has(.invitationUnlisted) && ($0.user == id || has(.invitationShownToOthers))
            }
        case "invitations.withdraw":
            guard
                let index = state.invitations.firstIndex(where: {
                    "\($0.id)" == call["invitation"] && ($0.organization == name || has(.foreignInvitationWithdrawn))
                })
            else { return absent("invitation") }
            if state.invitations[index].role == "owner", !has(.adminInvitesOwners),
                !rights(call.caller, in: name, state).contains("own")
            {
                return problem(403, "denied")
            }
            if !has(.withdrawnInvitationWorks) { state.invitations.remove(at: index) }
            return StubResponse(204)
        default: return answer(call, &state)
        }
    }

    private func invite(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let (name, role) = (call["organization"], call.text("role") ?? "")
        guard let user = state.users[call.text("user") ?? ""] else { return absent("user") }
        if state.organizations[name]?.members[user.id] != nil, !has(.memberInvitedAgain) {
            return problem(409, "name_taken", field: "user")
        }
        let known = state.invitations.first { $0.organization == name && $0.user == user.id }
        if role == "owner" || known?.role == "owner", !rights(call.caller, in: name, state).contains("own"),
            !has(.adminInvitesOwners)
        {
            return problem(403, "denied")
        }
        if !has(.invitationPiles) { state.invitations.removeAll { $0.organization == name && $0.user == user.id } }
        let made = StubInvitation(
            id: state.newID(), organization: name, user: user.id, inviter: call.caller.id, role: role)
        state.invitations.append(made)
        if has(.invitationMakesMember) { state.organizations[name]?.members[user.id] = role }
        state.note("invitation.create", "\(name) \(user.name)", by: call.caller.name)
        return json(201, json(made, state))
    }

    private func answer(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let isAccepted = call.operation == "invitations.accept"
        let isOfAll = has(isAccepted ? .invitationOfAnybody : .invitationDeclinedByOthers)
        guard
            let index = state.invitations.firstIndex(where: {
                "\($0.id)" == call["invitation"] && ($0.user == call.caller.id || isOfAll)
            }), stands(state.invitations[index], state)
        else { return absent("invitation") }
        let invitation = state.invitations[index]
        if !(isAccepted && has(.invitationAcceptedTwice)), isAccepted || !has(.declinedInvitationWorks) {
            state.invitations.remove(at: index)
        }
        guard isAccepted else { return StubResponse(204) }
        state.organizations[invitation.organization]?.members[call.caller.id] =
            has(.invitationRoleOther) ? "reader" : invitation.role
        state.note("invitation.accept", "\(invitation.organization) \(call.caller.name)", by: call.caller.name)
        return StubResponse(204)
    }

    // MARK: registration, codes, one's own address

    /// Anybody may register here, and no mail is sent.
    func registrations(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        switch call.operation {
        case "auth.register":
            let name = call.text("name") ?? ""
            if state.users[name] != nil || state.organizations[name] != nil, !has(.registrationTakesName) {
                return problem(409, "name_taken", field: "name")
            }
            var user = StubUser(id: state.newID(), name: name, password: call.text("password") ?? "", created: Date())
            (user.email, user.admin) = (call.text("email"), has(.registrationMakesAdmin))
            state.users[name] = user
            return has(.registrationOffMakes) ? problem(403, "denied") : json(201, shown(user))
        case "auth.resetRequest":
            let user = call.text("user") ?? ""
            let isKnown = state.users.values.contains { $0.name == user || $0.email == user }
            // Nobody learns by it whether there is such a user.
            return isKnown || !has(.unknownResetTold) ? StubResponse(202) : problem(404, "not_found")
        case "auth.email": return changeAddress(call, &state)
        case "auth.emailConfirm" where has(.emailCodeTaken): return StubResponse(204)
        case "auth.confirm" where has(.registrationCodeTaken): return json(201, shown(state.users["root"]))
        case "auth.reset" where has(.resetCodeTaken):
            // Whoever was made last.
            if let last = state.users.values.max(by: { $0.id < $1.id }) {
                state.users[last.name]?.password = call.text("password") ?? ""
            }
            return StubResponse(204)
        default: return problem(401, "credentials_invalid")
        }
    }

    private func changeAddress(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        guard let user = state.user(call.caller.id) else { return problem(403, "denied") }
        guard call.text("password") == user.password || has(.emailPasswordUnchecked) else {
            return problem(400, "field_invalid", field: "password")
        }
        let email = call.text("email")
        let isTaken = state.users.values.contains {
            $0.id != user.id && email != nil && $0.email?.lowercased() == email?.lowercased()
        }
        if isTaken, !has(.emailOfOthersTaken) { return problem(409, "name_taken", field: "email") }
        state.users[user.name]?.email = email
        return json(200, shown(state.users[user.name]))
    }
}
