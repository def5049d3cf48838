import ArgumentParser

/// `aerugo repo`
struct RepositoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo", abstract: "Repositories: who may see them, and what else is permitted.",
        subcommands: [
            ListRepositories.self, PublishRepository.self, HideRepository.self, GrantPermission.self,
            RevokePermission.self, ListPermissions.self,
        ])
}

/// Who gets a permission.
private struct GranteeArgument: ExpressibleByArgument {
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

private struct ListRepositories: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the repositories.")

    @OptionGroup var flags: AdministrationFlags
    @Option(help: "Only those of this user or organization.") var namespace: String?

    func call() -> APICall {
        APICall(.get, ["repositories"], query: namespace.map { [("namespace", $0)] } ?? [])
    }

    var output: Output { .table([.init("NAME", "name")]) }
}

private struct PublishRepository: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "public", abstract: "Let everybody pull, without logging in.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String

    func call() -> APICall { APICall(.patch, ["repositories", name], body: ["visibility": "public"]) }
    var output: Output { .sentence("\(name) is public: everybody may pull") }
}

private struct HideRepository: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "private", abstract: "Let only those pull to whom it is permitted.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String

    func call() -> APICall { APICall(.patch, ["repositories", name], body: ["visibility": "private"]) }
    var output: Output { .sentence("\(name) is private") }
}

private struct GrantPermission: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Permit something to a user, team or robot.",
        discussion: "Example: aerugo repo grant alice/hello bob pull,push")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String
    @Argument(help: "USER, ORG/TEAM or ORG+ROBOT.") var grantee: GranteeArgument
    @Argument(help: "Some of pull, push, delete, admin, by commas.") var actions: String

    private var list: [String] { actions.split(separator: ",").map(String.init) }

    func call() -> APICall {
        APICall(.put, ["repositories", name, "permissions", grantee.text], body: ["actions": list])
    }

    var output: Output { .sentence("\(grantee.text) may \(list.joined(separator: ", ")) \(name)") }
}

private struct RevokePermission: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take back what was permitted; what a role gives stays.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String
    @Argument(help: "USER, ORG/TEAM or ORG+ROBOT.") var grantee: GranteeArgument

    func call() -> APICall { APICall(.delete, ["repositories", name, "permissions", grantee.text]) }
    var output: Output { .sentence("nothing is permitted to \(grantee.text) on \(name) any more") }
}

private struct ListPermissions: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "permissions", abstract: "List what is permitted on a repository.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String

    func call() -> APICall { APICall(.get, ["repositories", name, "permissions"]) }
    var output: Output { .table([.init("GRANTEE", "grantee"), .init("ACTIONS", "actions")]) }
}
