import ArgumentParser
import Foundation

/// Which registry a command is about, and how it answers.
struct AdministrationFlags: ParsableArguments {
    @Option(help: "YAML file with settings (environment: AERUGO_CONFIG).")
    var config: String?
    @Option(help: "The registry's data directory; a server that runs on it is asked, else it is opened.")
    var data: String?
    @Flag(help: "Print the API's answer as it came.")
    var json = false

    /// The effective settings. Throws `ConfigurationError`.
    func settings() throws -> Settings {
        var flags: [String: String] = [:]
        flags["data"] = data
        // What a server would tell its log is of no interest to who looks at a table.
        flags["log.level"] = "warning"
        return try Settings(flags: flags, environment: ProcessInfo.processInfo.environment, file: config)
    }
}

/// A command that is a request to the management API: beside a running server through its socket, without one in this
/// process. Ends with 0, 1 when the registry refuses, 2 for bad settings.
protocol APICommand: AsyncParsableCommand {
    var flags: AdministrationFlags { get }
    /// The request. Throws `ConfigurationError`.
    func call() throws -> APICall
    var output: Output { get }
}

extension APICommand {
    func run() async throws {
        do {
            try await flags.settings().withTransport { transport in
                try show(try await transport.pages(try call()))
            }
        } catch let error as ConfigurationError {
            writeToStandardError("aerugo: \(error)")
            throw ExitCode(error.exitCode)
        }
    }

    private func show(_ answers: [APIAnswer]) throws(ConfigurationError) {
        let raw = answers.map { String(decoding: $0.body, as: UTF8.self) }.filter { !$0.isEmpty }
        if let refusal = answers.first(where: { !(200...299).contains($0.status) }) {
            if flags.json { print(raw.joined(separator: "\n")) }
            throw ConfigurationError(description: refusal.reason, exitCode: 1)
        }
        guard flags.json else { return print(output.text(answers)) }
        if !raw.isEmpty { print(raw.joined(separator: "\n")) }
    }
}

extension APITransport {
    /// The answer; of a list, all of its pages.
    func pages(_ call: APICall) async throws(ConfigurationError) -> [APIAnswer] {
        var answers = [try await send(call)]
        while let last = answers.last, last.status == 200, let next = last.members["next"] as? String {
            var page = call
            page.target = APICall.page(call.target, after: next)
            answers.append(try await send(page))
        }
        return answers
    }
}
