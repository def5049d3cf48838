import ArgumentParser
import Foundation

/// Which registry a command is about, and how it answers.
protocol CommandFlags: ParsableArguments {
    /// Whether the API's answer is printed as it came.
    var json: Bool { get }
    /// Runs `body` with a way to that registry. Throws `ConfigurationError`.
    func withTransport(_ body: (any APITransport) async throws -> Void) async throws
}

/// A registry that one is logged in to, or one on this machine.
struct AdministrationFlags: CommandFlags {
    @Option(help: "A registry that you are logged in to (aerugo login URL); without this and --data the last one.")
    var registry: RegistryAddress?
    @Option(help: "YAML file with settings (environment: AERUGO_CONFIG).")
    var config: String?
    @Option(help: "The registry's data directory; a server that runs on it is asked, else it is opened.")
    var data: String?
    @Flag(help: "Print the API's answer as it came.")
    var json = false

    func validate() throws {
        if registry != nil, data != nil || config != nil {
            throw ValidationError("--registry and --data or --config are two ways: take one")
        }
    }

    /// The effective settings. Throws `ConfigurationError`.
    func settings() throws -> Settings {
        var flags: [String: String] = [:]
        flags["data"] = data
        // What a server would tell its log is of no interest to who looks at a table.
        flags["log.level"] = "warning"
        return try Settings(flags: flags, environment: ProcessInfo.processInfo.environment, file: config)
    }

    /// A login, unless a registry on this machine is named.
    func withTransport(_ body: (any APITransport) async throws -> Void) async throws {
        let environment = ProcessInfo.processInfo.environment
        let isHere =
            data != nil || config != nil || environment["AERUGO_DATA"] != nil || environment["AERUGO_CONFIG"] != nil
        if registry != nil || !isHere, let keyring = Keyring.standard(environment),
            let login = try keyring.login(registry?.text)
        {
            return try await body(SessionTransport(keyring: keyring, url: login.url))
        }
        if let registry { throw ConfigurationError.noLogin(registry.text) }
        try await settings().withTransport(body)
    }
}

/// A command that is a request to the management API: of a registry that one is logged in to; or of one on this machine, beside
/// a running server through its socket, without one in this process. Ends with 0, 1 when the registry refuses, 2 for bad usage
/// or settings, 3 when it cannot be reached, 4 when one has to log in first.
protocol APICommand: AsyncParsableCommand {
    associatedtype Flags: CommandFlags
    var flags: Flags { get }
    /// The request. Throws `ConfigurationError`.
    func call() throws -> APICall
    var output: Output { get }
    /// Most items of a list that are shown; nil for all.
    var most: Int? { get }
}

extension APICommand {
    var most: Int? { nil }

    func run() async throws {
        try await ending {
            let call = try call()
            try await flags.withTransport { transport in
                try show(try await transport.pages(call, most: most))
            }
        }
    }

    private func show(_ answers: [APIAnswer]) throws(ConfigurationError) {
        let raw = answers.map { String(decoding: $0.body, as: UTF8.self) }.filter { !$0.isEmpty }
        if let refusal = answers.first(where: { !$0.isGood }) {
            if flags.json { print(raw.joined(separator: "\n")) }
            throw ConfigurationError(description: refusal.reason, exitCode: 1)
        }
        guard flags.json else { return print(output.text(answers)) }
        if !raw.isEmpty { print(raw.joined(separator: "\n")) }
    }
}

/// Runs a command's work; tells what went wrong, and ends with its code.
func ending(_ work: () async throws -> Void) async throws {
    do {
        try await work()
    } catch let error as ConfigurationError {
        writeToStandardError("aerugo: \(error)")
        throw ExitCode(error.exitCode)
    }
}

extension APITransport {
    /// The answer; of a list, its pages, until there are `most` items.
    func pages(_ call: APICall, most: Int? = nil) async throws(ConfigurationError) -> [APIAnswer] {
        var answers = [try await send(call)]
        var count = answers.last?.items.count ?? 0
        while let last = answers.last, last.status == 200, let next = last.members["next"] as? String {
            if let most, count >= most { break }
            var page = call
            page.target = APICall.page(call.target, after: next)
            answers.append(try await send(page))
            count += answers.last?.items.count ?? 0
        }
        return answers
    }
}
