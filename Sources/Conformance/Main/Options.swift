import ArgumentParser
import ConformanceKit
import Foundation

/// Where and as whom.
struct TargetOptions: ParsableArguments {
    @Argument(help: "The registry, such as http://127.0.0.1:5000.") var url: String
    @Option(help: "User name.") var user: String?
    @Option(help: "Password; better in AERUGO_CONFORMANCE_PASSWORD, which nobody sees in the process list.")
    var password: String?
    @Option(help: "A bearer token instead.") var token: String?
    @Option(help: "Somebody else, NAME=USER:PASS; may be repeated.") var identity: [String] = []
    @Option(help: "Seconds that each request may take.") var timeout = 30
    @Flag(help: "Take any certificate.") var insecure = false
    @Option(help: "A PEM file of certificate authorities.") var cacert: String?
    @Option(help: "First part of the names of the repositories that are made.") var prefix = "conformance"
    @Option(help: "The one repository that may be used.") var repository: String?
    @Flag(help: "Only read: --repository with --tag and --digest say what is there.") var readOnly = false
    @Option(help: "A tag that exists; may be repeated.") var tag: [String] = []
    @Option(help: "A manifest digest that exists; may be repeated.") var digest: [String] = []

    func target() throws -> Target {
        guard let base = Address(url.contains("://") ? url : "http://" + url) else {
            throw ValidationError("'\(url)' is no http or https URL")
        }
        guard (1...3_600).contains(timeout) else { throw ValidationError("--timeout is between 1 and 3600 seconds") }
        var target = Target(base: base)
        target.trust.insecure = insecure
        if let cacert {
            guard FileManager.default.isReadableFile(atPath: cacert) else {
                throw ValidationError("--cacert: cannot read \(cacert)")
            }
            target.trust.authorities = cacert
        }
        target.deadline = .seconds(timeout)
        target.prefix = prefix
        target.onlyRepository = repository
        target.identity = try mainIdentity()
        target.others = try identity.map(TargetOptions.parse)
        if readOnly {
            guard let repository, !(tag + digest).isEmpty else {
                throw ValidationError("--read-only needs --repository and at least one --tag or --digest")
            }
            target.given = Target.Given(repository: repository, tags: tag, digests: digest)
        }
        return target
    }

    private func mainIdentity() throws -> Identity {
        if let token {
            guard user == nil else { throw ValidationError("--token or --user, not both") }
            return Identity(name: "token", proof: .token(token))
        }
        guard let user else { return .anonymous }
        let given = password ?? ProcessInfo.processInfo.environment["AERUGO_CONFORMANCE_PASSWORD"]
        guard let given else {
            throw ValidationError("--user needs --password or AERUGO_CONFORMANCE_PASSWORD")
        }
        return Identity(name: user, proof: .password(user: user, password: given))
    }

    private static func parse(_ text: String) throws -> Identity {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        let pair = (parts.last ?? "").split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, pair.count == 2 else { throw ValidationError("--identity is NAME=USER:PASS") }
        return Identity(name: parts[0], proof: .password(user: pair[0], password: pair[1]))
    }
}

/// What is left behind.
struct OutputOptions: ParsableArguments {
    @Option(help: "JUnit XML.") var junit: String?
    @Option(help: "JSON.") var json: String?
    @Option(help: "A folder for every exchange of every check.") var trace: String?

    /// Finds out before the run that a report cannot be written.
    func probe() throws {
        for path in [junit, json].compactMap({ $0 }) {
            guard FileManager.default.createFile(atPath: path, contents: Data()) else {
                throw ValidationError("cannot write \(path)")
            }
        }
    }

    func write(_ result: RunResult, _ plan: RunPlan) throws {
        if let junit { try put(JUnitReport.text(result), junit) }
        if let json { try put(JSONReport.text(result, target: plan.target.base.origin, seed: plan.seed), json) }
    }

    private func put(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    func status(_ result: RunResult) throws -> Int32 {
        if result.count(.fail) + result.count(.error) > 0 { return Status.failures }
        if result.count(.pass) + result.count(.warn) == 0 { return Status.nothingSelected }
        return 0
    }
}
