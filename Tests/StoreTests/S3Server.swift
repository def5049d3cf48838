import Foundation
import Model
import Runtime
import S3Driver
import Store
import Testing

/// The bucket that `ci/services start seaweedfs` names.
enum S3Server {
    static let endpoint = variable("AERUGO_TEST_S3_ENDPOINT").flatMap(S3Endpoint.init)
    static let missing: Comment = #"AERUGO_TEST_S3_ENDPOINT names no store: eval "$(ci/services start)""#

    static var port: Int { endpoint?.host.split(separator: ":").last.flatMap { Int($0) } ?? 0 }

    static var keys: S3CredentialSettings {
        var keys = S3CredentialSettings(environment: [:])
        keys.source = .settings
        keys.fixed = S3Credentials(
            accessKeyID: variable("AERUGO_TEST_S3_ACCESS_KEY_ID") ?? "",
            secretAccessKey: variable("AERUGO_TEST_S3_SECRET_ACCESS_KEY") ?? "")
        return keys
    }

    /// A place of its own in the bucket; `through`: the URL of what stands before the store.
    static func settings(through: String? = nil) throws -> S3Settings {
        let endpoint = try through.map { try #require(S3Endpoint($0)) } ?? #require(endpoint)
        var settings = S3Settings(
            bucket: variable("AERUGO_TEST_S3_BUCKET") ?? "", region: variable("AERUGO_TEST_S3_REGION") ?? "",
            endpoint: endpoint)
        settings.prefix = "test/\(IDSource().token())"
        return settings
    }

    static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    /// Names of all objects of a place, and of those that are being made in parts, as the store itself lists them.
    static func contents(of settings: S3Settings) async throws -> (objects: [String], uploads: [String]) {
        let client = try S3Client.of(settings, keys)
        defer { client.close() }
        let prefix = settings.prefix + "/"
        let objects = try await client.list(prefix, after: nil, limit: 1000)
        let uploads = try await client.listUploads(prefix)
        return (
            objects.map { String($0.dropFirst(prefix.count)) }.filter { $0 != "store-id" },
            uploads.map { String($0.dropFirst(prefix.count)) }
        )
    }
}

/// Waits for something that is about to become true, without saying how long that takes.
func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "never")
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Many bytes at once: some that look random, over and over, of a length that none of a part is a multiple of.
func bulk(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
    let block = bytes(min(count, 65_521), seed: seed)
    var content: [UInt8] = []
    content.reserveCapacity(count + block.count)
    while content.count < count { content += block }
    return Array(content[..<count])
}
