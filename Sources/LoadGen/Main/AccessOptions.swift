import ArgumentParser
import Glibc
import LoadKit

/// Who asks, and what certificates are believed.
struct AccessOptions: ParsableArguments {
    @Option(help: "User name; the password comes from --password-file or AERUGO_LOAD_PASSWORD.")
    var user: String?

    @Option(name: .customLong("password-file"), help: "File whose first line is the password.")
    var passwordFile: String?

    @Option(name: .customLong("token-file"), help: "File whose first line is a bearer token to be used as it is.")
    var tokenFile: String?

    @Option(name: .customLong("token-host"), help: "A HOST[:PORT] besides the target that may be asked for tokens.")
    var tokenHosts: [String] = []

    @Flag(help: "Take any certificate.")
    var insecure = false

    @Option(help: "PEM file of the authority to trust.")
    var cacert: String?

    /// Refuses what would be passed over in silence.
    func validate() throws {
        if tokenFile != nil, user != nil { throw ValidationError("--token-file and --user are one or the other") }
        if passwordFile != nil, user == nil { throw ValidationError("--password-file needs --user") }
        for host in tokenHosts { _ = try HostRule(parsing: host) }
        if insecure, cacert != nil { throw ValidationError("--insecure takes any certificate: leave out --cacert") }
    }
}

extension AccessOptions {
    /// How certificates are judged. Throws when the authority's file cannot be read.
    func secure(_ settings: inout ConnectionSettings) throws {
        if let cacert { _ = try ReportFile.bytes(cacert) }
        do throws(RunError) {
            settings.tls = try AddressBook.tls(isInsecure: insecure, authority: cacert)
        } catch {
            throw Exit(.usage, error.description)
        }
    }

    /// Who asks. A password never stands on the command line.
    func credentials() throws -> Credentials {
        if let tokenFile { return .token(try Self.firstLine(tokenFile)) }
        guard let user else { return .none }
        if let passwordFile { return .basic(user: user, password: try Self.firstLine(passwordFile)) }
        guard let value = getenv("AERUGO_LOAD_PASSWORD") else {
            throw Exit(.usage, "--user needs --password-file or AERUGO_LOAD_PASSWORD")
        }
        return .basic(user: user, password: String(cString: value))
    }

    /// What arrivals do: play a scenario, or get the URL where there is none.
    func workload(
        _ scenario: Scenario?, _ target: Target, closes: Bool, seed: UInt64
    ) throws -> any Workload {
        guard let scenario else {
            return SingleRequest(
                Request(
                    .get, "GET", target.endpoint, target.path, fields: try credentials().fields, closes: closes,
                    accepts: Array(200...206)))
        }
        return RegistryWorkload(
            scenario: scenario, client: try client(target, closes: closes), target: target, seed: seed)
    }

    /// Speaks to `target` for whoever asks.
    func client(_ target: Target, closes: Bool) throws -> RegistryClient {
        RegistryClient(
            endpoint: target.endpoint, credentials: try credentials(),
            tokenHosts: try tokenHosts.map { try HostRule(parsing: $0) }, closes: closes)
    }

    /// The first line of a file that holds a secret.
    static func firstLine(_ path: String) throws -> String {
        let bytes = try ReportFile.bytes(path).prefix { $0 != 0x0A && $0 != 0x0D }
        guard !bytes.isEmpty else { throw Exit(.usage, "the first line of '\(path)' is empty") }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Open files that this process may have.
enum Descriptors {
    /// Raises the soft limit to the hard one and tells it.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(min(limit.rlim_cur, 1_000_000))
    }
}
