import Model
import Runtime

/// Keys that requests are signed with. Never shown: not in a log, not in an error.
package struct S3Credentials: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package let accessKeyID: String
    let secretAccessKey: String
    /// Of credentials that are lent for a time.
    let sessionToken: String?
    /// When they end; nil for never.
    package let expiry: Timestamp?

    /// Credentials as their issuer has made them.
    package init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiry: Timestamp? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiry = expiry
    }

    package var description: String { "credentials \(accessKeyID)" }

    package var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}

/// Where credentials come from.
package protocol CredentialSource: Sendable {
    /// For a person.
    var description: String { get }
    /// Those that count now; nil where this source has none to give. Throws `.unavailable`.
    func fetch() async throws(StoreError) -> S3Credentials?
}
