import Access
import Logging
import Metrics
import Model
import Runtime
import Store

/// Who there is and how they prove it: the use cases of a registry that is not open.
package struct Accounts: Sendable {
    package let users: Users
    package let organizations: Organizations
    package let keys: Keys
    package let permissions: Permissions
    package let audit: AuditLog
    package let tokens: Tokens
    package let logins: Logins
    package let kept: KeptAnswers
    package let invitations: Invitations
    package let letters: Letters
    package let passwords: PasswordHasher

    /// The use cases over a store; `passwords` hashes and compares, `mail` sends, where there is any, `sharing` counts with other
    /// nodes, where there are any, `settings` are the operator's.
    package init(
        _ store: MetadataStore, passwords: PasswordHasher, mail: (any MailTransport)? = nil, sharing: Sharing? = nil,
        settings: AccountSettings, log: Logger
    ) {
        self.passwords = passwords
        audit = AuditLog(store, life: settings.auditLife, log)
        letters = Letters(store, mail, settings.letters, log)
        users = Users(
            store: store, passwords: passwords, rules: settings.passwords, letters: letters,
            registersAnybody: settings.registersAnybody)
        organizations = Organizations(store: store, areAnybodys: settings.organizationsAreAnybodys)
        keys = Keys(store: store)
        kept = KeptAnswers(store, log)
        invitations = Invitations(store: store, life: settings.invitationLife, log: log)
        permissions = Permissions(store: store)
        tokens = Tokens(store, settings, log)
        logins = Logins(store, passwords, tokens, audit, settings, sharing?.counters, log)
    }

    /// Logins, tokens, and the threads of passwords.
    package func metrics() -> [MetricFamily] { logins.metrics + tokens.metrics + passwords.metrics }
}

/// What an operator may set about accounts.
package struct AccountSettings: Sendable {
    /// The `service` of tokens, which is also their audience.
    package var service = "aerugo"
    /// Who makes tokens, as they say it.
    package var issuer = "aerugo"
    /// How long an access token lives. Rights that are taken away bind at once all the same.
    package var tokenLife: Duration = .seconds(3600)
    /// How long a login that is kept lives without being used.
    package var loginLife: Duration = .seconds(90 * 86_400)
    /// How long a password or a key that was right is remembered.
    package var memory: Duration = .seconds(10)
    /// How long a signing key signs, until another one takes its place.
    package var signingKeyLife: Duration = .seconds(90 * 86_400)
    /// How long entries of the audit are kept; nil for ever.
    package var auditLife: Duration? = .seconds(365 * 86_400)
    /// Whether anybody may become a user by asking.
    package var registersAnybody = false
    /// What letters say.
    package var letters = LetterSettings()
    /// How long an invitation waits for an answer.
    package var invitationLife: Duration = .seconds(7 * 86_400)
    /// Failed logins of an account from one address before it has to wait.
    package var freeFailures = LoginThrottle.usual
    /// What a password has to be like.
    package var passwords = PasswordRules()
    /// Whether every user may make organizations.
    package var organizationsAreAnybodys = true

    /// The defaults.
    package init() {}
}
