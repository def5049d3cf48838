import ArgumentParser

/// `aerugo org`
struct OrganizationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Organizations: namespaces that several people share.",
        subcommands: [
            CreateOrganization.self, ListOrganizations.self, ShowOrganization.self, UpdateOrganization.self,
            DeleteOrganization.self,
        ])
}

/// `aerugo member`
struct MemberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "Members of organizations and their roles.",
        subcommands: [SetMember.self, RemoveMember.self, ListMembers.self])
}

private struct CreateOrganization: APICommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make an organization.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "Its name, which is the first part of the names of its repositories.") var name: String
    @Option(help: "What it is, for people.") var description: String?

    func call() -> APICall { APICall(.post, ["organizations"], body: ["name": name, "description": description]) }
    var output: Output { .sentence("organization \(name) made") }
}

private struct ListOrganizations: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the organizations.")

    @OptionGroup var flags: AdministrationFlags

    func call() -> APICall { APICall(.get, ["organizations"]) }
    var output: Output {
        .table([.init("NAME", "name"), .init("DESCRIPTION", "description"), .init("CREATED", "created_at")])
    }
}

private struct ShowOrganization: APICommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show an organization.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "Its name.") var name: String

    func call() -> APICall { APICall(.get, ["organizations", name]) }
    var output: Output {
        .record([
            .init("name", "name"), .init("display name", "display_name"), .init("description", "description"),
            .init("website", "website"), .init("avatar", "avatar"), .init("created", "created_at"),
        ])
    }
}

private struct UpdateOrganization: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change what an organization says of itself.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "Its name.") var name: String
    @Option(help: "What people call it.") var displayName: String?
    @Option(help: "What it is.") var description: String?
    @Option(help: "An address of the web.") var website: String?
    @Option(help: "The address of a picture.") var avatar: String?

    func validate() throws {
        guard displayName == nil, description == nil, website == nil, avatar == nil else { return }
        throw ValidationError("say what to change: --display-name, --description, --website or --avatar")
    }

    func call() -> APICall {
        APICall(
            .patch, ["organizations", name],
            body: ["display_name": displayName, "description": description, "website": website, "avatar": avatar])
    }

    var output: Output { .sentence("organization \(name) changed") }
}

private struct DeleteOrganization: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete an organization that has no repositories.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "Its name.") var name: String
    @Option(help: "Its name once more: delete it with all its repositories, for good.") var confirm: String?

    func call() -> APICall {
        APICall(.delete, ["organizations", name], query: confirm.map { [("confirm", $0)] } ?? [])
    }

    var output: Output { .sentence("organization \(name) deleted") }
}

private struct SetMember: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Make a user a member, or give a member another role.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The organization's name.") var organization: String
    @Argument(help: "The user's name.") var user: String
    @Argument(help: "reader, developer, maintainer, admin or owner.") var role: String

    func call() -> APICall {
        APICall(.put, ["organizations", organization, "members", user], body: ["role": role])
    }

    var output: Output { .sentence("\(user) is \(role) of \(organization)") }
}

private struct RemoveMember: APICommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take a member out.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The organization's name.") var organization: String
    @Argument(help: "The user's name.") var user: String

    func call() -> APICall { APICall(.delete, ["organizations", organization, "members", user]) }
    var output: Output { .sentence("\(user) is no member of \(organization) any more") }
}

private struct ListMembers: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the members.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The organization's name.") var organization: String

    func call() -> APICall { APICall(.get, ["organizations", organization, "members"]) }
    var output: Output { .table([.init("NAME", "name"), .init("ROLE", "role"), .init("KIND", "kind")]) }
}
