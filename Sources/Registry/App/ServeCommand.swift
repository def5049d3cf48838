import ArgumentParser
import Foundation

/// The flags of every subcommand that reads settings.
struct SettingFlags: ParsableArguments {
    @Option(help: "YAML file with settings (environment: AERUGO_CONFIG).")
    var config: String?
    @Option(help: "host:port to listen on; port 0 takes a free one.")
    var listen: String?
    @Option(help: "Directory of the database and the blobs; made where it is missing.")
    var data: String?
    @Flag(help: "No authentication: everyone may do everything. On loopback addresses only.")
    var open = false
    @Flag(help: "Allow --open on an address that others can reach.")
    var openAnywhere = false
    @Option(help: "PEM file with the certificate and its chain, to serve HTTPS.")
    var tlsCertificate: String?
    @Option(help: "PEM file with the certificate's key.")
    var tlsKey: String?
    @Flag(help: "Allow passwords to cross the network in the clear, on an address that is not loopback.")
    var plainHttp = false
    @Option(help: "trace, debug, info, notice, warning or error.")
    var logLevel: String?
    @Option(help: "text or json.")
    var logFormat: String?
    @Option(
        name: .customLong("set"), help: "Any other setting, as key=value; may be repeated. `aerugo config` lists them.")
    var others: [String] = []

    /// The effective settings. Throws `ConfigurationError`.
    func settings() throws -> Settings {
        var flags: [String: String] = [:]
        for item in others {
            let halves = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { throw ConfigurationError(description: "--set \(item): write key=value") }
            flags[String(halves[0])] = String(halves[1])
        }
        flags["listen"] = listen ?? flags["listen"]
        flags["data"] = data ?? flags["data"]
        flags["log.level"] = logLevel ?? flags["log.level"]
        flags["log.format"] = logFormat ?? flags["log.format"]
        flags["tls.certificate"] = tlsCertificate ?? flags["tls.certificate"]
        flags["tls.key"] = tlsKey ?? flags["tls.key"]
        if plainHttp { flags["plain-http"] = "true" }
        if open { flags["open"] = "true" }
        if openAnywhere { flags["open-anywhere"] = "true" }
        return try Settings(flags: flags, environment: ProcessInfo.processInfo.environment, file: config)
    }
}

/// Ends the program with this message when the settings are at fault or cannot be had.
private func usingSettings(_ flags: SettingFlags, _ body: (Settings) async throws -> Void) async throws {
    do {
        try await body(try flags.settings())
    } catch let error as ConfigurationError {
        writeToStandardError("aerugo: \(error)")
        throw ExitCode(error.exitCode)
    }
}

/// `aerugo serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve the registry until SIGTERM or Ctrl-C.",
        discussion: """
            Flags win over the environment (AERUGO_LISTEN, AERUGO_LOG_LEVEL, …), which wins over the file of --config,
            which wins over the defaults. Exit codes: 0 after a clean stop, 1 when it cannot run, 2 for a bad setting, 64 for an unknown flag.
            """)

    @OptionGroup var flags: SettingFlags

    func run() async throws {
        try await usingSettings(flags) { settings in
            try await serve(Plan(settings))
        }
    }
}

/// `aerugo config`
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Print the effective settings and where each comes from.")

    @OptionGroup var flags: SettingFlags
    @Flag(help: "Say what each setting means, and its variable in the environment.")
    var explain = false

    func run() async throws {
        try await usingSettings(flags) { settings in
            print(settings.listing)
            _ = try Plan(settings)
            guard explain else { return }
            print()
            for setting in Setting.all { print("\(setting.key) (\(setting.variable)): \(setting.help)") }
        }
    }
}
