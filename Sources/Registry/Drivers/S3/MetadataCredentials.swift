import AsyncHTTPClient
import Foundation
import Model
import NIOHTTP1
import Runtime

/// Credentials of the role of the machine, from the instance metadata service of AWS, in its second version: with a token that
/// no mere redirect can get.
package struct MetadataCredentials: CredentialSource {
    package let description = "the instance metadata"
    /// Where the service is on every machine of AWS.
    package static let standardEndpoint = "http://169.254.169.254"
    private static let roles = "/latest/meta-data/iam/security-credentials/"
    private static let patience = Duration.seconds(2)

    private struct Answer: Decodable {
        let Code: String?
        let AccessKeyId: String?
        let SecretAccessKey: String?
        let Token: String?
        let Expiration: String?
    }

    private let transport: HTTPTransport
    private let endpoint: String

    /// Asks the service at `endpoint`.
    init(_ transport: HTTPTransport, endpoint: String = standardEndpoint) {
        self.transport = transport
        self.endpoint = endpoint
    }

    /// The same on connections of its own.
    package init(endpoint: String) throws(StoreError) { self.init(try HTTPTransport(), endpoint: endpoint) }

    package func fetch() async throws(StoreError) -> S3Credentials? {
        let token = try await ask(
            "/latest/api/token", method: .PUT, ("X-aws-ec2-metadata-token-ttl-seconds", "21600"))
        let proof = ("X-aws-ec2-metadata-token", String(decoding: token.body, as: UTF8.self))
        guard token.status == 200, proof.1.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw StoreError(.unavailable, "the instance metadata gives no token: \(token.status)")
        }
        let roles = try await ask(Self.roles, proof)
        guard roles.status != 404 else { return nil }
        let role = String(decoding: roles.body, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init)
        guard roles.status == 200, let role else {
            throw StoreError(.unavailable, "the instance metadata names no role: \(roles.status)")
        }
        let answer = try await ask(Self.roles + PercentEncoding.encode(role), proof)
        let found: Answer
        do {
            found = try JSONDecoder().decode(Answer.self, from: Data(answer.body))
        } catch {
            throw StoreError(.unavailable, "the instance metadata of role \(role) cannot be read: \(answer.status)")
        }
        guard found.Code ?? "Success" == "Success", let id = found.AccessKeyId, let secret = found.SecretAccessKey,
            let expiry = found.Expiration.flatMap(Timestamp.init(rfc3339:))
        else {
            throw StoreError(.unavailable, "the instance metadata of role \(role) is \(found.Code ?? "not whole")")
        }
        return S3Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: found.Token, expiry: expiry)
    }

    private func ask(
        _ path: String, method: HTTPMethod = .GET, _ header: (String, String)
    ) async throws(StoreError) -> HTTPAnswer {
        var request = HTTPClientRequest(url: endpoint + path)
        request.method = method
        request.headers.add(name: header.0, value: header.1)
        return try await transport.send(request, within: Self.patience, limit: 64 << 10)
    }
}
