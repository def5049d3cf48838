import ArgumentParser

/// `aerugo permission`
struct PermissionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "permission",
        abstract: "What is permitted on repositories, and why somebody may do what they may.",
        subcommands: [ListPermissions.self, ShowPermission.self, GrantPermission.self, RevokePermission.self])

    fileprivate static func path(_ repository: String) -> [String] { ["repositories", repository, "permissions"] }
}

/// Who gets a permission.
struct GranteeArgument: ExpressibleByArgument {
    let text: String

    /// Reads `USER`, `ORG/TEAM` or `ORG+ROBOT`, or what the API has for them.
    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        let kinds = ["user:", "team:", "robot:"]
        guard !kinds.contains(where: argument.hasPrefix) else {
            text = argument
            return
        }
        text = (argument.contains("/") ? "team:" : argument.contains("+") ? "robot:" : "user:") + argument
    }
}

/// As `aerugo permission list` and `aerugo repo permissions`.
struct ListPermissions: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what is permitted on a repository.", aliases: ["permissions"])

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String

    func call() -> APICall { APICall(.get, PermissionCommand.path(name)) }
    var output: Output { .table([.init("GRANTEE", "grantee"), .init("ACTIONS", "actions")]) }
}

private struct ShowPermission: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what somebody may do with a repository, and which rule gives it.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String
    @Argument(help: "USER, ORG/TEAM or ORG+ROBOT.") var grantee: GranteeArgument

    func call() -> APICall { APICall(.get, PermissionCommand.path(name) + [grantee.text]) }
    var output: Output {
        .record([.init("grantee", "grantee"), .init("actions", "actions"), .init("why", "why")])
    }
}

/// As `aerugo permission grant` and `aerugo repo grant`.
struct GrantPermission: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Permit something to a user, team or robot.",
        discussion: "Example: aerugo permission grant alice/hello bob pull,push")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String
    @Argument(help: "USER, ORG/TEAM or ORG+ROBOT.") var grantee: GranteeArgument
    @Argument(help: "Some of pull, push, delete, admin, by commas.") var actions: String

    private var list: [String] { actions.split(separator: ",").map(String.init) }

    func call() -> APICall { APICall(.put, PermissionCommand.path(name) + [grantee.text], body: ["actions": list]) }
    var output: Output { .sentence("\(grantee.text) may \(list.joined(separator: ", ")) \(name)") }
}

/// As `aerugo permission revoke` and `aerugo repo revoke`.
struct RevokePermission: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take back what was permitted; what a role gives stays.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String
    @Argument(help: "USER, ORG/TEAM or ORG+ROBOT.") var grantee: GranteeArgument

    func call() -> APICall { APICall(.delete, PermissionCommand.path(name) + [grantee.text]) }
    var output: Output { .sentence("nothing is permitted to \(grantee.text) on \(name) any more") }
}
