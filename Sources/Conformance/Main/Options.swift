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
    @Option(help: "Somebody who may push below NAME alone, NAME=USER:PASS (or an API key for PASS); may be repeated.")
    var identity: [String] = []
    @Option(help: "A file of such, one a line: nobody sees it in the process list.") var identities: String?
    @Flag(help: "Also the management API, of Aerugo alone for now: makes accounts of its own, and removes them.")
    var management = false
    @Option(
        help: "Its administrator, NAME or NAME:PASSWORD; the password better in AERUGO_CONFORMANCE_ADMIN_PASSWORD.")
    var admin: String?
    @Option(help: "A file with NAME:PASSWORD of the administrator.") var adminFile: String?
    @Option(help: "Where its nodes listen, URL,URL,…: they are asked in turn, each by the registry's name.")
    var nodes: String?
    @Option(help: "Seconds that each request may take.") var timeout = 30
    @Flag(help: "Take any certificate.") var insecure = false
    @Option(help: "A PEM file of certificate authorities.") var cacert: String?
    @Option(help: "First part of the names of the repositories that are made.") var prefix = "conformance"
    @Option(help: "The one repository that may be used.") var repository: String?
    @Flag(help: "Only read: --repository with --tag and --digest say what is there.") var readOnly = false
    @Option(help: "A tag that exists; may be repeated.") var tag: [String] = []
    @Option(help: "A manifest digest that exists; may be repeated.") var digest: [String] = []

    func target() throws -> Target {
        let base = try TargetOptions.registry(url)
        guard (1...3_600).contains(timeout) else { throw ValidationError("--timeout is between 1 and 3600 seconds") }
        var target = Target(base: base)
        target.trust.insecure = insecure
        if let cacert {
            try TargetOptions.checkAuthorities(cacert)
            target.trust.authorities = cacert
        }
        target.deadline = .seconds(timeout)
        target.nodes = try (nodes ?? "").split(separator: ",").map { try TargetOptions.registry(String($0)) }
        guard target.nodes.allSatisfy({ $0.scheme == base.scheme }) else {
            throw ValidationError("--nodes speak \(base.scheme), as the registry does")
        }
        guard TargetOptions.isName(prefix), prefix.utf8.count <= 100 else {
            throw ValidationError("--prefix '\(prefix)' is no repository name of 100 characters at most")
        }
        if let repository, !TargetOptions.isName(repository) {
            throw ValidationError("--repository '\(repository)' is no repository name")
        }
        target.prefix = prefix
        target.onlyRepository = repository
        target.identity = try mainIdentity()
        target.others = try (identity + identitiesOfFile()).map(TargetOptions.parse)
        guard Set(target.others.map(\.name)).count == target.others.count else {
            throw ValidationError("each --identity has a NAME of its own")
        }
        target.administrator = try administrator()
        // Who pushes, unless somebody else is named.
        if let administrator = target.administrator, target.identity.proof == .anonymous {
            target.identity = administrator
        }
        if readOnly {
            if management { throw ValidationError("--management makes accounts, and --read-only nothing") }
            guard let repository, !(tag + digest).isEmpty else {
                throw ValidationError("--read-only needs --repository and at least one --tag or --digest")
            }
            target.given = Target.Given(repository: repository, tags: tag, digests: digest)
        }
        return target
    }

    /// The root of a registry. Throws `ValidationError`, never with a password in it.
    static func registry(_ url: String) throws -> Address {
        let whole = url.contains("://") ? url : "http://" + url
        let authority = whole.components(separatedBy: "://").dropFirst().joined(separator: "://")
            .prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.contains("@") {
            throw ValidationError(
                "'\(Masker.form(whole))' holds credentials: give them by --user and --password instead")
        }
        guard let base = Address(whole) else { throw ValidationError("'\(url)' is no http or https URL") }
        guard ["/", "/v2", "/v2/"].contains(base.target), !whole.contains("#") else {
            throw ValidationError(
                "'\(Masker.form(url))' is more than scheme, host and port: a registry's API stands at /v2/ of its host")
        }
        return base
    }

    /// A name by the grammar of the distribution-spec.
    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 255
            && text.wholeMatch(of: /[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*/)
                != nil
    }

    /// At least one certificate must stand in the file; libcurl would tell only when the run has begun.
    private static func checkAuthorities(_ path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("--cacert: cannot read \(path)")
        }
        let parts = String(decoding: data, as: UTF8.self).components(separatedBy: "-----BEGIN CERTIFICATE-----")
        let isPEM = parts.dropFirst().contains { part in
            guard let end = part.range(of: "-----END CERTIFICATE-----") else { return false }
            let text = part[..<end.lowerBound].filter { !$0.isWhitespace }
            return !text.isEmpty && Data(base64Encoded: text) != nil
        }
        guard isPEM else { throw ValidationError("--cacert: \(path) holds no PEM certificate") }
    }

    private func mainIdentity() throws -> Identity {
        if let token {
            guard user == nil else { throw ValidationError("--token or --user, not both") }
            return Identity(name: "token", proof: .token(token))
        }
        guard let user else {
            if password != nil { throw ValidationError("--password needs --user") }
            return .anonymous
        }
        let given = password ?? ProcessInfo.processInfo.environment["AERUGO_CONFORMANCE_PASSWORD"]
        guard let given else {
            throw ValidationError("--user needs --password or AERUGO_CONFORMANCE_PASSWORD")
        }
        return Identity(name: user, proof: .password(user: user, password: given))
    }

    private func administrator() throws -> Identity? {
        guard management else {
            if admin != nil || adminFile != nil { throw ValidationError("--admin and --admin-file need --management") }
            return nil
        }
        var text = admin
        if let adminFile {
            guard admin == nil else { throw ValidationError("--admin or --admin-file, not both") }
            guard let data = FileManager.default.contents(atPath: adminFile) else {
                throw ValidationError("--admin-file: cannot read \(adminFile)")
            }
            text = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init)
        }
        let parts = (text ?? "").split(separator: ":", maxSplits: 1).map(String.init)
        let given =
            parts.count > 1 ? parts[1] : ProcessInfo.processInfo.environment["AERUGO_CONFORMANCE_ADMIN_PASSWORD"]
        guard let name = parts.first, let given, !given.isEmpty else {
            throw ValidationError(
                "--management needs --admin NAME with AERUGO_CONFORMANCE_ADMIN_PASSWORD, --admin NAME:PASSWORD or --admin-file"
            )
        }
        return Identity(name: name, proof: .password(user: name, password: given))
    }

    private func identitiesOfFile() throws -> [String] {
        guard let identities else { return [] }
        guard let data = FileManager.default.contents(atPath: identities) else {
            throw ValidationError("--identities: cannot read \(identities)")
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }

    private static func parse(_ text: String) throws -> Identity {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        let pair = (parts.last ?? "").split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, pair.count == 2 else { throw ValidationError("--identity is NAME=USER:PASS") }
        return Identity(name: parts[0], proof: .password(user: pair[0], password: pair[1]))
    }
}

/// What is left behind, and what counts.
struct OutputOptions: ParsableArguments {
    @Option(help: "JUnit XML.") var junit: String?
    @Option(help: "JSON.") var json: String?
    @Option(help: "One HTML file that needs nothing else.") var html: String?
    @Option(help: "Markdown.") var markdown: String?
    @Option(help: "A folder for every exchange of every check.") var trace: String?
    @Option(help: "An earlier JSON report, or a file of expected verdicts.") var baseline: String?
    @Option(help: "What makes the run fail: regression (against the baseline), must, or should (warnings too).")
    var failOn: FailOn?

    /// Finds out before the run that a report cannot be written or a baseline not be read; gives the baseline, which
    /// may stand where the new report will.
    func probe() throws -> Baseline? {
        if failOn == .regression, baseline == nil { throw ValidationError("--fail-on regression needs --baseline") }
        let known = try baseline.map { try Reports.read($0) }
        try Reports.probe([junit, json, html, markdown])
        if let trace { try Reports.probe(folder: trace) }
        return known
    }

    func write(_ result: RunResult, _ plan: RunPlan) throws {
        let target = plan.target.base.origin
        if let junit { try put(JUnitReport.text(result, countingWarnings: failOn == .should), junit) }
        if let json { try put(JSONReport.text(result, target: target, seed: plan.seed), json) }
        if let html { try put(HTMLReport.text(result, target: target, seed: plan.seed), html) }
        if let markdown { try put(MarkdownReport.text(result, target: target), markdown) }
    }

    private func put(_ text: String, _ path: String) throws {
        try Output.write(text, toFile: path)
    }

    /// The exit code. A run in which nothing passed, failed or warned proved nothing.
    func status(_ result: RunResult, against known: Baseline?) -> Int32 {
        if result.interrupted { return Status.failures }
        if result.facts.credentialsRefusal != nil { return Status.usage }
        let broken = result.count(.fail) + result.count(.error)
        if result.count(.pass) + result.count(.warn) + broken == 0 { return Status.nothingSelected }
        if let known {
            let ran = Set(result.outcomes.map(\.check.id))
            let changes = known.of(ran).changes(to: Baseline(result))
            for change in changes { Console.write(Reports.line(change)) }
            if changes.contains(where: \.isWorse) { return Status.regression }
            if failOn == nil || failOn == .regression { return 0 }
        }
        if failOn == .should, result.count(.warn) > 0 { return Status.failures }
        return broken > 0 ? Status.failures : 0
    }
}

/// `--fail-on`.
enum FailOn: String, ExpressibleByArgument, CaseIterable {
    case regression
    case must
    case should
}
