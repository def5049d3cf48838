import ArgumentParser

/// `aerugo repo`
struct RepositoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo", abstract: "Repositories: who may see them, and what else is permitted.",
        subcommands: [
            ListRepositories.self, CreateRepository.self, ShowRepository.self, DescribeRepository.self,
            PublishRepository.self, HideRepository.self, DeleteRepository.self, RestoreRepository.self,
            GrantPermission.self, RevokePermission.self, ListPermissions.self,
        ])
}

private struct ListRepositories: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the repositories.")

    @OptionGroup var flags: AdministrationFlags
    @Option(help: "Only those of this user or organization.") var namespace: String?
    @Option(help: "Only those that have a word in their names which begins so.") var containing: String?
    @Flag(help: "Only those that everybody may pull from.") var `public` = false

    func call() -> APICall {
        let given = [("namespace", namespace), ("q", containing), ("visibility", `public` ? "public" : nil)]
        return APICall(.get, ["repositories"], query: given.compactMap { name, value in value.map { (name, $0) } })
    }

    var output: Output {
        .table([
            .init("NAME", "name"), .init("VISIBILITY", "visibility"), .init("TAGS", "tags"), .init("BYTES", "bytes"),
            .init("PUSHED", "pushed_at"),
        ])
    }
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

private struct CreateRepository: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a repository before anything is pushed to it.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "Its name, with its namespace: acme/app.") var name: String
    @Option(help: "What it is, for people.") var description: String?
    @Flag(help: "Let everybody pull, without logging in.") var `public` = false

    func call() -> APICall {
        APICall(
            .post, ["repositories"],
            body: ["name": name, "description": description, "visibility": `public` ? "public" : nil])
    }

    var output: Output { .sentence("repository \(name) made") }
}

private struct ShowRepository: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a repository, and how much there is in it.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String

    func call() -> APICall { APICall(.get, ["repositories", name]) }
    var output: Output {
        .record([
            .init("name", "name"), .init("visibility", "visibility"), .init("description", "description"),
            .init("tags", "tags"), .init("manifests", "manifests"), .init("blobs", "blobs"), .init("bytes", "bytes"),
            .init("logical bytes", "logical_bytes"), .init("pulls", "pulls"), .init("created", "created_at"),
            .init("pushed", "pushed_at"), .init("pulled", "pulled_at"),
        ])
    }
}

private struct DescribeRepository: APICommand {
    static let configuration = CommandConfiguration(commandName: "describe", abstract: "Say what a repository is.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String
    @Argument(help: "What it is, for people.") var description: String

    func call() -> APICall { APICall(.patch, ["repositories", name], body: ["description": description]) }
    var output: Output { .sentence("description of \(name) changed") }
}

private struct DeleteRepository: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a repository: out of sight at once, restorable for a time.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String

    func call() -> APICall { APICall(.delete, ["repositories", name]) }
    var output: Output { .sentence("repository \(name) deleted: aerugo repo restore \(name) brings it back") }
}

private struct RestoreRepository: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring a repository back that was deleted.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var name: String

    func call() -> APICall { APICall(.post, ["repositories", name, "restore"]) }
    var output: Output { .sentence("repository \(name) is there again") }
}
