import Model

/// Whose word a token is, and whom it is for. Both are one fixed value of a registry, never the client's choice.
package struct TokenRealm: Sendable, Hashable {
    /// The claim `iss`.
    package let issuer: String
    /// The claim `aud`: what challenges call `service`.
    package let service: String

    /// A realm; neither may be empty.
    package init(issuer: String, service: String) {
        precondition(!issuer.isEmpty && !service.isEmpty, "a token needs an issuer and an audience")
        self.issuer = issuer
        self.service = service
    }
}

/// What an access token says. It is an upper bound: what its principal may do when it is used decides.
package struct AccessToken: Sendable, Hashable {
    /// The claim `sub`; nil for anybody.
    package let subject: PrincipalID?
    /// The claim `cred`, the credential that it was given for: what came of one ends with it.
    package let credential: Credential
    package let scope: TokenScope
    /// The claim `jti`: another one in each token.
    package let id: String
    package let issuedAt: Timestamp
    /// In whole seconds.
    package let expiresAt: Timestamp

    /// Longest life that a token may claim; a longer one is refused even with a good signature.
    package static let longestLife = Duration.seconds(24 * 3600)
    /// Most bytes that a token has: it travels in a header of every request.
    package static let longest = 8192

    /// A token that says this; it lives at most `longestLife`.
    package init(
        subject: PrincipalID?, credential: Credential, scope: TokenScope, id: String, issuedAt: Timestamp,
        lifetime: Duration
    ) {
        self.init(
            subject: subject, credential: credential, scope: scope, id: id, issuedAt: issuedAt,
            expiresAt: Timestamp(seconds: (issuedAt + min(lifetime, Self.longestLife)).seconds))
    }

    init(
        subject: PrincipalID?, credential: Credential, scope: TokenScope, id: String, issuedAt: Timestamp,
        expiresAt: Timestamp
    ) {
        self.subject = subject
        self.credential = credential
        self.scope = scope
        self.id = id
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }
}

extension Timestamp {
    /// Whole seconds since 1970, rounded down.
    var seconds: Int64 { milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000 }

    /// The moment this many seconds after 1970 began.
    init(seconds: Int64) { self.init(milliseconds: seconds * 1000) }
}

/// Why a token is refused. For the log; a client is told that its token is not good, and no more.
package enum TokenFault: Error, Sendable, Hashable, CaseIterable {
    /// Not three parts, too long, or a part that is not written as we write it.
    case malformed
    /// The header is not one that we write with a key that is believed now: another algorithm, type, key, or more members.
    case header
    case signature
    /// A claim is missing, twice there, or of another type; or its life is too long.
    case claims
    case issuer
    case audience
    case expired
    /// Not yet good.
    case early
}
