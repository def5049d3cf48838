import ArgumentParser
import LoadKit

/// How to send: shared by `run` and `capacity`.
struct LoadOptions: ParsableArguments {
    @Option(help: "Scenario: a built-in name (see 'scenarios') or a YAML file. Without one, a plain GET of the URL.")
    var scenario: String?

    @Option(name: .customLong("warm-up"), help: "Time before the figures, at the first rate.")
    var warmUp: String?

    @Option(name: .customLong("cool-down"), help: "Time behind the figures, at the last rate.")
    var coolDown: String?

    @Option(help: "Event loops.")
    var threads = 1

    @Option(name: .customLong("max-connections"), help: "The most connections in all.")
    var maxConnections = 4096

    @Option(help: "'keep-alive', or 'close' for a connection a request as docker, podman and skopeo do.")
    var connection: String?

    @Option(help: "Deadline of a request.")
    var timeout = "30s"

    @Option(help: "Seed of content, arrivals and choices; without one a new seed is drawn and told.")
    var seed: UInt64?

    @Flag(help: "Take any certificate.")
    var insecure = false

    @Option(help: "PEM file of the authority to trust.")
    var cacert: String?

    @Option(name: .customLong("server-pid"), help: "Process whose CPU and memory are read each second.")
    var serverPID: Int?

    @Option(help: "Prometheus page of the target that tells its CPU and memory.")
    var metrics: String?
}

/// The seed to use when none is named.
func freshSeed() -> UInt64 {
    UInt64.random(in: 1...0xFFFF_FFFF)
}
