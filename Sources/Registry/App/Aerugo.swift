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
    static let configuration = CommandConfiguration(
        commandName: "aerugo",
        abstract: "A container registry: Docker Registry V2 and the OCI distribution API.",
        discussion: """
            Try it:  aerugo serve --open --data ./data
                     docker push localhost:5000/hello
            """,
        version: "0.1.0",
        subcommands: [ServeCommand.self, ConfigCommand.self])
}
