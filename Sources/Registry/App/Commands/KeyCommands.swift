import ArgumentParser
import Foundation

/// `aerugo key`
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys of users and robots: passwords for programs.",
        subcommands: [CreateKey.self, ListKeys.self, RevokeKey.self, RotateKey.self])
}

/// Whose keys a command is about.
private struct KeyOwner: ExpressibleByArgument {
    let login: String
    let segments: [String]

    /// Reads `USER` or `ORG+ROBOT`.
    init?(argument: String) {
        login = argument
        if let robot = RobotName(argument: argument) {
            segments = robot.segments + ["keys"]
        } else {
            guard !argument.isEmpty, !argument.contains("+") else { return nil }
            segments = ["users", argument, "keys"]
        }
    }
}

/// What a key may be used for: `REPOSITORIES:ACTION,ACTION…`.
private struct ScopeArgument: ExpressibleByArgument {
    let repositories: String
    let actions: [String]

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":") else { return nil }
        repositories = String(argument[..<colon])
        actions = argument[argument.index(after: colon)...].split(separator: ",").map(String.init)
        guard !repositories.isEmpty, !actions.isEmpty else { return nil }
    }

    var member: [String: any Sendable] { ["repositories": repositories, "actions": actions] }
}

private struct CreateKey: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a key, which is shown once.",
        discussion: "Example: aerugo key create acme+ci pipeline --scope 'acme/*:pull,push' --days 90")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "Whose it is: USER or ORG+ROBOT.") var owner: KeyOwner
    @Argument(help: "What to call it.") var label: String
    @Option(help: "How many days it counts; without this for ever.") var days: Int?
    @Option(
        help: """
            Where it counts and for what: a repository, or a/* for all below a, then a colon and some of pull, push, delete. \
            May be repeated; without this it counts for all that its owner may do.
            """)
    var scope: [ScopeArgument] = []

    func validate() throws {
        if let days, !(1...36_500).contains(days) { throw ValidationError("--days must be from 1 to 36500") }
    }

    func call() -> APICall {
        let end = days.map { Date(timeIntervalSinceNow: Double($0) * 86_400).ISO8601Format() }
        let scope: [[String: any Sendable]]? = scope.isEmpty ? nil : scope.map(\.member)
        return APICall(.post, owner.segments, body: ["name": label, "expires_at": end, "scope": scope])
    }

    var output: Output { .secret("key '\(label)' of \(owner.login) made", member: "secret", name: "key") }
}

private struct ListKeys: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the keys of a user or robot.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "USER or ORG+ROBOT.") var owner: KeyOwner

    func call() -> APICall { APICall(.get, owner.segments) }
    var output: Output {
        .table([
            .init("ID", "id"), .init("NAME", "name"), .init("BEGINS", "hint"), .init("SCOPE", "scope"),
            .init("EXPIRES", "expires_at"), .init("LAST USED", "last_used_at"),
        ])
    }
}

private struct RevokeKey: APICommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Let a key count no more.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "USER or ORG+ROBOT.") var owner: KeyOwner
    @Argument(help: "The key's id, as `list` shows it.") var id: String

    func call() -> APICall { APICall(.delete, owner.segments + [id]) }
    var output: Output { .sentence("key \(id) of \(owner.login) revoked") }
}

private struct RotateKey: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Give a key another secret; the old one counts for a while beside it.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "USER or ORG+ROBOT.") var owner: KeyOwner
    @Argument(help: "The key's id, as `list` shows it.") var id: String
    @Option(help: "Seconds for which the old secret still counts.") var overlap = 86_400

    func call() -> APICall { APICall(.post, owner.segments + [id, "rotate"], body: ["overlap": overlap]) }
    var output: Output { .secret("key \(id) of \(owner.login) has a new secret", member: "secret", name: "key") }
}
