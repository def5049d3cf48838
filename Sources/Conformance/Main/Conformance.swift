import ArgumentParser
import ConformanceKit

/// `aerugo-conformance`: what it can do.
@main
struct Conformance: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aerugo-conformance",
        abstract: "Proves what a container registry does, and blames nobody wrongly.",
        discussion: """
            Exit codes: 0 fine, 1 failures, 2 usage or configuration, 3 target unreachable, 4 nothing selected, \
            5 regression against the baseline.
            """,
        subcommands: [
            RunCommand.self, ListCommand.self, SpecCommand.self, ExplainCommand.self, CompareCommand.self,
            BadgeCommand.self, RecordCommand.self, ReplayCommand.self,
        ])

    static func main() {
        Console.outlivePipes()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let code as ExitCode {
            exit(withError: code)
        } catch {
            let status = exitCode(for: error)
            let text = fullMessage(for: error)
            if !text.isEmpty { Console.write(Masker.form(text) + "\n", toError: !status.isSuccess) }
            Console.exit(status.isSuccess ? 0 : 2)
        }
    }
}
