import Foundation
import Logging
import Runtime
import S3Driver

/// A store of S3 and where its keys come from.
struct S3Plan: Sendable {
    var store: S3Settings
    var credentials: S3CredentialSettings

    /// The store of `s3.*`; nil where no bucket is named. Throws `ConfigurationError`, which never has a secret in it.
    static func of(_ settings: Settings) throws -> S3Plan? {
        let bucket = settings.string("s3.bucket")
        guard !bucket.isEmpty else {
            let orphan = ["endpoint", "public-endpoint", "addressing", "access-key-id", "secret-key-file", "prefix"]
                .map { "s3.\($0)" }.first { !settings.string($0).isEmpty }
            if let orphan {
                throw ConfigurationError(
                    description: "\(orphan) says something of a bucket that is not named: set s3.bucket")
            }
            return nil
        }
        guard isName(bucket, "-.") else { throw settings.wrong("s3.bucket", "a bucket's name") }
        let region = settings.string("s3.region")
        guard isName(region, "-") else { throw settings.wrong("s3.region", "a region such as eu-central-1") }
        var store = S3Settings(
            bucket: bucket, region: region, endpoint: try endpoint(settings, "s3.endpoint"),
            addressing: try addressing(settings))
        store.publicEndpoint = try endpoint(settings, "s3.public-endpoint")
        store.prefix = settings.string("s3.prefix")
        guard store.prefix.isEmpty || isName(store.prefix, "-_./") && !store.prefix.hasPrefix("/") else {
            throw settings.wrong("s3.prefix", "letters, digits and -_./, with none of / at its beginning")
        }
        store.authorities = settings.string("s3.authorities")
        store.partSize = try settings.number("s3.part-size", in: S3Settings.partSizes)
        store.memory = try settings.number("s3.memory", in: 1 << 20...1 << 40)
        store.linkLife = .seconds(try settings.number("s3.link-life", in: 10...604_800))
        store.redirects = try settings.flag("s3.redirect")
        return S3Plan(store: store, credentials: try credentials(settings))
    }

    private static func isName(_ text: String, _ marks: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) || marks.utf8.contains($0)
            }
    }

    private static func endpoint(_ settings: Settings, _ key: String) throws -> S3Endpoint? {
        let text = settings.string(key)
        guard !text.isEmpty else { return nil }
        guard let endpoint = S3Endpoint(text) else {
            throw settings.wrong(key, "a URL without a path, such as https://s3.example.com")
        }
        return endpoint
    }

    private static func addressing(_ settings: Settings) throws -> S3Settings.Addressing? {
        let text = settings.string("s3.addressing")
        guard !text.isEmpty else { return nil }
        guard let addressing = S3Settings.Addressing(rawValue: text) else {
            throw settings.wrong(
                "s3.addressing", S3Settings.Addressing.allCases.map(\.rawValue).joined(separator: " or "))
        }
        return addressing
    }

    private static func credentials(_ settings: Settings) throws -> S3CredentialSettings {
        var credentials = S3CredentialSettings(environment: ProcessInfo.processInfo.environment)
        guard let source = S3CredentialSettings.Source(rawValue: settings.string("s3.credentials")) else {
            throw settings.wrong(
                "s3.credentials", S3CredentialSettings.Source.allCases.map(\.rawValue).joined(separator: ", "))
        }
        credentials.source = source
        let (id, file) = (settings.string("s3.access-key-id"), settings.string("s3.secret-key-file"))
        guard id.isEmpty == file.isEmpty, source != .settings || !id.isEmpty else {
            throw settings.wrong("s3.secret-key-file", "there where s3.access-key-id is, and nowhere else")
        }
        guard !file.isEmpty else { return credentials }
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw ConfigurationError(
                description: "cannot read s3.secret-key-file '\(file)': \(error.localizedDescription)")
        }
        let secret = String(text.prefix { !$0.isNewline })
        guard !secret.isEmpty else {
            throw ConfigurationError(description: "s3.secret-key-file '\(file)' is empty: put the secret key into it")
        }
        credentials.fixed = S3Credentials(accessKeyID: id, secretAccessKey: secret)
        return credentials
    }

    /// Tells an operator of who could listen.
    func warn(_ log: Logger) {
        guard store.isExposed else { return }
        log.warning(
            "blobs cross a network in the clear on their way to S3: use an endpoint with https",
            metadata: ["blobs": "\(store.description)"])
    }
}
