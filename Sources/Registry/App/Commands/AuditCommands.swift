import ArgumentParser
import Foundation

/// `aerugo audit`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "What happened: changes, logins, refusals.",
        subcommands: [ListAudit.self, ExportAudit.self])
}

/// Which entries.
struct AuditFilters: ParsableArguments {
    @Option(help: "Of this organization, for who manages it; without this of the registry.") var organization: String?
    @Option(help: "Only these, such as user.create.") var action: String?
    @Option(help: "Only those that ended so, such as refused.") var outcome: String?
    @Option(help: "Only what this account did.") var who: String?
    @Option(help: "Not before this moment, such as 2026-11-01T00:00:00Z.") var since: String?
    @Option(help: "Before this moment.") var until: String?

    var call: APICall {
        let given = [("action", action), ("outcome", outcome), ("who", who), ("since", since), ("until", until)]
        let path = organization.map { ["organizations", $0, "audit"] } ?? ["audit"]
        return APICall(.get, path, query: given.compactMap { name, value in value.map { (name, $0) } })
    }
}

private struct ListAudit: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the latest entries.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var filters: AuditFilters
    @Option(help: "How many at least, where there are so many: whole pages of 100.") var count = 100

    var most: Int? { count }

    func call() -> APICall { filters.call }
    var output: Output {
        .table([
            .init("AT", "at"), .init("WHO", "who"), .init("ACTION", "action"), .init("OUTCOME", "outcome"),
            .init("SUBJECT", "subject"), .init("DETAIL", "detail"), .init("ADDRESS", "address"),
        ])
    }
}

/// A line an entry, printed as they come: there may be more than fit into memory.
private struct ExportAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print all entries as JSON, a line each, newest first.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var filters: AuditFilters

    func run() async throws {
        try await ending {
            try await flags.withTransport { transport in
                var call = filters.call
                call.target += (call.target.contains("?") ? "&" : "?") + "n=1000"
                let first = call.target
                while true {
                    let answer = try await transport.send(call)
                    guard answer.isGood else { throw ConfigurationError(description: answer.reason, exitCode: 1) }
                    for item in answer.items {
                        print(
                            String(
                                decoding: try JSONSerialization.data(
                                    withJSONObject: item, options: [.sortedKeys, .withoutEscapingSlashes]),
                                as: UTF8.self))
                    }
                    guard let next = answer.members["next"] as? String else { return }
                    call.target = APICall.page(first, after: next)
                }
            }
        }
    }
}
