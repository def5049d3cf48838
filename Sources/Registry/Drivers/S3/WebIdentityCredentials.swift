import AsyncHTTPClient
import Foundation
import Model
import NIOHTTP1
import Runtime

/// Credentials of a role that are got for a token which the platform leaves in a file (Kubernetes on AWS), from AWS's token
/// service (STS, AssumeRoleWithWebIdentity).
package struct WebIdentityCredentials: CredentialSource {
    package let description = "the web identity"
    private static let patience = Duration.seconds(10)

    private let transport: HTTPTransport
    private let lane: BlockingExecutor
    private let endpoint: String
    private let tokenFile: String
    private let role: String
    private let session: String

    /// Asks for the role and by the token that this environment names, in AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE; nil
    /// where it names none. `endpoint`: of the token service; AWS_ENDPOINT_URL_STS or that of the region where it is empty.
    init?(
        _ environment: [String: String], region: String, endpoint: String = "", _ transport: HTTPTransport,
        _ lane: BlockingExecutor
    ) {
        guard let file = environment.given("AWS_WEB_IDENTITY_TOKEN_FILE"), let role = environment.given("AWS_ROLE_ARN")
        else { return nil }
        self.transport = transport
        self.lane = lane
        let standard = environment.given("AWS_ENDPOINT_URL_STS") ?? "https://sts.\(region).amazonaws.com"
        self.endpoint = endpoint.isEmpty ? standard : endpoint
        tokenFile = file
        self.role = role
        session = environment.given("AWS_ROLE_SESSION_NAME") ?? "aerugo"
    }

    /// The same on connections and a thread of its own.
    package init?(_ environment: [String: String], region: String, endpoint: String = "") throws(StoreError) {
        let lane = BlockingExecutor(name: "credentials", threads: 1, capacity: 16)
        self.init(environment, region: region, endpoint: endpoint, try HTTPTransport(), lane)
    }

    package func fetch() async throws(StoreError) -> S3Credentials? {
        let path = tokenFile
        let token = try await lane.run { () throws(StoreError) in try SmallFile.read(path) } ?? ""
        let form = PercentEncoding.query([
            ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role),
            ("RoleSessionName", session), ("WebIdentityToken", token.trimmingCharacters(in: .whitespacesAndNewlines)),
        ])
        var request = HTTPClientRequest(url: endpoint + "/")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "Accept", value: "application/xml")
        request.body = .bytes(Array(form.utf8))
        let answer = try await transport.send(request, within: Self.patience)
        let root = try XMLElement(document: answer.body)
        guard answer.status == 200 else {
            throw StoreError(
                .unavailable,
                "the token service gives no credentials for \(role): \(answer.status) "
                    + "\(root.descendant("Code")?.text.prefix(100) ?? "")")
        }
        guard let found = root.descendant("Credentials"), let id = found["AccessKeyId"],
            let secret = found["SecretAccessKey"], let expiry = found["Expiration"].flatMap(Timestamp.init(rfc3339:))
        else { throw StoreError(.unavailable, "the token service's answer has no credentials") }
        return S3Credentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: found["SessionToken"], expiry: expiry)
    }
}
