import ArgumentParser
import LoadKit

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Send load and report what came of it.")

    @Argument(help: "The registry's URL, or any URL for a plain GET.")
    var url: String

    @Option(help: "Arrivals a second (open loop).")
    var rate: String?

    @Option(help: "How long the figures are taken.")
    var duration = "10s"

    @Option(help: "'constant' or 'poisson'.")
    var arrivals = "constant"

    @Option(help: "Closed loop instead: so many clients, each waiting for its answer. Hides a server's pauses.")
    var concurrency: Int?

    @OptionGroup var load: LoadOptions

    func run() async throws {
        let target = try Target(parsing: url)
        let length = try Quantity.duration(duration)
        let drive: Drive
        if let concurrency {
            drive = .closed(clients: concurrency, lasting: length)
        } else {
            let rate = try Quantity.number(self.rate ?? "10", in: 0...Schedule.highestRate)
            drive = .open(
                try Schedule(stages: [.constant(rate, lasting: length)], spacing: .init(rawValue: arrivals) ?? .constant))
        }
        var settings = RunSettings(drive: drive)
        settings.threads = load.threads
        settings.connections.limit = load.maxConnections
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        settings.warmUp = try Quantity.duration(load.warmUp ?? "0")
        let generator = try await Generator.start(settings)
        let report = try await generator.run(SingleRequest(Request(.get, "GET", target.endpoint, target.path)))
        print(report.rateAsked, report.rateGot, report.arrivals.failures, report.generator, report.late)
        for (name, h) in [("latency", report.arrivals.latency), ("service", report.operations["get"]?.service ?? SparseHistogram()), ("lag", report.lag)] {
            print(name, [50, 90, 95, 99, 99.9].map { Text.time(h.percentile($0)) }, Text.time(h.max))
        }
        print(report.doubts)
        try await generator.shutDown()
    }
}
