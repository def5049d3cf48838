import ConformanceKit
import Foundation

/// The two output streams and the exit.
enum Console {
    static func write(_ text: String, toError: Bool = false) {
        Output.write(text, toError: toError)
    }

    /// From now on a reader that went away, such as `head`, makes a write fail and does not end the program.
    static func outlivePipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    static func exit(_ status: Int32) -> Never {
        Foundation.exit(status)
    }

    /// Runs `body`; a target that cannot be used ends the program with its exit code.
    static func exitingOnProblems<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch TargetProblem.unreachable(let reason) {
            write("unreachable: \(reason)\n", toError: true)
            exit(Status.unreachable)
        } catch TargetProblem.unusable(let reason) {
            write("unusable: \(reason)\n", toError: true)
            exit(Status.usage)
        }
    }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// Exit codes of the program.
enum Status {
    static let failures: Int32 = 1
    static let usage: Int32 = 2
    static let unreachable: Int32 = 3
    static let nothingSelected: Int32 = 4
    static let regression: Int32 = 5
}
