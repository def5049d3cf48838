import ArgumentParser

/// `aerugo system`
struct SystemCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "The registry itself: what it is, how it does, how much there is.",
        subcommands: [SystemInfo.self, SystemHealth.self, SystemSettings.self, SystemStatistics.self])
}

private struct SystemInfo: APICommand {
    static let configuration = CommandConfiguration(commandName: "info", abstract: "Show what this registry is.")

    @OptionGroup var flags: AdministrationFlags

    func call() -> APICall { APICall(.get, ["system", "info"]) }
    var output: Output {
        .record([
            .init("version", "version"), .init("url", "url"), .init("service", "service"), .init("deletes", "deletes"),
            .init("restorable for (s)", "restore_seconds"), .init("largest manifest", "largest_manifest"),
        ])
    }
}

private struct SystemHealth: APICommand {
    static let configuration = CommandConfiguration(commandName: "health", abstract: "Show whether each part works.")

    @OptionGroup var flags: AdministrationFlags

    func call() -> APICall { APICall(.get, ["system", "health"]) }
    var output: Output { .table([.init("PART", "name"), .init("WORKS", "works"), .init("DETAIL", "detail")]) }
}

private struct SystemSettings: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "List what the operator has set, but secrets.")

    @OptionGroup var flags: AdministrationFlags

    func call() -> APICall { APICall(.get, ["system", "settings"]) }
    var output: Output { .table([.init("NAME", "name"), .init("VALUE", "value")]) }
}

private struct SystemStatistics: APICommand {
    static let configuration = CommandConfiguration(commandName: "statistics", abstract: "Show how much there is.")

    @OptionGroup var flags: AdministrationFlags

    func call() -> APICall { APICall(.get, ["system", "statistics"]) }
    var output: Output {
        .record([
            .init("users", "users"), .init("organizations", "organizations"), .init("repositories", "repositories"),
            .init("bytes", "bytes"), .init("uploads", "uploads"),
        ])
    }
}
