import ArgumentParser
import Glibc
import Harness
import LoadKit

@main
struct AerugoLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aerugo-load",
        abstract: "Load for container registries: open loop, honest latencies, capacity search.",
        discussion: """
            Exit codes: 0 it was done and every requirement is met, 1 a requirement is missed or a comparison is worse, 2 wrong usage or scenario, \
            3 the target cannot be reached, refuses or went away, 4 what was asked cannot be told (the generator's own share in the figures \
            may decide it, or there are too few of them), 5 a report cannot be written, 130 interrupted.
            """,
        subcommands: [
            RunCommand.self, CapacityCommand.self, CompareCommand.self, ReportCommand.self, PlanCommand.self,
            ScenariosCommand.self, AgentCommand.self,
        ])

    /// Parses and runs; every error ends in a message on standard error and its exit code.
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as Exit {
            if let message = error.message { Console.complain("aerugo-load: " + message) }
            Glibc.exit(error.code.rawValue)
        } catch let error as QuantityError {
            fail(error.description, .usage)
        } catch let error as ScheduleError {
            fail(error.description, .usage)
        } catch let error as TargetError {
            fail(error.description, .usage)
        } catch let error as ScenarioError {
            fail(error.description, .usage)
        } catch let error as RecordingError {
            fail(error.description, .usage)
        } catch let error as FileError {
            fail(error.description, .usage)
        } catch let error as RunError {
            fail(error.description, .unreachable)
        } catch {
            let text = fullMessage(for: error)
            guard exitCode(for: error) != .success else {
                Console.say(text)
                Glibc.exit(0)
            }
            fail(text, .usage)
        }
    }

    private static func fail(_ message: String, _ code: Exit.Code) -> Never {
        Console.complain(message.hasPrefix("Error:") ? message : "aerugo-load: " + message)
        Glibc.exit(code.rawValue)
    }
}

/// An end with a code of the table in the help.
struct Exit: Error, CustomStringConvertible {
    enum Code: Int32 {
        case missed = 1, usage = 2, unreachable = 3, invalid = 4, unwritable = 5, interrupted = 130
    }

    let code: Code
    let message: String?

    init(_ code: Code, _ message: String? = nil) {
        self.code = code
        self.message = message
    }

    var description: String { message ?? "ended with exit code \(code.rawValue)" }
}
