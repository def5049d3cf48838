import ArgumentParser

@main
private enum Program {
    static func main() async {
        ProcessSetup.begin()
        await Aerugo.main()
    }
}

/// The program `aerugo`.
struct Aerugo: AsyncParsableCommand {
    static let version = "0.1.0"
    static let configuration = CommandConfiguration(
        commandName: "aerugo",
        abstract: "A container registry: Docker Registry V2 and the OCI distribution API.",
        discussion: """
            Start:     aerugo serve --data ./data           (prints the administrator's password once)
            A user:    aerugo user create alice             (beside the running server, or without one)
            Use it:    docker login localhost:5000
                       docker push localhost:5000/alice/hello
            Elsewhere: aerugo login https://registry.example.com    (the commands go there then)
            Only try:  aerugo serve --open                  (no accounts: everyone may do everything)
            """,
        version: version,
        subcommands: [
            ServeCommand.self, ConfigCommand.self, DoctorCommand.self, UserCommand.self, OrganizationCommand.self,
            MemberCommand.self,
            TeamCommand.self, InvitationCommand.self, RobotCommand.self, KeyCommand.self, RepositoryCommand.self,
            PermissionCommand.self, TagCommand.self, AuditCommand.self, SystemCommand.self, CollectCommand.self,
            LoginCommand.self, LogoutCommand.self, WhoCommand.self, AccountCommand.self,
        ])
}
