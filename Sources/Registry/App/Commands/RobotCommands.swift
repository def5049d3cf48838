import ArgumentParser

/// `aerugo robot`
struct RobotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "robot", abstract: "Robots: accounts of an organization for programs, which log in with API keys.",
        subcommands: [CreateRobot.self, ListRobots.self, DisableRobot.self, EnableRobot.self, DeleteRobot.self])
}

/// A robot of an organization, as it logs in.
struct RobotName: ExpressibleByArgument {
    let organization: String
    let name: String

    /// Reads `ORG+NAME`.
    init?(argument: String) {
        let halves = argument.split(separator: "+", omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty else { return nil }
        (organization, name) = (String(halves[0]), String(halves[1]))
    }

    var siblings: [String] { ["organizations", organization, "robots"] }
    var segments: [String] { siblings + [name] }
    var login: String { "\(organization)+\(name)" }
}

private struct CreateRobot: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a robot. `aerugo key create ORG+NAME LABEL` gives it a key to log in with.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "ORG+NAME, which is what it logs in as.") var robot: RobotName
    @Option(help: "Its role in the organization; without one it may do what it is permitted repository by repository.")
    var role: String?

    func call() -> APICall {
        APICall(.post, robot.siblings, body: ["name": robot.name, "role": role])
    }

    var output: Output { .sentence("robot \(robot.login) made: aerugo key create \(robot.login) LABEL gives it a key") }
}

private struct ListRobots: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the robots of an organization.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The organization's name.") var organization: String

    func call() -> APICall { APICall(.get, ["organizations", organization, "robots"]) }
    var output: Output {
        .table([
            .init("NAME", "name"), .init("LOGIN", "login"), .init("ROLE", "role"), .init("DISABLED", "disabled"),
            .init("CREATED", "created_at"),
        ])
    }
}

private struct DisableRobot: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Let a robot do nothing any more, from now on and with any key.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "ORG+NAME.") var robot: RobotName

    func call() -> APICall { APICall(.patch, robot.segments, body: ["disabled": true]) }
    var output: Output { .sentence("robot \(robot.login) disabled") }
}

private struct EnableRobot: APICommand {
    static let configuration = CommandConfiguration(commandName: "enable", abstract: "Take back `disable`.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "ORG+NAME.") var robot: RobotName

    func call() -> APICall { APICall(.patch, robot.segments, body: ["disabled": false]) }
    var output: Output { .sentence("robot \(robot.login) enabled") }
}

private struct DeleteRobot: APICommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a robot and its keys.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "ORG+NAME.") var robot: RobotName

    func call() -> APICall { APICall(.delete, robot.segments) }
    var output: Output { .sentence("robot \(robot.login) deleted") }
}
