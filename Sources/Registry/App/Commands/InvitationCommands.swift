import ArgumentParser

/// `aerugo invitation`
struct InvitationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invitation",
        abstract: "Invitations to organizations: who was invited becomes a member by accepting.",
        subcommands: [
            Invite.self, ListInvitations.self, AcceptInvitation.self, DeclineInvitation.self, WithdrawInvitation.self,
        ])

    fileprivate static func path(_ organization: String) -> [String] { ["organizations", organization, "invitations"] }
}

private struct Invite: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Invite a user; an invitation of theirs that waits already is replaced.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The organization's name.") var organization: String
    @Argument(help: "The user's name.") var user: String
    @Argument(help: "reader, developer, maintainer, admin or owner.") var role: String

    func call() -> APICall {
        APICall(.post, InvitationCommand.path(organization), body: ["user": user, "role": role])
    }

    var output: Output { .sentence("\(user) is invited to be \(role) of \(organization)") }
}

private struct ListInvitations: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List your invitations, or those of an organization that wait for an answer.")

    @OptionGroup var flags: AdministrationFlags
    @Option(help: "The organization, for who manages it.") var organization: String?

    func call() -> APICall { APICall(.get, organization.map(InvitationCommand.path) ?? ["invitations"]) }
    var output: Output {
        .table([
            .init("ID", "id"), .init("ORGANIZATION", "organization"), .init("USER", "user"), .init("ROLE", "role"),
            .init("BY", "invited_by"), .init("EXPIRES", "expires_at"),
        ])
    }
}

private struct AcceptInvitation: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Accept an invitation: you are a member then.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "Its id, as `list` shows it.") var id: String

    func call() -> APICall { APICall(.post, ["invitations", id, "accept"]) }
    var output: Output { .sentence("invitation \(id) accepted") }
}

private struct DeclineInvitation: APICommand {
    static let configuration = CommandConfiguration(commandName: "decline", abstract: "Decline an invitation.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "Its id, as `list` shows it.") var id: String

    func call() -> APICall { APICall(.post, ["invitations", id, "decline"]) }
    var output: Output { .sentence("invitation \(id) declined") }
}

private struct WithdrawInvitation: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw", abstract: "Take an invitation back that nobody has answered.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The organization's name.") var organization: String
    @Argument(help: "Its id, as `list` shows it.") var id: String

    func call() -> APICall { APICall(.delete, InvitationCommand.path(organization) + [id]) }
    var output: Output { .sentence("invitation \(id) withdrawn") }
}
