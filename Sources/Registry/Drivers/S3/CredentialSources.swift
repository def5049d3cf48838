import Foundation
import Runtime

/// Credentials that an operator has set.
package struct FixedCredentials: CredentialSource {
    package let description = "the settings"
    private let credentials: S3Credentials

    /// These, for ever.
    package init(_ credentials: S3Credentials) { self.credentials = credentials }

    package func fetch() async throws(StoreError) -> S3Credentials? { credentials }
}

/// Credentials in the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
package struct EnvironmentCredentials: CredentialSource {
    package let description = "the environment"
    private let environment: [String: String]

    /// Those in this environment.
    package init(_ environment: [String: String]) { self.environment = environment }

    package func fetch() async throws(StoreError) -> S3Credentials? {
        guard let id = environment.given("AWS_ACCESS_KEY_ID"), let secret = environment.given("AWS_SECRET_ACCESS_KEY")
        else { return nil }
        return S3Credentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: environment.given("AWS_SESSION_TOKEN"))
    }
}

/// Credentials of a profile in the file that AWS's tools share: `~/.aws/credentials`, or what AWS_SHARED_CREDENTIALS_FILE names.
/// Read anew from time to time.
package struct SharedFileCredentials: CredentialSource {
    package var description: String { "profile \(profile) in \(path)" }
    private let path: String
    private let profile: String
    private let lane: BlockingExecutor

    /// Those in the file that this environment leads to, unless `path` and `profile` say otherwise.
    package init(_ environment: [String: String], path: String = "", profile: String = "", _ lane: BlockingExecutor) {
        let standard =
            environment.given("AWS_SHARED_CREDENTIALS_FILE") ?? "\(environment["HOME"] ?? "")/.aws/credentials"
        self.path = path.isEmpty ? standard : path
        self.profile = profile.isEmpty ? environment.given("AWS_PROFILE") ?? "default" : profile
        self.lane = lane
    }

    package func fetch() async throws(StoreError) -> S3Credentials? {
        let path = path
        let text = try await lane.run { () throws(StoreError) in try SmallFile.read(path, ifThere: true) }
        guard let text else { return nil }
        let values = Self.values(of: profile, in: text)
        guard let id = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else { return nil }
        return S3Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: values["aws_session_token"])
    }

    private static func values(of profile: String, in text: String) -> [String: String] {
        var (values, isInside) = ([String: String](), false)
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("[") {
                isInside = line.dropFirst().prefix { $0 != "]" }.trimmingCharacters(in: .whitespaces) == profile
                continue
            }
            let halves = line.split(separator: "=", maxSplits: 1)
            guard isInside, halves.count == 2 else { continue }
            let (key, value) = (halves[0], halves[1].trimmingCharacters(in: .whitespaces))
            if !value.isEmpty { values[key.trimmingCharacters(in: .whitespaces).lowercased()] = value }
        }
        return values
    }
}

extension [String: String] {
    /// A variable that is there and not empty.
    func given(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
}

/// Files with a secret in them.
enum SmallFile {
    private static let limit = 1 << 20

    /// The text of a file; nil for one that is not there, where it need not be. Throws `.unavailable`, without any of it.
    static func read(_ path: String, ifThere: Bool = false) throws(StoreError) -> String? {
        if ifThere, !FileManager.default.fileExists(atPath: path) { return nil }
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { handle.closeFile() }
            return String(decoding: try handle.read(upToCount: limit) ?? Data(), as: UTF8.self)
        } catch {
            throw StoreError(.unavailable, "cannot read \(path): \(error.localizedDescription)")
        }
    }
}
