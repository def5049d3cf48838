import Foundation
import Runtime

/// Where the keys of a store come from.
package struct S3CredentialSettings: Sendable {
    /// One source, or the first one that has some.
    package enum Source: String, CaseIterable, Sendable {
        case auto, settings, environment, file
        case webIdentity = "web-identity"
        case metadata
    }

    package var source = Source.auto
    /// Those that were set.
    package var fixed: S3Credentials?
    package var environment: [String: String]
    /// The file that AWS's tools share, and the profile in it; empty for what the environment says.
    package var file = ""
    package var profile = ""
    /// Of the instance metadata, and of the token service, empty for AWS's of the region.
    package var metadataEndpoint = MetadataCredentials.standardEndpoint
    package var tokenEndpoint = ""

    /// Whatever this environment has.
    package init(environment: [String: String]) { self.environment = environment }

    func sources(region: String, _ transport: HTTPTransport) throws(StoreError) -> [any CredentialSource] {
        let lane = BlockingExecutor(name: "credentials", threads: 1, capacity: 16)
        let set: [any CredentialSource] = fixed.map { [FixedCredentials($0)] } ?? []
        let identity = WebIdentityCredentials(environment, region: region, endpoint: tokenEndpoint, transport, lane)
        let fromEnvironment = EnvironmentCredentials(environment)
        let fromFile = SharedFileCredentials(environment, path: file, profile: profile, lane)
        let fromMachine = MetadataCredentials(transport, endpoint: metadataEndpoint)
        switch source {
        case .auto:
            let roles: [any CredentialSource] = identity.map { [$0] } ?? []
            return set + [fromEnvironment] + roles + [fromFile, fromMachine]
        case .settings: return set
        case .environment: return [fromEnvironment]
        case .file: return [fromFile]
        case .webIdentity:
            guard let identity else {
                throw StoreError(.unavailable, "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not both set")
            }
            return [identity]
        case .metadata: return [fromMachine]
        }
    }
}
