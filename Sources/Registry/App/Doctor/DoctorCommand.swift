import ArgumentParser
import Foundation
import Runtime

/// `aerugo doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look whether all that the registry needs is there, and say what to do.",
        discussion: """
            Reads the settings as `aerugo serve` does, and tries what they name: database, blobs, Redis, mail, certificates, files,
            disk, limits and clock, each for some seconds at most. Changes nothing, beside a server that runs or without one.
            Exit codes: 0 where nothing has failed, 1 else.
            """)

    @OptionGroup var flags: SettingFlags
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        ProcessSetup.prepare()
        let findings = await Doctor.examine { try flags.settings() }
        print(json ? try Self.json(findings) : Self.table(findings))
        guard findings.allSatisfy({ $0.state != .failed }) else { throw ExitCode(1) }
    }

    private static func json(_ findings: [Finding]) throws -> String {
        let failed = findings.count { $0.state == .failed }
        let object: [String: Any] = ["findings": findings.map(\.members), "failed": failed]
        return String(
            decoding: try JSONSerialization.data(
                withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]), as: UTF8.self)
    }

    /// A line a finding, and below it what to do.
    private static func table(_ findings: [Finding]) -> String {
        let width = findings.map(\.subject.count).max() ?? 0
        return findings.map { finding in
            let state = finding.state.text.padding(toLength: 7, withPad: " ", startingAt: 0)
            let subject = finding.subject.padding(toLength: width, withPad: " ", startingAt: 0)
            var line = LogLine()
            line.text(finding.seen)
            let advice = finding.advice.isEmpty ? "" : "\n" + String(repeating: " ", count: width + 11) + finding.advice
            return "\(state)  \(subject)  \(String(decoding: line.content, as: UTF8.self))\(advice)"
        }.joined(separator: "\n")
    }
}
