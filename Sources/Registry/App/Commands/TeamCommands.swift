import ArgumentParser

/// `aerugo team`
struct TeamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "team", abstract: "Teams: members of an organization who get permissions together.",
        subcommands: [
            CreateTeam.self, ListTeams.self, DeleteTeam.self, TeamMembers.self, AddToTeam.self, RemoveFromTeam.self,
        ])
}

/// A team of an organization.
private struct TeamName: ParsableArguments {
    @Argument(help: "The organization's name.") var organization: String
    @Argument(help: "The team's name.") var team: String

    var siblings: [String] { ["organizations", organization, "teams"] }
    var segments: [String] { siblings + [team] }
}

private struct CreateTeam: APICommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a team.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var name: TeamName

    func call() -> APICall { APICall(.post, name.siblings, body: ["name": name.team]) }
    var output: Output { .sentence("team \(name.organization)/\(name.team) made") }
}

private struct ListTeams: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the teams of an organization.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The organization's name.") var organization: String

    func call() -> APICall { APICall(.get, ["organizations", organization, "teams"]) }
    var output: Output { .table([.init("NAME", "name")]) }
}

private struct DeleteTeam: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a team, and what was permitted to it.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var name: TeamName

    func call() -> APICall { APICall(.delete, name.segments) }
    var output: Output { .sentence("team \(name.organization)/\(name.team) deleted") }
}

private struct TeamMembers: APICommand {
    static let configuration = CommandConfiguration(commandName: "members", abstract: "List the members of a team.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var name: TeamName

    func call() -> APICall { APICall(.get, name.segments + ["members"]) }
    var output: Output { .table([.init("NAME", "name")]) }
}

private struct AddToTeam: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Put a member of the organization into a team.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var name: TeamName
    @Argument(help: "The user's name.") var user: String

    func call() -> APICall { APICall(.put, name.segments + ["members", user]) }
    var output: Output { .sentence("\(user) is in team \(name.organization)/\(name.team)") }
}

private struct RemoveFromTeam: APICommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take a member out of a team.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var name: TeamName
    @Argument(help: "The user's name.") var user: String

    func call() -> APICall { APICall(.delete, name.segments + ["members", user]) }
    var output: Output { .sentence("\(user) is not in team \(name.organization)/\(name.team) any more") }
}
